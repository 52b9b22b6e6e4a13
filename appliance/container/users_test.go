package container

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/appliance/hostfs"
	"vernemq/broker/auth/passwd"
)

func TestUsers(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		want    []User
		wrong   []string // what the error says
	}{
		"none":              {[]string{"DOCKER_VERNEMQ_ALLOW_ANONYMOUS=on", "USER=root", "DOCKER_VERNEMQ_USER=x"}, nil, nil},
		"one":               {[]string{"DOCKER_VERNEMQ_USER_ann=secret"}, []User{{"ann", []byte("secret")}}, nil},
		"lower case":        {[]string{"DOCKER_VERNEMQ_USER_ANN_B=Secret"}, []User{{"ann_b", []byte("Secret")}}, nil},
		"blanks and =":      {[]string{"DOCKER_VERNEMQ_USER_ann= a=b c= "}, []User{{"ann", []byte(" a=b c= ")}}, nil},
		"in order of names": {[]string{"DOCKER_VERNEMQ_USER_b=2", "DOCKER_VERNEMQ_USER_A=1"}, []User{{"a", []byte("1")}, {"b", []byte("2")}}, nil},
		"all that is wrong": {
			[]string{"DOCKER_VERNEMQ_USER_=secret", "DOCKER_VERNEMQ_USER_a:b=secret", "DOCKER_VERNEMQ_USER_empty=", "DOCKER_VERNEMQ_USER_long=" +
				strings.Repeat("secret", 20000), "DOCKER_VERNEMQ_USER_good=secret"},
			[]User{{"good", []byte("secret")}},
			[]string{"DOCKER_VERNEMQ_USER_: the user name is empty", "USER_a:b: a user name cannot contain a colon", "USER_empty: the password is empty",
				"USER_long: the password is longer than 65535 bytes"},
		},
		"twice": {[]string{"DOCKER_VERNEMQ_USER_ann=secret", "DOCKER_VERNEMQ_USER_ANN=secret"}, []User{{"ann", []byte("secret")}},
			[]string{"DOCKER_VERNEMQ_USER_ann: DOCKER_VERNEMQ_USER_ANN stands for the same user, ann"}},
	} {
		got, err := Users(c.environ)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if (err != nil) != (c.wrong != nil) {
			t.Errorf("%s: error %v", name, err)
		}
		for _, want := range c.wrong {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in: %v", name, want, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: a password is shown: %v", name, err)
		}
	}
}

func TestWriteUsers(t *testing.T) {
	dir := t.TempDir()
	root := hostfs.New(dir)
	const name = "/etc/vernemq/vmq.passwd"
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	users := []User{{"ann", []byte("a=b c")}, {"bob", []byte("secret")}}
	write := func(users []User, want ...string) {
		t.Helper()
		changed, err := WriteUsers(root, name, users)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, changed); diff != "" {
			t.Errorf("changed (-want +got):\n%s", diff)
		}
	}
	check := func(user, password string, want bool) {
		t.Helper()
		in, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		f, bad, err := passwd.Parse(in)
		if err != nil || len(bad) > 0 {
			t.Fatal(bad, err)
		}
		if got := f.Table()[user].Check([]byte(password)); got != want {
			t.Errorf("%s with %q: %v", user, password, got)
		}
	}
	write(users, "ann", "bob")
	check("ann", "a=b c", true)
	check("ann", "a", false)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	// The next start writes nothing, also where it could not.
	before, _ := os.ReadFile(path)
	write(users)
	after, _ := os.ReadFile(path)
	if string(before) != string(after) {
		t.Error("the file has changed without a reason")
	}

	// What the operator wrote stays, a new password counts.
	if err := os.WriteFile(path, append([]byte("# mine\n"), before...), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	write([]User{{"bob", []byte("other")}}, "bob")
	check("bob", "other", true)
	check("ann", "a=b c", true)
	text, _ := os.ReadFile(path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 || !strings.HasPrefix(string(text), "# mine\n") {
		t.Errorf("mode %v, %v:\n%s", info.Mode(), err, text)
	}
}

func TestWriteUsersCannot(t *testing.T) {
	dir := t.TempDir()
	for name, file := range map[string]string{"no directory": "/etc/vernemq/vmq.passwd", "a directory": "/"} {
		_, err := WriteUsers(hostfs.New(dir), file, []User{{"ann", []byte("secret")}})
		if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "mount") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who sets passwords at the same time, as vmq-passwd in another process does, does not undo what the other one set.
func TestWriteUsersTogether(t *testing.T) {
	root := hostfs.New(t.TempDir())
	const name = "/vmq.passwd"
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := WriteUsers(root, name, []User{{fmt.Sprint("user", i), []byte("secret")}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	in, err := os.Open(root.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f, _, err := passwd.Parse(in)
	if err != nil || len(f.Table()) != 20 {
		t.Errorf("%d users, %v; want all 20", len(f.Table()), err)
	}
}
