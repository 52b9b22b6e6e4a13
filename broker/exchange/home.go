package exchange

import (
	"hash/maphash"
	"math/rand/v2"

	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/trie"
	"vernemq/broker/wheel"
)

// Home holds the sessions of one shard. Everything in it belongs to that shard's loop.
type Home struct {
	T         session.Turn // the loop sets Now and Wall at the begin of each turn
	Delivered uint64       // deliveries made so far, for the loop's budgets

	x     *Exchange
	loop  Loop
	shard int

	byID   roster
	groups map[uint32]*shelf  // queues of shared groups, by slot
	slots  []*session.Session // by slot; nil: free
	routes []*route           // by slot: the match remembered for a publishing session
	free   []uint32
	online int
	more   int // further connections of clients: see several.go

	scratch  msg.Message
	pub      mqtt.Publish
	leaves   []*trie.Leaf
	chosen   []choice // of the message being routed
	owing    []owing  // of the message being routed: what is left of owingAll
	owingAll []owing
	jobs     []job
	ready    []*session.Session // sessions that ran out of their budget
	spare    []*session.Session
	leaving  []*session.Session // ended ones whose subscriptions leave in steps
	parked   []*session.Session // publishers that wait for the backlog of jobs
	rng      *rand.Rand

	refuses  bool // publishers are refused while a queue is full
	pressure Pressure
	shedding int // slots still to be looked at since memory got short
	marking  int // likewise, for full queues, since the options changed
}

// TimerSession is the Kind of timers that belong to sessions; their Index is the slot.
const TimerSession = 1

// NewHome returns the part of x that lives on a shard. now is monotonic nanoseconds.
func NewHome(x *Exchange, shard int, loop Loop, now int64) *Home {
	h := &Home{x: x, loop: loop, shard: shard, byID: roster{seed: maphash.MakeSeed()}, groups: map[uint32]*shelf{}, rng: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	h.T = session.Turn{Now: now, Count: x.Metrics.Shard(shard), Store: x.Store, Hooks: x.hooks, Wheel: wheel.New(now)}
	h.T.Sink.Pump = h.Pump
	h.T.Read = func(refs []store.MessageRef, done func([]*msg.Message)) {
		x.Store.ReadMessages(refs, func(ms []*msg.Message) { loop.Post(func() { done(ms) }) })
	}
	h.Refresh()
	x.homes[shard] = h
	return h
}

// Refresh takes over the current options; the loop calls it at the begin of a turn.
func (h *Home) Refresh() {
	if o := h.x.options.Load(); o != h.T.Opts { // other limits may be in force
		h.T.Opts, h.marking = o, len(h.slots)
	}
	h.refuses = h.T.RefusesFull()
	h.press()
}

// Online returns how many sessions are connected.
func (h *Home) Online() int { return h.online }

// Sessions returns how many sessions there are, connected or not.
func (h *Home) Sessions() int { return h.byID.n - len(h.groups) + h.more }

// Each calls f for the sessions from slot on, until it returns false; it returns the slot to go on from, or -1 at the end.
func (h *Home) Each(from int, f func(*session.Session) bool) int {
	for i := from; i < len(h.slots); i++ {
		if s := h.slots[i]; s != nil && !s.Gone && !s.OfGroup && !f(s) {
			return i + 1
		}
	}
	return -1
}

// Working reports whether Work or PumpReady has something to do.
func (h *Home) Working() bool {
	return len(h.jobs) > 0 || len(h.ready) > 0 || len(h.leaving) > 0 || h.shedding > 0 || h.marking > 0
}

// Session returns the session of a subscriber, or nil.
func (h *Home) Session(id msg.SubscriberID) *session.Session { return h.byID.find(id, h.slots) }

// At returns the session in a slot, or nil.
func (h *Home) At(slot uint32) *session.Session {
	if int(slot) >= len(h.slots) || h.slots[slot] == nil || h.slots[slot].Gone {
		return nil
	}
	return h.slots[slot]
}

// create makes the session of a subscriber.
func (h *Home) create(id msg.SubscriberID) *session.Session {
	s := h.seat(id)
	h.byID.add(id, s.Slot)
	return s
}

// seat makes a session and gives it a slot.
func (h *Home) seat(id msg.SubscriberID) *session.Session {
	s := &session.Session{ID: id, Created: h.T.Wall * 1000}
	if n := len(h.free); n > 0 {
		s.Slot, h.free = h.free[n-1], h.free[:n-1]
	} else {
		s.Slot = uint32(len(h.slots))
		h.slots = append(h.slots, nil)
		h.routes = append(h.routes, nil)
	}
	s.Timer.Kind, s.Timer.Index = TimerSession, s.Slot
	h.slots[s.Slot] = s
	h.T.Count.Inc(metric.QueueSetup)
	return s
}

// endStep is how many subscriptions of an ending session leave the tree in one turn.
const endStep = 1024

// end ends a session for good: its record, its queue, its subscriptions. From now on nobody finds it; the subscriptions of a session that has
// very many leave the tree in steps, and its slot is free after that.
func (h *Home) end(s *session.Session) {
	if s.Subs.Len() > 0 {
		c := s.Client()
		h.observe(hook.OnTopicUnsubscribed, &c)
	}
	h.offer(s, nil, true)
	s.Clear(&h.T)
	if s.Key != 0 {
		h.x.Store.DeleteSession(s.Key)
		h.x.keys[h.shard].at(s.Slot).Store(0)
	}
	s.Gone = true
	h.mark(s)
	h.byID.remove(s.ID, s.Slot) // it may not be in: see several.go
	h.routes[s.Slot] = nil
	h.T.Count.Inc(metric.QueueTeardown)
	if !h.leave(s) {
		h.leaving = append(h.leaving, s)
	}
}

// leave takes one step of an ended session's subscriptions out of the tree; true: it was the last one.
func (h *Home) leave(s *session.Session) bool {
	ix := h.x.index(s.ID.Mountpoint)
	for range endStep {
		all := s.Subs.All()
		if len(all) == 0 {
			break
		}
		filter := all[len(all)-1].Filter
		h.untrie(ix, s, filter)
		s.Subs.Remove(filter)
	}
	if s.Subs.Len() > 0 {
		return false
	}
	h.slots[s.Slot] = nil
	h.free = append(h.free, s.Slot)
	return true
}

// Timer handles a fired timer of kind TimerSession.
func (h *Home) Timer(t *wheel.Timer) {
	s := h.At(t.Index)
	if s == nil {
		return
	}
	if s.Online() {
		s.Retry(&h.T)
		return
	}
	if w := s.Will; w != nil && h.T.Now >= w.Due {
		s.Will = nil
		h.publishWill(s, w)
		if s.Key != 0 {
			h.putSession(s) // after the will: a crash between the two repeats it rather than lose it
		}
	}
	if left := h.expiryLeft(s); left == 0 {
		h.expire(s)
		return
	}
	h.armOffline(s)
}

// expiryLeft returns the nanoseconds an offline session has left; -1: it does not expire.
func (h *Home) expiryLeft(s *session.Session) int64 {
	if s.Expiry == session.Never {
		return -1
	}
	return max(s.Offline+int64(s.Expiry)*1e9-h.T.Now, 0)
}

func (h *Home) armOffline(s *session.Session) {
	left := h.expiryLeft(s)
	if s.Will != nil {
		if d := max(s.Will.Due-h.T.Now, 0); left < 0 || d < left {
			left = d
		}
	}
	if left >= 0 {
		h.T.Wheel.Arm(&s.Timer, h.T.Now+left)
	}
}

// expire ends an offline session whose time is over.
func (h *Home) expire(s *session.Session) {
	h.T.Count.Inc(metric.ClientExpired)
	h.endOffline(s, hook.OnSessionExpired)
}

// endOffline ends a session that is not connected, and tells observers by which point. A will that still waited is published now
// [MQTT-3.1.3-9 of 5.0], before the record that has it is gone: a crash between the two repeats it rather than lose it.
func (h *Home) endOffline(s *session.Session, p hook.Point) {
	client, w := s.Client(), s.Will
	s.Will = nil
	if w != nil {
		h.publishWill(s, w)
	}
	h.end(s)
	h.observe(p, &client)
}
