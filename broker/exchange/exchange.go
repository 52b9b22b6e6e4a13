// Package exchange brings messages from those who publish to those who subscribed: register, takeover, subscribe, publish, wills, retained
// messages, shared groups. It is the only place that knows routing policy. It knows no sockets and no loops: a shard gives it packets and
// Outputs, and does for it what the Loop interface says.
//
// Exchange is what all shards share. Home is the part of one shard: its sessions, touched by that shard's loop only.
//
// A PUBLISH goes through these stages, all on the shard of the publisher's session:
//
//  1. session.Incoming   alias, topic, QoS 2 duplicate
//  2. hook chain         may refuse, change, or answer later: then the connection is parked
//  3. retain             set or delete
//  4. match              in the mountpoint's trie, remembered per publishing session
//  5. store              one record with all durable recipients, if there are any
//  6. fan-out            own subscribers at once (large ones in steps), other shards by mail, shared groups to one member
//  7. session.Answer     when the record is durable
//
// Clustering has its seam here: who is reachable (Connect), forward a message (route), replicate a record (retain, PutSession).
package exchange

import (
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"

	"vernemq/broker/config"
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/msg"
	"vernemq/broker/retain"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/trie"
)

// Loop is what a Home asks of the event loop it lives in. All methods but Post are called by that loop's goroutine.
type Loop interface {
	// Mail delivers m to the part of the leaf that another shard holds, in order per shard. A borrowed m is copied before it returns. o is what m's
	// record owes there, nil for nothing, and goes with m.
	Mail(shard int, m *msg.Message, l *trie.Leaf, o *Owed)
	// MailMember delivers m to one member of a shared group on another shard, likewise.
	MailMember(shard int, m *msg.Message, l *trie.Leaf, g *trie.Group, slot uint32, o *Owed)
	// Kick sends what o has gathered and closes its connection, which belongs to no session any more.
	Kick(o *session.Output)
	// Resume goes on with the input of a parked connection.
	Resume(o *session.Output)
	// Post runs f on the loop; from any goroutine; never blocks.
	Post(f func())
}

// Exchange is what the shards of one broker share. Its methods are safe for concurrent use.
type Exchange struct {
	Retain  *retain.Store
	Store   store.Store
	Metrics *metric.Registry
	Log     *slog.Logger // nil: nothing is logged; set it before the loops start
	options *config.Live
	hooks   *hook.Chains
	shards  int

	mu        sync.Mutex
	mounts    atomic.Pointer[map[string]*trie.Index] // replaced when a mountpoint is first used
	keys      []words                                // per shard, by slot: the keys of durable sessions
	full      []marks                                // per shard: sessions whose queue is full
	retaining stripes
	homes     []*Home // per shard; complete before the loops run

	upgrading    atomic.Bool  // a session has its own word on upgrades: QoS 0 publishes may have durable deliveries
	pressure     atomic.Int32 // a Pressure
	retainedTold atomic.Int64 // monotonic nanoseconds of the last word about retained messages that were not kept, 0 never
}

// New returns an exchange for a number of shards.
func New(shards int, options *config.Live, st store.Store, hooks *hook.Chains, metrics *metric.Registry) *Exchange {
	x := &Exchange{Retain: retain.New(), Store: st, Metrics: metrics, options: options, hooks: hooks, shards: shards, keys: make([]words, shards), full: make([]marks, shards), homes: make([]*Home, shards)}
	m := map[string]*trie.Index{"": trie.New(shards)}
	x.mounts.Store(&m)
	metrics.Gauge(metric.RouterSubscriptions, func() uint64 { return uint64(x.Subscriptions()) })
	metrics.Gauge(metric.RetainMessages, func() uint64 { return uint64(x.Retain.Count()) })
	metrics.Gauge(metric.RetainMemory, func() uint64 { return uint64(x.Retain.Bytes()) })
	return x
}

// index returns the topic tree of a mountpoint.
func (x *Exchange) index(mountpoint string) *trie.Index {
	if i := (*x.mounts.Load())[mountpoint]; i != nil {
		return i
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	old := *x.mounts.Load()
	if i := old[mountpoint]; i != nil {
		return i
	}
	m := maps.Clone(old)
	m[mountpoint] = trie.New(x.shards)
	x.mounts.Store(&m)
	return m[mountpoint]
}

func (x *Exchange) log() *slog.Logger {
	if x.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return x.Log
}

// MemoryLimit is how many bytes the broker tries to stay below; 0 or less: not known or none.
func (x *Exchange) MemoryLimit() int64 { return x.options.Load().MemoryLimit }

// Subscriptions returns how many subscriptions there are in all mountpoints.
func (x *Exchange) Subscriptions() int {
	n := 0
	for _, i := range *x.mounts.Load() {
		n += i.Len()
	}
	return n
}
