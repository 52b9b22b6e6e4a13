package main

import (
	"flag"
	"fmt"

	"golang.org/x/sys/unix"

	"vernemq/appliance/hostfs"
)

// reload has the running broker read its configuration anew. With --wait it tells what came of it.
func (p *program) reload(args []string) int {
	wait, format := false, (*string)(nil)
	if !p.parse("reload", args, func(f *flag.FlagSet) {
		f.BoolVar(&wait, "wait", false, "")
		format = oneOf(f, "format", "human", "json")
	}) {
		return exitCannot
	}
	if !wait {
		return p.hangup()
	}
	return p.admin([]string{"reload", "--format=" + *format})
}

// hangup signals the broker to reload.
func (p *program) hangup() int {
	pid, _, err := runningPID(p.root.Path(hostfs.PIDFile))
	if err != nil {
		return p.cannot("reload", err)
	}
	if pid <= 0 {
		p.notResponding()
		return exitFailed
	}
	if err := unix.Kill(pid, unix.SIGHUP); err != nil {
		return p.cannot("reload", fmt.Errorf("signal process %d: %w", pid, err))
	}
	fmt.Fprintln(p.stdout, "ok")
	return exitOK
}
