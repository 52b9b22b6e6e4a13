package session

import (
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/store"
	"vernemq/broker/trie"
)

// Several is what the connections of one client identifier share, if there may be more than one (allow_multiple_sessions). The first is an
// ordinary session, the main one: it has the subscriptions, the queue for the time when nobody is there, and the records. Every other connection
// has a session for as long as it lasts; deliveries through shared groups are noted with the numbers of the main session.
type Several struct {
	Main   *Session
	Others []*Session // connected
}

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

// DeliverFurther is Deliver for a further connection. ref is not 0 if it is this connection that brings what the client's record holds to an end.
func (s *Session) DeliverFurther(t *Turn, m *msg.Message, ref uint64, qos byte, retain bool, subID uint32, g *trie.Group) {
	var flags byte
	var group uint16
	if retain {
		flags = itemRetain
	}
	if ref != 0 {
		flags |= itemMain
		if g != nil && qos > 0 {
			group = s.Several.Main.numberOf(g)
		}
	}
	s.deliver(t, m, ref, qos, flags, subID, group)
}

// Leftover takes away what a connection did not bring to an end, in order: what waits, exchanges that the client did not answer, and with all
// also QoS 2 messages that it may have. Of a further connection it is only what the client's record holds: the rest others have a copy of.
func (s *Session) Leftover(t *Turn, all bool) (out []queue.Item) {
	mine := s.Several.Main == s
	keep := func(it queue.Item, id uint16) {
		main := s.Several.Main
		if k := main.holder(it.Group, 0); k != 0 && it.Ref != 0 && it.QoS == 2 && id != 0 { // no step of its exchange was taken
			r := store.Recipient{Session: k, Opts: it.QoS}
			if main.Key != 0 && it.Group != 0 {
				r.SubID = GroupKey(main.shared.groups[it.Group-1])
			}
			if it.Flags&itemRetain != 0 {
				r.Opts |= 8
			}
			t.Store.PutMove(store.Ack{Session: k, Message: store.MessageRef(it.Ref), PacketID: id, QoS: it.QoS}, r)
		}
		it.Flags &= itemRetain | itemGone | itemRestored | itemAsk
		out = append(out, it)
	}
	if s.win != nil {
		for i := 0; i < s.win.n; i++ {
			f, id := s.win.at(i)
			switch {
			case f.state == flightFree || !mine && f.flags&itemMain == 0:
				continue
			case f.untaken() || all && f.state == flightSent:
				it := queue.Item{Msg: f.m, Ref: f.ref, SubID: f.subID, Group: f.group, QoS: f.qos, Flags: f.flags}
				if f.m != nil {
					it.Size = itemSize(f.m)
				}
				keep(it, id)
			case all:
				s.release(t, f.ref, id, f.group, f.qos, f.flags)
			default:
				continue
			}
			n := s.win.n
			s.end(f)
			i = max(i-(n-s.win.n), -1) // the span may have lost its eldest
		}
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
	}
	s.put(t, it)
}

// Forget tells the store that the client has no use for what another connection left.
func (s *Session) Forget(t *Turn, it queue.Item) { s.release(t, it.Ref, 0, it.Group, it.QoS, it.Flags) }
