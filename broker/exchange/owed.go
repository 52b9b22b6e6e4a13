package exchange

import (
	"vernemq/broker/msg"
	"vernemq/broker/store"
	"vernemq/broker/trie"
)

// Owed is the sessions that the record of a message names for one shard's part of a leaf, or for the member of a group, while their deliveries are
// under way. Between record and delivery a subscription may end, change or begin. Who is named and gets nothing must not keep a place in the
// store for ever, and who gets something and is not named cannot count on the store. It belongs to the shard that delivers.
type Owed struct {
	to   []promise // in the order of the leaf's entries
	next int       // those before it are delivered
	rest map[store.SessionKey]byte
	one  [1]promise // of to, in the common case
}

// promise is one delivery of a record: to which session, at which QoS.
type promise struct {
	session store.SessionKey
	qos     byte
}

// asRecorded stands for deliveries in the moment of the record: whoever is delivered to durably is named.
var asRecorded = &Owed{}

func newOwed(rs []store.Recipient) *Owed {
	o := &Owed{}
	o.to = o.one[:0]
	if len(rs) > 1 {
		o.to = make([]promise, 0, len(rs))
	}
	for i := range rs {
		o.to = append(o.to, promise{rs[i].Session, rs[i].Opts & 3})
	}
	return o
}

// take reports whether a session is named, and crosses it off. Deliveries come in the order of the names, unless subscriptions have changed.
func (o *Owed) take(k store.SessionKey) bool {
	if o == nil || k == 0 {
		return false
	}
	if o == asRecorded {
		return true
	}
	if o.rest == nil {
		if o.next < len(o.to) && o.to[o.next].session == k {
			o.next++
			return true
		}
		o.rest = make(map[store.SessionKey]byte, len(o.to)-o.next)
		for _, p := range o.to[o.next:] {
			o.rest[p.session] = p.qos
		}
	}
	_, named := o.rest[k]
	delete(o.rest, k)
	return named
}

// settle ends the deliveries of m that o names and that nobody got: they do not wait in the store any longer.
func (h *Home) settle(m *msg.Message, o *Owed) {
	if o == nil || o == asRecorded {
		return
	}
	gone := func(k store.SessionKey, qos byte) {
		h.x.Store.PutAck(store.Ack{Kind: store.Done, Session: k, Message: store.MessageRef(m.Ref), QoS: qos})
	}
	if o.rest == nil {
		for _, p := range o.to[o.next:] {
			gone(p.session, p.qos)
		}
	}
	for k, qos := range o.rest {
		gone(k, qos)
	}
	o.to, o.next, o.rest = nil, 0, nil
}

// owing is what one leaf owes on one shard, of the message being routed.
type owing struct {
	leaf  *trie.Leaf
	shard int
	o     *Owed
}

// owes takes what is owed at a leaf off the list, which has the order of the leaves.
func (h *Home) owes(l *trie.Leaf) []owing {
	n := 0
	for n < len(h.owing) && h.owing[n].leaf == l {
		n++
	}
	at := h.owing[:n]
	h.owing = h.owing[n:]
	return at
}

// forget drops what was chosen and owed for a message that is not routed after all, or was.
func (h *Home) forget() {
	clear(h.chosen)
	h.chosen = h.chosen[:0]
	clear(h.owingAll)
	h.owingAll, h.owing = h.owingAll[:0], nil
}

// place records a delivery of m that its record does not name: of a group, to another member than it was on its way to. It returns the message to
// deliver, under its own reference, and sets what is owed of it.
func (h *Home) place(m *msg.Message, rs []store.Recipient, o **Owed) *msg.Message {
	if len(rs) == 0 {
		return m
	}
	again := *m.Own()
	ref, _ := h.x.Store.PutMessage(&again, store.Inbound{}, rs)
	if again.Ref = uint64(ref); ref != 0 {
		*o = newOwed(rs)
	}
	return &again
}

// reference is under which reference a delivery of m waits in the store for a session, 0 if it does not.
func reference(m *msg.Message, qos byte, k store.SessionKey, o *Owed) uint64 {
	if m.Ref == 0 || qos == 0 || !o.take(k) {
		return 0
	}
	return m.Ref
}
