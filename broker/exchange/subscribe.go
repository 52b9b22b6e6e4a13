package exchange

import (
	"errors"
	"slices"
	"strings"

	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/retain"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/topic"
	"vernemq/broker/trie"
)

// maxFilters is how many filters of one SUBSCRIBE are granted: what more it holds is answered with "quota exceeded", for a turn has its bounds.
const maxFilters = 4096

// errAckTooLarge ends the connection of a client that asks for more at once than it takes the answer to [MQTT-3.1.2-24 of 5.0].
var errAckTooLarge = &mqtt.Error{Code: mqtt.CodePacketTooLarge, Text: "the answer would be larger than the client's maximum packet size"}

// subscribe handles a SUBSCRIBE: authorise, store and route, then answer once it is durable, then begin the replay of retained messages.
func (h *Home) subscribe(s *session.Session, body []byte) (parked bool, err error) {
	var p mqtt.Subscribe
	if err := p.Decode(body, s.Version); err != nil {
		return false, err
	}
	if !s.Fits(mqtt.PacketSize(3 + p.Count)) { // identifier, no properties, codes
		return false, errAckTooLarge
	}
	q := &hook.Subscribe{Client: s.Client(), Topics: make([]hook.Topic, 0, p.Count)}
	if s.Version.Is5() && h.T.Hooks.Subscribes() {
		q.Props = p.Props.Clone(0)
	}
	p.Each(func(f []byte, o mqtt.SubOptions) {
		q.Topics = append(q.Topics, hook.Topic{Filter: string(f), Opts: o})
	})
	asked := len(q.Topics)
	id, _ := p.Props.Uint(mqtt.PropSubscriptionID)
	for i := range q.Topics {
		if i >= maxFilters {
			q.Topics[i].Code = mqtt.CodeQuotaExceeded
			continue
		}
		if err := h.checkFilter(&q.Topics[i], v5(s)); err != nil {
			return false, err
		}
	}
	verdict := hook.OK
	if h.T.Hooks.Subscribes() {
		epoch := s.Epoch
		verdict = h.T.Hooks.AskSubscribe(q, func(v hook.Verdict) {
			h.later(s, epoch, func() error {
				h.recheck(q)
				h.subscribed(s, p.PacketID, asked, id, q, v)
				return nil
			})
		})
		if verdict == hook.Pending {
			return true, nil
		}
		h.recheck(q)
	}
	h.subscribed(s, p.PacketID, asked, id, q, verdict)
	return false, nil
}

// checkFilter refuses what is no filter at all with an error that ends the connection [MQTT-4.7.1-1], and marks what only this broker does
// not take.
func (h *Home) checkFilter(t *hook.Topic, version metric.ID) error {
	filter := t.Filter
	sh, shared, err := topic.ParseShared(filter)
	if err == nil && shared {
		filter = sh.Filter
		if t.Opts.NoLocal() {
			return mqtt.ErrNoLocalShared
		}
	}
	if err == nil {
		err = topic.ValidFilter(filter, h.T.Opts.TopicMaxDepth)
	}
	switch {
	case errors.Is(err, topic.ErrTooDeep):
		t.Code = mqtt.CodeTopicFilterInvalid
		h.T.Count.Inc(metric.MqttTopicDepthError + version)
	case err != nil:
		return &mqtt.Error{Code: mqtt.CodeTopicFilterInvalid, Text: err.Error()}
	}
	return nil
}

// recheck refuses entries that a provider changed into what nobody can subscribe to.
func (h *Home) recheck(q *hook.Subscribe) {
	version := session.V5(q.Client.Version)
	for i := range q.Topics {
		if t := &q.Topics[i]; t.Code < 0x80 && (t.Opts.QoS() > 2 || h.checkFilter(t, version) != nil) {
			t.Code = mqtt.CodeTopicFilterInvalid
		}
	}
}

// subscribed does what the verdict allows and answers with asked codes.
func (h *Home) subscribed(s *session.Session, packetID uint16, asked int, subID uint32, q *hook.Subscribe, verdict hook.Verdict) {
	ack, main := mqtt.Suback{PacketID: packetID, Codes: make([]mqtt.Code, len(q.Topics))}, s.MainSession()
	var ticket store.Ticket
	type fresh struct {
		filter string
		opts   mqtt.SubOptions
	}
	var replay []fresh
	failed := false
	for i := range q.Topics {
		t := &q.Topics[i]
		code := t.Code
		if verdict != hook.OK {
			code = fit(q.Code, mqtt.TypeSuback, mqtt.CodeNotAuthorized)
		}
		if code < 0x80 && s.Version.Is5() {
			_, shared, _ := topic.ParseShared(t.Filter)
			code = max(code, s.Options().MaySubscribe(shared, strings.ContainsAny(t.Filter, "+#"), subID != 0))
		}
		if code < 0x80 && h.T.Opts.MaxSubscriptions > 0 && main.Subs.Len() >= h.T.Opts.MaxSubscriptions && main.Subs.Get(t.Filter) == nil {
			code = mqtt.CodeQuotaExceeded
			h.T.Count.Inc(metric.MqttSubscriptionLimitError + v5(s))
		}
		if code < 0x80 && main.Key != 0 && main.Subs.Get(t.Filter) == nil && h.x.Store.Full() != nil {
			code = mqtt.CodeQuotaExceeded
		}
		if code.Failed() {
			code = fit(code, mqtt.TypeSuback, mqtt.CodeNotAuthorized)
			t.Code, ack.Codes[i], failed = code, code, true
			continue
		}
		isNew := main.Subs.Get(t.Filter) == nil
		ticket = max(ticket, h.addSub(main, t.Filter, t.Opts, subID))
		ack.Codes[i] = mqtt.Code(t.Opts.QoS())
		if rh := t.Opts.RetainHandling(); rh == 0 || rh == 1 && isNew {
			if _, shared, _ := topic.ParseShared(t.Filter); !shared && h.x.Retain.Has(s.ID.Mountpoint, t.Filter) {
				replay = append(replay, fresh{t.Filter, t.Opts})
			}
		}
	}
	if failed && verdict != hook.OK {
		h.T.Count.Inc(metric.MqttSubscribeAuthError + v5(s))
	}
	if h.T.Hooks.Observed() {
		h.T.Hooks.Observe(hook.OnSubscribe, &hook.Event{Client: &q.Client, Topics: q.Topics})
	}
	h.T.Count.Inc(metric.MqttSubackSent + v5(s))
	for len(ack.Codes) < asked {
		ack.Codes = append(ack.Codes, mqtt.CodeNotAuthorized)
	}
	// One for each filter of the packet, however many a provider made of them [MQTT-3.8.4-6].
	ack.Codes = ack.Codes[:asked]
	s.Explain(&ack.Props, func() int { return ack.Size(s.Version) }, q.Reason, q.SetUser) // [MQTT-3.9.2-1] [MQTT-3.9.2-2]
	s.SendAfter(&h.T, ticket, ack.Append(nil, s.Version))
	for _, f := range replay {
		s.Replay(f.filter, &retainedSource{h, h.x.Retain.Cursor(s.ID.Mountpoint, f.filter)}, f.opts.QoS(), subID)
	}
	if len(replay) > 0 {
		h.Pump(s)
	}
}

// retainedSource gives the retained messages for a new subscription and forgets those that have expired.
type retainedSource struct {
	h *Home
	c *retain.Cursor
}

// Next implements session.Source.
func (r *retainedSource) Next(budget int) (m *msg.Message, used int, done bool) {
	m, used, done = r.c.Next(budget)
	if m != nil && m.Deadline != 0 && m.Deadline <= r.h.T.Now {
		r.h.x.expireRetained(m)
		m = nil
	}
	return m, used, done
}

// addSub makes or replaces one subscription of a session in the tree and in the store. A bridge, which has no word for it, wants the retain flags
// as they were published, and nothing of its own back: it would hand that on for ever.
func (h *Home) addSub(s *session.Session, filter string, opts mqtt.SubOptions, subID uint32) store.Ticket {
	if s.Bridge {
		opts |= mqtt.SubRetainAsPublished
		if _, shared, _ := topic.ParseShared(filter); !shared {
			opts |= mqtt.SubNoLocal
		}
	}
	s.Subs.Put(h.plant(h.x.index(s.ID.Mountpoint), s, filter, opts, subID))
	if s.Key == 0 {
		return 0
	}
	return h.x.Store.PutSubscription(s.Key, store.Subscription{Filter: filter, Opts: byte(opts), ID: subID})
}

// plant puts a subscription into the tree.
func (h *Home) plant(ix *trie.Index, s *session.Session, filter string, opts mqtt.SubOptions, subID uint32) session.Sub {
	entry, sub := h.entry(s, opts, subID), session.Sub{Filter: filter, Opts: opts, ID: subID}
	if sh, shared, _ := topic.ParseShared(filter); shared {
		if s.Presence == nil {
			s.Presence = &msg.Presence{}
			s.Presence.Online.Store(s.Connected())
		}
		sub.Leaf, sub.Group, _ = ix.SubscribeShared(sh.Group, sh.Filter, trie.Member{Shard: uint16(h.shard), Entry: entry, Presence: s.Presence})
		h.joined(s, &sub)
	} else {
		sub.Leaf, _ = ix.Subscribe(filter, h.shard, entry)
	}
	return sub
}

// entry is a subscription of a session as the tree keeps it.
func (h *Home) entry(s *session.Session, opts mqtt.SubOptions, subID uint32) trie.Entry {
	e := trie.MakeEntry(s.Slot, byte(opts), s.Key != 0, subID != 0)
	if up := s.Options().UpgradeQoS; up != nil {
		h.x.upgrading.Store(true)
		e = e.WithUpgrade(*up)
	}
	return e
}

// replant puts all subscriptions of a session into the tree anew: what their entries say of the session has changed.
func (h *Home) replant(s *session.Session) {
	ix := h.x.index(s.ID.Mountpoint)
	for _, sub := range slices.Clone(s.Subs.All()) {
		s.Subs.Put(h.plant(ix, s, sub.Filter, sub.Opts, sub.ID))
	}
}

// untrie takes one subscription out of the tree.
func (h *Home) untrie(ix *trie.Index, s *session.Session, filter string) {
	if sh, shared, _ := topic.ParseShared(filter); shared {
		g := s.Subs.Get(filter).Group
		ix.UnsubscribeShared(sh.Group, sh.Filter, h.shard, s.Slot)
		h.left(s, filter, g)
	} else {
		ix.Unsubscribe(filter, h.shard, s.Slot)
	}
}

func v5(s *session.Session) metric.ID { return session.V5(s.Version) }
