package eula

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/source"
	"vernemq/packaging"
	"vernemq/schema"
)

func TestRewrite(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":            {"a = 1\naccept_eula = no\nb = 2\n", "a = 1\naccept_eula = yes\nb = 2\n"},
		"comment kept":     {"  accept_eula=no   # not yet\n", "  accept_eula=yes   # not yet\n"},
		"quoted":           {"accept_eula = 'no' # x", "accept_eula = yes # x"},
		"CRLF":             {"a = 1\r\naccept_eula = no\r\nb = 2\r\n", "a = 1\r\naccept_eula = yes\r\nb = 2\r\n"},
		"the last counts":  {"accept_eula = no\naccept_eula = no\n", "accept_eula = no\naccept_eula = yes\n"},
		"not in a comment": {"# accept_eula = no\n", "# accept_eula = no\naccept_eula = yes\n"},
		"not inside text":  {"x = '''\naccept_eula = no\n'''\n", "x = '''\naccept_eula = no\n'''\naccept_eula = yes\n"},
		"no line end":      {"a = 1", "a = 1\naccept_eula = yes\n"},
		"no line end CRLF": {"a = 1\r\nb = 2", "a = 1\r\nb = 2\r\naccept_eula = yes\r\n"},
		"empty":            {"", "accept_eula = yes\n"},
		"byte order mark":  {"\ufeffaccept_eula = no\n", "\ufeffaccept_eula = yes\n"},
		"wide characters":  {"größe = 1\naccept_eula = nö # ö\n", "größe = 1\naccept_eula = yes # ö\n"},
		"broken elsewhere": {"what\naccept_eula = no\nwhat\n", "what\naccept_eula = yes\nwhat\n"},
	} {
		if got := accept(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAcceptKeepsModeAndOwner(t *testing.T) {
	root := hostfs.New(t.TempDir())
	name := root.Path(hostfs.MainConf)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("accept_eula = no\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(name, 12, 34); err != nil {
			t.Fatal(err)
		}
	}
	before, beforeGroup, _ := hostfs.Owner(name)
	if err := Accept(root); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if uid, gid, _ := hostfs.Owner(name); uid != before || gid != beforeGroup || info.Mode().Perm() != 0o640 {
		t.Errorf("owner %d:%d mode %v, before %d:%d 0640", uid, gid, info.Mode(), before, beforeGroup)
	}
}

// With nothing under the root the default file is written, and the result accepts; the default itself does not.
func TestAcceptFromNothing(t *testing.T) {
	root := hostfs.New(t.TempDir())
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	check := func(files source.FS) State {
		t.Helper()
		p, _ := compile.Compile(compile.Input{Schema: s, FS: files})
		state, err := Check(root, p)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	if check(source.Texts{hostfs.MainConf: packaging.Conf}).Accepted {
		t.Error("the default file accepts the licence")
	}
	if err := Accept(root); err != nil {
		t.Fatal(err)
	}
	if state := check(source.Host(root)); !state.Accepted || state.From.Pos.File != hostfs.MainConf {
		t.Errorf("not accepted: %+v", state)
	}
	got, err := os.ReadFile(root.Path(hostfs.MainConf))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(packaging.Conf, "\naccept_eula = no", "\naccept_eula = yes", 1); string(got) != want {
		t.Error("more than the one line differs from the default file")
	}
}
