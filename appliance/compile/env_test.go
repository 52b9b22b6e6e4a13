package compile

import (
	"bytes"
	"strings"
	"testing"

	"vernemq/appliance/source"
)

// Only the name of a container's variable is rewritten; its value reaches the key as it is.
func TestContainerEnvironment(t *testing.T) {
	s := loadSchema(t)
	for _, c := range []struct {
		variable, key, want string
	}{
		{"DOCKER_VERNEMQ_MAX_ONLINE_MESSAGES=7", "max_online_messages", "7"},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT=10.0.0.1:1883", "listener.tcp.default", "10.0.0.1:1883"},
		{"DOCKER_VERNEMQ_LISTENER__TCP__KUBERNETES=10.0.0.1:1884", "listener.tcp.kubernetes", "10.0.0.1:1884"},
		{"DOCKER_VERNEMQ_listener.tcp.Default=10.0.0.1:1883", "listener.tcp.Default", "10.0.0.1:1883"},
		{"DOCKER_VERNEMQ_LISTENER__TCP.Cell=10.0.0.1:1883", "listener.tcp.Cell", "10.0.0.1:1883"},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT=a#b", "listener.tcp.default.mountpoint", "a#b"},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT=a__b", "listener.tcp.default.mountpoint", "a__b"},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT=A=B", "listener.tcp.default.mountpoint", "A=B"},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT='quoted'", "listener.tcp.default.mountpoint", "'quoted'"},
		{`DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT="quoted"`, "listener.tcp.default.mountpoint", `"quoted"`},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT= blanks ", "listener.tcp.default.mountpoint", " blanks "},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT=two\nlines", "listener.tcp.default.mountpoint", "two\nlines"},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT=$(X)", "listener.tcp.default.mountpoint", "of X"},
		{"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT__MOUNTPOINT=$$(X)", "listener.tcp.default.mountpoint", "$(X)"},
		{"DOCKER_VERNEMQ_NODENAME=10.0.0.7", "nodename", "VerneMQ@10.0.0.7"},
		{"DOCKER_VERNEMQ_NODENAME=me@here", "nodename", "me@here"},
		{"DOCKER_VERNEMQ_ACCEPT_EULA=yes", "accept_eula", "yes"},
		// These steer the container's start and are no settings.
		{"DOCKER_VERNEMQ_USER_JOE=max_online_messages", "", ""},
		{"DOCKER_VERNEMQ_DISCOVERY_NODE=10.0.0.1", "", ""},
		{"DOCKER_VERNEMQ_DISCOVERY_KUBERNETES=1", "", ""},
		{"DOCKER_VERNEMQ_KUBERNETES_LABEL_SELECTOR=app=vernemq", "", ""},
		{"DOCKER_VERNEMQ_SWARM=1", "", ""},
		{"DOCKER_VERNEMQ_COMPOSE=1", "", ""},
		{"DOCKER_NET_INTERFACE=eth0", "", ""},
		{"MY_POD_NAME=vernemq-0", "", ""},
	} {
		t.Run(c.variable, func(t *testing.T) {
			p, r := Compile(Input{Schema: s, Environ: []string{c.variable, "X=of X"}, Container: true, FS: source.Texts{
				"/etc/vernemq/vernemq.conf": "listener.tcp.default = 127.0.0.1:1883\n"}})
			if r.Fatal(false) {
				t.Fatal(r.Entries)
			}
			for _, v := range p.All() {
				if from := v.Origin.Layer.String() == "environment"; from != (v.Name == c.key) {
					t.Errorf("%s = %s is from the layer %s", v.Name, v.Text(), v.Origin.Layer)
				}
			}
			if v, _ := p.Find(c.key); c.key != "" && v.Text() != c.want {
				t.Errorf("%s = %q, want %q", c.key, v.Text(), c.want)
			}
		})
	}
}

func FuzzEnv(f *testing.F) {
	f.Add("DOCKER_VERNEMQ_LISTENER__TCP__A", "127.0.0.1:$(PORT)", "PORT", "1883")
	f.Add("DOCKER_VERNEMQ_NODENAME", "$(A)", "A", "$(nodename)")
	f.Add("ACCEPT_EULA", "\xff", "DOCKER_VERNEMQ_a.b", "$$($(")
	s := loadSchema(f)
	f.Fuzz(func(t *testing.T, name, value, other, text string) {
		in := Input{Schema: s, Environ: []string{name + "=" + value, other + "=" + text, name}, Container: true, FS: source.Texts{
			"/etc/vernemq/vernemq.conf": "listener.tcp.default = 127.0.0.1:1883\nlistener.tcp.default.mountpoint = $(" + other + ")\n",
			"/etc/default/vernemq":      name + "=" + value + "\nexport " + other + "='" + text + "'\n"}}
		p, r := Compile(in)
		var out bytes.Buffer
		if err := p.WriteTOML(&out); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteText(&out, 0); err != nil {
			t.Fatal(err)
		}
		in.Container = false
		if _, r := Compile(in); strings.HasPrefix(name, dockerPrefix) && !steersContainer(name[len(dockerPrefix):]) && len(r.Entries) == 0 {
			t.Errorf("%s is ignored without a word", name)
		}
	})
}

func FuzzSubstitution(f *testing.F) {
	f.Add("$(max_online_messages)", "$(</x)", "5\n")
	f.Add("a$(listener.tcp.b.mountpoint)$(listener.tcp.b.mountpoint)", "$(listener.tcp.a.mountpoint)", "")
	f.Add("$$($($$", "$(<${X}/../y)", "\x00")
	s := loadSchema(f)
	f.Fuzz(func(t *testing.T, a, b, file string) {
		text := "listener.tcp.a = 127.0.0.1:1\nlistener.tcp.b = 127.0.0.1:2\nlistener.tcp.a.mountpoint = '''" + a + "'''\nlistener.tcp.b.mountpoint = '''" + b + "'''\n"
		p, r := Compile(Input{Schema: s, Environ: []string{"X=/etc"}, FS: source.Texts{"/etc/vernemq/vernemq.conf": text, "/x": file, "/y": file}})
		var out bytes.Buffer
		if err := r.WriteText(&out, 0); err != nil {
			t.Fatal(err)
		}
		if r.Fatal(false) || strings.ContainsAny(a+b+file, "'\r\n") {
			return // three quotes in a row and line ends at the ends have no form that keeps them
		}
		// What is printed as effective means the same when it is read again.
		var first, second bytes.Buffer
		if err := p.WriteEffective(&first, false); err != nil {
			t.Fatal(err)
		}
		kept := strings.ReplaceAll(first.String(), "buffer_sizes = ''", "max_connections = -1")
		again, r := Compile(Input{Schema: s, FS: source.Texts{"/etc/vernemq/vernemq.conf": kept}})
		if r.Fatal(false) {
			_ = r.WriteText(&out, 0)
			t.Fatalf("%s\n%s", first.String(), out.String())
		}
		if err := again.WriteEffective(&second, false); err != nil {
			t.Fatal(err)
		}
		if first.String() != second.String() {
			t.Errorf("first:\n%s\nsecond:\n%s", first.String(), second.String())
		}
	})
}
