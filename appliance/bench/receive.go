package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
)

// readable reads once and handles all packets that are complete.
func (l *loop) readable(c *conn) {
	kept := copy(l.in, c.left)
	n, errno := rawRead(c.fd, l.in[kept:])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		l.lose(c, errno)
		return
	case n == 0:
		l.lose(c, io.EOF)
		return
	}
	l.take(c, l.in[:kept+n])
}

// take handles the complete packets at the start of b and keeps the rest.
func (l *loop) take(c *conn, b []byte) {
	v, largest := l.run.cfg.Version, len(l.in)-16
	l.acks = l.acks[:0]
	for len(b) > 0 {
		h, ok, err := mqtt.ReadHeader(b, largest, v)
		if err != nil {
			l.lose(c, fmt.Errorf("the broker sent what is no packet: %w", err))
			return
		}
		if !ok || len(b) < h.Size+h.Body {
			break
		}
		if err := l.packet(c, h, b[h.Size:h.Size+h.Body]); err != nil {
			l.lose(c, err)
			return
		}
		b = b[h.Size+h.Body:]
	}
	c.left = append(c.left[:0], b...)
	l.send(c, l.acks)
}

// packet handles one packet. An error ends the connection.
func (l *loop) packet(c *conn, h mqtt.Header, body []byte) error {
	v := l.run.cfg.Version
	switch h.Type {
	case mqtt.TypePublish:
		if err := l.publish.Decode(h.Flags, body, v); err != nil {
			return fmt.Errorf("PUBLISH: %w", err)
		}
		l.arrived(c, &l.publish)
		return nil
	case mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubrel, mqtt.TypePubcomp:
		if err := l.ack.Decode(h.Type, body, v); err != nil {
			return fmt.Errorf("%s: %w", h.Type, err)
		}
		l.acknowledged(c, &l.ack)
		return nil
	case mqtt.TypeConnack:
		return l.connack(c, body)
	case mqtt.TypeSuback:
		return l.suback(c, body)
	case mqtt.TypePingresp:
		return nil
	case mqtt.TypeDisconnect:
		var p mqtt.Disconnect
		if err := p.Decode(body, v); err != nil {
			return fmt.Errorf("DISCONNECT: %w", err)
		}
		return fmt.Errorf("the broker sent DISCONNECT: %s", p.Code)
	}
	return fmt.Errorf("the broker sent an unexpected %s", h.Type)
}

// arrived checks a message and owes its acknowledgement.
func (l *loop) arrived(c *conn, p *mqtt.Publish) {
	if p.QoS > 0 {
		answer := mqtt.TypePuback
		if p.QoS == 2 {
			answer = mqtt.TypePubrec
		}
		l.answer(answer, p.PacketID)
	}
	s, ok := readStamp(p.Payload)
	if !ok {
		l.tally.corrupted++
		return
	}
	if s.run != l.run.id || c.have == nil {
		l.tally.unexpected++
		return
	}
	verdict, known := c.have.accept(s)
	if !known {
		l.tally.unexpected++
		return
	}
	l.tally.delivered++
	l.moved = l.now
	switch verdict {
	case duplicated:
		l.tally.duplicated++
		return
	case reordered:
		l.tally.reordered++
	}
	l.latency.record(l.now - s.due)
	if !l.run.windowed {
		return
	}
	from := l.run.publishers[s.flow]
	from.received.Add(1)
	if from.loop == l {
		l.ready(from.conn)
	} else {
		l.owes[from.loop.number] = true
	}
}

// answer gathers an acknowledgement that says nothing but yes: the same four bytes in all versions.
func (l *loop) answer(t mqtt.Type, id uint16) {
	first := byte(t) << 4
	if t == mqtt.TypePubrel {
		first |= 2 // [MQTT-3.6.1-1]
	}
	l.acks = binary.BigEndian.AppendUint16(append(l.acks, first, 2), id)
}

func (l *loop) acknowledged(c *conn, a *mqtt.Ack) {
	if c.pub != nil && (a.Type == mqtt.TypePuback || a.Type == mqtt.TypePubrec) { // the broker says that it has the message
		if due, ok := c.pub.answered(a.PacketID); ok {
			l.answers.record(l.now - due)
		}
	}
	switch a.Type {
	case mqtt.TypePubrec:
		if !a.Code.Failed() {
			l.answer(mqtt.TypePubrel, a.PacketID)
			return
		}
	case mqtt.TypePubrel:
		l.answer(mqtt.TypePubcomp, a.PacketID)
		return
	}
	if c.pub == nil {
		return
	}
	c.pub.inflight--
	l.tally.acked++
	l.moved = l.now
	if a.Code.Failed() {
		l.tally.refused++
		l.run.complain("a message was refused", errors.New(a.Code.String()))
	}
	l.ready(c)
}

// connack handles the answer to CONNECT, and what an MQTT 5 broker announces with it.
func (l *loop) connack(c *conn, body []byte) error {
	var p mqtt.Connack
	if err := p.Decode(body, l.run.cfg.Version); err != nil {
		return fmt.Errorf("CONNACK: %w", err)
	}
	if p.Code.Failed() {
		return fmt.Errorf("the broker refused the connection: %s", p.Code)
	}
	if q, ok := p.Props.Uint(mqtt.PropMaximumQoS); ok && int(q) < l.run.cfg.QoS {
		return fmt.Errorf("the broker allows QoS %d at most", q)
	}
	if most, ok := p.Props.Uint(mqtt.PropReceiveMaximum); ok && c.pub != nil {
		c.pub.quota = min(c.pub.quota, int(most)) // [MQTT-3.3.4-9]
	}
	if seconds, ok := p.Props.Uint(mqtt.PropServerKeepAlive); ok && seconds > 0 { // [MQTT-3.2.2-21]
		if half := int64(seconds) * int64(time.Second) / 2; l.pingAfter == 0 || half < l.pingAfter {
			l.pingAfter = half
		}
	}
	c.online, c.present = true, p.SessionPresent
	l.tally.connected++
	l.moved = l.now
	l.ready(c)
	return nil
}

func (l *loop) suback(c *conn, body []byte) error {
	var p mqtt.Suback
	if err := p.Decode(body, l.run.cfg.Version); err != nil {
		return fmt.Errorf("SUBACK: %w", err)
	}
	for _, code := range p.Codes {
		if code.Failed() {
			return fmt.Errorf("the broker refused a subscription: %s", code)
		}
		if int(code) < l.run.cfg.QoS && c.kind != kindIdle {
			return fmt.Errorf("the broker granted QoS %d only", code)
		}
	}
	c.subs++
	l.tally.subscribed++
	l.moved = l.now
	return nil
}
