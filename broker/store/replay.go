package store

import "vernemq/broker/store/wallog"

// replay puts the records of a log into an index.
type replay struct {
	x       *index
	e       envelope
	run     uint64
	lastKey SessionKey
	count   [typeAPIKeyEnd + 1]int64 // records by type
	max     uint64                   // latest stamp
}

// record takes one record. One that makes no sense ends the reading: its checksum is good, so that a disk is not to blame.
func (r *replay) record(rec *wallog.Record) error {
	d := decoder{b: rec.Payload}
	x := r.x
	if int(rec.Type) < len(r.count) {
		r.count[rec.Type]++
	}
	switch rec.Type {
	case typeSession:
		s := d.session()
		if d.err == nil {
			x.putSession(&s, rec.Seq)
		}
	case typeSessionEnd:
		x.endSession(SessionKey(d.uint()))
	case typeSubscription:
		if k, sub := d.subscription(); d.err == nil {
			x.expect(k)
			x.putSub(k, sub, rec.Seq)
		}
	case typeUnsubscription:
		k := SessionKey(d.uint())
		x.deleteSub(k, string(d.bytes()))
	case typeMessage:
		if d.envelope(&r.e); d.err == nil {
			r.message(rec)
		}
	case typeAck:
		a, origin := d.ack()
		if a.Kind == Released {
			x.release(a.Session, a.PacketID)
		} else {
			x.ack(a, x.byOrigin.get(&x.messages, origin))
		}
	case typeRetained:
		d.byte()
		r.max = max(r.max, d.stamp().Time)
		k := x.name(string(d.bytes()), d.bytes())
		if d.err == nil {
			x.putRetained(k, rec.Seq, rec.Place)
		}
	case typeUnretained:
		x.deleteRetained(x.name(string(d.bytes()), d.bytes()))
	case typeInbound:
		if in := d.inbound(); d.err == nil {
			x.expect(in.Session)
			x.putInbound(in, rec.Seq)
		}
	case typeRun:
		r.run = max(r.run, d.uint())
		r.lastKey = max(r.lastKey, SessionKey(d.uint()))
	case typeMove:
		if a, origin, to := d.move(); d.err == nil {
			x.expect(to.Session)
			x.move(a, x.byOrigin.get(&x.messages, origin), to)
		}
	case typeAPIKey:
		k := d.apiKey()
		if k.at = rec.Seq; d.err == nil {
			r.max = max(r.max, k.stamp.Time)
			x.putAPIKey(&k)
		}
	case typeAPIKeyEnd:
		if id := d.keyID(); d.err == nil {
			x.deleteAPIKey(id)
		}
	case typeLost:
	default:
		d.fail()
	}
	return d.err
}

// message puts a message in, or in the place of its elder copy: compaction has written it again, with the state of its deliveries.
func (r *replay) message(rec *wallog.Record) {
	e := &r.e
	r.max = max(r.max, e.stamp.Time)
	origin := rec.Seq
	if e.flags&flagOrigin != 0 {
		origin = e.origin
	}
	if i := r.x.byOrigin.get(&r.x.messages, origin); i != 0 {
		gen := r.x.messages.at(i).gen
		for r.x.messages.at(i).gen == gen && r.x.messages.at(i).head != 0 {
			r.x.unwait(r.x.messages.at(i).head)
		}
	}
	for i := range e.to {
		r.x.expect(e.to[i].Session)
	}
	if i := r.x.addMessage(origin, rec.Place, e.to); i != 0 {
		r.x.byOrigin.put(&r.x.messages, i)
	}
	if e.flags&flagInbound != 0 {
		r.x.expect(e.inbound.Session)
		r.x.putInbound(e.inbound, rec.Seq)
	}
}
