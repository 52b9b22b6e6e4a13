// Package service speaks to the service manager and is spoken to by it: started, loading, stopping, reloading, alive; sockets it hands over and keeps; the
// journal. Without one (no NOTIFY_SOCKET in the environment) every message is dropped. It refuses to know what is being run.
package service

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// User is the name of the account the broker runs as when the system starts it.
const User = "vernemq"

// more is how much time Loading asks for: enough for what follows the last progress that can be told.
const more = time.Minute

// Ready says that everything is up, or that a reload is over; status is shown by systemctl status.
func Ready(status string) error { return notify(daemon.SdNotifyReady, status) }

// Status changes the line shown by systemctl status.
func Status(status string) error { return notify("", status) }

// Loading says that the start goes on and needs more time than was allowed for it: a minute from now.
func Loading(status string) error {
	return notify("EXTEND_TIMEOUT_USEC="+strconv.FormatInt(more.Microseconds(), 10), status)
}

// Reloading says that the configuration is being read anew; Ready ends it.
func Reloading(status string) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	return notify(daemon.SdNotifyReloading+"\nMONOTONIC_USEC="+strconv.FormatInt(now.Nano()/1000, 10), status)
}

// Stopping says that the program ends on purpose.
func Stopping(status string) error { return notify(daemon.SdNotifyStopping, status) }

// Failed says why the program is about to end; the status stays visible afterwards. The number of the system's error in cause is told as well.
func Failed(status string, cause error) error {
	state := ""
	var errno syscall.Errno
	if errors.As(cause, &errno) {
		state = "ERRNO=" + strconv.Itoa(int(errno))
	}
	return notify(state, status)
}

// Watchdog returns how often the manager wants to be told that the program is alive, 0 if never.
func Watchdog() time.Duration {
	d, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0
	}
	return d
}

// Alive tells the manager's watchdog that the program is alive; status, if not empty, changes the line of systemctl status at the same time.
func Alive(status string) error { return notify(daemon.SdNotifyWatchdog, status) }

func notify(state, status string) error {
	lines := []string{}
	if state != "" {
		lines = append(lines, state)
	}
	if status != "" { // one line: a line end would begin the next assignment
		lines = append(lines, "STATUS="+strings.Map(oneLine, status))
	}
	if len(lines) == 0 {
		return nil
	}
	if _, err := daemon.SdNotify(false, strings.Join(lines, "\n")); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}

func oneLine(r rune) rune {
	if r == '\n' || r == '\r' {
		return ' '
	}
	return r
}
