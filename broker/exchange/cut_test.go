package exchange_test

import (
	"fmt"
	"testing"

	"vernemq/broker/mqtt"
)

// TestCutTwice: a QoS 2 exchange whose connection is cut after any byte, and then the next one after any byte again, comes to its end on a third: the
// message arrives once. The client's end may go unnoticed until it comes back, and what is stored may become durable only after that.
func TestCutTwice(t *testing.T) {
	for _, mode := range []struct {
		name       string
		held, lost bool // commits come when the client waits for them; the broker notices the end of a connection
	}{{"noticed", false, true}, {"noticed before the commit", true, true}, {"taken over", false, false}, {"taken over before the commit", true, false}} {
		for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
			for _, shards := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s/%s/%d", mode.name, v, shards), func(t *testing.T) {
					x := &cutting{world: newWorld(t, shards, defaults()), t: t, v: v, lost: mode.lost, open: map[uint16]bool{}}
					watch := x.dialog("watch", "in")
					x.dialog("out", "out").lose()
					steady := x.dialog("steady", "")
					if mode.held {
						x.mem.Hold()
					}
					for i := range 2 * cutPlaces {
						for j := range 2 * cutPlaces {
							payload := fmt.Sprintf("cut at %d and %d", i, j)
							x.publishTo(payload, i, j)
							x.settle()
							x.wantOnce(payload, x.payloads(watch))

							steady.send((&mqtt.Publish{Topic: []byte("out"), Payload: []byte(payload), QoS: 2, PacketID: uint16(1 + i*2*cutPlaces + j)}).Append(nil, v))
							x.settle()
							x.receiveFrom(payload, i, j)
							if t.Failed() {
								return
							}
						}
					}
				})
			}
		}
	}
}

const cutPlaces = 26 // more than bytes go one way, CONNACK included

// cutting is a world whose clients are cut off.
type cutting struct {
	*world
	t    *testing.T
	v    mqtt.Version
	lost bool
	got  []string        // received by the client that is cut off
	open map[uint16]bool // received by it, PUBREL has not come
}

// wire is a connection that is cut after so many bytes from (in) or to the broker (out); -1: never.
type wire struct {
	x       *cutting
	c       *client
	in, out int
	buf     []byte
}

// dialog opens a connection that is not cut, of a session that lasts, and subscribes.
func (x *cutting) dialog(id, filter string) *client {
	w := x.dial(id, 2*cutPlaces)
	if filter != "" {
		sub := mqtt.Subscribe{PacketID: 1}
		sub.Add([]byte(filter), 2)
		w.c.send(sub.Append(nil, x.v))
	}
	w.c.frames()
	return w.c
}

// dial opens a connection that is cut at a place: those below cutPlaces are in what the client sends, others in what it receives.
func (x *cutting) dial(id string, place int) *wire {
	q := &mqtt.Connect{Version: x.v, ClientID: []byte(id)}
	if x.v.Is5() {
		q.Props.AddUint(mqtt.PropSessionExpiry, 1000)
	}
	c, err := x.connect(id, q)
	if err != nil {
		x.t.Fatal(err)
	}
	w := &wire{x: x, c: c, in: -1, out: -1}
	switch {
	case place < cutPlaces:
		w.out = place
	case place < 2*cutPlaces:
		w.in = place - cutPlaces
	}
	return w
}

func (w *wire) end() bool {
	w.c.got = nil
	if w.x.lost {
		w.c.lose()
	}
	return false
}

func (w *wire) send(b []byte) bool {
	if w.out >= 0 && len(b) > w.out {
		w.c.send(b[:w.out])
		return w.end()
	}
	w.out = max(w.out-len(b), min(w.out, -1))
	w.c.send(b)
	return true
}

func (w *wire) ack(typ mqtt.Type, id uint16) bool {
	return w.send((&mqtt.Ack{Type: typ, PacketID: id}).Append(nil, w.x.v))
}

// packet takes one packet; false: the connection is cut, or nothing comes any more.
func (w *wire) packet() (hd mqtt.Header, body []byte, ok bool) {
	for {
		b := w.c.got
		w.c.got = nil
		whole := w.in < 0 || len(b) < w.in
		if !whole {
			b = b[:w.in]
		}
		w.in = max(w.in-len(b), min(w.in, -1))
		w.buf = append(w.buf, b...)
		hd, ok, err := mqtt.ReadHeader(w.buf, 0, w.x.v)
		if err != nil {
			w.x.t.Fatal(err)
		}
		if n := hd.Size + hd.Body; ok && len(w.buf) >= n {
			body, w.buf = w.buf[hd.Size:n], w.buf[n:]
			return hd, body, true
		}
		if !whole {
			return hd, nil, w.end()
		}
		if w.x.mem.Held() == 0 {
			return hd, nil, false
		}
		w.x.mem.Release(0)
		w.x.run()
	}
}

func (w *wire) want(typ mqtt.Type) bool {
	hd, body, ok := w.packet()
	if ok && hd.Type != typ {
		w.x.t.Fatalf("received %s % x, want %s", hd.Type, body, typ)
	}
	return ok
}

// settle commits everything.
func (x *cutting) settle() {
	for x.mem.Held() > 0 {
		x.mem.Release(0)
		x.run()
	}
}

// payloads acknowledges all that a client has received, and tells what that was.
func (x *cutting) payloads(c *client) (out []string) {
	for again := true; again; {
		x.settle()
		again = false
		for _, f := range c.frames() {
			hd, _, _ := mqtt.ReadHeader(f, 0, x.v)
			again = true
			switch hd.Type {
			case mqtt.TypePublish:
				var m mqtt.Publish
				if err := m.Decode(hd.Flags, f[hd.Size:], x.v); err != nil {
					x.t.Fatal(err)
				}
				out = append(out, string(m.Payload))
				c.send((&mqtt.Ack{Type: mqtt.TypePubrec, PacketID: m.PacketID}).Append(nil, x.v))
			case mqtt.TypePubrel:
				c.send((&mqtt.Ack{Type: mqtt.TypePubcomp, PacketID: uint16(f[2])<<8 | uint16(f[3])}).Append(nil, x.v))
			}
		}
	}
	return out
}

func (x *cutting) wantOnce(payload string, got []string) {
	if len(got) != 1 || got[0] != payload {
		x.t.Errorf("received %q, want %q once", got, payload)
	}
}

// publishTo publishes over connections that are cut at the places, and then over one that is not.
func (x *cutting) publishTo(payload string, places ...int) {
	m := mqtt.Publish{Topic: []byte("in"), Payload: []byte(payload), QoS: 2, PacketID: 9}
	received := false
	talk := func(place int) bool {
		w := x.dial("publisher", place)
		if !w.want(mqtt.TypeConnack) {
			return false
		}
		if !received {
			frame := m.Append(nil, x.v)
			m.Dup = true
			if !w.send(frame) || !w.want(mqtt.TypePubrec) {
				return false
			}
			received = true
		}
		return w.ack(mqtt.TypePubrel, 9) && w.want(mqtt.TypePubcomp)
	}
	for _, place := range append(places, 2*cutPlaces) {
		if talk(place) {
			return
		}
	}
	x.t.Fatalf("%s: the last connection did not bring the exchange to its end", payload)
}

// receiveFrom receives a message over connections that are cut at the places, and then over one that is not.
func (x *cutting) receiveFrom(payload string, places ...int) {
	x.got = x.got[:0]
	for _, place := range append(places, 2*cutPlaces) {
		w := x.dial("out", place)
		for w.step(payload) {
		}
	}
	x.wantOnce(payload, x.got)
	if len(x.open) > 0 {
		x.t.Errorf("%s: exchange not brought to its end", payload)
	}
	if s := x.conns[len(x.conns)-1].s; s == nil || s.Inflight() > 0 || s.Waiting() > 0 {
		x.t.Errorf("%s: the broker has more to do", payload)
	}
}

// step answers one packet.
func (w *wire) step(payload string) bool {
	hd, body, ok := w.packet()
	if !ok {
		return false
	}
	switch hd.Type {
	case mqtt.TypePublish:
		var m mqtt.Publish
		if err := m.Decode(hd.Flags, body, w.x.v); err != nil {
			w.x.t.Fatal(err)
		}
		if !w.x.open[m.PacketID] {
			w.x.open[m.PacketID] = true
			w.x.got = append(w.x.got, string(m.Payload))
		} else if !m.Dup {
			w.x.t.Errorf("%s: %d comes again without DUP", payload, m.PacketID)
		}
		return w.ack(mqtt.TypePubrec, m.PacketID)
	case mqtt.TypePubrel:
		id := uint16(body[0])<<8 | uint16(body[1])
		delete(w.x.open, id)
		return w.ack(mqtt.TypePubcomp, id)
	}
	return hd.Type == mqtt.TypeConnack
}
