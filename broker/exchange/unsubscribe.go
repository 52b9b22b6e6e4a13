package exchange

import (
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
	"vernemq/broker/store"
)

// unsubscribe handles an UNSUBSCRIBE; a provider may change what is meant, and take its time for it.
func (h *Home) unsubscribe(s *session.Session, body []byte) (parked bool, err error) {
	var p mqtt.Unsubscribe
	if err := p.Decode(body, s.Version); err != nil {
		return false, err
	}
	if !s.Fits(mqtt.PacketSize(3 + p.Count)) {
		return false, errAckTooLarge
	}
	q := &hook.Unsubscribe{Client: s.Client(), Topics: make([]hook.Topic, 0, p.Count)}
	p.Each(func(f []byte) { q.Topics = append(q.Topics, hook.Topic{Filter: string(f)}) })
	n := len(q.Topics)
	done := func() error {
		h.unsubscribed(s, p.PacketID, q, n)
		return nil
	}
	if h.T.Hooks.Unsubscribes() {
		if s.Version.Is5() {
			q.Props = p.Props.Clone(0)
		}
		epoch := s.Epoch
		if h.T.Hooks.AskUnsubscribe(q, func() { h.later(s, epoch, done) }) == hook.Pending {
			return true, nil
		}
	}
	return false, done()
}

// unsubscribed takes the subscriptions out and answers with asked codes.
func (h *Home) unsubscribed(s *session.Session, packetID uint16, q *hook.Unsubscribe, asked int) {
	topics := q.Topics
	ack := mqtt.Unsuback{PacketID: packetID, Codes: make([]mqtt.Code, 0, max(asked, len(topics)))}
	main := s.MainSession()
	var ticket store.Ticket
	for i := range topics {
		code, t := mqtt.CodeNoSubscriptionExisted, store.Ticket(0)
		if filter := topics[i].Filter; main.Subs.Get(filter) != nil {
			code, t = mqtt.CodeSuccess, h.dropSub(main, filter)
			s.EndReplay(filter)
		}
		ticket = max(ticket, t)
		ack.Codes = append(ack.Codes, code)
	}
	for len(ack.Codes) < asked {
		ack.Codes = append(ack.Codes, mqtt.CodeSuccess)
	}
	ack.Codes = ack.Codes[:asked] // one for each filter of the packet, however many a provider made of them [MQTT-3.11.3-2]
	if h.T.Hooks.Observed() {
		c := s.Client()
		h.T.Hooks.Observe(hook.OnUnsubscribe, &hook.Event{Client: &c, Topics: topics})
		h.T.Hooks.Observe(hook.OnTopicUnsubscribed, &hook.Event{Client: &c, Topics: topics})
	}
	h.T.Count.Inc(metric.MqttUnsubackSent + v5(s))
	s.Explain(&ack.Props, func() int { return ack.Size(s.Version) }, q.Reason, q.SetUser) // [MQTT-3.11.2-1] [MQTT-3.11.2-2]
	s.SendAfter(&h.T, ticket, ack.Append(nil, s.Version))
}

// dropSub takes one subscription of a client's main session, which exists, out of the tree and the store.
func (h *Home) dropSub(s *session.Session, filter string) (ticket store.Ticket) {
	h.untrie(h.x.index(s.ID.Mountpoint), s, filter)
	s.Subs.Remove(filter)
	s.EndReplay(filter)
	if s.Key != 0 {
		ticket = h.x.Store.DeleteSubscription(s.Key, filter)
	}
	return ticket
}
