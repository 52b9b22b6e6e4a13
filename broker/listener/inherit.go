package listener

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"vernemq/broker/config"
)

// Keeper keeps listening sockets beyond the end of the process, so that a successor goes on with them and no connection is refused meanwhile.
// Its methods are safe for concurrent use; they do not take the descriptors over.
type Keeper interface {
	// Keep keeps the sockets of a listener, which may be known already.
	Keep(listener string, fds []int)
	// Forget gives the sockets of a listener up.
	Forget(listener string)
	// Keeps reports whether the sockets are known to be kept, and the process may end without emptying their queues.
	Keeps() bool
}

// nobody keeps nothing.
type nobody struct{}

func (nobody) Keep(string, []int) {}
func (nobody) Forget(string)      {}
func (nobody) Keeps() bool        { return false }

// Inherited is a listening socket that the process was started with.
type Inherited struct {
	FD   int
	Name string // what who passed it calls it; of one that was kept, the key of its listener
}

// Inherit takes over sockets that the process was started with. Those that one of the listeners wants, known by the address they are bound to, serve when
// it starts, every one of them whatever the number of event loops: what waits in its queue would be lost. The others are closed, and a
// line of the log says so. It is called once, before Start.
func (m *Manager) Inherit(given []Inherited, want []config.Listener) {
	m.changing.Lock()
	defer m.changing.Unlock()
	for _, g := range given {
		s, err := inherited(g)
		if err == nil && !wanted(&s, g.Name, want) {
			err = errors.New("no listener has this address")
			if !strings.HasPrefix(g.Name, "listener.") { // a socket unit holds it open all the same, and the address with it
				err = errors.New("no listener has this address: make ListenStream= of the socket unit and the configuration agree")
			}
		}
		if err == nil && slices.ContainsFunc(m.inherited, func(o socket) bool { return o.inode == s.inode }) {
			_ = unix.Close(g.FD) // passed twice
			continue
		}
		if err != nil {
			m.log.Warn("an inherited socket is not used", "name", g.Name, "address", s.addr, "reason", err)
			m.keeper.Forget(g.Name)
			if strings.HasPrefix(g.Name, "listener.") { // the keeper gives it up later: until then it must not hold the address, nor take connections
				_ = unix.Shutdown(g.FD, unix.SHUT_RDWR)
			}
			_ = unix.Close(g.FD)
			continue
		}
		m.inherited = append(m.inherited, s)
	}
}

// wanted reports whether one of the listeners has the address of s. A listener that left its port to the system is found by its name: its
// address is set to the one it got the last time.
func wanted(s *socket, name string, want []config.Listener) bool {
	for i := range want {
		w := &want[i]
		if !Serves(w.Protocol) {
			continue
		}
		if sameAddress(w.Address, s.addr) {
			return true
		}
		if host, ok := strings.CutSuffix(w.Address, ":0"); ok && w.Key() == name && sameAddress(host+":"+portOf(s.addr), s.addr) {
			s.asked = w.Address
			return true
		}
	}
	return false
}

// adopt takes the inherited sockets of a listener out.
func (m *Manager) adopt(cfg *config.Listener) (socks []socket) {
	rest := m.inherited[:0:0]
	for _, s := range m.inherited {
		if s.asked == cfg.Address || s.asked == "" && sameAddress(cfg.Address, s.addr) {
			socks = append(socks, s)
		} else {
			rest = append(rest, s)
		}
	}
	m.inherited = rest
	return socks
}

// inherited makes a socket of a descriptor: a stream socket that listens, of a family that is served.
func inherited(g Inherited) (s socket, err error) {
	s.fd, s.foreign = g.FD, !strings.HasPrefix(g.Name, "listener.")
	for option, want := range map[int]int{unix.SO_ACCEPTCONN: 1, unix.SO_TYPE: unix.SOCK_STREAM} {
		got, err := unix.GetsockoptInt(g.FD, unix.SOL_SOCKET, option)
		if err != nil {
			return s, fmt.Errorf("not a socket: %w", err)
		}
		if got != want {
			return s, errors.New("not a listening stream socket")
		}
	}
	name, err := unix.Getsockname(g.FD)
	if err != nil {
		return s, err
	}
	if u, ok := name.(*unix.SockaddrUnix); ok {
		s.addr, s.path = "unix:"+u.Name, u.Name
	} else if ap := addrPort(name); ap.IsValid() {
		s.addr = ap.String()
	} else {
		return s, errors.New("neither TCP nor a unix socket")
	}
	if err := unix.SetNonblock(g.FD, true); err != nil {
		return s, err
	}
	unix.CloseOnExec(g.FD)
	var st unix.Stat_t
	if err := unix.Fstat(g.FD, &st); err != nil {
		return s, err
	}
	s.inode = st.Ino
	if s.path == "" {
		return s, tune(g.FD)
	}
	if s.foreign {
		s.path = "" // not ours to remove
	}
	return s, nil
}

// sameAddress reports whether the configured address is the one a socket is bound to.
func sameAddress(configured, bound string) bool {
	if configured == bound {
		return true
	}
	if strings.HasPrefix(configured, "unix:") || strings.HasPrefix(bound, "unix:") {
		return false
	}
	b, err := netip.ParseAddrPort(bound)
	if err != nil {
		return false
	}
	ap, err := resolve(configured)
	if err != nil {
		return false
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()) == netip.AddrPortFrom(b.Addr().Unmap(), b.Port())
}
