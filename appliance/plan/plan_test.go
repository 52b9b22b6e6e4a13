package plan

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// sample is a plan with a value of every type.
func sample() *Plan {
	key := func(t schema.Type) *schema.Key { return &schema.Key{Type: t} }
	p := &Plan{Compiler: "vernemq test"}
	for name, v := range map[string]Value{
		"flag": {Key: key(schema.Flag), Value: true}, "integer": {Key: key(schema.Integer), Value: int64(-1)},
		"float": {Key: key(schema.Float), Value: 3.0}, "small": {Key: key(schema.Float), Value: 1e-30}, "text": {Key: key(schema.String), Value: "a\"b\\c\n\t\x01ü"},
		"a.dotted": {Key: key(schema.IntList), Value: []int64{3, 4}}, "words": {Key: key(schema.WordList), Value: []string{"x", "y\""}},
		"none": {Key: key(schema.WordList), Value: []string{}}, "secret": {Key: &schema.Key{Type: schema.String, Secret: true}, Value: "sesame"},
		"unset": {Key: &schema.Key{Type: schema.String, Secret: true}, Value: ""}, "size": {Key: key(schema.ByteSize), Value: int64(2048)},
	} {
		v.Name, v.Source = name, name
		p.Values = append(p.Values, v)
	}
	address := Value{Key: &schema.Key{Type: schema.Address}, Name: "listener.tcp.a", Source: "listener.tcp.a", Value: "127.0.0.1:1883",
		Origin: Origin{File, report.Pos{File: "/f", Line: 3, Col: 1}}}
	option := Value{Key: key(schema.Integer), Name: "max", Source: "listener.max", Value: int64(5), Origin: Origin{CommandLine, report.Pos{File: "command line", Col: 1}}}
	planned := address
	planned.Key = &schema.Key{Type: schema.Address, Effect: schema.Planned}
	p.Listeners = []Listener{{Protocol: "tcp", Name: "a", Address: address, Options: []Value{option}}, {Protocol: "ssl", Name: "b", Address: planned}}
	p.Sort()
	return p
}

func TestWriteTOML(t *testing.T) {
	var text bytes.Buffer
	if err := sample().WriteTOML(&text); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := toml.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	want := map[string]any{
		"format": int64(1), "compiler": "vernemq test",
		"settings": map[string]any{"flag": true, "integer": int64(-1), "float": 3.0, "small": 1e-30, "text": "a\"b\\c\n\t\x01ü",
			"a.dotted": []any{int64(3), int64(4)}, "words": []any{"x", "y\""}, "none": []any{}, "secret": "sesame", "unset": "", "size": int64(2048)},
		"listener": []any{map[string]any{"protocol": "tcp", "name": "a", "address": "127.0.0.1:1883", "options": map[string]any{"max": int64(5)}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	bad := &Plan{Values: []Value{{Name: "x", Value: struct{}{}}}}
	if err := bad.WriteTOML(&text); err == nil || !strings.Contains(err.Error(), "x") {
		t.Errorf("a value without a form: %v", err)
	}
	for f, want := range map[float64]string{math.Inf(1): "inf", math.Inf(-1): "-inf", 1: "1.0", 1e21: "1e+21"} {
		if got := tomlFloat(f); got != want {
			t.Errorf("%v is written %s, want %s", f, got, want)
		}
	}
}

func TestWriteEffective(t *testing.T) {
	var text bytes.Buffer
	if err := sample().WriteEffective(&text, true); err != nil {
		t.Fatal(err)
	}
	want := `flag = on  # default
float = 3  # default
integer = -1  # default
listener.ssl.b = 127.0.0.1:1883  # /f:3
listener.tcp.a = 127.0.0.1:1883  # /f:3
listener.tcp.a.max = 5  # listener.max, command line
none = ''  # default
secret = ******  # default
size = 2KB  # default
small = 1e-30  # default
unset = ''  # default
words = x,y"  # default
`
	var got strings.Builder
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "a.dotted") && !strings.HasPrefix(line, "text") && strings.Contains(line, " = ") {
			got.WriteString(line)
		}
	}
	gotText := strings.ReplaceAll(got.String(), "listener.ssl.b", "listener.tcp.a")
	if diff := cmp.Diff(strings.ReplaceAll(want, "listener.ssl.b", "listener.tcp.a"), gotText); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(text.String(), "sesame") {
		t.Error("a secret is printed")
	}
}

// A quoted text read as a value is the text again.
func TestQuote(t *testing.T) {
	for _, text := range []string{"", "plain", "two words", " led", "trailed ", "a#b", "it's", "'quoted'", "it's # both", "a\nb", "\"x\"", "' #"} {
		as, r := source.Parse("f", []byte("k = "+Quote(text)+"\n"))
		if len(as) != 1 || r.Fatal(false) || as[0].Value != text {
			t.Errorf("%q is written %s and read %+v", text, Quote(text), as)
		}
	}
}

func TestSave(t *testing.T) {
	root := hostfs.New(t.TempDir())
	p := sample()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	names := func() (out []string) {
		all, _ := filepath.Glob(filepath.Join(root.Path(hostfs.CompiledDir), "*"))
		for _, n := range all {
			out = append(out, filepath.Base(n))
		}
		return out
	}
	save := func(at time.Time) {
		t.Helper()
		name, err := p.Save(root, at)
		if err != nil {
			t.Fatal(err)
		}
		target, err := os.Readlink(root.Path(CurrentFile))
		if err != nil || target != filepath.Base(name) {
			t.Errorf("current.toml is %s, %v; want %s", target, err, filepath.Base(name))
		}
		info, err := os.Stat(root.Path(name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	for i := range 5 {
		save(now.Add(time.Duration(i) * time.Second))
	}
	want := []string{"current.toml", "vernemq.2026.05.01.12.00.02.toml", "vernemq.2026.05.01.12.00.03.toml", "vernemq.2026.05.01.12.00.04.toml"}
	if diff := cmp.Diff(want, names()); diff != "" {
		t.Errorf("after five (-want +got):\n%s", diff)
	}
	for range 12 { // the same second again and again, as a script does it: the last three stay
		save(now.Add(4 * time.Second))
	}
	want = []string{"current.toml", "vernemq.2026.05.01.12.00.04-10.toml", "vernemq.2026.05.01.12.00.04-11.toml", "vernemq.2026.05.01.12.00.04-12.toml"}
	if diff := cmp.Diff(want, names()); diff != "" {
		t.Errorf("within one second (-want +got):\n%s", diff)
	}
	save(now.Add(-time.Hour)) // a clock that jumped back: the new file and the one before it stay
	want = []string{"current.toml", "vernemq.2026.05.01.11.00.00.toml", "vernemq.2026.05.01.12.00.04-11.toml", "vernemq.2026.05.01.12.00.04-12.toml"}
	if diff := cmp.Diff(want, names()); diff != "" {
		t.Errorf("after a jump (-want +got):\n%s", diff)
	}
}

// When root compiles, the files belong to the owner of the data directory.
func TestSaveOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("not root: the files belong to the caller, whoever owns the directory")
	}
	root := hostfs.New(t.TempDir())
	data := root.Path(hostfs.DataDir)
	if err := os.MkdirAll(data, 0o755); err != nil {
		t.Fatal(err)
	}
	want := os.Geteuid()
	if want == 0 {
		want = 12
		if err := os.Chown(data, 12, 34); err != nil {
			t.Fatal(err)
		}
	}
	name, err := sample().Save(root, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{root.Path(hostfs.CompiledDir), root.Path(name)} {
		if uid, _, ok := hostfs.Owner(path); !ok || uid != want {
			t.Errorf("%s belongs to %d, want %d", path, uid, want)
		}
	}
}

// A failed save leaves the current file alone.
func TestSaveFails(t *testing.T) {
	root := hostfs.New(t.TempDir())
	if _, err := sample().Save(root, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Readlink(root.Path(CurrentFile))
	bad := &Plan{Values: []Value{{Name: "x", Value: struct{}{}}}}
	if _, err := bad.Save(root, time.Unix(5, 0)); err == nil {
		t.Fatal("no error")
	}
	if after, _ := os.Readlink(root.Path(CurrentFile)); after != before {
		t.Errorf("current.toml is %s, was %s", after, before)
	}
	blocked := hostfs.New(t.TempDir())
	if err := os.WriteFile(blocked.Path("/var"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sample().Save(blocked, time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), "write the compiled configuration") {
		t.Errorf("no directory possible: %v", err)
	}
}
