package admin_test

import (
	"context"
	"flag"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"vernemq/broker/admin"
	"vernemq/broker/admin/admintest"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata")

// TestScripts runs commands over a real socket against a broker in memory. `vmq-admin` stands for a stdout that is a file, `tty-admin` for
// one that is a terminal.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			l, err := admin.Listen(filepath.Join(e.WorkDir, "run", "admin.sock"))
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- admin.Serve(ctx, l, admin.NewTree(admintest.New())) }()
			e.Defer(func() {
				cancel()
				<-done
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"vmq-admin": run(admin.Options{}),
			"tty-admin": run(admin.Options{TTY: true, Columns: 80}),
		},
	})
}

// volatile are the figures of the test's own process.
var volatile = regexp.MustCompile(`((?:system|vm)_\w+) = \d+`)

// visible makes line ends visible that a script cannot hold: CR, and none at the end.
func visible(out string) string {
	out = strings.ReplaceAll(volatile.ReplaceAllString(out, "$1 = N"), "\r\n", "<CR>\n")
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "<end>\n"
	}
	return out
}

func run(opts admin.Options) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		c, err := admin.Dial(ts.MkAbs(filepath.Join("run", "admin.sock")))
		ts.Check(err)
		var out strings.Builder
		exit, err := c.Run(context.Background(), args, opts, &out, ts.Stderr())
		ts.Check(err)
		io.WriteString(ts.Stdout(), visible(out.String()))
		if neg != (exit != 0) {
			ts.Fatalf("exit code %d", exit)
		}
	}
}
