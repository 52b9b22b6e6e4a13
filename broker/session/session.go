// Package session is the protocol state of one client: packet identifiers, windows, quotas, aliases, what waits for it. It turns packets and
// deliveries into bytes in an Output and into answers for its caller. It has no socket, no clock of its own and no goroutine, and it routes
// nothing: who receives a message is exchange's business.
//
// A session belongs to one shard for ever and is touched by that shard's loop only. What all sessions of a shard share during a turn is Turn.
package session

import (
	"net/netip"

	"vernemq/broker/config"
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/store"
	"vernemq/broker/topic"
	"vernemq/broker/trie"
	"vernemq/broker/wheel"
)

// Turn is what the sessions of one shard share: the time of this turn, the options, where bytes and counts go.
type Turn struct {
	Now   int64 // monotonic nanoseconds, read once a turn
	Wall  int64 // unix seconds, read once a turn
	Opts  *config.Options
	Sink  Sink
	Forms msg.Forms
	Count *metric.Counters
	Store store.Store
	Wheel *wheel.Wheel
	Hooks *hook.Chains
	Waits Waits
	Short bool // memory is short: QoS 0 messages do not wait for clients that do not keep up
	// Read asks the store for messages and calls done with them on the session's loop; nil for a message that is gone.
	Read func(refs []store.MessageRef, done func([]*msg.Message))
}

// Never is the session expiry interval that means "does not expire" [MQTT-3.1.2.11.2].
const Never = uint32(0xFFFFFFFF)

// Session is one client, connected or not.
type Session struct {
	ID       msg.SubscriberID
	Username string
	Key      store.SessionKey // 0: not durable
	Out      *Output          // nil while offline
	Timer    wheel.Timer      // connected: retry; offline: delayed will and expiry
	Subs     Subs
	Will     *Will
	Presence *msg.Presence // only of members of shared groups

	q       *queue.Queue
	win     *window
	in      *idSet
	v5      *v5State
	opt     *hook.SessionOptions // the session's own, nil: as configured
	replays *replay              // the one that runs; nil: none
	shared  *sharing             // nil until something came through a shared group
	Several *Several             // nil unless several connections use the client identifier

	lastIn    store.Ticket // of the youngest record of an incoming publish
	Peer      netip.AddrPort
	Started   int64 // wall clock, unix milliseconds of the connect
	Created   int64 // wall clock, unix milliseconds of the session's creation
	Offline   int64 // monotonic nanoseconds since when it is offline
	Slot      uint32
	Epoch     uint32 // counts connections: what was meant for an earlier one is void
	Expiry    uint32 // seconds after disconnect; 0 ends with the connection, Never
	resendAt  int32  // next exchange of win to send again after a reconnect; -1 none
	pending   int32  // incoming QoS>0 exchanges whose answer waits for the store
	sendQuota uint16 // exchanges that may be open on this connection
	counted   uint16 // exchanges that are
	Version   mqtt.Version
	Clean     bool // ends with the connection, or was begun clean: what the admin command shows
	HasUser   bool
	Bridge    bool   // MQTT bridge protocol: retain flags are kept
	Gone      bool   // ended: nothing may be done with it any more
	Marked    bool   // the exchange's: publishers see that its queue is full
	OfGroup   bool   // no client's, but the queue of a shared group: it is never connected
	joined    uint16 // when it became one of Several
	reading   bool   // messages are being read back
	Queued    bool   // the exchange's: it is on the list of those who ran out of their budget
}

// v5State is what only MQTT 5 clients have.
type v5State struct {
	aliasIn     []string
	aliasOut    map[string]uint16
	aliasOutMax int
	auth        *hook.Auth // enhanced authentication, nil without
	maxPacket   uint32     // 0: none
	problemInfo bool

	// What CONNACK promised: it holds for the whole connection, whatever the options say later.
	aliasInMax int // topic aliases
	receiveMax int // open exchanges
	maxBody    int // bytes of a packet's remaining length; 0: the protocol's limit
}

// MaxBody returns the largest packet body the client may send, in bytes; 0: the protocol's limit.
func (s *Session) MaxBody(t *Turn) int {
	if s.v5 != nil {
		return s.v5.maxBody
	}
	return hook.Or(s.opt.Set().MaxMessageSize, t.Opts.MaxMessageSize)
}

// Will is the last will of a connection.
type Will struct {
	Msg    *msg.Message
	Delay  uint32 // seconds
	Expiry uint32 // message expiry in seconds, counted from its publication
	HasExp bool
	Due    int64 // monotonic nanoseconds of its publication, once the connection ended with a delay
}

// Sub is one subscription of a session.
type Sub struct {
	Filter string // as subscribed, with $share prefix
	Leaf   *trie.Leaf
	Group  *trie.Group // of a shared subscription, else nil
	ID     uint32      // MQTT 5 subscription identifier, 0 none
	Opts   mqtt.SubOptions
}

// Subs is the set of a session's subscriptions: a list, with an index once it is long. The zero value is empty.
type Subs struct {
	list  []Sub
	index map[string]int32
}

const subsIndexFrom = 24

// Len returns the number of subscriptions.
func (s *Subs) Len() int { return len(s.list) }

// All returns the subscriptions; the slice must not be changed and is valid until the next change.
func (s *Subs) All() []Sub { return s.list }

// Get returns the subscription of a filter, or nil. It is valid until the next change.
func (s *Subs) Get(filter string) *Sub {
	if s.index != nil {
		if i, ok := s.index[filter]; ok {
			return &s.list[i]
		}
		return nil
	}
	for i := range s.list {
		if s.list[i].Filter == filter {
			return &s.list[i]
		}
	}
	return nil
}

// OfLeaf returns the identifier of the subscription at a leaf: of the plain one, or of the one in a shared group if group is not nil.
func (s *Subs) OfLeaf(l *trie.Leaf, group *trie.Group) uint32 {
	for i := range s.list {
		if s.list[i].Leaf == l && s.list[i].Group == group {
			return s.list[i].ID
		}
	}
	return 0
}

// OfGroup returns the subscription in a shared group, or nil. It is valid until the next change.
func (s *Subs) OfGroup(g *trie.Group) *Sub {
	for i := range s.list {
		if s.list[i].Group == g {
			return &s.list[i]
		}
	}
	return nil
}

// Has reports whether there is a subscription at a leaf.
func (s *Subs) Has(l *trie.Leaf) bool {
	for i := range s.list {
		if s.list[i].Leaf == l {
			return true
		}
	}
	return false
}

// matching returns the identifier of a subscription whose filter matches a topic: what a restored delivery was made for.
func (s *Subs) matching(name []byte) uint32 {
	for i := range s.list {
		if s.list[i].ID == 0 {
			continue
		}
		filter := s.list[i].Filter
		if sh, ok, err := topic.ParseShared(filter); ok && err == nil {
			filter = sh.Filter
		}
		if topic.Match(filter, name) {
			return s.list[i].ID
		}
	}
	return 0
}

// Put adds or replaces a subscription.
func (s *Subs) Put(sub Sub) {
	if old := s.Get(sub.Filter); old != nil {
		*old = sub
		return
	}
	s.list = append(s.list, sub)
	switch {
	case s.index != nil:
		s.index[sub.Filter] = int32(len(s.list) - 1)
	case len(s.list) > subsIndexFrom:
		s.index = make(map[string]int32, 2*len(s.list))
		for i := range s.list {
			s.index[s.list[i].Filter] = int32(i)
		}
	}
}

// Remove takes a subscription out.
func (s *Subs) Remove(filter string) {
	for i := range s.list {
		if s.index != nil {
			j, ok := s.index[filter]
			if !ok {
				return
			}
			i = int(j)
		}
		if s.list[i].Filter != filter {
			continue
		}
		last := len(s.list) - 1
		s.list[i] = s.list[last]
		s.list[last] = Sub{}
		s.list = s.list[:last]
		if s.index != nil {
			delete(s.index, filter)
			if i != last {
				s.index[s.list[i].Filter] = int32(i)
			}
		}
		return
	}
}

// Client returns what hooks are told of the session's client.
func (s *Session) Client() hook.Client {
	if s.OfGroup {
		return hook.Client{ID: msg.SubscriberID{Mountpoint: s.ID.Mountpoint, ClientID: s.ID.ClientID[1:]}}
	}
	return hook.Client{ID: s.ID, Username: s.Username, HasUser: s.HasUser, Peer: s.Peer, Version: s.Version}
}

// Auth is the state of the connection's enhanced authentication, nil if its CONNECT had no method.
func (s *Session) Auth() *hook.Auth {
	if s.v5 == nil {
		return nil
	}
	return s.v5.auth
}

// Fits reports whether the client takes packets of so many bytes [MQTT-3.1.2-24 of 5.0].
func (s *Session) Fits(size int) bool {
	return s.v5 == nil || s.v5.maxPacket == 0 || size <= int(s.v5.maxPacket)
}

// Online reports whether a connection is attached.
func (s *Session) Online() bool { return s.Out != nil }

// Persistent reports whether the session outlives its connection.
func (s *Session) Persistent() bool { return s.Expiry > 0 }

func (s *Session) v() metric.ID { return V5(s.Version) }

// V5 is 1 for MQTT 5 and 0 for others: the offset of a metric with the label mqtt_version.
func V5(v mqtt.Version) metric.ID {
	if v.Is5() {
		return 1
	}
	return 0
}

// Waiting returns how many deliveries wait in the queue.
func (s *Session) Waiting() int {
	if s.q == nil {
		return 0
	}
	return s.q.Len()
}

// Waits reports whether Pump might have something to do.
func (s *Session) Waits() bool {
	return s.resendAt >= 0 || s.replays != nil || s.q != nil && s.q.Len() > 0
}

// Inflight returns how many outgoing exchanges are open.
func (s *Session) Inflight() int {
	if s.win == nil {
		return 0
	}
	return s.win.open
}

// inflight tells other shards how many exchanges are open, if they ask.
func (s *Session) inflight() {
	if s.Presence != nil {
		s.Presence.Inflight.Store(int32(s.Inflight()))
	}
}

// EachMessage visits what is in flight to the client and what waits for it, eldest first.
//
// m is nil if the message is in the store only.
func (s *Session) EachMessage(f func(ref uint64, m *msg.Message, qos byte, dup bool)) {
	for x := range s.win.all() {
		f(x.ref, x.m, x.qos, true)
	}
	if s.q != nil {
		s.q.Each(func(it *queue.Item) bool { f(it.Ref, it.Msg, it.QoS, false); return true })
	}
}
