package main

import (
	"context"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"vernemq/appliance/hostfs"
	"vernemq/broker/admin"
	"vernemq/broker/admin/admintest"
)

// TestAdminScripts runs vmq-admin as the command admin, with the script's directory as its root. broker starts a broker in memory there.
func TestAdminScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files:               []string{"testdata/admin.txtar"},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"broker": func(ts *testscript.TestScript, neg bool, args []string) {
				l, err := admin.Listen(hostfs.New(ts.MkAbs(".")).Path(hostfs.AdminSocket))
				ts.Check(err)
				ctx, cancel := context.WithCancel(context.Background())
				done := make(chan error, 1)
				go func() { done <- admin.Serve(ctx, l, admin.NewTree(admintest.New())) }()
				ts.Defer(func() {
					cancel()
					ts.Check(<-done)
				})
			},
			"admin": func(ts *testscript.TestScript, neg bool, args []string) {
				checkExit(ts, neg, (&program{root: hostfs.New(ts.MkAbs(".")), stdout: ts.Stdout(), stderr: ts.Stderr()}).admin(args))
			},
		},
	})
}
