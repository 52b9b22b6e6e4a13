package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"vernemq/appliance/hostfs"
	"vernemq/broker/admin"
)

// admin is vmq-admin: it has the running broker execute args and returns the exit code: 0 done, 1 not done.
func (p *program) admin(args []string) int {
	c, err := admin.Dial(p.root.Path(hostfs.AdminSocket))
	switch {
	case err != nil && wantsHelp(args): // which no broker is needed for
		return admin.NewTree(nil).Execute(context.Background(), args, admin.Options{}, p.stdout, p.stderr)
	case err != nil:
		return p.unreachable(err)
	}
	var opts admin.Options
	if f, ok := p.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		opts.TTY = true
		opts.Columns, _, _ = term.GetSize(int(f.Fd()))
	}
	exit, err := c.Run(context.Background(), args, opts, p.stdout, p.stderr)
	if err != nil {
		fmt.Fprintf(p.stderr, "vmq-admin: %v\n", err)
		return exitFailed
	}
	return exit
}
