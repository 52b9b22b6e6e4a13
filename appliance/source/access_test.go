package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/appliance/hostfs"
)

func TestAccount(t *testing.T) {
	files := Texts{
		"/etc/passwd": "root:x:0:0::/root:/bin/sh\nbad\nvernemq:x:many:3::\nvernemq:x:120:130:VerneMQ:/var/lib/vernemq:/bin/sh\nvernemq:x:1:1::\n",
		"/etc/group":  "vernemq:x:130:\nssl-cert:x:140:www,vernemq\nnear:x:150:vernemq2\nodd:x:y:vernemq\n",
	}
	got, ok := Account(files, "vernemq")
	if diff := cmp.Diff(User{"vernemq", 120, []int{130, 140}}, got); diff != "" || !ok {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
	if _, ok := Account(files, "nobody"); ok {
		t.Error("an account that is not there")
	}
	if _, ok := Account(Texts{}, "root"); ok {
		t.Error("an account without a file")
	}
	delete(files, "/etc/group")
	if got, ok := Account(files, "vernemq"); !ok || len(got.GIDs) != 1 {
		t.Errorf("without groups: %+v, %v", got, ok)
	}
}

func TestCanRead(t *testing.T) {
	dir := func(mode fs.FileMode, uid, gid int) Node { return Node{"/d", fs.ModeDir | mode, uid, gid} }
	file := func(mode fs.FileMode, uid, gid int) Node { return Node{"/d/f", mode, uid, gid} }
	u := User{"vernemq", 120, []int{130, 140}}
	for _, c := range []struct {
		name string
		user User
		way  []Node
		want string // the obstacle
	}{
		{"all may", u, []Node{dir(0o755, 0, 0), file(0o644, 0, 0)}, ""},
		{"group", u, []Node{dir(0o750, 0, 130), file(0o640, 0, 140)}, ""},
		{"owner", u, []Node{dir(0o700, 120, 0), file(0o400, 120, 0)}, ""},
		{"not the owner", u, []Node{dir(0o755, 0, 0), file(0o600, 0, 0)}, "/d/f"},
		{"directory", u, []Node{dir(0o700, 0, 0), file(0o644, 0, 0)}, "/d"},
		{"the owner's bits count for the owner", u, []Node{dir(0o755, 0, 0), file(0o044, 120, 0)}, "/d/f"},
		{"the group's bits count for the group", u, []Node{dir(0o755, 0, 0), file(0o604, 0, 130)}, "/d/f"},
		{"a directory needs no reading", u, []Node{dir(0o711, 0, 0), file(0o644, 0, 0)}, ""},
		{"root", User{"root", 0, []int{0}}, []Node{dir(0, 1, 1), file(0, 1, 1)}, ""},
	} {
		obstacle, ok := c.user.CanRead(c.way)
		if ok != (c.want == "") || obstacle.Name != c.want {
			t.Errorf("%s: %v by %q, want %q", c.name, ok, obstacle.Name, c.want)
		}
	}
}

func TestWay(t *testing.T) {
	root := t.TempDir()
	for _, d := range []string{"etc/real", "etc/vernemq"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/real/key.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../real/key.pem", filepath.Join(root, "etc/vernemq/key.pem")); err != nil {
		t.Fatal(err)
	}
	way, ok := Way(Fallback(Host(hostfs.New(root)), Texts{}), "/etc/vernemq/key.pem")
	var names []string
	for _, n := range way {
		names = append(names, n.Name)
		if n.UID != os.Getuid() {
			t.Errorf("%s belongs to %d", n.Name, n.UID)
		}
	}
	if diff := cmp.Diff([]string{"/", "/etc", "/etc/real", "/etc/real/key.pem"}, names); diff != "" || !ok {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
	if way[3].Mode.Perm() != 0o600 {
		t.Errorf("mode %v", way[3].Mode)
	}
	if _, ok := Way(Host(hostfs.New(root)), "/etc/vernemq/missing"); ok {
		t.Error("a way to a file that is not there")
	}
	if _, ok := Way(Texts{"/f": ""}, "/f"); ok {
		t.Error("a way without inodes")
	}
	way, ok = Way(Host(hostfs.New("")), filepath.Join(root, "etc/real/key.pem"))
	if !ok || way[0].Name != "/" || way[len(way)-1].Name != filepath.Join(root, "etc/real/key.pem") {
		t.Errorf("without a root: %v %v", way, ok)
	}
}
