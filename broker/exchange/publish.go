package exchange

import (
	"bytes"
	"math/bits"
	"slices"
	"unicode/utf8"

	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/store"
	"vernemq/broker/topic"
	"vernemq/broker/trie"
)

// route is the match a publishing session used last: publishers repeat their topics.
type route struct {
	topic  []byte // a valid topic name
	index  *trie.Index
	watch  trie.Watch
	gen    uint64
	leaves []*trie.Leaf
}

// publish handles an incoming PUBLISH; frame is the whole packet.
func (h *Home) publish(s *session.Session, flags byte, frame, body []byte) (parked bool, err error) {
	p, m := &h.pub, &h.scratch
	if err := p.Decode(flags, body, s.Version); err != nil {
		return false, err
	}
	h.T.Count.Inc(metric.MqttPublishReceived + v5(s))
	var known []byte
	if r := h.routes[s.Slot]; r != nil {
		known = r.topic
	}
	routed, err := s.Incoming(&h.T, p, frame, known, m)
	if err != nil {
		return false, err
	}
	if !routed {
		s.Answer(&h.T, p.QoS, p.PacketID, mqtt.CodeSuccess, 0) // again, and not earlier than the first time
		return false, nil
	}
	if len(m.Topic) > 0 && m.Topic[0] == '$' { // the broker's own namespace: answered, never routed
		h.T.Count.Inc(metric.MqttPublishAuthError + v5(s))
		s.Answer(&h.T, p.QoS, p.PacketID, mqtt.CodeNotAuthorized, 0)
		return false, nil
	}
	if h.T.Opts.CheckPayloadFormat && !wellFormed(p.Props, p.Payload) {
		if p.QoS == 0 { // has no answer that could say so
			return false, errPayloadFormat
		}
		s.Answer(&h.T, p.QoS, p.PacketID, mqtt.CodePayloadFormatInvalid, 0)
		return false, nil
	}
	m.From = msg.Origin{Shard: uint16(h.shard), Slot: s.MainSession().Slot, Valid: true}
	if h.T.Hooks.Publishes() {
		return h.authorise(s, p, m)
	}
	h.routeAndAnswer(s, m, p.PacketID)
	return h.park(s), nil
}

var errPayloadFormat = &mqtt.Error{Code: mqtt.CodePayloadFormatInvalid, Text: "the payload is not the UTF-8 text it says it is"}

// wellFormed reports whether a payload is text, if its properties say so.
func wellFormed(props mqtt.Properties, payload []byte) bool {
	format, _ := props.Uint(mqtt.PropPayloadFormat)
	return format == 0 || utf8.Valid(payload)
}

// routeAndAnswer routes an accepted message and answers its publisher.
func (h *Home) routeAndAnswer(s *session.Session, m *msg.Message, id uint16) {
	qos := m.QoS
	h.answer(s, qos, id, h.route(m, s, exchangeID(qos, id)))
	if h.T.Hooks.Observed() {
		c := s.Client()
		h.T.Hooks.Observe(hook.OnPublish, &hook.Event{Client: &c, Publish: &hook.Publish{Client: c, Topic: m.Topic, Payload: m.Payload, QoS: qos, Retain: m.Retain}})
	}
}

// outcome is what became of a message.
type outcome struct {
	ticket  store.Ticket // of its durable record, 0 if none was needed
	matched bool         // somebody subscribed
	refused bool         // the store or a full queue does not take it, or it is one retained message too many: it went to nobody
}

// answer answers a publisher. A message that was refused is not acknowledged: an MQTT 5 client is told, others keep it and try again.
func (h *Home) answer(s *session.Session, qos byte, id uint16, o outcome) {
	code := mqtt.CodeSuccess
	switch {
	case qos == 0:
		return
	case o.refused:
		if !s.Version.Is5() {
			s.Withhold(qos, id)
			return
		}
		code = mqtt.CodeQuotaExceeded
	case !o.matched:
		code = mqtt.CodeNoMatchingSubscribers
	}
	s.Answer(&h.T, qos, id, code, o.ticket)
}

// exchangeID is the packet identifier of a QoS 2 exchange, which is remembered with the message; 0 for others, which have nothing to remember.
func exchangeID(qos byte, id uint16) uint16 {
	if qos == 2 {
		return id
	}
	return 0
}

// authorise asks the chain; a provider that answers later parks the connection, so that order is kept.
func (h *Home) authorise(s *session.Session, p *mqtt.Publish, m *msg.Message) (parked bool, err error) {
	q := &hook.Publish{Client: s.Client(), Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain, Props: p.Props}
	id, epoch := p.PacketID, s.Epoch
	var kept *msg.Message
	verdict := h.T.Hooks.AskPublish(q, func(v hook.Verdict) {
		h.later(s, epoch, func() error { return h.verdict(s, q, kept, id, v) })
	})
	if verdict == hook.Pending {
		kept = m.Own()
		q.Topic, q.Payload = kept.Topic, kept.Payload
		return true, nil
	}
	err = h.verdict(s, q, m, id, verdict)
	return err == nil && h.park(s), err
}

// verdict does what the chain decided. A refused publish ends a 3.1.1 connection, which has no way to be told, and is answered to others.
func (h *Home) verdict(s *session.Session, q *hook.Publish, m *msg.Message, id uint16, v hook.Verdict) error {
	if v = judge(q, v); v == hook.OK {
		qos := m.QoS
		modify(m, q)
		if q.SetProps != nil {
			m.Deadline = 0
			if sec, ok := q.SetProps.Uint(mqtt.PropMessageExpiry); ok {
				m.Deadline = h.T.Now + int64(sec)*1e9
			}
		}
		s.Out.Throttle = q.SetThrottle
		h.answer(s, qos, id, h.route(m, s, exchangeID(qos, id)))
		if h.T.Hooks.Observed() {
			h.T.Hooks.Observe(hook.OnPublish, &hook.Event{Client: &q.Client, Publish: q})
		}
		return nil
	}
	h.T.Count.Inc(metric.MqttPublishAuthError + v5(s))
	if s.Version == mqtt.V311 || s.Version == mqtt.V31 && h.T.Opts.DisconnectUnauthV3 && !s.Bridge {
		return &mqtt.Error{Code: mqtt.CodeNotAuthorized, Text: "publish is not authorised"}
	}
	s.Refuse(&h.T, m.QoS, id, fit(q.Code, mqtt.TypePuback, mqtt.CodeNotAuthorized), q.Reason)
	return nil
}

// judge takes back an OK whose provider set a topic that is none [MQTT-3.3.2-2]. Properties are for MQTT 5 alone.
func judge(q *hook.Publish, v hook.Verdict) hook.Verdict {
	if !q.Client.Version.Is5() {
		q.SetProps = nil
	}
	if v == hook.OK && q.SetTopic != nil && topic.ValidName(q.SetTopic, 0) != nil {
		q.Code = mqtt.CodeTopicNameInvalid
		return hook.Refuse
	}
	return v
}

// modify applies what a provider changed; the received frame then no longer carries the message.
func modify(m *msg.Message, q *hook.Publish) {
	if q.SetMountpoint != nil { // the frame does not tell it
		m.Mountpoint = *q.SetMountpoint
	}
	if q.SetTopic == nil && q.SetPayload == nil && q.SetQoS == nil && q.SetRetain == nil && q.SetProps == nil {
		return
	}
	m.Wire, m.Borrowed = nil, true
	if q.SetProps != nil {
		m.Props = q.SetProps.AppendForward(nil)
	}
	if q.SetTopic != nil {
		m.Topic = q.SetTopic
	}
	if q.SetPayload != nil {
		m.Payload = q.SetPayload
	}
	if q.SetQoS != nil {
		m.QoS = min(*q.SetQoS, 2)
	}
	if q.SetRetain != nil {
		m.Retain = *q.SetRetain
	}
}

// Publish routes a message of the broker itself or a will: no authorisation, no answer. If the store refuses it, it goes to those who are
// connected all the same.
func (h *Home) Publish(m *msg.Message, from *session.Session) { h.route(m, from, 0) }

// route brings m to everybody who subscribed. id is the packet identifier if it came in a QoS 2 exchange of s, else 0.
func (h *Home) route(m *msg.Message, s *session.Session, id uint16) (o outcome) {
	keep := m.Retain && h.mayRetain(m)
	if m.Retain && !keep && m.QoS > 0 && s != nil && s.Version.Is5() {
		return outcome{refused: true}
	}
	var gen uint64
	if keep {
		gen = h.x.index(m.Mountpoint).Gen(m.Topic)
	}
	leaves := h.match(m, s)
	h.choose(m, s, leaves)
	if h.refuses && m.QoS > 0 && s != nil && h.full(m, leaves) {
		h.T.Count.Inc(metric.QueueFullRefused)
		h.forget()
		return outcome{refused: true}
	}
	if m.QoS > 0 || h.T.Opts.UpgradeOutgoingQoS || h.x.upgrading.Load() {
		if recipients := h.durable(m, leaves); len(recipients) > 0 {
			m = m.Own()
			var in store.Inbound
			if id != 0 && s.Key != 0 {
				in = store.Inbound{Session: s.Key, PacketID: id}
			}
			ref, t := h.x.Store.PutMessage(m, in, recipients)
			if ref == 0 && s != nil {
				h.forget()
				return outcome{refused: true}
			}
			m.Ref, o.ticket = uint64(ref), t
			if ref == 0 {
				h.owing = nil
			}
		}
	}
	if keep {
		o.ticket = max(o.ticket, h.retain(m))
		leaves = h.late(m, leaves, gen)
	}
	h.T.Forms.Begin(m)
	for _, l := range leaves {
		shard, e, ok := l.Single()
		switch {
		case !ok || len(h.jobs) > 0 || len(h.owing) > 0: // a job may be for this leaf
			ok = h.spread(m, l)
		case shard == h.shard:
			h.deliver(m, l, e, nil, asRecorded)
		default:
			h.loop.Mail(shard, m, l, nil)
		}
		o.matched = o.matched || ok
	}
	for i := range h.chosen {
		o.matched = true
		h.deliverChosen(m, &h.chosen[i])
	}
	if len(h.chosen) > 0 || len(h.owingAll) > 0 {
		h.forget()
	}
	return o
}

// spread brings m to all plain subscribers at a leaf, with what its record owes them on each shard. It reports whether there are any.
func (h *Home) spread(m *msg.Message, l *trie.Leaf) (matched bool) {
	owed := h.owes(l)
	mask := l.Shards()
	matched = mask != 0
	for _, x := range owed {
		mask |= 1 << x.shard // it has to hear of it, if nobody is left there
	}
	for ; mask != 0; mask &= mask - 1 {
		shard := bits.TrailingZeros64(mask)
		var due *Owed
		if len(owed) > 0 && owed[0].shard == shard {
			due, owed = owed[0].o, owed[1:]
		}
		switch {
		case shard != h.shard:
			h.loop.Mail(shard, m, l, due)
		case due != nil:
			h.fanOut(m, l, due)
		default:
			h.fanOut(m, l, asRecorded)
		}
	}
	return matched
}

// match returns the leaves for m, from the publishing session's memory while nothing relevant changed.
func (h *Home) match(m *msg.Message, s *session.Session) []*trie.Leaf {
	if s == nil || s.Gone || m.Mountpoint != s.ID.Mountpoint {
		h.leaves = h.x.index(m.Mountpoint).Match(m.Topic, h.leaves[:0])
		return h.leaves
	}
	r := h.routes[s.Slot]
	if r == nil {
		r = &route{index: h.x.index(m.Mountpoint)}
		h.routes[s.Slot] = r
	}
	if !bytes.Equal(r.topic, m.Topic) {
		r.topic = append(r.topic[:0], m.Topic...)
		r.watch = r.index.Watch(m.Topic)
	} else if r.gen == r.watch.Gen() {
		return r.leaves
	}
	r.gen = r.watch.Gen()
	clear(r.leaves)
	r.leaves = r.index.Match(m.Topic, r.leaves[:0])
	return r.leaves
}

// late adds the leaves that are new since generation gen: who subscribed there looked for retained messages when m was not one yet.
func (h *Home) late(m *msg.Message, leaves []*trie.Leaf, gen uint64) []*trie.Leaf {
	x := h.x.index(m.Mountpoint)
	if x.Gen(m.Topic) == gen {
		return leaves
	}
	for _, l := range x.Match(m.Topic, nil) {
		if !slices.Contains(leaves, l) {
			leaves = append(slices.Clip(leaves), l)
		}
	}
	return leaves
}

// durable lists the durable recipients in all shards, and of the shared groups those that were chosen. What is delivered later than now is noted
// as owed, by leaf and shard.
func (h *Home) durable(m *msg.Message, leaves []*trie.Leaf) (rs []store.Recipient) {
	note := func(l *trie.Leaf, shard, from int, later bool) {
		if len(rs) > from && (later || shard != h.shard) {
			h.owingAll = append(h.owingAll, owing{l, shard, newOwed(rs[from:])})
		}
	}
	for _, l := range leaves {
		if shard, e, ok := l.Single(); ok {
			from := len(rs)
			rs = h.recipient(rs, m, shard, e)
			note(l, shard, from, len(h.jobs) > 0)
			continue
		}
		for mask := l.Shards(); mask != 0; mask &= mask - 1 {
			shard, from := bits.TrailingZeros64(mask), len(rs)
			v := l.View(shard)
			for i := range v.Len() {
				rs = h.recipient(rs, m, shard, v.At(i))
			}
			note(l, shard, from, len(h.jobs) > 0 || v.Len() > fanOnce)
		}
	}
	h.owing = h.owingAll
	for i := range h.chosen {
		c, from := &h.chosen[i], len(rs)
		if rs = h.groupRecipient(rs, m, c); len(rs) > from {
			c.owed = newOwed(rs[from:])
		}
	}
	return rs
}

func (h *Home) recipient(rs []store.Recipient, m *msg.Message, shard int, e trie.Entry) []store.Recipient {
	if e == 0 || !e.Durable() || h.deliveryQoS(m, e) == 0 || isOwn(m, shard, e) {
		return rs
	}
	if k := store.SessionKey(h.x.keys[shard].get(e.Slot())); k != 0 {
		rs = append(rs, store.Recipient{Session: k, Opts: e.Opts()&^3 | h.deliveryQoS(m, e)})
	}
	return rs
}

// deliveryQoS is the QoS at which m goes to a subscriber.
func (h *Home) deliveryQoS(m *msg.Message, e trie.Entry) byte {
	if e.Upgrade(h.T.Opts.UpgradeOutgoingQoS) {
		return e.QoS()
	}
	return min(m.QoS, e.QoS())
}

// isOwn reports whether m came from the subscriber itself, who does not want that [MQTT-3.8.3-3].
func isOwn(m *msg.Message, shard int, e trie.Entry) bool {
	return mqtt.SubOptions(e.Opts()).NoLocal() && m.From.Valid && m.From.Slot == e.Slot() && int(m.From.Shard) == shard
}

// deliver gives m to one subscriber of this shard; group is the shared group it was chosen from, or nil; owed is what m's record owes here.
func (h *Home) deliver(m *msg.Message, l *trie.Leaf, e trie.Entry, group *trie.Group, owed *Owed) {
	slot := e.Slot()
	if int(slot) >= len(h.slots) || h.slots[slot] == nil || h.slots[slot].Gone {
		return
	}
	h.Delivered++
	h.T.Count.Inc(metric.RouterMatchesLocal)
	s := h.slots[slot]
	if isOwn(m, h.shard, e) {
		return
	}
	d := session.Delivery{Group: group, QoS: h.deliveryQoS(m, e), Retain: m.Retain && (mqtt.SubOptions(e.Opts()).RetainAsPublished() || s.Bridge)}
	if e.HasID() {
		d.SubID = s.Subs.OfLeaf(l, group)
	}
	if m.Ref != 0 {
		d.Ref = reference(m, d.QoS, s.Holder(group), owed)
	}
	if s.Several != nil {
		h.deliverSeveral(s, m, &d)
	} else {
		s.Deliver(&h.T, m, &d)
	}
	if h.refuses || s.Marked {
		h.mark(s)
	}
}
