package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"vernemq/schema"
)

// notOptions are live keys that something else than the broker reads.
var notOptions = map[string]string{
	"accept_eula": "the gate in front of every start",
	"profile":     "the compiler: it chooses a layer",
}

// tags returns the conf tags of a struct type.
func tags(t reflect.Type) map[string]bool {
	set := map[string]bool{}
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("conf"); tag != "" {
			set[tag] = true
		}
	}
	return set
}

func loadSchema(t testing.TB) *schema.Schema {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryFieldHasALiveKey(t *testing.T) {
	s := loadSchema(t)
	check := func(name string) {
		switch k := s.Pattern(name); {
		case k == nil:
			t.Errorf("a field has the tag of %s, which is no key", name)
		case k.Effect != schema.Live:
			t.Errorf("%s has a field, but its effect is %q", name, k.Effect)
		}
	}
	for tag := range tags(reflect.TypeFor[Options]()) {
		check(tag)
	}
	for tag := range tags(reflect.TypeFor[Listener]()) {
		check("listener.tcp.$name." + tag)
	}
}

func TestEveryLiveKeyHasAField(t *testing.T) {
	s := loadSchema(t)
	options, listener := tags(reflect.TypeFor[Options]()), tags(reflect.TypeFor[Listener]())
	for _, k := range s.Keys() {
		if k.Effect != schema.Live || notOptions[k.Name] != "" {
			continue
		}
		words := schema.SplitName(k.Name)
		if words[0] == "listener" {
			last := words[len(words)-1]
			if len(words) == 3 && last == "$name" {
				continue // the address itself
			}
			if !listener[last] {
				t.Errorf("%s is live, but Listener has no field for it", k.Name)
			}
		} else if !options[k.Name] {
			t.Errorf("%s is live, but Options has no field for it", k.Name)
		}
	}
}

func TestLengthsOfTimeHaveAUnitOfTime(t *testing.T) {
	s := loadSchema(t)
	check := func(typ reflect.Type, prefix string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			tag := f.Tag.Get("conf")
			if tag == "" {
				continue
			}
			if k := s.Pattern(prefix + tag); (f.Type == durationType) != (k.UnitLength() > 0) {
				t.Errorf("%s%s has the unit %q, its field the type %s", prefix, tag, k.Unit, f.Type)
			}
		}
	}
	check(reflect.TypeFor[Options](), "")
	check(reflect.TypeFor[Listener](), "listener.tcp.$name.")
}

func TestDefault(t *testing.T) {
	got := Default()
	want := &Options{
		NodeName: "VerneMQ@127.0.0.1", MaxClientIDSize: 100, ConnectTimeout: 5 * time.Second, TopicMaxDepth: 10,
		RetryInterval: 20 * time.Second, MaxInflight: 20, MaxLastWillDelay: -1, ReceiveMaxClient: 65535, ReceiveMaxBroker: 65535,
		MaxOnlineMessages: 1000, MaxOfflineMessages: 1000, QueueType: "fifo", QueueFullAction: "drop", QueueDeliverMode: "fanout", SharedPolicy: "prefer_local",
		StoreDir: "/var/lib/vernemq/store", StoreDurability: "ack", StoreSyncInterval: time.Second, StoreSegmentSize: 4 << 20, StoreCompactRate: 8 << 20,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Default() (-want +got):\n%s", diff)
	}
	if got == Default() {
		t.Error("two calls of Default share a snapshot")
	}
}

// document is a compiled file in the making.
type document struct {
	Format   int              `toml:"format"`
	Compiler string           `toml:"compiler"`
	Settings map[string]any   `toml:"settings"`
	Listener []map[string]any `toml:"listener,omitempty"`
}

// complete returns a file with every default and one tcp listener.
func complete(t testing.TB) document {
	t.Helper()
	d := document{Format: Format, Compiler: "vernemq test", Settings: map[string]any{}}
	options := map[string]any{}
	for _, k := range loadSchema(t).Keys() {
		if !k.HasDefault() || k.Effect == schema.Refused {
			continue
		}
		value, _, err := k.Parse(k.Default)
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		words := schema.SplitName(k.Name)
		switch last := words[len(words)-1]; {
		case words[0] == "listener" && (len(words) == 2 || words[1] == "tcp"):
			options[last] = value
		case words[0] != "listener" && !k.Wild():
			d.Settings[k.Name] = value
		}
	}
	options["mountpoint"] = ""
	d.Listener = []map[string]any{{"protocol": "tcp", "name": "default", "address": "127.0.0.1:1883", "options": options}}
	return d
}

// write puts d into a file and returns its path.
func (d document) write(t testing.TB) string {
	t.Helper()
	text, err := toml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, string(text))
}

func writeFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vernemq.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (d document) options(i int) map[string]any { return d.Listener[i]["options"].(map[string]any) }

func TestLoad(t *testing.T) {
	d := complete(t)
	for key, value := range map[string]any{
		"allow_anonymous": true, "shards": int64(3), "mqtt_connect_timeout": int64(1500), "retry_interval": int64(0),
		"persistent_client_expiration": int64(7 * 86400), "max_last_will_delay": int64(90), "queue_type": "lifo", "a.key.of.tomorrow": "x",
	} {
		d.Settings[key] = value
	}
	d.Settings["max_apikey_expiry_days"] = int64(30) // without a default: nothing stands there unless somebody sets it
	options := d.options(0)
	options["max_connections"], options["max_connection_lifetime"] = int64(-1), int64(60)
	options["buffer_sizes"], options["allowed_protocol_versions"] = []int64{1, 2, 3}, []int64{4, 5}
	d.Listener = append(d.Listener, map[string]any{
		"protocol": "tcp", "name": "local", "address": "unix:/run/mqtt.sock", "options": complete(t).options(0),
	})
	got, err := Load(d.write(t), func(path string) string { return "/root" + path })
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.AllowAnonymous, want.Shards, want.ConnectTimeout, want.RetryInterval = true, 3, 1500*time.Millisecond, 0
	want.PersistentExpiration, want.MaxLastWillDelay, want.QueueType = 7*24*time.Hour, 90*time.Second, "lifo"
	want.StoreDir, want.MaxAPIKeyLife = "/root/var/lib/vernemq/store", 30*24*time.Hour
	want.Listeners = []Listener{
		{Protocol: "tcp", Name: "default", Address: "127.0.0.1:1883", MaxConnections: -1, Acceptors: 10, MaxLifetime: time.Minute,
			ProtocolVersions: []int{4, 5}, BufferSizes: []int{1, 2, 3}},
		{Protocol: "tcp", Name: "local", Address: "unix:/root/run/mqtt.sock", MaxConnections: 10000, Acceptors: 10,
			ProtocolVersions: []int{3, 4, 5, 131}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	change := func(f func(d *document)) string {
		d := complete(t)
		f(&d)
		text, err := toml.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"it says no format"}},
		{"not TOML", "format = 1\nsettings = [\n", []string{"line 2"}},
		{"another format", "format = 2\n", []string{"it has format 2, this version reads format 1"}},
		{"format of another kind", "format = \"1\"\n", []string{"line 1"}},
		{"unknown field", change(func(*document) {}) + "\n[extra]\na = 1\n", []string{"a field this version does not know", "extra"}},
		{"two missing settings", change(func(d *document) {
			delete(d.Settings, "allow_anonymous")
			delete(d.Settings, "nodename")
		}), []string{"settings: allow_anonymous has no value: the file was compiled by another version", "settings: nodename has no value"}},
		{"missing listener option", change(func(d *document) { delete(d.options(0), "mountpoint") }),
			[]string{"listener 1 (tcp.default): mountpoint has no value"}},
		{"listener without address", change(func(d *document) { d.Listener[0]["address"] = "" }), []string{"protocol, name or address is missing"}},
		{"unknown protocol", change(func(d *document) { d.Listener[0]["protocol"] = "quic" }), []string{"listener 1 (quic.default): the protocol is unknown"}},
		{"text for a flag", change(func(d *document) { d.Settings["allow_anonymous"] = "on" }), []string{"allow_anonymous: a value of type string does not fit"}},
		{"flag for a number", change(func(d *document) { d.Settings["topic_max_depth"] = true }), []string{"topic_max_depth: a value of type bool does not fit"}},
		{"number for a text", change(func(d *document) { d.Settings["nodename"] = int64(1) }), []string{"nodename: a value of type int64 does not fit"}},
		{"text for a number", change(func(d *document) { d.Settings["retry_interval"] = "20s" }), []string{"retry_interval: a value of type string does not fit"}},
		{"fraction", change(func(d *document) { d.Settings["retry_interval"] = 1.5 }), []string{"retry_interval: a value of type float64 does not fit"}},
		{"list for a number", change(func(d *document) { d.Settings["retry_interval"] = []int64{1} }), []string{"retry_interval: a value of type"}},
		{"list of texts", change(func(d *document) { d.options(0)["buffer_sizes"] = []string{"1"} }), []string{"buffer_sizes: a value of type"}},
		{"list of lists", change(func(d *document) { d.options(0)["buffer_sizes"] = [][]int64{{1}} }), []string{"buffer_sizes: a value of type"}},
		{"too long", change(func(d *document) { d.Settings["retry_interval"] = int64(1) << 62 }), []string{"retry_interval: 4611686018427387904 s is too long"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, test.text)
			o, err := Load(path, nil)
			if err == nil {
				t.Fatalf("Load accepted it: %+v", o)
			}
			if !errors.Is(err, ErrCompiled) {
				t.Errorf("the error does not wrap ErrCompiled: %v", err)
			}
			for _, want := range append(test.want, path, "run vernemq config generate") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.toml"), nil)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "run vernemq config generate") {
		t.Errorf("Load of a missing file: %v", err)
	}
}

func TestLive(t *testing.T) {
	first, second := Default(), Default()
	live := NewLive(first)
	if live.Load() != first {
		t.Fatal("Load does not give what NewLive was given")
	}
	if live.Swap(second) != first || live.Load() != second {
		t.Error("Swap does not put the new snapshot in force and give the old one")
	}
	if new(Live).Load() != nil {
		t.Error("the zero Live holds a snapshot")
	}
}

func FuzzLoad(f *testing.F) {
	d := complete(f)
	text, err := toml.Marshal(d)
	if err != nil {
		f.Fatal(err)
	}
	s := loadSchema(f)
	f.Add(text)
	f.Add([]byte("format = 1\n[[listener]]\nprotocol = \"tcp\"\n"))
	f.Add([]byte("format = 1\n[settings]\nnodename = [[1]]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := read(text, filler{schema: s})
		if (o == nil) != (err != nil) {
			t.Errorf("read gave %v and %v", o, err)
		}
	})
}

// The names of the fields are what other packages read; a tag used twice would hide one.
func TestTagsAreUnique(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[Options](), reflect.TypeFor[Listener]()} {
		var all []string
		for i := range typ.NumField() {
			if tag := typ.Field(i).Tag.Get("conf"); tag != "" {
				all = append(all, tag)
			}
		}
		sort.Strings(all)
		for i := 1; i < len(all); i++ {
			if all[i] == all[i-1] {
				t.Errorf("%s: two fields have the tag %s", typ.Name(), all[i])
			}
		}
	}
}
