package session

import (
	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/store"
	"vernemq/broker/trie"
)

// The flags of queued items and of flights.
const (
	itemRetain   = 1 << iota // the RETAIN flag is set in the delivery
	itemGone                 // the store no longer has the message
	itemRestored             // restored after a restart: see known
	itemAsk                  // the RETAIN flag is that of the message, which is in the store
	itemMain                 // the record is that of the client's main session: see Several
)

// Delivery is what is decided of one delivery before a session takes it.
type Delivery struct {
	Group  *trie.Group // the shared group it comes through, nil for none
	Ref    uint64      // under which it waits in the store, 0 if it does not; from Deliver on it is the session's to release
	SubID  uint32      // MQTT 5 subscription identifier, 0 none
	QoS    byte
	Retain bool // the RETAIN flag is set
}

// Deliver takes one delivery: at once to the connection if it has room, else into the queue. A message that has to wait is owned (copied out
// of the read buffer) first.
func (s *Session) Deliver(t *Turn, m *msg.Message, d *Delivery) {
	it := d.item()
	if d.Group != nil && d.QoS > 0 {
		it.Group = s.numberOf(d.Group)
	}
	s.deliver(t, m, &it)
}

// item is the delivery as it waits, without its message.
func (d *Delivery) item() queue.Item {
	it := queue.Item{Ref: d.Ref, SubID: d.SubID, QoS: d.QoS}
	if d.Retain {
		it.Flags = itemRetain
	}
	return it
}

// deliver takes the delivery it of m; it has neither message nor size yet.
func (s *Session) deliver(t *Turn, m *msg.Message, it *queue.Item) {
	if s.Out == nil {
		s.keep(t, m, it)
		return
	}
	if it.QoS == 0 {
		if (s.q == nil || s.q.QoS0() == 0) && t.Sink.Room(s.Out) {
			t.Count.Inc(metric.QueueMessageIn)
			s.sendOnce(t, m, it)
			return
		}
		if t.Short {
			t.Count.Inc(metric.OverloadQos0Dropped)
			it.Msg = m
			s.tellDropped(t, it, reasonOverload)
			return
		}
	} else if (s.q == nil || s.q.Len() == s.q.QoS0()) && s.mayOpen() && t.Sink.Room(s.Out) {
		it.Msg = t.Forms.Own(m)
		t.Count.Inc(metric.QueueMessageIn)
		s.open(t, it)
		return
	}
	s.push(t, m, it)
}

// keep queues a delivery for an absent client; QoS 0 is not kept.
func (s *Session) keep(t *Turn, m *msg.Message, it *queue.Item) {
	if it.QoS == 0 {
		t.Count.Inc(metric.QueueMessageUnhandled)
		return
	}
	if t.Hooks.Observed() {
		c := s.Client()
		t.Hooks.Observe(hook.OnOfflineMessage, &hook.Event{Client: &c, Publish: &hook.Publish{Client: c, Topic: m.Topic, Payload: m.Payload, QoS: it.QoS, Retain: m.Retain}})
	}
	s.push(t, m, it)
}

// push queues the delivery it of m, with its message unless that is read back from the store in time.
func (s *Session) push(t *Turn, m *msg.Message, it *queue.Item) {
	if it.Size = itemSize(m); !s.cold(it.Ref) {
		it.Msg = t.Forms.Own(m)
	}
	if s.q == nil {
		s.q = s.newQueue(t)
	}
	t.Count.Inc(metric.QueueMessageIn)
	limit, most := s.limits(t)
	if it.QoS > 0 && t.RefusesFull() { // its publisher saw room: it finds some
		limit, most = 2*limit+min(limit, 1)*passing, 2*most
	}
	if most > 0 && s.q.Bytes()+int64(it.Size) > most {
		limit = s.q.Len() // full by bytes, whatever the number
	}
	if it.QoS == 0 && limit >= 0 && s.q.Len() >= limit && t.RefusesFull() {
		limit = 0 // it takes nobody's place in a last-in-first-out queue: the others were promised
	}
	if dropped, ok := s.q.Push(*it, limit); !ok {
		if dropped == *it {
			dropped.Msg = m
		}
		s.drop(t, &dropped, 0, "queue_full")
	}
}

// newQueue is the queue of a session as its options want it.
func (s *Session) newQueue(t *Turn) *queue.Queue {
	return &queue.Queue{LIFO: hook.Or(s.opt.Set().QueueType, t.Opts.QueueType) == "lifo"}
}

// limits returns how many deliveries may wait at the moment, -1 for any number, and how many bytes of messages, 0 for any number.
func (s *Session) limits(t *Turn) (limit int, most int64) {
	if s.Out == nil {
		return hook.Or(s.opt.Set().MaxOfflineMessages, t.Opts.MaxOfflineMessages), t.Opts.MaxQueueBytes
	}
	return hook.Or(s.opt.Set().MaxOnlineMessages, t.Opts.MaxOnlineMessages), t.Opts.MaxQueueBytes
}

// passing is how many messages more than its limit a queue takes, beside as many again, if publishers are refused when it is full: for what was
// accepted from several of them at once.
const passing = 1024

// RefusesFull reports whether messages are not accepted from their publisher while the queue of a receiver is full.
func (t *Turn) RefusesFull() bool { return t.Opts.QueueFullAction == "refuse" }

// Full reports whether the queue has reached a limit. One that keeps nothing at all is never full.
func (s *Session) Full(t *Turn) bool {
	if s.q == nil {
		return false
	}
	limit, most := s.limits(t)
	return limit > 0 && s.q.Len() >= limit || most > 0 && s.q.Bytes() >= most
}

// itemSize is what a message counts for in a queue's byte limit.
func itemSize(m *msg.Message) uint32 { return uint32(len(m.Topic) + len(m.Props) + len(m.Payload)) }

// drop tells of a delivery that a limit took, and releases its record. id is the packet identifier if it has one already, else 0.
func (s *Session) drop(t *Turn, it *queue.Item, id uint16, reason string) {
	if reason == "expired" {
		t.Count.Inc(metric.QueueMessageExpired)
	} else {
		t.Count.Inc(metric.QueueMessageDrop)
	}
	s.tellDropped(t, it, reason)
	s.release(t, it, id)
}

// tellDropped tells observers of a delivery that is dropped.
func (s *Session) tellDropped(t *Turn, it *queue.Item, reason string) {
	if !t.Hooks.Observed() {
		return
	}
	c := s.Client()
	p := &hook.Publish{Client: c, QoS: it.QoS}
	if it.Msg != nil { // what is in the store only is not read back to be dropped
		p.Topic, p.Payload, p.Retain = it.Msg.Topic, it.Msg.Payload, it.Msg.Retain
	}
	t.Hooks.Observe(hook.OnMessageDrop, &hook.Event{Client: &c, Reason: reason, Publish: p})
}

// release tells the store that a delivery no longer waits for this session. id is its packet identifier, 0 if it has none.
func (s *Session) release(t *Turn, it *queue.Item, id uint16) {
	if it.Ref == 0 {
		return
	}
	if it.Flags&itemMain != 0 {
		id = 0
	}
	if k := s.holder(it.Group, it.Flags); k != 0 {
		t.Store.PutAck(store.Ack{Kind: store.Done, Session: k, Message: store.MessageRef(it.Ref), PacketID: id, QoS: it.QoS})
	}
}

// mayOpen reports whether the receiver's window and the identifiers allow another exchange, and none of an earlier connection waits to be
// sent again.
func (s *Session) mayOpen() bool {
	return s.resendAt < 0 && s.counted < s.sendQuota && (s.win == nil || !s.win.full())
}

// form completes d, whose QoS, flags and subscription identifier are set, to the wire form of one transmission of m; reason says why the message
// must not be sent, if so: it expired or is larger than the client takes. One that is sent again is finished though it has expired.
func (s *Session) form(t *Turn, m *msg.Message, d *msg.Delivery) (reason string) {
	d.Expiry = -1
	if m.Deadline != 0 {
		left := m.Deadline - t.Now
		if left <= 0 && !d.Dup {
			return "expired"
		}
		left = max(left, 0)
		if s.v5 != nil {
			d.Expiry = (left + 999_999_999) / 1_000_000_000
		}
	}
	if s.v5 == nil {
		d.SubID = 0
		return ""
	}
	d.V5 = true
	if s.v5.aliasOutMax > 0 {
		if a, ok := s.v5.aliasOut[string(m.Topic)]; ok {
			d.Alias, d.NoTopic = a, true
		} else if len(s.v5.aliasOut) < s.v5.aliasOutMax {
			d.Alias = uint16(len(s.v5.aliasOut) + 1)
		}
	}
	if s.v5.maxPacket != 0 && msg.FrameSize(m, d) > int(s.v5.maxPacket) {
		return "max_packet_size_exceeded"
	}
	return ""
}

func (s *Session) write(t *Turn, m *msg.Message, d *msg.Delivery) {
	if d.Alias != 0 && !d.NoTopic { // from here on the receiver knows it
		if s.v5.aliasOut == nil {
			s.v5.aliasOut = make(map[string]uint16)
		}
		s.v5.aliasOut[string(m.Topic)] = d.Alias
	}
	o := s.Out
	t.Sink.Touch(o)
	o.Buf = t.Forms.Append(o.Buf, m, d)
	t.Count.Inc(metric.MqttPublishSent + s.v())
	if t.Hooks.Observed() {
		c := s.Client()
		t.Hooks.Observe(hook.OnDeliver, &hook.Event{Client: &c, Publish: &hook.Publish{Client: c, Topic: m.Topic, Payload: m.Payload, QoS: d.QoS, Retain: d.Retain}})
	}
}

// sendOnce sends m at QoS 0. If the delivery waits in the store, the caller releases it.
func (s *Session) sendOnce(t *Turn, m *msg.Message, it *queue.Item) {
	if t.Hooks.Delivers() {
		m = s.rewrite(t, m, 0, it.Flags)
	}
	d := msg.Delivery{Retain: it.Flags&itemRetain != 0, SubID: it.SubID}
	if reason := s.form(t, m, &d); reason != "" {
		s.drop(t, &queue.Item{Msg: m, Flags: it.Flags}, 0, reason)
		return
	}
	t.Count.Inc(metric.QueueMessageOut)
	s.write(t, m, &d)
}

// open begins a QoS 1 or 2 exchange for an item that has its message. A QoS 2 message of a durable session leaves only when message and
// identifier are committed.
func (s *Session) open(t *Turn, it *queue.Item) {
	if it.QoS == 2 && it.Ref == 0 && s.Key != 0 && it.Flags&itemMain == 0 {
		s.record(t, it)
	}
	if t.Hooks.Delivers() {
		it.Msg = s.rewrite(t, it.Msg, it.QoS, it.Flags)
	}
	m := it.Msg
	d := msg.Delivery{QoS: it.QoS, Retain: it.Flags&itemRetain != 0, SubID: it.SubID}
	if reason := s.form(t, m, &d); reason != "" {
		s.drop(t, it, 0, reason)
		return
	}
	t.Count.Inc(metric.QueueMessageOut)
	if s.win == nil {
		s.win = &window{}
	}
	s.counted++
	id := s.win.add(flight{m: m, ref: it.Ref, subID: it.SubID, group: it.Group, since: it.Since, qos: it.QoS, flags: it.Flags | flightCounted,
		state: flightSent, sent: seconds(t.Now)})
	s.inflight()
	if it.QoS == 2 && it.Ref != 0 && s.holder(it.Group, it.Flags) != 0 {
		k := s.holder(it.Group, it.Flags)
		if s.Further() {
			k = 0 // its identifiers are not those of the client's session: nothing is noted, but what was written so far is waited for
		}
		ticket := t.Store.PutAck(store.Ack{Kind: store.Sent, Session: k, Message: store.MessageRef(it.Ref), PacketID: id, QoS: it.QoS})
		if t.Waits.need(ticket) {
			s.win.get(id).state = flightCommit
			t.Waits.add(wait{ticket: ticket, s: s, epoch: s.Epoch, kind: waitFlight, id: id})
			return
		}
	}
	d.PacketID = id
	s.write(t, m, &d)
	s.armRetry(t)
}

// record stores a QoS 2 delivery that has no record: a retained message, or one that was to go at a lower QoS when it was published. After a crash
// the client may still have its identifier in use, which must not be given to another message [MQTT-2.2.1-4 of 5.0]. What the store refuses goes
// without.
func (s *Session) record(t *Turn, it *queue.Item) {
	it.Msg = it.Msg.Own()
	ref, _ := t.Store.PutMessage(it.Msg, store.Inbound{}, []store.Recipient{recipient(s.Key, it)})
	it.Ref = uint64(ref)
}

// recipient is the delivery it as the store has it, of a session or of a group's queue.
func recipient(k store.SessionKey, it *queue.Item) store.Recipient {
	r := store.Recipient{Session: k, Opts: it.QoS}
	if it.Flags&itemRetain != 0 {
		r.Opts |= byte(mqtt.SubRetainAsPublished)
	}
	return r
}

// commitFlight goes on with an exchange whose next step is durable now.
func (s *Session) commitFlight(t *Turn, id uint16) {
	f := s.win.get(id)
	if f == nil {
		return
	}
	switch f.state {
	case flightCommit:
		f.state = flightSent
		if !s.transmit(t, f, id, false) && s.Waits() {
			t.Sink.Pump(s) // its place in the window is free again
		}
	case flightRelCommit:
		f.state = flightReleased
		s.sendAck(t, mqtt.TypePubrel, id, mqtt.CodeSuccess)
	}
}

// transmit sends the PUBLISH of an exchange (again). It reports false if the message must not be sent any more: then the exchange is over.
func (s *Session) transmit(t *Turn, f *flight, id uint16, dup bool) bool {
	d := msg.Delivery{QoS: f.qos, Retain: f.flags&itemRetain != 0, Dup: dup, PacketID: id, SubID: f.subID}
	if reason := s.form(t, f.m, &d); reason != "" {
		s.drop(t, f.item(), id, reason)
		s.end(f)
		return false
	}
	f.sent = seconds(t.Now)
	s.write(t, f.m, &d)
	s.armRetry(t)
	return true
}

// end closes an exchange and gives its place in the window back.
func (s *Session) end(f *flight) {
	if f.flags&flightCounted != 0 && s.counted > 0 {
		s.counted--
	}
	shifted := s.win.remove(f)
	s.inflight()
	if s.resendAt >= 0 {
		s.resendAt = max(s.resendAt-int32(shifted), 0)
		if int(s.resendAt) >= s.win.n {
			s.resendAt = -1
		}
	}
}

func seconds(ns int64) uint32 { return uint32(ns / 1e9) }

// Pump sends what waits, as far as window, socket and budget allow: exchanges of an earlier connection first [MQTT-4.4.0-1], then retained
// messages and the queue in turns. It reports whether it stopped for its budget alone and wants to be called in the next turn.
func (s *Session) Pump(t *Turn, budget int) (more bool) {
	if s.Out == nil {
		return false
	}
	for s.resendAt >= 0 {
		if budget == 0 {
			return true
		}
		budget--
		if !s.resendNext(t) {
			return false
		}
	}
	for {
		if budget <= 0 {
			return true
		}
		replayed, used := s.replayNext(t, budget)
		budget -= used
		queued := s.sendQueued(t)
		if queued {
			budget--
		}
		if !replayed && !queued {
			return false
		}
	}
}

// resendNext sends one exchange of an earlier connection again; false when it cannot now.
func (s *Session) resendNext(t *Turn) bool {
	if int(s.resendAt) >= s.win.n {
		s.resendAt = -1
		return true
	}
	f, id := s.win.at(int(s.resendAt))
	switch f.state {
	case flightSent:
		if s.counted >= s.sendQuota || !t.Sink.Room(s.Out) {
			return false
		}
		if f.m == nil {
			s.readFlights(t)
			return false
		}
		s.counted++
		dup := f.flags&flightUnsent == 0
		f.flags = f.flags&^flightUnsent | flightCounted
		s.resendAt++
		s.transmit(t, f, id, dup)
	case flightReleased:
		if !t.Sink.Room(s.Out) {
			return false
		}
		s.resendAt++
		f.sent = seconds(t.Now)
		s.sendAck(t, mqtt.TypePubrel, id, mqtt.CodeSuccess)
		s.armRetry(t)
	default:
		s.resendAt++
	}
	if int(s.resendAt) >= s.win.n {
		s.resendAt = -1
	}
	return true
}

// sendQueued sends the next delivery of the queue; false when there is none or it must wait.
func (s *Session) sendQueued(t *Turn) bool {
	if s.q == nil || s.q.Len() == 0 {
		return false
	}
	if s.q.Peek().QoS > 0 && !s.mayOpen() || !t.Sink.Room(s.Out) {
		return false
	}
	if p := s.q.Peek(); p.Msg == nil && p.Flags&itemGone == 0 {
		s.readQueue(t)
		return false
	}
	it := s.q.Pop()
	if it.Flags&itemGone != 0 {
		s.drop(t, &it, 0, "lost")
		return true
	}
	it.Flags, it.SubID = s.known(it.Msg, it.Flags, it.SubID)
	if it.QoS > 0 {
		s.open(t, &it)
		return true
	}
	s.sendOnce(t, it.Msg, &it)
	s.release(t, &it, 0) // if it is a message of a higher QoS that a member of a group takes at this one
	return true
}
