package exchange

import (
	"time"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
	"vernemq/broker/store"
)

// Connect registers an accepted client on its shard: takeover of a living connection, the session found or made, CONNACK. The caller has
// authenticated the client. held tells that the CONNACK waits for the store: the connection's input must wait for Loop.Resume. An error is an
// *mqtt.Error: the caller refuses with its code.
func (h *Home) Connect(c *session.Connect, out *session.Output) (s *session.Session, held bool, err error) {
	ack, err := accepted(c, h.T.Opts)
	if err != nil {
		return nil, false, err
	}
	s = h.Session(c.ID)
	if c.Expiry > 0 && (s == nil || s.Key == 0) && h.x.Store.Full() != nil {
		return nil, false, errStoreFull
	}
	if s != nil {
		if s.Several != nil && !s.Online() && h.T.Opts.AllowMultipleSessions {
			return h.attach(s, c, out, &ack, !c.CleanStart)
		}
		if f := h.further(s); f != nil {
			return h.attach(f, c, out, &ack, !c.CleanStart)
		}
		h.takeover(s, c.CleanStart)
		if s.Gone {
			s = nil
		}
	}
	present := s != nil
	if s != nil && s.Will != nil && (c.CleanStart || h.T.Now >= s.Will.Due) { // with the session ends the will's delay [MQTT-3.1.3-9 of 5.0]
		w := s.Will
		s.Will = nil
		h.publishWill(s, w)
	}
	if s != nil && c.CleanStart {
		client := s.Client()
		h.end(s)
		h.observe(hook.OnClientGone, &client)
		s, present = nil, false
	}
	if s == nil {
		s = h.create(c.ID)
	}
	return h.attach(s, c, out, &ack, present)
}

// attach begins a connection of a session and answers its CONNECT.
func (h *Home) attach(s *session.Session, c *session.Connect, out *session.Output, ack *mqtt.Connack, present bool) (*session.Session, bool, error) {
	expiry, upgrade := s.Expiry, s.Options().UpgradeQoS
	s.Attach(&h.T, c, out)
	if now := s.Options().UpgradeQoS; (upgrade == nil) != (now == nil) || upgrade != nil && *upgrade != *now {
		h.replant(s)
	}
	if s.Several != nil {
		s.Several.Join(s)
		main := s.MainSession()
		if main == s {
			if s.Expiry = max(s.Expiry, expiry); s.Key == 0 {
				s.Expiry = 0 // its subscriptions have no records
			}
		} else if s.Expiry = 0; main.Key != 0 {
			main.Expiry = max(main.Expiry, c.Expiry)
		}
	}
	h.online++
	h.mark(s)
	h.wanted(s)
	client := s.Client()
	h.observe(hook.OnClientWakeup, &client)
	h.observe(hook.OnRegister, &client)

	var ticket store.Ticket
	if m := s.MainSession(); m.Expiry > 0 || m.Key != 0 {
		ticket = h.putSession(m)
	}
	ack.SessionPresent = present
	h.connack(s, ack, ticket)
	return s, s.Held(), nil
}

// errStoreFull refuses a client whose session would have to be stored. One whose session is there already gets in.
var errStoreFull = &mqtt.Error{Code: mqtt.CodeQuotaExceeded, Text: "the store takes no more sessions"}

// takeover ends the living connection of a session that connects again [MQTT-3.1.4-3]. The session itself ends if it was to live no longer
// than its connection.
func (h *Home) takeover(s *session.Session, clean bool) {
	h.closeFurther(s)
	if !s.Online() {
		return
	}
	if h.T.Opts.SuppressLWTTakeover {
		s.Will = nil
	}
	h.evict(s, !clean)
}

// evict ends the connection of a session that is taken over. resumed is as with detach.
func (h *Home) evict(s *session.Session, resumed bool) {
	out := s.Out
	s.SendDisconnect(&h.T, mqtt.CodeSessionTakenOver, "", "")
	h.detach(s, resumed)
	h.loop.Kick(out)
}

// putSession writes the session's record; with the first one it becomes durable.
func (h *Home) putSession(s *session.Session) store.Ticket {
	rec := store.Session{Key: s.Key, ID: s.ID, Version: byte(s.Version), Username: s.Username, Expiry: s.Expiry, Will: storedWill(s.Will)}
	if !s.Connected() {
		rec.Disconnected = h.T.Wall
		if left := h.expiryLeft(s); left >= 0 {
			rec.Remaining = left / 1e9
		}
	}
	key, ticket := h.x.Store.PutSession(&rec)
	if s.Key == 0 {
		s.Key = key
		h.x.keys[h.shard].at(s.Slot).Store(uint64(key))
	}
	return ticket
}

// Closed ends the connection of a session: will as specified, then the session goes offline or ends. graceful: the client said goodbye
// without asking for its will [MQTT-3.14.4-3].
func (h *Home) Closed(s *session.Session, graceful bool) {
	if graceful {
		s.Will = nil
	}
	h.detach(s, false)
}

// detach is the end of a connection, whoever ended it. resumed: a new connection takes the session over at once, which cancels a delayed will.
func (h *Home) detach(s *session.Session, resumed bool) {
	w := s.Will
	s.Detach(&h.T)
	h.online--
	h.repay(s, true)
	h.mark(s)
	if w != nil {
		delay := h.willDelay(w)
		switch {
		case delay == 0 || s.Expiry == 0 || s.Several != nil:
			s.Will = nil
			h.publishWill(s, w)
		case resumed:
			s.Will = nil // [MQTT-3.1.3-9 of 5.0]: the delay has not passed
		default:
			w.Due = h.T.Now + int64(delay)
		}
	}
	if !h.separate(s) {
		h.offline(s, resumed)
	}
}

// offline is what becomes of a session without connection: it waits for the next one, or it ends.
func (h *Home) offline(s *session.Session, resumed bool) {
	client := s.Client()
	if s.Expiry == 0 {
		h.end(s)
		h.observe(hook.OnClientGone, &client)
		return
	}
	if !resumed {
		h.offer(s, nil, true)
		h.putSession(s)
		h.armOffline(s)
	}
	h.observe(hook.OnClientOffline, &client)
}

func (h *Home) observe(p hook.Point, c *hook.Client) {
	if h.T.Hooks.Observed() {
		h.T.Hooks.Observe(p, &hook.Event{Client: c})
	}
}

// MaxExpiry is persistent_client_expiration as a session expiry interval in seconds: session.Never for "never", which is 0.
func MaxExpiry(d time.Duration) uint32 {
	if d <= 0 {
		return session.Never
	}
	return uint32(min(int64(d/time.Second), int64(session.Never)-1))
}
