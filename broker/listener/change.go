package listener

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"vernemq/broker/config"
)

// Change is a set of listeners that is ready to be in force. Until Commit or Abort no other change can be made.
type Change struct {
	m      *Manager
	stay   map[*running]config.Listener // with what they will be
	add    []opened
	remove []*running
	report config.Changes
}

// opened is a listener whose sockets are open and not accepted on.
type opened struct {
	cfg   config.Listener
	socks []socket
}

// Prepare opens what is new in want, and nothing else happens: clients that connect to a new address wait until Commit. A listener is known by its
// address, so it can be renamed, and its options change without its sockets. What can be changed only by opening a socket anew is left as
// it is, and named in the report of Commit. On error everything is as before.
func (m *Manager) Prepare(want []config.Listener) (*Change, error) {
	m.changing.Lock()
	c := &Change{m: m, stay: map[*running]config.Listener{}}
	if m.stopped {
		m.changing.Unlock()
		return nil, errStopped
	}
	m.mu.Lock()
	list := slices.Clone(m.list)
	m.mu.Unlock()
	found := c.match(list, want)
	var errs []error
	for i, w := range want {
		if found[i] || !Serves(w.Protocol) {
			continue
		}
		ours := overlaps(list, w.Address)
		socks, err := m.open(&w, ours)
		switch {
		case err == nil:
			c.add = append(c.add, opened{w, socks})
			c.report.Live = append(c.report.Live, w.Key())
		case ours && errors.Is(err, unix.EADDRINUSE): // a socket we inherited cannot be joined: the old one has to go first
			c.report.Restart = append(c.report.Restart, w.Key())
			c.hold(list, &w)
		default:
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		c.Abort()
		return nil, err
	}
	for _, r := range list {
		if _, stays := c.stay[r]; !stays {
			c.remove = append(c.remove, r)
			if !slices.ContainsFunc(want, func(w config.Listener) bool { return w.Key() == r.cfg.Key() }) {
				c.report.Live = append(c.report.Live, r.cfg.Key())
			}
		}
	}
	return c, nil
}

// match finds the running listener of each wanted one: by address and name first, then by address alone.
func (c *Change) match(list []*running, want []config.Listener) (found []bool) {
	found = make([]bool, len(want))
	for _, byName := range []bool{true, false} {
		for i := range want {
			for _, r := range list {
				w := &want[i]
				if _, taken := c.stay[r]; taken || found[i] || r.cfg.Protocol != w.Protocol || r.cfg.Address != w.Address ||
					byName && r.cfg.Name != w.Name {
					continue
				}
				merged, changes := config.MergeListener(&r.cfg, w)
				if r.cfg.Name != w.Name {
					c.report.Live = append(c.report.Live, w.Key())
				}
				c.report.Live = append(c.report.Live, changes.Live...)
				c.report.Restart = append(c.report.Restart, changes.Restart...)
				c.stay[r], found[i] = merged, true
			}
		}
	}
	return found
}

// hold leaves the listener that w cannot replace as it is.
func (c *Change) hold(list []*running, w *config.Listener) {
	for _, r := range list {
		if _, stays := c.stay[r]; !stays && portOf(r.cfg.Address) == portOf(w.Address) {
			c.stay[r] = r.cfg
		}
	}
}

// Listeners returns the options of the listeners as they will be in force.
func (c *Change) Listeners() (out []config.Listener) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	for _, r := range c.m.list {
		if cfg, ok := c.stay[r]; ok {
			out = append(out, cfg)
		}
	}
	for _, o := range c.add {
		out = append(out, o.cfg)
	}
	return out
}

// Commit puts the change in force and says what became of it: new listeners accept, removed ones do not any more, and their connections stay.
func (c *Change) Commit() (config.Changes, error) {
	defer c.m.changing.Unlock()
	var errs []error
	given, taken := map[string]bool{}, map[string]bool{} // keys of listeners
	for _, o := range c.add {
		_, err := c.m.attach(o.cfg, o.socks)
		errs = append(errs, err)
		given[o.cfg.Key()] = true
	}
	for r, cfg := range c.stay {
		if r.cfg.Name != cfg.Name {
			taken[r.cfg.Key()], given[cfg.Key()] = true, true
		}
		c.m.mu.Lock()
		r.cfg = cfg
		c.m.mu.Unlock()
		r.live.Set(c.m.settings(&cfg))
	}
	for _, r := range c.remove {
		taken[r.cfg.Key()] = true
		c.m.remove(r)
	}
	c.m.keepAnew(given, taken)
	return c.report, errors.Join(errs...)
}

// keepAnew tells the keeper which keys of listeners were given to sockets and which were taken from some. It knows sockets by nothing but the key, and
// a key may have other ones now, such as those of another address: what was taken is forgotten first, with all that is under the key.
func (m *Manager) keepAnew(given, taken map[string]bool) {
	for _, key := range slices.Sorted(maps.Keys(taken)) {
		m.keeper.Forget(key)
	}
	m.mu.Lock()
	list := slices.Clone(m.list)
	m.mu.Unlock()
	for _, r := range list {
		if key := r.cfg.Key(); r.keep != nil && (given[key] || taken[key]) {
			m.keeper.Keep(key, r.keep)
		}
	}
}

// Abort gives up what Prepare opened.
func (c *Change) Abort() {
	defer c.m.changing.Unlock()
	for _, o := range c.add {
		for _, s := range o.socks {
			_ = unix.Close(s.fd)
			if s.path != "" {
				_ = unix.Unlink(s.path)
			}
		}
	}
}

// overlaps reports whether a running listener has the port of address, and one of the two takes all addresses.
func overlaps(list []*running, address string) bool {
	all := func(address string) bool {
		a, err := netip.ParseAddrPort(address)
		return err != nil || a.Addr().IsUnspecified()
	}
	for _, r := range list {
		if p := portOf(address); p != "" && p != "0" && p == portOf(r.addr) && (all(address) || all(r.addr)) {
			return true
		}
	}
	return false
}

// portOf returns the port of host:port; empty for a unix socket.
func portOf(address string) string {
	if strings.HasPrefix(address, "unix:") {
		return ""
	}
	return address[strings.LastIndexByte(address, ':')+1:]
}
