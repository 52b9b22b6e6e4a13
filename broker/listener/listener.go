// Package listener owns the listening sockets: which kinds of listeners there are, how their sockets are opened and tuned, and their life:
// start, suspend, stop. What happens on an accepted connection is the shards' business.
package listener

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sys/unix"

	"vernemq/broker/config"
	"vernemq/broker/shard"
)

// ErrUnknownKind is returned by Start for a protocol this broker does not serve.
var ErrUnknownKind = errors.New("listener: protocol is not served")

// starter opens the sockets of a listener, at most n of them.
type starter func(cfg *config.Listener, n int) ([]socket, error)

// kinds are the protocols that can be listened for, by the word in the configuration.
var kinds = map[string]starter{
	"tcp": openTCP,
}

// socket is one open listening socket and the address it got.
type socket struct {
	fd   int
	addr string // host:port, or unix:/path
	path string // of a unix socket, to be removed at the end
}

// Status is what is known of one listener.
type Status struct {
	Config    config.Listener
	Address   string // the real one, where port 0 was asked for
	Suspended bool
	Active    int64 // connections open now
	Total     int64 // connections accepted since the start
	Refused   int64 // connections refused for max_connections
}

type running struct {
	cfg       config.Listener
	addr      string
	paths     []string
	live      *shard.Listener
	suspended bool
}

// Manager runs the listeners of one broker. Its methods are safe for concurrent use.
type Manager struct {
	group   *shard.Group
	options *config.Live
	log     *slog.Logger

	mu   sync.Mutex
	list []*running
}

// NewManager returns a manager without listeners.
func NewManager(g *shard.Group, options *config.Live, log *slog.Logger) *Manager {
	return &Manager{group: g, options: options, log: log}
}

// Serves reports whether there is a kind of listener for a protocol.
func Serves(protocol string) bool { return kinds[protocol] != nil }

// Start opens a listener: when it returns without error, clients can connect.
func (m *Manager) Start(cfg config.Listener) error {
	open := kinds[cfg.Protocol]
	if open == nil {
		return fmt.Errorf("listener.%s.%s: %w", cfg.Protocol, cfg.Name, ErrUnknownKind)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.group.Len()
	if cfg.Acceptors > 0 {
		n = min(n, cfg.Acceptors)
	}
	socks, err := open(&cfg, n)
	if err != nil {
		return fmt.Errorf("listener.%s.%s = %s: %w", cfg.Protocol, cfg.Name, cfg.Address, err)
	}
	r := &running{cfg: cfg, addr: socks[0].addr, live: &shard.Listener{
		MaxConnections: int64(cfg.MaxConnections), MaxLifetime: cfg.MaxLifetime, ConnectTimeout: m.options.Load().ConnectTimeout,
		Rules: shard.Rules{Listener: cfg.Name, Mountpoint: cfg.Mountpoint, Versions: cfg.ProtocolVersions, AllowAnonymous: cfg.AllowAnonymous},
	}}
	for i, s := range socks {
		if s.path != "" {
			r.paths = append(r.paths, s.path)
		}
		if err := m.group.Listen(i, s.fd, r.live); err != nil {
			m.group.Unlisten(r.live)
			for _, rest := range socks[i:] {
				_ = unix.Close(rest.fd)
			}
			return fmt.Errorf("listener.%s.%s = %s: %w", cfg.Protocol, cfg.Name, cfg.Address, err)
		}
	}
	m.list = append(m.list, r)
	return nil
}

// StopAll stops accepting everywhere. Connections that wait in accept queues are accepted first; living ones stay.
func (m *Manager) StopAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.list {
		if r.suspended {
			continue
		}
		m.group.Unlisten(r.live)
		r.suspended = true
		for _, p := range r.paths {
			_ = unix.Unlink(p)
		}
	}
}

// List returns the listeners in the order they were started.
func (m *Manager) List() []Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]Status, 0, len(m.list))
	for _, r := range m.list {
		out = append(out, Status{Config: r.cfg, Address: r.addr, Suspended: r.suspended,
			Active: r.live.Active.Load(), Total: r.live.Total.Load(), Refused: r.live.Refused.Load()})
	}
	return out
}
