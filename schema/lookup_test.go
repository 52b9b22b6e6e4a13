package schema

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestLookup(t *testing.T) {
	s := load(t)
	tests := []struct {
		name string
		want string // the row's name, or "" for none
		wild []string
	}{
		{"allow_anonymous", "allow_anonymous", nil},
		{"Allow_anonymous", "", nil},
		{"listener.tcp.default", "listener.tcp.$name", []string{"default"}},
		{"listener.tcp.mountpoint", "listener.tcp.mountpoint", nil},
		{"listener.tcp.default.mountpoint", "listener.tcp.$name.mountpoint", []string{"default"}},
		{"listener.tcp.default.mountpoint.x", "", nil},
		{"listener.quic.default", "", nil},
		{"listener.http.a.http_module.b.auth.mode", "listener.http.$name.http_module.$module.auth.mode", []string{"a", "b"}},
		{"http_module.vmq_http_pub.auth.mode", "http_module.vmq_http_pub.auth.mode", nil},
		{"http_module.vmq_metrics_http.auth.mode", "http_module.$name.auth.mode", []string{"vmq_metrics_http"}},
		{"plugins.vmq_acl", "plugins.vmq_acl", nil},
		{"plugins.other", "plugins.$name", []string{"other"}},
		{"plugins.vmq_swc.path", "plugins.$name.path", []string{"vmq_swc"}},
		{"vmq_bridge.tcp.br0.topic.1", "vmq_bridge.tcp.$name.topic.$topic_id", []string{"br0", "1"}},
		{`listener.tcp.a\.b.mountpoint`, "listener.tcp.$name.mountpoint", []string{"a.b"}},
		{`listener.tcp.a\.b`, "listener.tcp.$name", []string{"a.b"}},
		{"listener.tcp.", "", nil},
		{"", "", nil},
		{".", "", nil},
		{strings.Repeat("a.", 10000), "", nil},
	}
	for _, test := range tests {
		k, wild, ok := s.Lookup(test.name)
		got := ""
		if k != nil {
			got = k.Name
		}
		if got != test.want || ok != (test.want != "") {
			t.Errorf("Lookup(%q) = %q, %t, want %q", test.name, got, ok, test.want)
		}
		if diff := cmp.Diff(test.wild, wild); diff != "" {
			t.Errorf("Lookup(%q): wild (-want +got):\n%s", test.name, diff)
		}
		if ok && k.Concrete(wild) != test.name {
			t.Errorf("Concrete(%q) = %q, want %q", wild, k.Concrete(wild), test.name)
		}
	}
}

func TestByAlias(t *testing.T) {
	s := load(t)
	for old, want := range map[string]string{
		"message_size_limit":           "max_message_size",
		"acl_file":                     "vmq_acl.acl_file",
		"log.crash.size":               "log.crash.rotation.size",
		"bridge.tcp.br0":               "vmq_bridge.tcp.br0",
		"bridge.ssl.br0.cafile":        "vmq_bridge.ssl.br0.cafile",
		"bridge.tcp.br0.topic.2":       "vmq_bridge.tcp.br0.topic.2",
		"allow_anonymous":              "",
		"bridge.tcp.br0.segment_size":  "",
		"generic_message_store_engine": "vmq_generic_msg_store.db_backend",
	} {
		got := ""
		if k, wild, ok := s.ByAlias(old); ok {
			got = k.Concrete(wild)
		}
		if got != want {
			t.Errorf("ByAlias(%q) = %q, want %q", old, got, want)
		}
	}
}

func TestOldWords(t *testing.T) {
	s := load(t)
	for key, words := range map[string][2]string{
		"vmq_generic_msg_store.db_backend":                    {"vmq_storage_engine_rocksdb", "rocksdb"},
		"vmq_diversity.mongodb.read_preference":               {"slave_ok", "secondaryPreferred"},
		"vmq_diversity.postgres.ssl.customize_hostname_check": {"on", "https"},
		"prometheus_namespace":                                {`""`, ""},
	} {
		value, _, err := s.Pattern(key).Parse(words[0])
		if err != nil || value != words[1] {
			t.Errorf("%s: Parse(%q) = %v, %v, want %q", key, words[0], value, err, words[1])
		}
	}
	sets := s.Pattern("trade_consistency").Sets
	if len(sets) != 4 {
		t.Errorf("trade_consistency sets %q, want four keys", sets)
	}
}

func TestNearest(t *testing.T) {
	s := load(t)
	tests := []struct {
		name string
		want []string
	}{
		{"alow_anonymous", []string{"allow_anonymous"}},
		{"allow_anonymuos", []string{"allow_anonymous"}},
		{"listener.tcp.default.max_conections", []string{"listener.tcp.default.max_connections"}},
		{"listener.tcp.mountpiont", []string{"listener.tcp.mountpoint"}},
		{"listner.tcp.default", []string{"listener.tcp.default"}},
		{"listener.tpc.default", []string{"listener.tcp.default"}},
		{"graphite.host", []string{"graphite_host"}},
		{"log.consol", []string{"log.console"}},
		{"max_connections", []string{"listener.max_connections"}},
		{"nothing.like.it", nil},
		{"", nil},
		{strings.Repeat("a", 10000), nil},
	}
	for _, test := range tests {
		got := s.Nearest(test.name, 3)
		if len(got) > 3 || len(test.want) == 0 && len(got) > 0 {
			t.Errorf("Nearest(%q) = %q, want %q", test.name, got, test.want)
			continue
		}
		for i, want := range test.want {
			if i >= len(got) || got[i] != want {
				t.Errorf("Nearest(%q) = %q, want %q first", test.name, got, test.want)
			}
		}
		for _, name := range got {
			if k, _, ok := s.Lookup(name); !ok || k.Effect == Refused || name == test.name {
				t.Errorf("Nearest(%q) suggests %s, which cannot be used", test.name, name)
			}
		}
	}
	if got := s.Nearest("max_onlin_messages", 1); len(got) != 1 {
		t.Errorf("Nearest with room for one gives %q", got)
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abcd", "badc", 2}, {"kitten", "sitting", 3}, {"ab", "xy", 2}} {
		if got := editDistance(test.a, test.b, 9); got != test.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
		if got := editDistance(test.b, test.a, 9); got != test.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", test.b, test.a, got, test.want)
		}
		for limit := range test.want {
			if got := editDistance(test.a, test.b, limit); got <= limit {
				t.Errorf("editDistance(%q, %q) with limit %d = %d", test.a, test.b, limit, got)
			}
		}
	}
}

func TestSplitName(t *testing.T) {
	for name, want := range map[string][]string{
		"a":         {"a"},
		"a.b":       {"a", "b"},
		`a\.b.c`:    {"a.b", "c"},
		`a\b.c`:     {`a\b`, "c"},
		`a\`:        {`a\`},
		`a.\.`:      {"a", "."},
		`a..b\.\.c`: {"a", "", "b..c"},
	} {
		got := SplitName(name)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("SplitName(%q) (-want +got):\n%s", name, diff)
		}
		if back := JoinName(got); back != name {
			t.Errorf("JoinName(SplitName(%q)) = %q", name, back)
		}
	}
}

const goodRow = "type = \"flag\"\ndoc = \"On or off.\"\n"

func TestLoadFS(t *testing.T) {
	s, err := LoadFS(fstest.MapFS{
		"b.toml": {Data: []byte("title = \"B\"\norder = 1\n[[key]]\nkeys = [\"l.x\", \"l.{a,b}.x\"]\ndefault = \"on\"\n" +
			"commented = [\"l.a.x\"]\neffect = \"planned\"\nlive = [\"l.b.x\"]\nvisibility = \"shown\"\ntype = \"flag\"\ndoc = \"Of {}.\"\n")},
		"a.toml":    {Data: []byte("title = \"A\"\norder = 2\n[[key]]\nkey = \"z.$n\"\naliases = [\"y.$n\"]\n" + goodRow)},
		"README.md": {Data: []byte("not a table")},
	})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name, Default, Doc, Subject string
		Visibility                  Visibility
		Effect                      Effect
		Order                       int
	}
	want := []row{
		{"l.x", "on", "Of .", "b", Shown, Planned, 0},
		{"l.a.x", "", "Of a.", "b", Commented, Planned, 1},
		{"l.b.x", "", "Of b.", "b", Hidden, Live, 2},
		{"z.$n", "", "On or off.", "a", Hidden, Live, 3},
	}
	var got []row
	for _, k := range s.Keys() {
		got = append(got, row{k.Name, k.Default, k.Doc, k.Subject, k.Visibility, k.Effect, k.Order})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if n := len(s.Subjects()); n != 2 {
		t.Errorf("%d subjects, want 2", n)
	}
}

func TestLoadFSRefuses(t *testing.T) {
	row := func(lines string) string { return "[[key]]\n" + lines + "\n" + goodRow }
	tests := []struct{ name, text, want string }{
		{"not TOML", "[[key]\n", "x.toml:1:"},
		{"unknown field", row("key = \"a\"\ncolour = \"red\""), "colour"},
		{"no name", row(""), "a row without a key"},
		{"empty word", row(`key = "a..b"`), "an empty word in the name"},
		{"twice", row(`key = "a.b"`) + row(`key = "a.b"`), "key a.b: already taken by a.b"},
		{"two wildcards at one place", row(`key = "a.$b"`) + row(`key = "a.$c"`), "key a.$c: already taken by a.$b"},
		{"unknown type", "[[key]]\nkey = \"a\"\ntype = \"colour\"\n", `unknown type "colour"`},
		{"enum without words", "[[key]]\nkey = \"a\"\ntype = \"enum\"\n", "an enum without words"},
		{"duration without unit", "[[key]]\nkey = \"a\"\ntype = \"duration\"\n", "unknown unit"},
		{"unknown visibility", row("key = \"a\"\nvisibility = \"glowing\""), "unknown visibility"},
		{"unknown effect", row("key = \"a\"\neffect = \"magic\""), "unknown effect"},
		{"open brace", row(`key = "a.{b,c"`), "unbalanced braces"},
		{"closed brace", row(`key = "a.b}"`), "unbalanced braces"},
		{"nested braces", row(`key = "a.{b,{c}}"`), "unbalanced braces"},
		{"too many names", row(`key = "` + strings.Repeat("{a,b,c,d}", 5) + `"`), "more than 256 names"},
		{"commented elsewhere", row("key = \"a\"\ncommented = [\"b\"]"), "commented names b"},
		{"live elsewhere", row("key = \"a\"\nlive = [\"b\"]"), "live names b"},
		{"alias of a key", row(`key = "a"`) + row("key = \"b\"\naliases = [\"a\"]"), "alias a of b is a key itself"},
		{"alias of two", row("key = \"a\"\naliases = [\"c\"]") + row("key = \"b\"\naliases = [\"c\"]"), "alias c of b: already taken by a"},
		{"sets nothing", row("key = \"a\"\nsets = [\"b\"]"), "a sets b, which is not a key"},
		{"two mistakes", row("key = \"a\"\nsets = [\"b\"]") + row(`key = "a"`), "already taken"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := LoadFS(fstest.MapFS{"x.toml": {Data: []byte(test.text)}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("LoadFS gave %v, want …%s…", err, test.want)
			}
		})
	}
	if _, err := LoadFS(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "no schema tables") {
		t.Errorf("LoadFS of nothing gave %v", err)
	}
}

func TestNearestWord(t *testing.T) {
	for _, test := range []struct{ text, words, want string }{
		{"lifp", "fifo lifo", "lifo"},
		{"FIFO", "fifo lifo", "fifo"},
		{"fifo", "fifo lifo", "lifo"}, // not what it is already
		{"frob", "grow flash build", ""},
		{"stat", "status start", "start"},
		{"nope", "no on", ""},
		{"o", "on off", "on"},
		{"aac", "aab aaa", "aab"},
		{"warn", "notice warning error", "warning"}, // the beginning of one word
		{"EMERG", "alert emergency", "emergency"},
		{"information", "info notice", "info"},
		{"conn", "connection connected", ""},
		{"", "a on", ""},
		{strings.Repeat("a", 1000), "a on", ""},
	} {
		if got := NearestWord(test.text, strings.Fields(test.words)); got != test.want {
			t.Errorf("NearestWord(%q) of %s = %q, want %q", test.text, test.words, got, test.want)
		}
	}
}
