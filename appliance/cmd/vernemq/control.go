package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/report"
	"vernemq/broker/admin"
)

// notResponding prints what VerneMQ prints for a node that does not run.
func (p *program) notResponding() {
	fmt.Fprintf(p.stderr, "Node '%s' not responding to pings.\n", p.nodename())
}

// unreachable says why the broker's admin socket cannot be reached.
func (p *program) unreachable(err error) int {
	if errors.Is(err, fs.ErrPermission) {
		fmt.Fprintln(p.stderr, notAllowed(p.root))
	} else {
		p.notResponding()
	}
	return exitFailed
}

// notAllowed says who may speak to the broker, to somebody who may not: root, and the group of its socket, or of the directory that hides it.
func notAllowed(root hostfs.Root) string {
	for _, name := range []string{hostfs.AdminSocket, filepath.Dir(hostfs.AdminSocket)} {
		if _, gid, ok := hostfs.Owner(root.Path(name)); ok {
			if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil && gid != 0 {
				return "Permission denied on " + hostfs.AdminSocket + ": use sudo, or become a member of the group " + g.Name +
					", by sudo usermod -a -G " + g.Name + " NAME and a new login."
			}
		}
	}
	return "Permission denied on " + hostfs.AdminSocket + ": use sudo."
}

// ping answers pong if the broker's admin socket accepts.
func (p *program) ping(args []string) int {
	if !p.noArgs("ping", args) {
		return exitCannot
	}
	c, err := admin.Dial(p.root.Path(hostfs.AdminSocket))
	if err != nil {
		return p.unreachable(err)
	}
	c.Close()
	fmt.Fprintln(p.stdout, "pong")
	return exitOK
}

// getpid prints the broker's process id.
func (p *program) getpid(args []string) int {
	if !p.noArgs("getpid", args) {
		return exitCannot
	}
	pid, _, err := runningPID(p.root.Path(hostfs.PIDFile))
	if err != nil {
		return p.cannot("getpid", err)
	}
	if pid == 0 {
		p.notResponding()
		return exitFailed
	}
	fmt.Fprintln(p.stdout, pid)
	return exitOK
}

// stop asks the broker to end and waits until it is gone; the broker itself bounds how long that takes.
func (p *program) stop(args []string) int {
	if !p.noArgs("stop", args) {
		return exitCannot
	}
	pid, wait, err := runningPID(p.root.Path(hostfs.PIDFile))
	if err != nil {
		return p.cannot("stop", err)
	}
	if pid == 0 {
		p.notResponding()
		fmt.Fprintln(p.stderr, "Node is not running!")
		return exitFailed
	}
	if pid < 0 {
		return p.cannot("stop", fmt.Errorf("%s is held by a process of another container: stop the broker there", hostfs.PIDFile))
	}
	if err := unix.Kill(pid, unix.SIGTERM); err != nil && !errors.Is(err, unix.ESRCH) {
		return p.cannot("stop", fmt.Errorf("signal process %d: %w", pid, err))
	}
	if err := wait(); err != nil {
		return p.cannot("stop", fmt.Errorf("wait for process %d: %w", pid, err))
	}
	fmt.Fprintln(p.stdout, "ok")
	return exitOK
}

// restart stops the broker, which must run, and starts it. What would keep it from starting is found before it is stopped: a mistake in a file must
// not end a broker that works.
func (p *program) restart(args []string) int {
	var layers layerFlags
	if !p.parse("restart", args, layers.addStart) {
		return exitCannot
	}
	pid, _, err := runningPID(p.root.Path(hostfs.PIDFile))
	if err != nil {
		return p.cannot("restart", err)
	}
	if pid > 0 {
		refused, err := p.refusesRestart(layers)
		if err != nil {
			return p.cannot("restart", err)
		}
		if refused != nil {
			fmt.Fprintln(p.stderr, "Nothing is restarted: the broker that runs goes on.")
			return refused.status
		}
	}
	if code := p.stop(nil); code != exitOK {
		return code
	}
	return p.start(args)
}

// refusesRestart compiles what a restart would start with.
func (p *program) refusesRestart(layers layerFlags) (*refusal, error) {
	result, findings, err := p.compile(layers)
	if err != nil {
		return nil, err
	}
	_, refused, err := p.admit(result, findings, report.Error)
	return refused, err
}
