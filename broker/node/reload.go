package node

import (
	"vernemq/broker/admin"
	"vernemq/broker/config"
	"vernemq/broker/shard"
)

// Reload puts o in force as far as that is possible while the broker runs, and says what became of each difference: options that may change at run
// time hold from the next turn of each event loop on, listeners that are new accept, those that are gone do not any more and their
// connections stay. Everything that can fail is done first: the new listeners are opened, then commit is called, which may be nil; if one of
// them fails, nothing has changed. o is not modified and may be shared.
func (n *Node) Reload(o *config.Options, commit func() error) (config.Changes, error) {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	merged, changes := config.Merge(n.options.Load(), o)
	listeners, err := n.listeners.Prepare(o.Listeners)
	if err != nil {
		return config.Changes{}, err
	}
	if commit != nil {
		if err := commit(); err != nil {
			listeners.Abort()
			return config.Changes{}, err
		}
	}
	merged.Listeners = listeners.Listeners()
	n.options.Swap(merged)
	of, err := listeners.Commit()
	changes.Live = append(changes.Live, of.Live...)
	changes.Restart = append(changes.Restart, of.Restart...)
	return changes, err
}

// Reconfigurer returns what was made by Params.Reconfigurer.
func (n *Node) Reconfigurer() admin.Reconfigurer { return n.reconf }

// Heartbeat watches that every event loop makes progress.
func (n *Node) Heartbeat() *shard.Heartbeat { return n.group.NewHeartbeat() }

// Connections returns how many clients are connected.
func (n *Node) Connections() int64 { return n.listeners.Active() }
