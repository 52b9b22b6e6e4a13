package schema

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ptr(n int64) *int64 { return &n }

// The keys of the tests, one for each type and each thing a row can ask for.
var (
	flagKey     = &Key{Name: "a.flag", Type: Flag}
	intKey      = &Key{Name: "an.int", Type: Integer, Min: ptr(0), Max: ptr(100)}
	bareIntKey  = &Key{Name: "a.bare.int", Type: Integer}
	msIntKey    = &Key{Name: "an.interval", Type: Integer, Unit: "ms", Min: ptr(0), Max: ptr(math.MaxInt32)}
	inheritKey  = &Key{Name: "a.level", Type: Integer, Min: ptr(1), Inherit: "-1", Special: map[string]int64{"infinity": -1}}
	floatKey    = &Key{Name: "a.float", Type: Float, Min: ptr(0), Max: ptr(10)}
	stringKey   = &Key{Name: "a.string", Type: String}
	charKey     = &Key{Name: "a.char", Type: String, Len: 1}
	secretKey   = &Key{Name: "a.secret", Type: Enum, Words: []string{"x", "y"}, Secret: true}
	enumKey     = &Key{Name: "an.enum", Type: Enum, Words: []string{"fifo", "lifo"}, AliasWords: map[string]string{"queue": "fifo"}}
	fixedKey    = &Key{Name: "a.fixed", Type: Enum, Words: []string{"trie"}, Default: "trie", Effect: Fixed, Hint: "remove the line"}
	hintKey     = &Key{Name: "a.hint", Type: Enum, Words: []string{"new", "weak"}, WordHints: map[string]string{"weak": "weak is weak", "old": "old is gone"}}
	sizeKey     = &Key{Name: "a.size", Type: ByteSize, Unit: "bytes", Min: ptr(0), Special: map[string]int64{"infinity": -1}}
	msKey       = &Key{Name: "a.duration", Type: Duration, Unit: "ms", Min: ptr(0)}
	minKey      = &Key{Name: "a.long.duration", Type: Duration, Unit: "min", Special: map[string]int64{"unlimited": 0}}
	ageKey      = &Key{Name: "an.age", Type: Age, Unit: "s", Special: map[string]int64{"never": 0}}
	percentKey  = &Key{Name: "a.percentage", Type: Percent}
	addressKey  = &Key{Name: "an.address", Type: Address}
	localKey    = &Key{Name: "a.local.address", Type: Address, Local: true}
	fileKey     = &Key{Name: "a.file", Type: File, Default: "/etc/x"}
	emptyKey    = &Key{Name: "an.empty.file", Type: File, EmptyIsSet: true}
	dirKey      = &Key{Name: "a.directory", Type: Directory}
	intsKey     = &Key{Name: "ints", Type: IntList, Words: []string{"3", "4", "5"}}
	threeKey    = &Key{Name: "three.ints", Type: IntList, Len: 3, Min: ptr(0), EmptyIsSet: true}
	wordsKey    = &Key{Name: "words", Type: WordList, AliasWords: map[string]string{"old": "new"}}
	versionsKey = &Key{Name: "versions", Type: WordList, Words: []string{"tlsv1.2", "tlsv1.3"}, WordHints: map[string]string{"tlsv1": "TLS 1.0 is not safe"}}
	optionsKey  = &Key{Name: "options", Type: Options, Words: []string{"nodelay", "linger", "inet6"}}
)

var testKeys = []*Key{flagKey, intKey, bareIntKey, msIntKey, inheritKey, floatKey, stringKey, charKey, secretKey, enumKey, fixedKey, hintKey,
	sizeKey, msKey, minKey, ageKey, percentKey, addressKey, localKey, fileKey, emptyKey, dirKey, intsKey, threeKey, wordsKey, versionsKey, optionsKey}

func TestParse(t *testing.T) {
	tests := []struct {
		key   *Key
		text  string
		want  any
		notes string // codes, separated by blanks
	}{
		{flagKey, "on", true, ""},
		{flagKey, "off", false, ""},
		{flagKey, " on\t", true, ""},
		{flagKey, "true", true, CodeSpelling},
		{flagKey, "False", false, CodeSpelling},
		{flagKey, "YES", true, CodeSpelling},
		{flagKey, "no", false, CodeSpelling},
		{flagKey, "ON", true, CodeSpelling},

		{intKey, "0", int64(0), ""},
		{intKey, "+5", int64(5), ""},
		{intKey, "007", int64(7), ""},
		{intKey, "100", int64(100), ""},
		{bareIntKey, "-9223372036854775808", int64(math.MinInt64), ""},
		{inheritKey, "-1", nil, ""},
		{inheritKey, "infinity", int64(-1), ""},
		{inheritKey, "Infinity", int64(-1), CodeSpelling},

		{floatKey, "1", 1.0, ""},
		{floatKey, "2.5e-1", 0.25, ""},

		{stringKey, "", "", ""},
		{stringKey, " with blanks ", " with blanks ", ""},
		{stringKey, "$D0", "$D0", ""},
		{charKey, "ä", "ä", ""},

		{enumKey, "lifo", "lifo", ""},
		{enumKey, "queue", "fifo", CodeOldWord},
		{hintKey, "weak", "weak", CodeWordHint},

		{sizeKey, "10", int64(10), ""},
		{sizeKey, "10KB", int64(10 << 10), ""},
		{sizeKey, "10kb", int64(10 << 10), ""},
		{sizeKey, "1.5MB", int64(3 << 19), ""},
		{sizeKey, "1.0001kb", int64(1025), ""},
		{sizeKey, "2GB", int64(2 << 30), ""},
		{sizeKey, "1Kb", int64(1 << 10), CodeSpelling},
		{sizeKey, "1K", int64(1 << 10), CodeSpelling},
		{sizeKey, "1 MiB", int64(1 << 20), CodeSpelling},
		{sizeKey, "3g", int64(3 << 30), CodeSpelling},
		{sizeKey, "infinity", int64(-1), ""},

		{msKey, "0s", int64(0), ""},
		{msKey, "1h30m", int64(5400000), ""},
		{msKey, "30m1h", int64(5400000), ""},
		{msKey, "0.5H", int64(1800000), ""},
		{msKey, "1s1s", int64(2000), ""},
		{msKey, "1f", int64(14 * 86400000), ""},
		{msKey, "1w1d1ms", int64(8*86400000 + 1), ""},
		{msKey, "0.1ms", int64(1), CodeRounded},
		{minKey, "61s", int64(2), CodeRounded},
		{minKey, "unlimited", int64(0), ""},

		{ageKey, "1w", int64(7 * 86400), ""},
		{ageKey, "1m", int64(28 * 86400), ""},
		{ageKey, "1y", int64(336 * 86400), ""},
		{ageKey, "0s", int64(0), ""},
		{ageKey, "2D", int64(2 * 86400), CodeSpelling},
		{ageKey, "never", int64(0), ""},

		{percentKey, "10%", int64(10), ""},
		{percentKey, "100%", int64(100), ""},
		{percentKey, "50", int64(50), CodeSpelling},
		{percentKey, "5", int64(5), CodeSpelling},

		{addressKey, "127.0.0.1:1883", "127.0.0.1:1883", ""},
		{addressKey, "127.1:1883", "127.0.0.1:1883", ""},
		{addressKey, "0:1883", "0.0.0.0:1883", ""},
		{addressKey, "10.258:1", "10.0.1.2:1", ""},
		{addressKey, "::1:1883", "[::1]:1883", ""},
		{addressKey, ":::1883", "[::]:1883", ""},
		{addressKey, "[::1]:1883", "[::1]:1883", ""},
		{addressKey, "[FE80::1%eth0]:1883", "[fe80::1%eth0]:1883", ""},
		{addressKey, "localhost:0", "localhost:0", ""},
		{addressKey, "my-host.example_1.com.:65535", "my-host.example_1.com.:65535", ""},
		{localKey, "local:/run/mqtt.sock:0", "unix:/run/mqtt.sock", ""},
		{localKey, "unix:/run/mqtt.sock:0", "unix:/run/mqtt.sock", ""},
		{localKey, "unix:/run/mqtt.sock", "unix:/run/mqtt.sock", ""},
		{localKey, "127.0.0.1:1883", "127.0.0.1:1883", ""},

		{fileKey, "relative path", "relative path", ""},
		{emptyKey, "", "", ""},
		{dirKey, "/a", "/a", ""},

		{intsKey, "3,4,5", []int64{3, 4, 5}, ""},
		{intsKey, "[ 3 , 4 ]", []int64{3, 4}, ""},
		{threeKey, "4096,16384,32768", []int64{4096, 16384, 32768}, ""},
		{threeKey, "", []int64{}, ""},
		{wordsKey, "[]", []string{}, ""},
		{wordsKey, "", []string{}, ""},
		{wordsKey, "b,a", []string{"b", "a"}, ""},
		{wordsKey, "[a, old]", []string{"a", "new"}, CodeOldWord},
		{versionsKey, "tlsv1.2, tlsv1.3", []string{"tlsv1.2", "tlsv1.3"}, ""},

		{optionsKey, "[]", []string{}, ""},
		{optionsKey, "[{nodelay, true}, {linger, {true, 0}}]", []string{"{nodelay, true}", "{linger, {true, 0}}"}, ""},
		{optionsKey, "[ inet6,{nodelay,true} ]", []string{"inet6", "{nodelay, true}"}, ""},
		{optionsKey, "[{'inet6', +007}]", []string{"{'inet6', 7}"}, ""},
		{optionsKey, "[{'nodelay',  'false'}, {linger,{false,0}}]", []string{"{'nodelay', 'false'}", "{linger, {false, 0}}"}, ""},
		{optionsKey, `[{packet, raw}, {x, ["a", -1]}]`, []string{"{packet, raw}", `{x, ["a", -1]}`}, CodeNoEffect + " " + CodeNoEffect},
	}
	for _, test := range tests {
		t.Run(test.key.Name+"/"+test.text, func(t *testing.T) {
			got, notes, err := test.key.Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
			codes := []string{}
			for _, n := range notes {
				codes = append(codes, n.Code)
			}
			if got := strings.Join(codes, " "); got != test.notes {
				t.Errorf("notes %q, want %q", got, test.notes)
			}
			again, _, err := test.key.Parse(test.key.Format(got))
			if err != nil {
				t.Fatalf("the canonical text %q: %v", test.key.Format(got), err)
			}
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("value of the canonical text %q (-want +got):\n%s", test.key.Format(got), diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	long := strings.Repeat("9", 400)
	tests := []struct {
		key  *Key
		text string
		code string
		want string // part of the message
	}{
		{flagKey, "", CodeValue, "the value is empty: want on or off"},
		{flagKey, "1", CodeValue, `"1" is not accepted: want on or off`},
		{intKey, "", CodeValue, "the value is empty"},
		{intKey, "5.0", CodeValue, "want a whole number, 0 to 100"},
		{intKey, "0x10", CodeValue, "want a whole number"},
		{intKey, "1_000", CodeValue, "want a whole number"},
		{intKey, "101", CodeRange, `"101" is out of range: want a whole number, 0 to 100; the largest possible is 100`},
		{intKey, "-1", CodeRange, "out of range"},
		{intKey, long, CodeRange, "…\" is out of range: want a whole number, 0 to 100"},
		{msIntKey, "5s", CodeValue, "want a whole number (milliseconds), at least 0; write 5000"},
		{msIntKey, "3000000000", CodeRange, "the largest possible is 2147483647"},
		{inheritKey, "0", CodeRange, "at least 1, or infinity, or -1 for the value of the level above"},
		{inheritKey, "-2", CodeRange, "out of range"},
		{floatKey, "x", CodeValue, "want a number"},
		{floatKey, "nan", CodeValue, "want a number"},
		{floatKey, "0x1p3", CodeValue, "want a number"},
		{floatKey, "1e999", CodeValue, "want a number"},
		{floatKey, "10.5", CodeRange, "0 to 10"},
		{stringKey, "a\x00b", CodeValue, "NUL"},
		{stringKey, strings.Repeat("x", MaxValue+1), CodeTooLong, "at most 65536"},
		{charKey, "::", CodeRange, "2 characters: want exactly 1"},
		{charKey, "", CodeRange, "0 characters"},
		{secretKey, "topsecret", CodeWord, "the secret text is not accepted"},
		{enumKey, "FIFO", CodeWord, "did you mean fifo?"},
		{enumKey, "lifp", CodeWord, "did you mean lifo?"},
		{enumKey, "stack", CodeWord, "want one of fifo, lifo"},
		{fixedKey, "hash", CodeWord, "want only trie; remove the line"},
		{hintKey, "old", CodeWord, "old is gone"},
		{sizeKey, "-1KB", CodeRange, "is negative"},
		{sizeKey, "1TB", CodeValue, "want a size"},
		{sizeKey, ".5KB", CodeValue, "want a size"},
		{sizeKey, "1.KB", CodeValue, "want a size"},
		{sizeKey, "1.2.3KB", CodeValue, "want a size"},
		{sizeKey, "KB", CodeValue, "want a size"},
		{sizeKey, "99999999999999999999GB", CodeRange, "too large"},
		{sizeKey, long, CodeValue, "want a size"},
		{msKey, "10", CodeUnit, `"10" has no unit: want a duration`},
		{msKey, "10", CodeUnit, `for ms write "10ms"`},
		{minKey, "10", CodeUnit, `for min write "10m"`},
		{msKey, "1 h", CodeValue, "want a duration"},
		{msKey, "1h 30m", CodeValue, "want a duration"},
		{msKey, "h", CodeValue, "want a duration"},
		{msKey, "-1s", CodeValue, "want a duration"},
		{msKey, "1x", CodeValue, "want a duration"},
		{msKey, "infinity", CodeValue, "want a duration"},
		{msKey, strings.Repeat("1s", 100), CodeValue, "want a duration"},
		{msKey, strings.Repeat("9", 30) + "w", CodeRange, "too long"},
		{msKey, "20000w", CodeRange, "out of range"},
		{ageKey, "1w2d", CodeValue, "one whole number and one unit"},
		{ageKey, "10", CodeUnit, `for seconds write "10s"`},
		{ageKey, "w", CodeValue, "one whole number and one unit"},
		{ageKey, "1.5w", CodeValue, "one whole number and one unit"},
		{ageKey, "-1w", CodeRange, "out of range"},
		{ageKey, "9223372036854775807y", CodeRange, "out of range"},
		{ageKey, "400y", CodeRange, "out of range"},
		{percentKey, "101%", CodeRange, "0% to 100%"},
		{percentKey, "-1%", CodeRange, "0% to 100%"},
		{percentKey, "1.5%", CodeValue, "want a percentage"},
		{percentKey, "%", CodeValue, "want a percentage"},
		{addressKey, "1883", CodeValue, "the address is missing: write 127.0.0.1:1883 for this machine alone, 0.0.0.0:1883 for all addresses"},
		{addressKey, ":1883", CodeValue, "the address is missing: write 127.0.0.1:1883 for this machine alone, 0.0.0.0:1883 for all addresses"},
		{addressKey, "127.0.0.1", CodeValue, "the port is missing"},
		{addressKey, ":1883", CodeValue, "want address:port"},
		{addressKey, "*:1883", CodeValue, "write 0.0.0.0:1883"},
		{addressKey, "127.0.0.1:", CodeValue, "want address:port"},
		{addressKey, "127.0.0.1:x", CodeValue, "want address:port"},
		{addressKey, "127.0.0.1:99999", CodeRange, `port "99999" is out of range: want 0 to 65535`},
		{addressKey, "127.0.0.1:" + long, CodeRange, "out of range"},
		{addressKey, "127.0.0.1:-1", CodeValue, "want address:port"},
		{addressKey, "256.0.0.1:1883", CodeValue, "want address:port"},
		{addressKey, "1.2.3.4.5:1883", CodeValue, "want address:port"},
		{addressKey, "127.0.0.010:1883", CodeValue, "want address:port"},
		{addressKey, "::1883", CodeValue, "want address:port"},
		{addressKey, "[::1:1883", CodeValue, "want address:port"},
		{addressKey, "[host]:1883", CodeValue, "want address:port"},
		{addressKey, "a b:1883", CodeValue, "want address:port"},
		{addressKey, "a..b:1883", CodeValue, "want address:port"},
		{addressKey, "-a:1883", CodeValue, "want address:port"},
		{addressKey, "local:/run/x:0", CodeValue, "a unix socket is possible for listener.tcp only"},
		{localKey, "local:/run/x:1", CodeRange, "must be 0"},
		{localKey, "local:run/x:0", CodeValue, "must begin with /"},
		{localKey, "local:/" + strings.Repeat("x", 120) + ":0", CodeRange, "at most 107"},
		{localKey, "local:/run/x :0", CodeValue, "must not end with a blank"},
		{localKey, "local:/run/x:5:0", CodeValue, "must not end with a colon and a number"},
		{fileKey, "", CodeValue, "the value is empty: want the path of a file"},
		{fileKey, "a\x00b", CodeValue, "NUL"},
		{intsKey, "3 4", CodeValue, "separated by commas"},
		{intsKey, "3,,4", CodeValue, "separated by commas"},
		{intsKey, "[3,4", CodeValue, "the brackets do not match"},
		{intsKey, "3,6", CodeWord, `"6" is not accepted: want whole numbers separated by commas, each one of 3, 4, 5`},
		{intsKey, "", CodeValue, "the value is empty"},
		{intsKey, "[]", CodeValue, "is not accepted"},
		{threeKey, "1,2", CodeRange, "has 2 elements: want exactly 3"},
		{threeKey, "1,2,-3", CodeRange, `"-3" is out of range`},
		{wordsKey, "a b", CodeValue, "words separated by commas"},
		{wordsKey, "a,a", CodeValue, `"a" stands twice`},
		{wordsKey, strings.Repeat("a,", 2000), CodeRange, "at most 1024"},
		{versionsKey, "tlsv1", CodeWord, "TLS 1.0 is not safe"},
		{versionsKey, "tlsv1.4", CodeWord, "did you mean tlsv1.2?"},
		{versionsKey, "", CodeValue, "the value is empty"},
		{optionsKey, "nodelay", CodeValue, "want a list such as"},
		{optionsKey, "[{nodelay, maybe}]", CodeValue, "want {nodelay, VALUE}, where VALUE is true or false"},
		{optionsKey, "[nodelay]", CodeValue, "want {nodelay, VALUE}, where VALUE is true or false"},
		{optionsKey, "[{linger, true}]", CodeValue, "want {linger, VALUE}, where VALUE is {true, SECONDS} or {false, 0}"},
		{optionsKey, "[{linger, {true, -1}}]", CodeValue, "{true, SECONDS}"},
		{optionsKey, "[{nodelay, true, true}]", CodeValue, "true or false"},
		{optionsKey, "[inet6", CodeValue, "it ends too early"},
		{optionsKey, "[inet6] x", CodeValue, `it cannot be read from "x"`},
		{optionsKey, "[Nodelay]", CodeValue, "it cannot be read from"},
		{optionsKey, "[{nodelay true}]", CodeValue, "it cannot be read from"},
		{optionsKey, "[inet6,]", CodeValue, "it cannot be read from"},
		{optionsKey, "['a]", CodeValue, "it cannot be read from"},
		{optionsKey, "[1-2]", CodeValue, "it cannot be read from"},
		{optionsKey, strings.Repeat("[", 50), CodeValue, "cannot be read"},
		{optionsKey, "[" + strings.Repeat("a,", 300) + "a]", CodeValue, "cannot be read"},
		{&Key{Type: "colour"}, "red", CodeValue, `unknown type "colour"`},
	}
	for _, test := range tests {
		name := test.text
		if len(name) > 40 {
			name = name[:40]
		}
		t.Run(test.key.Name+"/"+name, func(t *testing.T) {
			got, notes, err := test.key.Parse(test.text)
			var problem *ValueError
			if !errors.As(err, &problem) {
				t.Fatalf("Parse gave %v and the error %v", got, err)
			}
			if got != nil || notes != nil {
				t.Errorf("beside the error there are %v and %v", got, notes)
			}
			if problem.Code != test.code || !strings.Contains(problem.Error(), test.want) {
				t.Errorf("%s: %v\nwant %s: …%s…", problem.Code, problem, test.code, test.want)
			}
			if len(problem.Error()) > 1000 {
				t.Errorf("the message has %d bytes", len(problem.Error()))
			}
			if test.key.Secret && strings.Contains(problem.Error(), test.text) {
				t.Errorf("the message shows the secret: %v", problem)
			}
		})
	}
}

// kindOf reports whether value has the Go type that stands behind the key's type.
func kindOf(k *Key, value any) bool {
	if value == nil {
		return k.Inherit != ""
	}
	ok := false
	switch k.Type {
	case Flag:
		_, ok = value.(bool)
	case Integer, ByteSize, Duration, Age, Percent:
		_, ok = value.(int64)
	case Float:
		_, ok = value.(float64)
	case String, Enum, Address, File, Directory:
		_, ok = value.(string)
	case IntList:
		_, ok = value.([]int64)
	case WordList, Options:
		_, ok = value.([]string)
	}
	return ok
}

// The value of each socket option that a row says has an effect is checked, and the row's default passes.
func TestOptionsHaveShapes(t *testing.T) {
	for _, k := range load(t).Keys() {
		if k.Type != Options {
			continue
		}
		for _, name := range k.Words {
			if _, known := optionShapes[name]; !known {
				t.Errorf("%s: the option %s has no shape", k.Name, name)
			}
		}
	}
}

// FuzzParse holds for every type: no panic, a value of the right kind within the range or an error with a code, and a canonical text that means
// the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"on", "YES", "12", "-1", "1.5MB", "1h30m", "0.1ms", "1w", "10%", "127.1:1883", "[::1%a]:1", "local:/a:0", "local:/ :0", "a:0",
		"3,4", "[a, b]", "[{nodelay, true}, {linger, {true, 0}}]", "['a', \"b\"]", "infinity", "never", "", "\x00", "9999999999999999999999w", "1e9"} {
		f.Add(text)
	}
	rows := load(f).Keys()
	f.Fuzz(func(t *testing.T, text string) {
		keys := testKeys
		for i := range rows { // one row in so many, another choice for each text
			if (i+len(text))%16 == 0 {
				keys = append(keys[:len(keys):len(keys)], rows[i])
			}
		}
		for _, k := range keys {
			value, notes, err := k.Parse(text)
			if err != nil {
				var problem *ValueError
				if !errors.As(err, &problem) || problem.Code == "" || problem.Message == "" {
					t.Fatalf("%s: an error without a code: %v", k.Name, err)
				}
				continue
			}
			if !kindOf(k, value) {
				t.Fatalf("%s: Parse(%q) is a %T", k.Name, text, value)
			}
			for _, n := range notes {
				if n.Code == "" || n.Message == "" {
					t.Fatalf("%s: Parse(%q) has the note %+v", k.Name, text, n)
				}
			}
			if n, ok := value.(int64); ok && !isSpecial(k, n) && (k.Min != nil && n < *k.Min || k.Max != nil && n > *k.Max) {
				t.Fatalf("%s: Parse(%q) = %d is out of range", k.Name, text, n)
			}
			canonical := k.Format(value)
			again, _, err := k.Parse(canonical)
			if err != nil {
				t.Fatalf("%s: Parse(%q) = %v, but its text %q: %v", k.Name, text, value, canonical, err)
			}
			if diff := cmp.Diff(value, again); diff != "" {
				t.Fatalf("%s: %q becomes %q, which is another value (-want +got):\n%s", k.Name, text, canonical, diff)
			}
		}
	})
}

func isSpecial(k *Key, n int64) bool {
	for _, special := range k.Special {
		if special == n {
			return true
		}
	}
	return false
}

// Every number of a key's range has a canonical text that means the same.
func TestFormatIsTheInverseOfParse(t *testing.T) {
	numbers := []int64{0, 1, 2, 59, 60, 61, 1000, 1023, 1024, 1536, 3600, 86400, 86400000, 604800, 1 << 20, 1<<30 + 1, math.MaxInt32, 9000000000, math.MaxInt64 / 1000000}
	for _, k := range testKeys {
		switch k.Type {
		case Integer, ByteSize, Duration, Age, Percent:
		default:
			continue
		}
		for _, n := range numbers {
			if _, problem := (&parser{key: k}).inRange(n, ""); problem != nil || k.Type == Percent && n > 100 {
				continue
			}
			got, _, err := k.Parse(k.Format(n))
			if err != nil || got != n {
				t.Errorf("%s: Format(%d) = %q, Parse of it %v, %v", k.Name, n, k.Format(n), got, err)
			}
		}
	}
}
