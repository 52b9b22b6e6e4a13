package session

import (
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/store"
)

// Several is what the connections of one client identifier share, if there may be more than one (allow_multiple_sessions). The first is an
// ordinary session, the main one: it has the subscriptions, the queue for the time when nobody is there, and the records. Every other connection
// has a session for as long as it lasts; deliveries through shared groups are noted with the numbers of the main session.
type Several struct {
	Main   *Session
	Others []*Session // connected
	clock  uint16     // counts connections: which of them had a message tells who was there when it came
}

// Connections counts the connections of the client whose session s is, or one connection of.
func (s *Session) Connections() int {
	main, n := s, 0
	if s.Several != nil {
		main, n = s.Several.Main, len(s.Several.Others)
	}
	if main.Online() {
		n++
	}
	return n
}

// Join begins a connection of the client: what comes from now on, it has as well as those that are there.
func (x *Several) Join(s *Session) {
	if x.clock++; x.clock == 0 {
		x.clock = 1
	}
	s.joined = x.clock
}

// had reports whether a connection that is there was when a message came that went to all.
func (s *Session) had(since uint16) bool { return since != 0 && int16(since-s.joined) >= 0 }

// MainSession returns the session that has the client's subscriptions: s itself unless it is a further connection of the client.
func (s *Session) MainSession() *Session {
	if s.Several == nil {
		return s
	}
	return s.Several.Main
}

// Further reports whether s is a further connection of its client.
func (s *Session) Further() bool { return s.Several != nil && s.Several.Main != s }

// Connected reports whether the client is there, by this connection or a further one.
func (s *Session) Connected() bool {
	return s.Out != nil || s.Several != nil && len(s.Several.Others) > 0
}

// DeliverFurther is Deliver for a further connection. main: it is this connection that brings the client's delivery to an end, and with it what
// the client's record holds; it hands it on if it ends before. all: the other connections have the message, too.
func (s *Session) DeliverFurther(t *Turn, m *msg.Message, d *Delivery, main, all bool) {
	it := d.item()
	if main {
		it.Flags |= itemMain
		if d.Group != nil && d.QoS > 0 {
			it.Group = s.Several.Main.numberOf(d.Group)
		}
	}
	if all {
		it.Since = s.Several.clock
	}
	s.deliver(t, m, &it)
}

// Leftover takes away what a connection did not bring to an end, in order: what waits, exchanges that the client did not answer, and with all
// also QoS 2 messages that it may have. Of a further connection it is only what it was to bring to an end for the client: the rest are copies.
func (s *Session) Leftover(t *Turn, all bool) (out []queue.Item) {
	mine := s.Several.Main == s
	keep := func(it queue.Item, id uint16) {
		if mine && it.Ref != 0 && it.QoS == 2 && id != 0 { // no step of its exchange was taken
			if k := s.holder(it.Group, 0); k != 0 {
				r := recipient(k, &it)
				if s.Key != 0 && it.Group != 0 {
					r.SubID = GroupKey(s.shared.groups[it.Group-1])
				}
				t.Store.PutMove(store.Ack{Session: k, Message: store.MessageRef(it.Ref), PacketID: id, QoS: it.QoS}, r)
			}
		}
		it.Flags &= itemRetain | itemGone | itemRestored | itemAsk
		out = append(out, it)
	}
	for f, id := range s.win.all() {
		switch {
		case !mine && f.flags&itemMain == 0:
			continue
		case f.untaken() || all && f.state == flightSent:
			keep(*f.item(), id)
		case all:
			s.release(t, f.item(), id)
		default:
			continue
		}
		s.end(f)
	}
	if s.q != nil {
		s.q.Filter(func(it *queue.Item) bool { return it.QoS == 0 || !mine && it.Flags&itemMain == 0 }, func(it queue.Item) { keep(it, 0) })
	}
	return out
}

// Inherit queues what another connection of the client left; it counts against no limit, for it did so before.
func (s *Session) Inherit(t *Turn, it queue.Item) {
	if s.Further() {
		it.Flags |= itemMain
	} else {
		it.Since = 0 // the session outlives its being one of several
	}
	s.Shelve(t, it)
}

// Succeed finds who of the heirs brings to an end what another connection left of a message that went to all who were there: one that has it
// under way. If one had it and has not, its user has answered it, and the client's record is done. Who came later has not seen it: one of those
// gets it.
func (x *Several) Succeed(t *Turn, heirs []*Session, it queue.Item) {
	answered := false
	for _, s := range heirs {
		if s.had(it.Since) {
			if s.promote(it) {
				return
			}
			answered = true
		}
	}
	if answered {
		x.Main.release(t, &it, 0)
		return
	}
	heirs[0].Inherit(t, it)
}

// promote makes the copy of a message that this connection has under way the one that counts, and reports whether there is one.
func (s *Session) promote(it queue.Item) (found bool) {
	flag, since := byte(0), uint16(0)
	if s.Further() {
		flag, since = itemMain, it.Since
	}
	is := func(ref uint64, m *msg.Message, flags byte) bool {
		return flags&itemMain == 0 && (it.Ref != 0 && ref == it.Ref || it.Ref == 0 && m == it.Msg && m != nil)
	}
	for f := range s.win.all() {
		if is(f.ref, f.m, f.flags) {
			f.flags, f.group, f.since = f.flags|flag, it.Group, since
			return true
		}
	}
	if s.q != nil {
		s.q.Next(func(x *queue.Item) bool {
			if found = is(x.Ref, x.Msg, x.Flags); found {
				x.Flags, x.Group, x.Since = x.Flags|flag, it.Group, since
			}
			return !found
		})
	}
	return found
}
