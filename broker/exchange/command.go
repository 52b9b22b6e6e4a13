package exchange

import (
	"slices"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
)

// What an operator does to a session by command.

// Remove ends a session that is not connected: nothing of it is left. A will that still waited is published [MQTT-3.1.3-9 of 5.0].
func (h *Home) Remove(s *session.Session) {
	if !s.Gone && !s.Connected() {
		h.endOffline(s, hook.OnClientGone)
	}
}

// Unsubscribe takes a subscription of a session away; false if it has none of that filter. tell: observers of OnTopicUnsubscribed are told.
func (h *Home) Unsubscribe(s *session.Session, filter string, tell bool) bool {
	if s.Subs.Get(filter) == nil {
		return false
	}
	h.dropSub(s, filter)
	if tell && h.T.Hooks.Observed() {
		c := s.Client()
		h.T.Hooks.Observe(hook.OnTopicUnsubscribed, &hook.Event{Client: &c, Topics: []hook.Topic{{Filter: filter}}})
	}
	return true
}

// askStep is how many subscriptions are asked about in one turn.
const askStep = 64

// Reauthorize asks for each subscription of a session whether its client, as user, may still have it: what is refused is taken away, and what a
// provider changed is changed. done is called on the loop with how many subscriptions are not what they were.
func (h *Home) Reauthorize(s *session.Session, user string, done func(changed int)) {
	subs := slices.Clone(s.Subs.All())
	client := s.Client()
	client.Username, client.HasUser = user, true
	changed := 0
	apply := func(sub session.Sub, q *hook.Subscribe, v hook.Verdict) {
		now := s.Subs.Get(sub.Filter)
		if s.Gone || now == nil || *now != sub {
			return // the client itself changed it meanwhile
		}
		h.recheck(q)
		t := q.Topics[0]
		if v == hook.OK && t.Code < 0x80 && t.Filter == sub.Filter && t.Opts == sub.Opts {
			return
		}
		changed++
		if v != hook.OK || t.Code >= 0x80 || t.Filter != sub.Filter {
			h.Unsubscribe(s, sub.Filter, true)
		}
		if v == hook.OK && t.Code < 0x80 {
			h.addSub(s, t.Filter, t.Opts, sub.ID)
		}
	}
	var step func()
	step = func() {
		for n := 0; n < askStep && len(subs) > 0 && !s.Gone; n++ {
			sub := subs[0]
			subs = subs[1:]
			q := &hook.Subscribe{Client: client, Topics: []hook.Topic{{Filter: sub.Filter, Opts: sub.Opts}}}
			v := h.T.Hooks.AskSubscribe(q, func(v hook.Verdict) {
				h.loop.Post(func() {
					apply(sub, q, v)
					step()
				})
			})
			if v == hook.Pending {
				return
			}
			apply(sub, q, v)
		}
		if len(subs) == 0 || s.Gone {
			done(changed)
			return
		}
		h.loop.Post(step)
	}
	step()
}

// Goodbye is the reason for which an operator ends a connection: an *mqtt.Error for the loop's own way of ending one. reference is where the
// client should go instead, empty for nowhere; moved: for good.
func Goodbye(reference string, moved bool) error {
	code := mqtt.CodeAdministrativeAction
	switch {
	case reference != "" && moved:
		code = mqtt.CodeServerMoved
	case reference != "":
		code = mqtt.CodeUseAnotherServer
	}
	return &Refusal{Code: code, Reason: "ended by the operator", ServerReference: reference}
}
