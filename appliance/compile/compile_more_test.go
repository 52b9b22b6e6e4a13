package compile

import (
	"bytes"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"vernemq/appliance/source"
	"vernemq/schema"
)

// What is compiled is read back by the broker's TOML reader with the same types and values.
func TestTOML(t *testing.T) {
	s := loadSchema(t)
	p, r := Compile(Input{Schema: s, Compiler: "vernemq 1 \"quoted\"", FS: source.Texts{
		"/etc/vernemq/vernemq.conf": `listener.tcp.default = 127.0.0.1:1883
listener.tcp.sock = local:/run/v.sock:0
listener.tcp.sock.max_connections = infinity
listener.ssl.planned = 127.0.0.1:8883
nodename = n@h
plugins.mine.path = '''tab	"quote" back\slash
second line'''
`}})
	if r.Fatal(false) {
		t.Fatal(r.Entries)
	}
	var text bytes.Buffer
	if err := p.WriteTOML(&text); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Format   int
		Compiler string
		Settings map[string]any
		Listener []struct {
			Protocol, Name, Address string
			Options                 map[string]any
		}
	}
	if err := toml.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	if got.Format != 1 || got.Compiler != `vernemq 1 "quoted"` || len(got.Settings) != len(p.Values) {
		t.Errorf("format %d, compiler %q, %d settings; the plan has %d", got.Format, got.Compiler, len(got.Settings), len(p.Values))
	}
	for _, v := range p.Values {
		if want := untyped(v.Value); !reflect.DeepEqual(got.Settings[v.Name], want) {
			t.Errorf("%s = %#v, want %#v", v.Name, got.Settings[v.Name], want)
		}
	}
	if len(got.Listener) != 2 || got.Listener[1].Address != "unix:/run/v.sock" || got.Listener[1].Options["max_connections"] != int64(-1) {
		t.Errorf("listeners %+v", got.Listener)
	}
}

// untyped turns a value into what a TOML reader without a target type gives.
func untyped(v any) any {
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return v
	}
	out := []any{}
	for i := range list.Len() {
		out = append(out, list.Index(i).Interface())
	}
	return out
}

// The defaults alone compile without a finding but for the missing listener, and every default is in the plan.
func TestDefaultsAlone(t *testing.T) {
	s := loadSchema(t)
	p, r := Compile(Input{Schema: s, FS: source.Texts{"/etc/vernemq/vernemq.conf": ""}})
	if len(r.Entries) != 1 || r.Fatal(false) {
		t.Errorf("findings: %+v", r.Entries)
	}
	for _, k := range s.Keys() {
		if k.Wild() || isListener(k.Name) || !k.HasDefault() || k.Effect == schema.Ignored || k.Effect == schema.Refused || len(k.Sets) > 0 {
			continue
		}
		if v, ok := p.Get(k.Name); !ok || v.Origin.String() != "default" {
			t.Errorf("%s: %+v %v", k.Name, v, ok)
		}
	}
}

// The shipped file compiles without errors and warnings.
func TestShippedFile(t *testing.T) {
	s := loadSchema(t)
	_, r := Compile(Input{Schema: s, FS: source.Texts{"/etc/vernemq/vernemq.conf": string(schema.DefaultFile(s))}})
	if r.Fatal(true) {
		var b strings.Builder
		_ = r.WriteText(&b, 0)
		t.Error(b.String())
	}
}

// What effective prints is a configuration that compiles to the same values, as far as no secret is in it.
func TestEffectiveIsConfiguration(t *testing.T) {
	s := loadSchema(t)
	in := Input{Schema: s, FS: source.Texts{"/etc/vernemq/vernemq.conf": "listener.tcp.default = ::1:1883\nlistener.tcp.a\\.b = 127.0.0.1:1884\nmax_online_messages = 7\n"}}
	p, _ := Compile(in)
	var first, second bytes.Buffer
	if err := p.WriteEffective(&first, false); err != nil {
		t.Fatal(err)
	}
	empty := regexp.MustCompile(`(?m)^listener.*buffer_sizes = ''\n`) // cannot be written for one listener
	in.FS = source.Texts{"/etc/vernemq/vernemq.conf": empty.ReplaceAllString(first.String(), "")}
	again, r := Compile(in)
	if r.Fatal(false) {
		var b strings.Builder
		_ = r.WriteText(&b, 0)
		t.Fatal(b.String())
	}
	if err := again.WriteEffective(&second, false); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("first:\n%s\nsecond:\n%s", first.String(), second.String())
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("listener.tcp.default = 127.0.0.1:1883\nlistener.tcp.default.max_connections = -1\n", "X=1", "a=b")
	f.Add("listener.a.b.c.d.e = 1\nlistener.. = x\ntrade_consistency = on\nlistener.http.a.http_module.x.auth.mode = noauth", "DOCKER_VERNEMQ_A__B=\xff", "=")
	s := loadSchema(f)
	f.Fuzz(func(t *testing.T, conf, env, set string) {
		p, r := Compile(Input{Schema: s, FS: source.Texts{"/etc/vernemq/vernemq.conf": conf}, Environ: []string{env}, Container: true, Set: []string{set}})
		var out bytes.Buffer
		if err := p.WriteTOML(&out); err != nil {
			t.Fatal(err)
		}
		var any map[string]any
		if err := toml.Unmarshal(out.Bytes(), &any); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		if err := r.WriteText(&out, 0); err != nil {
			t.Fatal(err)
		}
	})
}
