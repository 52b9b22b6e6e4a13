package image

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Packets of MQTT 3.1.1, as many as a message's way there and back needs.
const (
	connectPacket   = 0x10
	connackPacket   = 0x20
	publishQoS1     = 0x32
	pubackPacket    = 0x40
	subscribePacket = 0x82
	subackPacket    = 0x90
	maxAnswer       = 4096
)

// RoundTrip sends a message of QoS 1 through the broker that listens on a unix socket, and waits until it has come out again and is acknowledged.
// It speaks the protocol by itself, so that a mistake in the broker's codec shows.
func RoundTrip(ctx context.Context, socket string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	} else if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()

	topic, payload := "image/health/"+rand.Text(), rand.Text()
	r := bufio.NewReader(c)
	expect := func(kind byte, want string) error {
		got, body, err := answer(r)
		if err != nil {
			return err
		}
		if got != kind || string(body) != want {
			return fmt.Errorf("the broker answers % x % .40x, not % x % .40x", got, body, kind, want)
		}
		return nil
	}
	if err := send(c, connectPacket, text("MQTT"), "\x04\x02\x00\x3c", text("image-health-"+rand.Text()[:8])); err != nil {
		return err
	}
	if err := expect(connackPacket, "\x00\x00"); err != nil {
		return err
	}
	if err := send(c, subscribePacket, "\x00\x01", text(topic), "\x00"); err != nil {
		return err
	}
	if err := expect(subackPacket, "\x00\x01\x00"); err != nil {
		return err
	}
	if err := send(c, publishQoS1, text(topic), "\x00\x02", payload); err != nil {
		return err
	}
	for acked, arrived := false, false; !acked || !arrived; { // in either order
		kind, body, err := answer(r)
		switch {
		case err != nil:
			return err
		case kind == pubackPacket && string(body) == "\x00\x02":
			acked = true
		case kind == publishQoS1&0xf0 && string(body) == text(topic)+payload:
			arrived = true
		default:
			return fmt.Errorf("the broker answers % x % .40x to a message", kind, body)
		}
	}
	_, err = c.Write([]byte{0xe0, 0}) // DISCONNECT
	return err
}

// text is a string as MQTT writes it.
func text(s string) string { return string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s }

// send writes a packet that is shorter than 128 bytes.
func send(w io.Writer, kind byte, parts ...string) error {
	body := strings.Join(parts, "")
	if len(body) > 127 {
		return errors.New("a packet too long for one byte of length")
	}
	_, err := w.Write(append([]byte{kind, byte(len(body))}, body...))
	return err
}

// answer reads one packet.
func answer(r *bufio.Reader) (kind byte, body []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	length, err := binary.ReadUvarint(r) // the same form as MQTT's
	if err != nil {
		return 0, nil, err
	}
	if length > maxAnswer {
		return 0, nil, fmt.Errorf("an answer of %d bytes", length)
	}
	body = make([]byte, length)
	_, err = io.ReadFull(r, body)
	return kind, body, err
}
