package exchange

import (
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/store"
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
	err = x.Store.Load(store.Loader{
		Session: func(rec *store.Session) {
			h := home(rec.ID)
			s := h.restore(rec, away)
			byKey[rec.Key] = &place{h: h, s: s, r: session.Restore(s)}
		},
		Waiting: func(ref store.MessageRef, size int, d store.Recipient, state store.AckKind) {
			if p := byKey[d.Session]; p != nil {
				deliveries++
				p.r.Delivery(ref, size, d, state, p.h.T.Opts.QueueType == "lifo")
			}
		},
		Inbound: func(in store.Inbound) {
			if p := byKey[in.Session]; p != nil {
				p.r.Inbound(in.PacketID)
			}
		},
		Retained: func(mountpoint string, m *msg.Message) {
			c := *m.Own()
			c.Mountpoint = mountpoint
			x.Retain.Set(&c)
		},
	})
	for _, p := range byKey {
		p.r.Done()
		p.h.armOffline(p.s)
	}
	return len(byKey), deliveries, err
}

// restore makes one session as it was.
func (h *Home) restore(rec *store.Session, away Clock) *session.Session {
	s := h.create(rec.ID, h.T.Wall*1000)
	s.Key, s.Username, s.HasUser, s.Expiry = rec.Key, rec.Username, rec.Username != "", rec.Expiry
	s.Version = mqtt.Version(rec.Version)
	h.x.keys[h.shard].set(s.Slot, rec.Key)
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
