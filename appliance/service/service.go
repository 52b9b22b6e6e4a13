// Package service speaks to the service manager: started, stopping, what is going on. Without one (no NOTIFY_SOCKET in the environment) every
// call does nothing. It refuses to know what is being started.
package service

import (
	"fmt"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"
)

// User is the name of the account the broker runs as when the system starts it.
const User = "vernemq"

// Ready says that everything is up; status is shown by systemctl status.
func Ready(status string) error { return notify(daemon.SdNotifyReady, status) }

// Status changes the line shown by systemctl status.
func Status(status string) error { return notify("", status) }

// Loading says that the start goes on and needs more time than was allowed for it: ten seconds from now.
func Loading(status string) error { return notify("EXTEND_TIMEOUT_USEC=10000000", status) }

// Stopping says that the program ends on purpose.
func Stopping(status string) error { return notify(daemon.SdNotifyStopping, status) }

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
