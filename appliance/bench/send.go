package bench

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"time"
)

// publisher is the sending half of a client. Its loop alone touches it, but for received.
type publisher struct {
	loop  *loop
	conn  *conn
	flow  uint32
	frame template
	next  func(p *publisher) // puts the next message's topic into frame; nil: always the same

	seq        uint64  // of the last message of the flow
	id         uint16  // last packet identifier
	inflight   int     // not yet acknowledged
	unanswered []asked // by the low bits of their identifiers: what waits for the broker's first answer
	quota      int     // most of them

	sent     int64        // messages that count against the window
	received atomic.Int64 // deliveries of them, by all loops

	done, due int64 // with a rate, in this phase: messages sent, messages whose time has come
}

// asked is when a message of QoS 1 or 2 was due.
type asked struct {
	id  uint16 // 0: none
	due int64
}

// wait notes that a message waits for the broker to answer that it has it.
func (p *publisher) wait(id uint16, due int64) {
	if p.unanswered == nil {
		p.unanswered = make([]asked, 1<<bits.Len(uint(p.quota))) // identifiers are used in turn
	}
	p.unanswered[int(id)&(len(p.unanswered)-1)] = asked{id, due}
}

// answered returns when a message was due whose answer has come; ok is false for a second answer.
func (p *publisher) answered(id uint16) (due int64, ok bool) {
	if p.unanswered == nil {
		return 0, false
	}
	s := &p.unanswered[int(id)&(len(p.unanswered)-1)]
	due, ok = s.due, s.id == id && id != 0
	if ok {
		*s = asked{}
	}
	return due, ok
}

// limit is how many more messages the publisher may send now.
func (p *publisher) limit(r *run) int {
	free := 1 << 30
	if r.windowed {
		free = min(r.cfg.Window, r.cfg.Window-int(p.sent-p.received.Load()/r.fan))
	}
	if r.cfg.QoS > 0 {
		free = min(free, p.quota-p.inflight)
	}
	return free
}

// append appends the publisher's next message, due at a time, to the loop's build buffer.
func (l *loop) append(p *publisher, due int64) {
	if p.next != nil {
		p.next(p)
	}
	at := len(l.build)
	l.build = append(l.build, p.frame.frame...)
	frame := l.build[at:]
	if p.frame.id > 0 {
		if p.id++; p.id == 0 {
			p.id = 1
		}
		binary.BigEndian.PutUint16(frame[p.frame.id:], p.id)
		p.inflight++
		p.wait(p.id, due)
	}
	p.seq++
	p.sent++
	l.tally.published++
	if payload := frame[p.frame.payload:]; len(payload) >= MinSize { // shorter ones delete retained messages
		stamp{l.run.id, p.flow, p.seq, due}.put(payload)
	}
}

// saturate publishes as fast as windows allow until a time.
func (l *loop) saturate(until int64) {
	l.offerAll()
	l.moved = now()
	for !l.run.stopped() {
		t := now()
		if t >= until {
			return
		}
		if l.pump(t) {
			l.poll(0)
			continue
		}
		if l.poll(2*time.Millisecond) == 0 && l.now-l.moved > int64(time.Second) {
			l.writeOff()
			if l.now-l.moved > int64(l.run.cfg.Patience) && len(l.publishers) > 0 {
				l.run.stall("nothing came back for %s", l.run.cfg.Patience)
				return
			}
		}
	}
}

// offerAll puts all publishers on the ready list.
func (l *loop) offerAll() {
	for _, c := range l.publishers {
		l.ready(c)
	}
}

// writeOff frees the windows of QoS 0 messages that were lost on the way.
func (l *loop) writeOff() {
	if l.run.cfg.QoS > 0 {
		return
	}
	for _, c := range l.publishers {
		if c.fd >= 0 {
			c.pub.received.Store(c.pub.sent * l.run.fan)
			l.ready(c)
		}
	}
}

// pump lets each publisher on the ready list write one batch, if it may send a whole one.
func (l *loop) pump(t int64) (any bool) {
	list, again := l.list, l.spare[:0]
	batch := l.run.cfg.Batch
	for _, c := range list {
		c.queued = false
		if c.fd < 0 || c.blocked || !c.online {
			continue
		}
		free := c.pub.limit(l.run)
		n := min(batch, c.pub.quota)
		if free < n {
			continue
		}
		l.build = l.build[:0]
		for range n {
			l.append(c.pub, t)
		}
		l.send(c, l.build)
		l.moved, any = t, true
		if free >= 2*n && !c.blocked && c.fd >= 0 {
			c.queued = true
			again = append(again, c)
		}
	}
	l.list, l.spare = again, list[:0]
	return any
}

// schedule says when messages are due: message k of the loop at start + k*interval.
type schedule struct {
	start    int64
	interval float64 // nanoseconds
	total    int64   // messages
}

func (s *schedule) at(k int64) int64 { return s.start + int64(float64(k)*s.interval) }

// passed is how many messages are due at a time.
func (s *schedule) passed(t int64) int64 {
	if t < s.start {
		return 0
	}
	return min(int64(float64(t-s.start)/s.interval)+1, s.total)
}

// pace publishes at the loop's part of the rate from start until a time, the publishers in turn, each message in a write of its own.
func (l *loop) pace(start, until int64) {
	n := int64(len(l.publishers))
	if n == 0 {
		l.idle(until)
		return
	}
	interval := 1e9 / l.run.cfg.Rate * float64(len(l.run.publishers)) / float64(n)
	offset := int64(interval * float64(l.number) / float64(len(l.run.loops)))
	s := schedule{start: start + offset, interval: interval}
	s.total = int64(float64(until-s.start)/interval) + 1
	for _, c := range l.publishers {
		c.pub.done, c.pub.due = 0, 0
	}
	for i := int64(0); !l.run.stopped(); {
		t := now()
		if t >= until {
			return
		}
		for due := s.passed(t); i < due; i++ {
			c := l.publishers[i%n]
			c.pub.due++
			l.sendDue(c, &s, i%n)
		}
		if wait := s.at(i) - now(); i < s.total && wait > 0 {
			l.poll(min(time.Duration(wait), 50*time.Millisecond, time.Duration(until-t)))
		} else {
			l.poll(0)
		}
		list := l.list
		l.list = l.spare[:0]
		for _, c := range list {
			c.queued = false
			l.sendDue(c, &s, int64(c.number/len(l.run.loops)))
		}
		l.spare = list[:0]
	}
}

// sendDue sends what is due of a publisher, the place-th of the loop, as far as its quota and its socket take it.
func (l *loop) sendDue(c *conn, s *schedule, place int64) {
	p := c.pub
	for p.done < p.due && c.fd >= 0 && !c.blocked && p.limit(l.run) > 0 {
		due := s.at(p.done*int64(len(l.publishers)) + place)
		p.done++
		l.build = l.build[:0]
		l.append(p, due)
		l.lag.record(now() - due)
		l.send(c, l.build)
	}
}

// idle handles events until a time.
func (l *loop) idle(until int64) {
	for !l.run.stopped() {
		t := now()
		if t >= until {
			return
		}
		l.poll(min(50*time.Millisecond, time.Duration(until-t)))
	}
}
