package exchange

import (
	"slices"

	"vernemq/broker/msg"
	"vernemq/broker/session"
)

// With allow_multiple_sessions a client identifier may be connected several times. What is published to it goes to all of these connections
// (queue_deliver_mode = fanout) or to one of them (balance). CONNECT's wish for a clean session counts only for the first: the session is the
// client's and lasts until its last connection ends.

// further makes the session of another connection of a client that is connected; nil if that is not wanted or it is not connected.
func (h *Home) further(main *session.Session) *session.Session {
	if !h.T.Opts.AllowMultipleSessions || !main.Online() {
		return nil
	}
	if main.Several == nil {
		main.Several = &session.Several{Main: main}
		main.Several.Join(main)
	}
	s := h.seat(main.ID)
	s.Several = main.Several
	main.Several.Others = append(main.Several.Others, s)
	h.more++
	return s
}

// deliverSeveral gives m to the connections of a client.
func (h *Home) deliverSeveral(main *session.Session, m *msg.Message, d *session.Delivery) {
	others := main.Several.Others
	if h.T.Opts.QueueDeliverMode == "balance" {
		k := len(others)
		if main.Online() {
			k++
		}
		if k = h.rng.IntN(k); k < len(others) {
			others[k].DeliverFurther(&h.T, m, d, true, false)
		} else {
			main.Deliver(&h.T, m, d)
		}
		return
	}
	first := !main.Online()
	if !first {
		main.Deliver(&h.T, m, d)
	}
	for _, s := range others { // the record is for the first of all
		s.DeliverFurther(&h.T, m, d, first, true)
		first = false
	}
}

// separate handles the end of a connection of a client that has others, and reports whether it did: with the last one the client's session
// goes offline as any.
func (h *Home) separate(s *session.Session) bool {
	x := s.Several
	if x == nil {
		return false
	}
	h.bequeath(s)
	if s.Further() {
		x.Others = slices.DeleteFunc(x.Others, func(o *session.Session) bool { return o == s })
		h.more--
		h.end(s)
	}
	if len(x.Others) > 0 || x.Main.Online() {
		if len(x.Others) == 0 {
			x.Main.Several = nil
		} else if p := x.Main.Presence; p != nil {
			p.Online.Store(true) // as a member of shared groups it is there
			h.wanted(x.Main)
		}
		h.mark(x.Main)
		return true
	}
	x.Main.Several = nil
	if x.Main == s {
		return false
	}
	x.Main.Offline = h.T.Now
	if p := x.Main.Presence; p != nil {
		p.Online.Store(false)
	}
	h.mark(x.Main)
	h.offline(x.Main, false)
	return true
}

// bequeath gives what a connection did not bring to an end to the client's others, or keeps it in the client's queue.
func (h *Home) bequeath(s *session.Session) {
	x, balance := s.Several, h.T.Opts.QueueDeliverMode == "balance"
	var heirs []*session.Session
	for _, o := range append(slices.Clone(x.Others), x.Main) {
		if o != s && o.Online() {
			heirs = append(heirs, o)
		}
	}
	if s == x.Main && !balance {
		return // it is the session that the next connection goes on with
	}
	for _, it := range s.Leftover(&h.T, s != x.Main) {
		switch {
		case len(heirs) == 0:
			x.Main.Inherit(&h.T, it)
		case balance:
			heirs[h.rng.IntN(len(heirs))].Inherit(&h.T, it)
		default:
			x.Succeed(&h.T, heirs, it)
		}
	}
	for _, o := range heirs {
		h.Pump(o)
	}
}

// closeFurther ends the further connections of a client whose identifier is taken over by a new one.
func (h *Home) closeFurther(main *session.Session) {
	for main.Several != nil && len(main.Several.Others) > 0 {
		h.evict(main.Several.Others[0], false)
	}
}
