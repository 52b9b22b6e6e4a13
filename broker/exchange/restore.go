package exchange

import (
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/trie"
)

// Clock tells how much of the time a session was away has passed while the broker did not run.
type Clock func(since int64) (seconds int64)

// Restore fills the homes with what the store holds: sessions with their subscriptions, what waits for them, retained messages. It runs before
// the loops do, and calls home for the Home of a subscriber. away tells how many seconds have passed since a wall clock time; a session
// loses that much of the time it had left.
func (x *Exchange) Restore(home func(msg.SubscriberID) *Home, away Clock) (sessions, deliveries int, err error) {
	type place struct {
		h *Home
		s *session.Session
		r *session.Restored
	}
	byKey := map[store.SessionKey]*place{}
	var all []*place
	queueOf := func(k uint32) *trie.Group { // the group whose queue has the key k
		if p := byKey[store.SessionKey(k)]; k != 0 && p != nil && p.h.groups[p.s.Slot] != nil {
			return p.h.groups[p.s.Slot].g
		}
		return nil
	}
	var shelves []*place
	var over []store.Ack // what members that are gone had under way goes to nobody else [MQTT-4.8.2-5]
	err = x.Store.Load(store.Loader{
		Session: func(rec *store.Session) {
			h := home(rec.ID)
			if isGroupID(rec.ID) {
				h = x.home(rec.ID)
			}
			s := h.restore(rec, away)
			p := &place{h: h, s: s, r: session.Restore(s)}
			byKey[rec.Key] = p
			all = append(all, p)
			if s.OfGroup {
				shelves = append(shelves, p)
			}
		},
		Waiting: func(ref store.MessageRef, size int, d store.Recipient, state store.AckKind) {
			for _, p := range shelves { // all sessions are there by now
				p.h.tend(p.s.ID)
			}
			shelves = nil
			p := byKey[d.Session]
			switch {
			case p == nil:
			case p.s.OfGroup && state != store.Waits:
				over = append(over, store.Ack{Kind: store.Done, Session: d.Session, Message: ref, PacketID: d.PacketID})
			default:
				deliveries++
				p.r.Delivery(ref, size, d, state, p.h.T.Opts.QueueType == "lifo", queueOf(d.SubID))
			}
		},
		Inbound: func(in store.Inbound) {
			if p := byKey[in.Session]; p != nil {
				p.r.Inbound(in.PacketID)
			}
		},
		Retained: func(mountpoint string, m *msg.Message) {
			c := *m
			c.Mountpoint = mountpoint
			x.Retain.Set(&c)
		},
	})
	for _, p := range shelves {
		p.h.tend(p.s.ID)
	}
	for _, a := range over {
		x.Store.PutAck(a)
	}
	for _, p := range all {
		p.r.Done()
		p.h.armOffline(p.s)
		switch sf := p.h.groups[p.s.Slot]; {
		case !p.s.OfGroup:
			sessions++
		case sf != nil:
			sf.q.Waiting.Store(int32(p.s.Waiting()))
		default: // its last members went with the connections that the broker's end has cut
			p.h.end(p.s)
		}
	}
	for _, p := range all { // nobody is connected: what waits through a shared group is for the first member that is
		if !p.s.OfGroup {
			p.h.offer(p.s, nil, true)
		}
	}
	return sessions, deliveries, err
}

// restore makes one session as it was.
func (h *Home) restore(rec *store.Session, away Clock) *session.Session {
	s := h.create(rec.ID)
	s.Key, s.Username, s.HasUser, s.Expiry = rec.Key, rec.Username, rec.Username != "", rec.Expiry
	s.Version, s.OfGroup = mqtt.Version(rec.Version), isGroupID(rec.ID)
	h.x.keys[h.shard].at(s.Slot).Store(uint64(rec.Key))
	s.Offline = h.T.Now
	if rec.Will != nil {
		s.Will = h.restoreWill(rec, away)
	}
	if rec.Disconnected != 0 && rec.Expiry != session.Never {
		left := max(rec.Remaining-max(away(rec.Disconnected), 0), 0)
		s.Offline = h.T.Now - (int64(rec.Expiry)-left)*1e9
	}
	ix := h.x.index(rec.ID.Mountpoint)
	for _, sub := range rec.Subscriptions {
		s.Subs.Put(h.plant(ix, s, sub.Filter, mqtt.SubOptions(sub.Opts), sub.ID))
	}
	return s
}
