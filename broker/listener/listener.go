// Package listener owns the listening sockets: which kinds of listeners there are, how their sockets are opened, inherited and tuned, and their
// life: start, change, suspend, stop. What happens on an accepted connection is the shards' business.
package listener

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"vernemq/broker/config"
	"vernemq/broker/shard"
)

var errStopped = errors.New("the listeners are stopped")

// starter opens the sockets of a listener, at most n of them. With ours another listener of this broker has the port, so that it cannot be asked
// whether a stranger has it.
type starter func(cfg *config.Listener, n int, ours bool) ([]socket, error)

// kinds are the protocols that can be listened for, by the word in the configuration.
var kinds = map[string]starter{
	"tcp": openTCP,
}

// socket is one open listening socket and the address it got.
type socket struct {
	fd      int
	addr    string // host:port, or unix:/path
	path    string // of a unix socket, to be removed at the end
	asked   string // of an inherited one: the address in the configuration, if that leaves the port open
	foreign bool   // somebody else opened it and keeps it
	inode   uint64 // of an inherited one
}

// Status is what is known of one listener.
type Status struct {
	Config    config.Listener
	Address   string // the real one, where port 0 was asked for
	Suspended bool
	Active    int64 // connections open now
	Total     int64 // connections accepted since the start
}

type running struct {
	cfg     config.Listener
	addr    string
	paths   []string
	keep    []int // the sockets that are kept for a successor; the shards own them
	foreign bool  // its sockets are somebody else's
	live    *shard.Listener
}

// Manager runs the listeners of one broker. Its methods are safe for concurrent use.
type Manager struct {
	group   *shard.Group
	options *config.Live
	log     *slog.Logger
	keeper  Keeper

	changing sync.Mutex // held from Prepare to Commit or Abort, and while one starts or all stop

	mu        sync.Mutex
	stopped   bool // changes under changing, too
	list      []*running
	leaving   []*running // removed; their connections are still there
	inherited []socket
}

// NewManager returns a manager without listeners. keeper may be nil.
func NewManager(g *shard.Group, options *config.Live, keeper Keeper, log *slog.Logger) *Manager {
	if keeper == nil {
		keeper = nobody{}
	}
	return &Manager{group: g, options: options, keeper: keeper, log: log}
}

// Serves reports whether there is a kind of listener for a protocol.
func Serves(protocol string) bool { return kinds[protocol] != nil }

// Start opens a listener, or takes its sockets over from those that were inherited: when it returns without error, clients can connect.
func (m *Manager) Start(cfg config.Listener) error {
	m.changing.Lock()
	defer m.changing.Unlock()
	if m.stopped {
		return errStopped
	}
	socks, err := m.open(&cfg, false)
	if err != nil {
		return err
	}
	r, err := m.attach(cfg, socks)
	if err == nil && r.keep != nil {
		m.keeper.Keep(cfg.Key(), r.keep)
	}
	return err
}

// open opens the sockets of a listener.
func (m *Manager) open(cfg *config.Listener, ours bool) ([]socket, error) {
	open := kinds[cfg.Protocol]
	if open == nil {
		return nil, fmt.Errorf("%s: its protocol is not served", cfg.Key())
	}
	socks := m.adopt(cfg)
	switch n := m.acceptors(cfg) - len(socks); {
	case len(socks) == 0:
		opened, err := open(cfg, n, ours)
		if err != nil {
			return nil, fmt.Errorf("%s = %s: %w", cfg.Key(), cfg.Address, err)
		}
		socks = opened
	case n > 0 && !socks[0].foreign && socks[0].path == "":
		beside := *cfg
		beside.Address = socks[0].addr
		more, err := open(&beside, n, true)
		if err != nil { // what is there serves
			m.log.Warn("event loops share a socket", "listener", cfg.Key(), "reason", err)
		}
		socks = append(socks, more...)
	}
	return socks, nil
}

// acceptors is how many event loops accept for a listener.
func (m *Manager) acceptors(cfg *config.Listener) int {
	if cfg.Acceptors > 0 {
		return min(m.group.Len(), cfg.Acceptors)
	}
	return m.group.Len()
}

// attach has the shards accept on socks, which the group owns from now on.
func (m *Manager) attach(cfg config.Listener, socks []socket) (*running, error) {
	r := &running{cfg: cfg, addr: socks[0].addr, live: shard.NewListener(m.settings(&cfg))}
	fds := make([]int, len(socks))
	for i, s := range socks {
		fds[i] = s.fd
		if r.foreign = r.foreign || s.foreign; !s.foreign {
			r.keep = append(r.keep, s.fd)
		}
		if s.path != "" && !slices.Contains(r.paths, s.path) {
			r.paths = append(r.paths, s.path)
		}
	}
	for len(fds) < m.acceptors(&cfg) { // fewer sockets than loops: they share
		fd, err := unix.FcntlInt(uintptr(fds[len(fds)%len(socks)]), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			break
		}
		fds = append(fds, fd)
	}
	for i, fd := range fds {
		if err := m.group.Listen(i%m.group.Len(), fd, r.live); err != nil {
			m.group.Unlisten(r.live, true)
			closeAll(fds[i:])
			return nil, fmt.Errorf("%s = %s: %w", cfg.Key(), cfg.Address, err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, r)
	return r, nil
}

// settings is what a listener's connections are held to.
func (m *Manager) settings(cfg *config.Listener) *shard.Settings {
	return &shard.Settings{
		MaxConnections: int64(cfg.MaxConnections), MaxLifetime: cfg.MaxLifetime, MaxConnectRate: int64(cfg.MaxConnectRate), ConnectTimeout: m.options.Load().ConnectTimeout,
		Rules: shard.Rules{Listener: cfg.Name, Mountpoint: cfg.Mountpoint, Versions: cfg.ProtocolVersions, AllowAnonymous: cfg.AllowAnonymous},
	}
}

// StopAll stops accepting everywhere. Connections that wait in accept queues are accepted first, unless the sockets are kept for a successor,
// which finds them there; living ones stay.
func (m *Manager) StopAll() {
	m.changing.Lock()
	defer m.changing.Unlock()
	m.mu.Lock()
	m.stopped = true
	list := slices.Clone(m.list)
	m.mu.Unlock()
	for _, r := range list {
		kept := r.foreign || m.keeper.Keeps()
		m.group.Unlisten(r.live, !kept)
		if !kept {
			removeAll(r.paths)
		}
	}
}

// remove ends a listener whose connections stay.
func (m *Manager) remove(r *running) {
	m.group.Unlisten(r.live, true)
	removeAll(r.paths)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = slices.DeleteFunc(m.list, func(x *running) bool { return x == r })
	m.leaving = append(m.leaving, r)
}

// Active returns how many connections are open now, those of listeners that are gone included.
func (m *Manager) Active() (sum int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leaving = slices.DeleteFunc(m.leaving, func(r *running) bool { return r.live.Active.Load() == 0 })
	for _, list := range [][]*running{m.list, m.leaving} {
		for _, r := range list {
			sum += r.live.Active.Load()
		}
	}
	return sum
}

// List returns the listeners in the order they were started.
func (m *Manager) List() []Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]Status, 0, len(m.list))
	for _, r := range m.list {
		out = append(out, Status{Config: r.cfg, Address: r.addr, Suspended: m.stopped, Active: r.live.Active.Load(), Total: r.live.Total.Load()})
	}
	return out
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

func removeAll(paths []string) {
	for _, p := range paths {
		_ = unix.Unlink(p)
	}
}
