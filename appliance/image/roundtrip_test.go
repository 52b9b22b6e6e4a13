package image

import (
	"bufio"
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// answering listens on a unix socket and answers each packet of one client as f says; nil ends the connection.
func answering(t *testing.T, f func(kind byte, body []byte) []byte) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for {
			kind, body, err := answer(r)
			if err != nil {
				return
			}
			out := f(kind, body)
			if out == nil {
				return
			}
			if _, err := c.Write(out); err != nil {
				return
			}
		}
	}()
	return socket
}

// broker answers as one does; change may replace an answer.
func broker(change func(kind byte, out []byte) []byte) func(byte, []byte) []byte {
	return func(kind byte, body []byte) []byte {
		var out []byte
		switch kind {
		case connectPacket:
			out = []byte{connackPacket, 2, 0, 0}
		case subscribePacket:
			out = []byte{subackPacket, 3, 0, 1, 0}
		case publishQoS1:
			topic := 2 + int(body[0])<<8 + int(body[1])
			payload := body[topic+2:] // behind the packet id
			out = append([]byte{publishQoS1 &^ 2, byte(topic + len(payload))}, body[:topic]...)
			out = append(out, payload...)
			out = append(out, pubackPacket, 2, 0, 2)
		default:
			return nil
		}
		return change(kind, out)
	}
}

func TestRoundTrip(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	same := func(_ byte, out []byte) []byte { return out }
	if err := RoundTrip(ctx, answering(t, broker(same))); err != nil {
		t.Errorf("a good broker: %v", err)
	}
	for name, change := range map[string]func(byte, []byte) []byte{
		"refused": func(kind byte, out []byte) []byte {
			if kind == connectPacket {
				return []byte{connackPacket, 2, 0, 5}
			}
			return out
		},
		"no subscription": func(kind byte, out []byte) []byte {
			if kind == subscribePacket {
				return []byte{subackPacket, 3, 0, 1, 0x80}
			}
			return out
		},
		"another payload": func(kind byte, out []byte) []byte {
			if kind == publishQoS1 {
				out[len(out)-5] ^= 1
			}
			return out
		},
		"a long answer": func(byte, []byte) []byte { return []byte{connackPacket, 0xff, 0xff, 0xff, 0x7f} },
		"nothing":       func(byte, []byte) []byte { return nil },
	} {
		if err := RoundTrip(ctx, answering(t, broker(change))); err == nil {
			t.Errorf("%s: it is called well", name)
		}
	}
	if err := RoundTrip(ctx, filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no broker is called well")
	}
	silent, stop := context.WithCancel(ctx)
	socket := answering(t, func(byte, []byte) []byte { stop(); return []byte{} })
	if err := RoundTrip(silent, socket); err == nil {
		t.Error("a broker that says nothing is called well")
	}
}
