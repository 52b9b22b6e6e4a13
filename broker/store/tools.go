package store

import (
	"errors"
	"fmt"
	"io"

	"vernemq/broker/store/wallog"
)

// Report is what Verify found.
type Report struct {
	Sessions, Messages, Deliveries, Retained int
	APIKeys                                  int
	Records                                  int64
	Segments                                 int
	Bytes                                    int64
	TornBytes                                int64           // at the end, left by a crash: the next start cuts them off
	Damage                                   []wallog.Damage // nothing of this mends itself
}

// Verify reads every byte of the store in a directory, which no broker may be using, and changes nothing. The error says why it could not be read; what is
// damaged is in the report.
func Verify(dir string) (Report, error) {
	var r Report
	err := offline(dir, func(cfg wallog.Config) error {
		rp := replay{x: newIndex()}
		rp.x.byOrigin = &origins{}
		l, err := wallog.Open(cfg, func(rec *wallog.Record) error {
			r.Records++
			if err := checkContent(rec); err != nil {
				return err
			}
			return rp.record(rec)
		})
		if err != nil {
			return err
		}
		rp.x.settle()
		r.Segments, r.Bytes = l.Usage()
		r.TornBytes, r.Damage = l.CutBytes(), l.Damage()
		r.Sessions, r.Messages, r.Deliveries, r.Retained = len(rp.x.sessions), rp.x.messages.used(), rp.x.waiting.used(), len(rp.x.retained)
		r.APIKeys = len(rp.x.apiKeys)
		return l.Close()
	})
	return r, err
}

// checkContent checks the part of a record that the index does not look at.
func checkContent(rec *wallog.Record) error {
	d := decoder{b: rec.Payload}
	switch rec.Type {
	case typeMessage:
		var e envelope
		d.message(&e)
	case typeRetained:
		d.retained()
	}
	if d.err != nil {
		return fmt.Errorf("record %d: %w", rec.Seq, d.err)
	}
	return nil
}

// offline calls f with what it takes to read the log of a store that nobody uses.
func offline(dir string, f func(wallog.Config) error) error {
	if _, err := checkVersion(wallog.OS{}, dir, false); err != nil {
		return err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f(wallog.Config{Dir: dir, ReadOnly: true, NoDigests: true, Digest: keep}), lock.Close())
}

// Repair mends a damaged store in a directory that no broker may be using: what is lost is given up, the damaged files are kept in the directory
// aside, and the store can be written to again. It returns what was lost; with nothing damaged nothing is changed.
func Repair(dir string) (lost []wallog.Damage, err error) {
	err = offline(dir, func(cfg wallog.Config) error {
		lost, err = wallog.Repair(cfg, typeLost)
		return err
	})
	return lost, err
}

// Dump writes the records of the store in a directory that no broker may be using, one a line, for people to read.
func Dump(dir string, w io.Writer) error {
	return offline(dir, func(cfg wallog.Config) error {
		l, err := wallog.Open(cfg, func(r *wallog.Record) error {
			_, err := fmt.Fprintf(w, "%d %d/%d+%d %s\n", r.Seq, r.Place.Segment, r.Place.Off, r.Place.Size, describe(r))
			return err
		})
		if err != nil {
			return err
		}
		for _, d := range l.Damage() {
			if _, err := fmt.Fprintln(w, d.Error()); err != nil {
				return err
			}
		}
		return l.Close()
	})
}

// describe says what a record says.
func describe(r *wallog.Record) string {
	d := decoder{b: r.Payload}
	var text string
	switch r.Type {
	case typeSession:
		s := d.session()
		text = fmt.Sprintf("session %d mountpoint=%q client_id=%q username=%q version=%d expiry=%d remaining=%d disconnected=%d", s.Key, s.ID.Mountpoint, s.ID.ClientID,
			s.Username, s.Version, s.Expiry, s.Remaining, s.Disconnected)
		if w := s.Will; w != nil {
			text += fmt.Sprintf(" will=%q qos=%d retain=%v delay=%d payload=%d", w.Topic, w.QoS, w.Retain, w.Delay, len(w.Payload))
		}
	case typeSessionEnd:
		text = fmt.Sprintf("session-end %d", d.uint())
	case typeSubscription:
		k, s := d.subscription()
		text = fmt.Sprintf("subscription %d filter=%q options=%#x id=%d", k, s.Filter, s.Opts, s.ID)
	case typeUnsubscription:
		k := d.uint()
		text = fmt.Sprintf("unsubscription %d filter=%q", k, d.bytes())
	case typeMessage:
		var e envelope
		c := d.message(&e)
		text = fmt.Sprintf("message mountpoint=%q topic=%q qos=%d retain=%v payload=%d", c.mountpoint, c.topic, e.flags&3, e.flags&flagRetain != 0, len(c.payload))
		if e.origin != 0 {
			text += fmt.Sprintf(" first=%d", e.origin)
		}
		if e.inbound.Session != 0 {
			text += fmt.Sprintf(" inbound=%d:%d", e.inbound.Session, e.inbound.PacketID)
		}
		for _, t := range e.to {
			text += fmt.Sprintf(" to=%d:%d:%d", t.Session, t.PacketID, t.state)
		}
	case typeAck:
		a, origin := d.ack()
		text = fmt.Sprintf("ack kind=%d session=%d message=%d packet_id=%d qos=%d", a.Kind, a.Session, origin, a.PacketID, a.QoS)
	case typeRetained:
		_, c := d.retained()
		text = fmt.Sprintf("retained mountpoint=%q topic=%q qos=%d payload=%d", c.mountpoint, c.topic, c.flags&3, len(c.payload))
	case typeUnretained:
		mountpoint := d.bytes()
		text = fmt.Sprintf("unretained mountpoint=%q topic=%q", mountpoint, d.bytes())
	case typeMove:
		a, origin, to := d.move()
		text = fmt.Sprintf("move session=%d message=%d packet_id=%d to=%d", a.Session, origin, a.PacketID, to.Session)
	case typeInbound:
		in := d.inbound()
		text = fmt.Sprintf("inbound %d:%d", in.Session, in.PacketID)
	case typeRun:
		run := d.uint()
		text = fmt.Sprintf("run %d last_key=%d", run, d.uint())
	case typeAPIKey:
		k := d.apiKey()
		text = fmt.Sprintf("api-key %x beginning=%q scope=%q expires=%d", k.Digest[:4], k.Beginning, k.Scope, k.Expires)
	case typeAPIKeyEnd:
		id := d.keyID()
		text = fmt.Sprintf("api-key-end %x scope=%q", id.digest[:4], id.scope)
	case typeLost:
		text = "lost"
	default:
		return fmt.Sprintf("unknown type %d (%d bytes)", r.Type, len(r.Payload))
	}
	if d.err != nil {
		text += ": " + d.err.Error()
	}
	return text
}
