package store

import (
	"testing"

	"vernemq/broker/msg"
	"vernemq/broker/store/wallog"
)

// FuzzRecord: no payload of any type makes reading back panic, hang or take memory beyond its size, alone or after the same twice.
func FuzzRecord(f *testing.F) {
	add := func(typ byte, b []byte) { f.Add(typ, b) }
	add(typeSession, appendSession(nil, &Session{Key: 1, ID: msg.SubscriberID{ClientID: "a"}}))
	add(typeSession, appendSession(nil, &Session{Key: 1, Will: &Will{Topic: []byte("w"), Payload: []byte("x"), QoS: 1, Delay: 7}}))
	add(typeSessionEnd, []byte{1})
	add(typeSubscription, appendSubscription(nil, 1, Subscription{Filter: "a/#", Opts: 1, ID: 3}))
	add(typeUnsubscription, append([]byte{1}, "\x03a/#"...))
	e := envelope{flags: flagInbound | flagOrigin | flagDeadline, origin: 3, inbound: Inbound{1, 2}, to: []delivered{{Recipient{Session: 1, Opts: 2}, Sent}}}
	add(typeMessage, appendContent(appendLifetime(appendEnvelope(nil, &e), lifetime{1, 2, 3, 4}), msg.New("", []byte("t"), []byte("x"), nil, 1, false)))
	add(typeAck, appendAck(nil, Ack{Kind: Received, Session: 1, PacketID: 7, QoS: 2}, 1))
	add(typeRetained, appendString(appendString(appendString(appendString(appendStamp([]byte{flagRetain}, msg.Stamp{}), "m"), "t"), ""), "x"))
	add(typeMove, appendMove(nil, Ack{Session: 1, Message: 1, PacketID: 7}, 1, Recipient{Session: 2, Opts: 1}))
	add(typeInbound, appendInbound(nil, Inbound{1, 2}))
	add(typeAPIKey, appendAPIKey(nil, &keptKey{APIKey: APIKey{Digest: [32]byte{1}, Scope: "mgmt", Beginning: "abc", Expires: 9}}))
	add(typeAPIKeyEnd, appendKeyID(nil, keyID{scope: "mgmt"}))
	add(typeRun, appendRun(nil, 3, 4))
	f.Fuzz(func(t *testing.T, typ byte, b []byte) {
		if n := keep(typ, b); n < 0 || n > len(b) {
			t.Fatalf("%d of %d bytes are kept", n, len(b))
		}
		r := replay{x: newIndex()}
		r.x.byOrigin = &origins{}
		for seq := range uint64(3) {
			rec := wallog.Record{Seq: seq + 1, Type: typ, Payload: b, Place: wallog.Place{Segment: 1, Off: 5, Size: 9}}
			_ = checkContent(&rec)
			_ = describe(&rec)
			if r.record(&rec) != nil {
				break
			}
		}
		r.x.settle()
		for k := range r.x.sessions {
			r.x.endSession(k)
		}
		for r.x.reap(10) {
		}
		for k := range r.x.retained {
			r.x.deleteRetained(k)
		}
		for id := range r.x.apiKeys {
			r.x.deleteAPIKey(id)
		}
		if n := r.x.waiting.used() + r.x.messages.used() + r.x.slots.used(); n != 0 || r.x.live != 0 {
			t.Errorf("with everything taken away %d entries and %d bytes are left", n, r.x.live)
		}
	})
}
