package passwd

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// known is the hash of "secret" with the salt "123456789012", as openssl dgst -sha512 and base64 make it.
const known = "$6$MTIzNDU2Nzg5MDEy$bZfv+whQZ/1yDdVb4P8BlqyS8z1Prbr7t+3w6UFsmNp85Hwi9Z3NMZAjHkW9nrd/yW54ZokD+1OkposE5KV3SA=="

func TestHashFormat(t *testing.T) {
	h, err := ParseHash(known)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.String(); got != known {
		t.Errorf("String changed the hash to %s", got)
	}
	if !h.Check([]byte("secret")) {
		t.Error("the right password is refused")
	}
	for _, wrong := range []string{"", "Secret", "secret\n", "secret\x00"} {
		if h.Check([]byte(wrong)) {
			t.Errorf("%q is let in", wrong)
		}
	}
}

func TestNewSaltsEveryPassword(t *testing.T) {
	a, b := New([]byte("x")), New([]byte("x"))
	if a == b {
		t.Error("two hashes of one password are equal")
	}
	if !a.Check([]byte("x")) || !b.Check([]byte("x")) {
		t.Error("a fresh hash refuses its password")
	}
	if salt, _, _ := strings.Cut(strings.TrimPrefix(a.String(), "$6$"), "$"); len(salt) != 16 {
		t.Errorf("the salt %q does not have 16 characters", salt)
	}
}

func TestParseHashErrors(t *testing.T) {
	digest := base64.StdEncoding.EncodeToString(make([]byte, sha512.Size))
	tests := []struct {
		name, in string
		want     error
	}{
		{"plain", "secret", ErrNotHashed},
		{"empty", "", ErrNotHashed},
		{"plain with dollars", "$6 a day", ErrNotHashed},
		{"newer mosquitto", "$7$101$c2FsdA==$" + digest, ErrUnsupported},
		{"crypt", "$5$salt$hash", ErrUnsupported},
		{"no hash", "$6$c2FsdA==", ErrDamaged},
		{"empty salt", "$6$$" + digest, ErrDamaged},
		{"long salt", "$6$" + base64.StdEncoding.EncodeToString(make([]byte, 65)) + "$" + digest, ErrDamaged},
		{"salt not base64", "$6$sa-t$" + digest, ErrDamaged},
		{"hash not base64", "$6$c2FsdA==$" + digest[:87] + "!", ErrDamaged},
		{"short hash", "$6$c2FsdA==$c2FsdA==", ErrDamaged},
		{"carriage return", "$6$c2FsdA==$" + digest + "\r", ErrDamaged},
		{"line feed", "$6$c2FsdA==$\n" + digest, ErrDamaged},
		{"padding bits", "$6$c2FsdB==$" + digest, ErrDamaged},
		{"fourth field", "$6$c2FsdA==$" + digest + "$x", ErrDamaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseHash(tt.in); err != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestParseSurvivesBadLines(t *testing.T) {
	in := strings.Join([]string{
		"# comment:" + known,
		"",
		"alice:" + known,
		"no colon",
		"bob:plain",
		"\t ",
		":" + known,
		"b\x01b:" + known,
		"\xff:" + known,
		"carol:" + known + "  ",
		"long:" + strings.Repeat("x", maxLine),
		"two:colons:" + known,
		"alice:" + known + "\r",
		"dave:$6$x$y",
		"erin:" + known,
	}, "\n")
	f, bad, err := Parse(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	want := []LineError{{4, ErrNoColon}, {5, ErrNotHashed}, {7, ErrNoName}, {8, ErrNameText}, {9, ErrNameText}, {11, ErrLineLength},
		{12, ErrNotHashed}, {14, ErrDamaged}}
	if diff := cmp.Diff(want, bad, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
		t.Errorf("bad lines (-want +got):\n%s", diff)
	}
	table := f.Table()
	for _, user := range []string{"alice", "carol", "erin"} {
		if h, ok := table[user]; !ok || !h.Check([]byte("secret")) {
			t.Errorf("%s cannot log in", user)
		}
	}
	if len(table) != 3 {
		t.Errorf("%d users, want 3", len(table))
	}
	if got := string(f.Bytes()); got != in {
		t.Errorf("an unchanged file is written differently (-want +got):\n%s", cmp.Diff(in, got))
	}
	for _, e := range bad {
		if strings.Contains(e.Err.Error(), "plain") {
			t.Errorf("an error quotes a password: %v", e)
		}
	}
}

func TestParseErrors(t *testing.T) {
	broken := errors.New("disk")
	if _, _, err := Parse(iotest.ErrReader(broken)); err != broken {
		t.Errorf("got %v, want the reader's error", err)
	}
	if _, _, err := parse(strings.NewReader("# 10 bytes"), 9); err != ErrFileSize {
		t.Errorf("got %v, want %v", err, ErrFileSize)
	}
	if _, _, err := parse(strings.NewReader("# 10 bytes"), 10); err != nil {
		t.Errorf("got %v at the limit", err)
	}
}

func TestSet(t *testing.T) {
	h, err := ParseHash(known)
	if err != nil {
		t.Fatal(err)
	}
	old := New([]byte("old")).String()
	tests := []struct{ name, in, want string }{
		{"empty file", "", "bob:" + known + "\n"},
		{"append", "# users\nalice:" + old + "\n", "# users\nalice:" + old + "\nbob:" + known + "\n"},
		{"no line end", "alice:" + old, "alice:" + old + "\nbob:" + known + "\n"},
		{"crlf", "alice:" + old + "\r\n", "alice:" + old + "\r\nbob:" + known + "\r\n"},
		{"crlf without end", "#\r\nalice:" + old + "\r", "#\r\nalice:" + old + "\r\nbob:" + known + "\r\n"},
		{"replace in place", "bob:" + old + "\r\n#end", "bob:" + known + "\r\n#end"},
		{"replace plain", "bob:plain\n", "bob:" + known + "\n"},
		{"earlier duplicates go", "bob:" + old + "\nx\nbob:" + old + "\nbobby:" + old, "x\nbob:" + known + "\nbobby:" + old},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, _, err := Parse(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Set("bob", h); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(f.Bytes())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckUsername(t *testing.T) {
	tests := []struct {
		name, in string
		want     error
	}{
		{"plain", "alice", nil},
		{"spaces and letters", "Ä b", nil},
		{"empty", "", ErrNoName},
		{"colon", "a:b", ErrNameColon},
		{"comment", "#a", ErrNameHash},
		{"hash inside", "a#", nil},
		{"line feed", "a\nb", ErrNameText},
		{"NUL", "a\x00", ErrNameText},
		{"C1 control", "a\u0085", ErrNameText},
		{"not UTF-8", "a\xff", ErrNameText},
		{"too long", strings.Repeat("a", 65536), ErrNameLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := CheckUsername(tt.in); err != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err := new(File).Set(tt.in, Hash{}); err != tt.want {
				t.Errorf("Set: got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	f, _, err := Parse(strings.NewReader("# bob:x\nbob:" + known + "\nalice:" + known + "\nbob:plain\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !f.Delete("bob") {
		t.Error("bob was not found")
	}
	if f.Delete("bob") {
		t.Error("bob was found again")
	}
	if diff := cmp.Diff("# bob:x\nalice:"+known+"\n", string(f.Bytes())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHashPlain(t *testing.T) {
	in := "# comment\r\nalice:secret\r\nbob:" + known + "\r\ncarol:a:b$c\nempty:\nbad\ndamaged:$6$x\n"
	f, _, err := Parse(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	hashed, bad := f.HashPlain()
	if hashed != 2 {
		t.Errorf("%d hashed, want 2", hashed)
	}
	var lines []int
	for _, e := range bad {
		lines = append(lines, e.Line)
	}
	if diff := cmp.Diff([]int{5, 6, 7}, lines); diff != "" {
		t.Errorf("bad lines (-want +got):\n%s", diff)
	}
	table := f.Table()
	for user, password := range map[string]string{"alice": "secret", "bob": "secret", "carol": "a:b$c"} {
		if !table[user].Check([]byte(password)) {
			t.Errorf("%s cannot log in with %s", user, password)
		}
	}
	once := f.Bytes()
	if again, _ := f.HashPlain(); again != 0 || !bytes.Equal(once, f.Bytes()) {
		t.Error("hashing twice changed the file")
	}
	if !bytes.HasPrefix(once, []byte("# comment\r\nalice:$6$")) || bytes.Count(once, []byte("\r\n")) != 3 {
		t.Errorf("comment or line ends are gone:\n%q", once)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("alice:"+known+"\r\n# c\nbob:plain\n\nx"), "alice")
	f.Add([]byte("a:$6$$\r"), "b")
	f.Fuzz(func(t *testing.T, in []byte, user string) {
		file, bad, err := Parse(bytes.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := file.Bytes(); !bytes.Equal(in, got) {
			t.Fatalf("an unchanged file is written differently: %q, want %q", got, in)
		}
		for _, e := range bad {
			if e.Line < 1 || e.Line > 1+bytes.Count(in, []byte("\n")) {
				t.Fatalf("no such line: %v", e)
			}
		}
		before := file.Table()
		if err := file.Set(user, New([]byte("x"))); err != nil {
			return
		}
		again, _, err := Parse(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		table := again.Table()
		if !table[user].Check([]byte("x")) {
			t.Fatalf("user %q cannot log in after Set on %q", user, in)
		}
		for name, h := range before {
			if name != user && table[name] != h {
				t.Fatalf("Set of %q changed %q", user, name)
			}
		}
		if !again.Delete(user) {
			t.Fatalf("user %q is not found after Set", user)
		}
	})
}
