package service

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Socket is a descriptor that the manager has passed. It is closed in programs this one starts.
type Socket struct {
	FD   int
	Name string // FileDescriptorName of the socket unit, or the name it was stored under
}

// firstFD is the first descriptor that is passed (SD_LISTEN_FDS_START).
const firstFD = 3

// mostFDs bounds what is believed of LISTEN_FDS.
const mostFDs = 65536

// Sockets returns what the manager has passed to this process and takes it out of the environment. It is called once, at the start.
func Sockets() (out []Socket) {
	pid, errPID := strconv.Atoi(os.Getenv("LISTEN_PID"))
	n, errN := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name)
	}
	if errPID != nil || errN != nil || pid != os.Getpid() || n < 0 || n > mostFDs {
		return nil
	}
	for i := range n {
		s := Socket{FD: firstFD + i}
		if i < len(names) {
			s.Name = names[i]
		}
		unix.CloseOnExec(s.FD)
		out = append(out, s)
	}
	return out
}

// FDStore keeps descriptors with the service manager beyond the end of the process, for the one it starts next. It implements the listeners'
// Keeper and is safe for concurrent use. Failures are not reported: a socket that is not kept costs a restart its seamlessness and nothing else.
type FDStore struct {
	socket string
	sure   bool
}

// NewFDStore returns the store of the manager that started this process; inherited is what it passed. Without a manager nothing is kept.
func NewFDStore(inherited []Socket) *FDStore {
	s := &FDStore{socket: os.Getenv("NOTIFY_SOCKET")}
	if n, err := strconv.Atoi(os.Getenv("FDSTORE")); err == nil { // systemd 254 and later say how many they take
		s.sure = n > 0
		return s
	}
	for _, i := range inherited { // older ones have shown it
		s.sure = s.sure || strings.HasPrefix(i.Name, "listener.")
	}
	return s
}

// Keep stores descriptors under a name. The manager drops those it has already.
func (s *FDStore) Keep(name string, fds []int) {
	if s.socket != "" && len(fds) > 0 {
		_ = s.send("FDSTORE=1\nFDNAME="+fdName(name), fds)
	}
}

// Forget takes the descriptors of a name out.
func (s *FDStore) Forget(name string) {
	if s.socket != "" {
		_ = s.send("FDSTOREREMOVE=1\nFDNAME="+fdName(name), nil)
	}
}

// Keeps reports whether it is known that the manager keeps what it is given.
func (s *FDStore) Keeps() bool { return s.socket != "" && s.sure }

// fdName makes a name that the manager accepts: printable ASCII without a colon, of at most 255 characters.
func fdName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ':' {
			return '_'
		}
		return r
	}, name)
	return name[:min(len(name), 255)]
}

// fdsAtOnce is how many descriptors the kernel passes in one message.
const fdsAtOnce = 253

// send sends a message with descriptors. Package net sends them on sockets that are not connected only.
func (s *FDStore) send(state string, fds []int) error {
	c, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	defer func() { _ = unix.Close(c) }()
	to := &unix.SockaddrUnix{Name: s.socket} // a leading @ is that of the abstract name space
	for {
		part := fds[:min(len(fds), fdsAtOnce)]
		fds = fds[len(part):]
		var rights []byte
		if len(part) > 0 {
			rights = unix.UnixRights(part...)
		}
		if err := unix.Sendmsg(c, []byte(state), rights, to, unix.MSG_NOSIGNAL); err != nil {
			return fmt.Errorf("tell the service manager: %w", err)
		}
		if len(fds) == 0 {
			return nil
		}
	}
}
