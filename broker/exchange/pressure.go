package exchange

import (
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
)

// Pressure is how short of memory the broker is. Each stage does what those before it do, too.
type Pressure int32

// The stages.
const (
	Easy   Pressure = iota // enough
	Shed                   // QoS 0 messages are not kept for consumers that do not keep up
	Pause                  // PUBLISH packets stay unread in their connections
	Refuse                 // nobody new is let in
)

// String returns the word for logs.
func (p Pressure) String() string {
	if p < Easy || p > Refuse {
		return "unknown"
	}
	return [...]string{"easy", "shed", "pause", "refuse"}[p]
}

// SetPressure says how short of memory the broker is. Loops see it at the begin of their next turn.
func (x *Exchange) SetPressure(p Pressure) { x.pressure.Store(int32(p)) }

// Pressure returns what SetPressure said last.
func (x *Exchange) Pressure() Pressure { return Pressure(x.pressure.Load()) }

// ErrOverload refuses a client while the broker is short of memory; a client before MQTT 5 gets return code 3.
var ErrOverload = &mqtt.Error{Code: mqtt.CodeQuotaExceeded, Text: "the broker is short of memory, try again later"}

// shedStep is how many sessions are looked at in one turn for what can be let go of.
const shedStep = 4096

// press takes the pressure over at the begin of a turn. When it rises, what waits at QoS 0 is let go of, in steps.
func (h *Home) press() {
	p := h.x.Pressure()
	if p == h.pressure {
		return
	}
	if h.pressure == Easy {
		h.shedding = len(h.slots)
	}
	h.pressure = p
	h.T.Short, h.T.Sink.Tight = p >= Shed, p >= Shed
}

// Pressure is the broker's pressure in this turn.
func (h *Home) Pressure() Pressure { return h.pressure }

// shed takes one step through the sessions: what waits at QoS 0 for consumers that do not keep up is dropped.
func (h *Home) shed() {
	if h.pressure == Easy {
		h.shedding = 0
	}
	for n := 0; h.shedding > 0 && n < shedStep; n++ {
		h.shedding--
		if s := h.slots[h.shedding]; s != nil && !s.Gone && s.Online() {
			h.T.Count.Add(metric.OverloadQos0Dropped, uint64(s.Shed(&h.T)))
			h.mark(s)
			h.repay(s, false)
		}
	}
}

// Holders visits the connected sessions from slot on for which something waits, at most some thousand; it returns the slot to go on from, or -1
// at the end. holds is about how many bytes of memory would be free without the connection.
func (h *Home) Holders(from int, f func(s *session.Session, holds int64)) int {
	for i := from; i < len(h.slots); i++ {
		if i == from+shedStep {
			return i
		}
		if s := h.slots[i]; s != nil && !s.Gone && s.Online() {
			if n := s.Holds(); n > 0 {
				f(s, n)
			}
		}
	}
	return -1
}
