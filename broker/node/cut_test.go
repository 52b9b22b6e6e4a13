package node_test

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"vernemq/broker/config"
	"vernemq/broker/mqtt"
)

// TestCutAnywhere: the connection of a QoS 2 exchange is cut after each byte that went either way, CONNECT and CONNACK included; the client comes
// back and goes on as the protocol says. The broker is the receiver in one half of it and the sender in the other. Each message arrives once.
func TestCutAnywhere(t *testing.T) {
	for name, set := range map[string]func(*testing.T, *config.Options){
		"in memory": func(*testing.T, *config.Options) {},
		"on disk": func(t *testing.T, o *config.Options) {
			o.StoreDir, o.StoreDurability = filepath.Join(t.TempDir(), "store"), "ack"
		},
	} {
		for _, v := range versions {
			t.Run(fmt.Sprintf("%s/%s", name, v), func(t *testing.T) {
				o := options(2)
				set(t, o)
				_, addr := start(t, o)
				t.Run("publisher", func(t *testing.T) { cutPublisher(t, addr, v) })
				t.Run("subscriber", func(t *testing.T) { cutSubscriber(t, addr, v) })
			})
		}
	}
}

// cut is a connection that ends after so many bytes each way; -1: never.
type cut struct {
	net.Conn
	in, out int
}

var errCut = errors.New("cut here")

func (c *cut) Read(b []byte) (int, error) {
	if c.in < 0 {
		return c.Conn.Read(b)
	}
	if c.in == 0 {
		_ = c.Close()
		return 0, errCut
	}
	n, err := c.Conn.Read(b[:min(len(b), c.in)])
	c.in -= n
	return n, err
}

func (c *cut) Write(b []byte) (int, error) {
	if c.out < 0 || len(b) <= c.out {
		c.out = max(c.out-len(b), min(c.out, -1))
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:c.out])
	c.out = 0
	_ = c.Close()
	return n, errCut
}

// eachCut calls f for a connection that is cut after 0, 1, 2 … bytes one way and then the other, as long as it is cut at all.
func eachCut(f func(in, out int) (whole bool)) (cuts int) {
	for n := 0; !f(-1, n); n++ {
		cuts++
	}
	for n := 0; !f(n, -1); n++ {
		cuts++
	}
	return cuts
}

// resume opens a connection of a session that lasts. present tells whether there was one.
func resume(t *testing.T, addr, id string, v mqtt.Version, in, out int) (p *peer, present bool, err error) {
	p = dial(t, addr)
	p.v, p.Conn = v, &cut{p.Conn, in, out}
	c := mqtt.Connect{Version: v, ClientID: []byte(id)}
	if v.Is5() {
		c.Props.AddUint(mqtt.PropSessionExpiry, 1000)
	}
	if _, err := p.Write(c.Append(nil)); err != nil {
		return p, false, err
	}
	hd, body, err := p.packet()
	if err == nil && (hd.Type != mqtt.TypeConnack || body[1] != 0) {
		t.Fatalf("%s: %s % x, want a CONNACK that accepts", id, hd.Type, body)
	}
	return p, err == nil && body[0] == 1, err
}

// errTaken says that another connection has taken the session over.
var errTaken = errors.New("the session was taken over")

// packet reads one packet. The word that the session was taken over is an end like any other.
func (p *peer) packet() (hd mqtt.Header, body []byte, err error) {
	f, err := p.frame()
	if err != nil {
		return hd, nil, err
	}
	hd, _, _ = mqtt.ReadHeader(f, 0, p.v)
	if body = f[hd.Size:]; hd.Type == mqtt.TypeDisconnect && len(body) > 0 && body[0] == byte(mqtt.CodeSessionTakenOver) {
		return hd, nil, errTaken
	}
	return hd, body, nil
}

// answer reads one acknowledgement.
func (p *peer) answer(typ mqtt.Type, id uint16) error {
	hd, body, err := p.packet()
	if err != nil {
		return err
	}
	var a mqtt.Ack
	if err := a.Decode(hd.Type, body, p.v); err != nil || hd.Type != typ || a.PacketID != id || a.Code.Failed() && a.Code != mqtt.CodePacketIdentifierNotFound {
		p.t.Fatalf("received %s %+v (%v), want %s of %d", hd.Type, a, err, typ, id)
	}
	return nil
}

func (p *peer) ack(typ mqtt.Type, id uint16) error {
	_, err := p.Write((&mqtt.Ack{Type: typ, PacketID: id}).Append(nil, p.v))
	return err
}

// uncut talks until nothing comes between: the CONNECT of the connection that was cut may be read by another event loop, and then be the later one
// of the two, which takes the session over.
func uncut(talk func(in, out int) error) (err error) {
	for range 5 {
		if err = talk(-1, -1); err == nil {
			break
		}
	}
	return err
}

func cutPublisher(t *testing.T, addr string, v mqtt.Version) {
	watcher := connect(t, addr, "watcher", v)
	watcher.subscribe("in", 0)
	known := false // the broker has told that the session is there
	cuts := eachCut(func(in, out int) bool {
		payload := fmt.Sprintf("in %d out %d", in, out)
		m := mqtt.Publish{Topic: []byte("in"), Payload: []byte(payload), QoS: 2, PacketID: 7}
		received := false
		talk := func(in, out int) error {
			p, present, err := resume(t, addr, "publisher", v, in, out)
			defer func() { _ = p.Close() }()
			if err != nil {
				return err
			}
			if known && !present && v != mqtt.V31 {
				t.Fatalf("%s: the session is gone", payload)
			}
			known = true
			if !received {
				_, err := p.Write(m.Append(nil, v))
				if m.Dup = true; err != nil {
					return err
				}
				if err := p.answer(mqtt.TypePubrec, 7); err != nil {
					return err
				}
				received = true
			}
			if err := p.ack(mqtt.TypePubrel, 7); err != nil {
				return err
			}
			return p.answer(mqtt.TypePubcomp, 7)
		}
		whole := talk(in, out) == nil
		if !whole {
			if err := uncut(talk); err != nil {
				t.Fatalf("%s: %v", payload, err)
			}
		}
		watcher.wantMessage(payload) // that of the round before did not come twice
		return whole
	})
	watcher.ping()
	if cuts < 40 {
		t.Errorf("%d places to cut, there are more bytes than that", cuts)
	}
}

func cutSubscriber(t *testing.T, addr string, v mqtt.Version) {
	s, _, err := resume(t, addr, "subscriber", v, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	s.subscribe("out", 2)
	_ = s.Close()
	p := connect(t, addr, "steady", mqtt.V311)
	open := map[uint16]bool{} // received, PUBREL has not come
	var got []string
	cuts := eachCut(func(in, out int) bool {
		payload := fmt.Sprintf("in %d out %d", in, out)
		p.publish("out", []byte(payload), 2, 1)
		p.want(mqtt.TypePubrec)
		p.send((&mqtt.Ack{Type: mqtt.TypePubrel, PacketID: 1}).Append(nil, p.v))
		p.want(mqtt.TypePubcomp)
		got = got[:0]
		talk := func(in, out int) error {
			s, present, err := resume(t, addr, "subscriber", v, in, out)
			defer func() { _ = s.Close() }()
			if err != nil {
				return err
			}
			if !present && v != mqtt.V31 {
				t.Fatalf("%s: the session is gone", payload)
			}
			for ping := false; ; {
				if len(got) > 0 && len(open) == 0 && !ping {
					ping = true
					if _, err := s.Write(mqtt.AppendPingreq(nil)); err != nil {
						return err
					}
				}
				hd, body, err := s.packet()
				if err != nil {
					return err
				}
				var m mqtt.Publish
				var a mqtt.Ack
				switch hd.Type {
				case mqtt.TypePublish:
					if err := m.Decode(hd.Flags, body, v); err != nil {
						t.Fatal(err)
					}
					if !open[m.PacketID] {
						open[m.PacketID], got = true, append(got, string(m.Payload))
					} else if !m.Dup {
						t.Errorf("%s: %d comes again without DUP", payload, m.PacketID)
					}
					err = s.ack(mqtt.TypePubrec, m.PacketID)
				case mqtt.TypePubrel:
					if err := a.Decode(hd.Type, body, v); err != nil {
						t.Fatal(err)
					}
					delete(open, a.PacketID)
					err = s.ack(mqtt.TypePubcomp, a.PacketID)
				case mqtt.TypePingresp:
					return nil
				default:
					t.Fatalf("%s: received %s", payload, hd.Type)
				}
				if err != nil {
					return err
				}
			}
		}
		whole := talk(in, out) == nil
		for more := !whole; more; more = len(got) == 0 || len(open) > 0 {
			if err := uncut(talk); err != nil {
				t.Fatalf("%s: %v", payload, err)
			}
		}
		if len(got) != 1 || got[0] != payload {
			t.Fatalf("received %q, want %q once", got, payload)
		}
		return whole
	})
	if cuts < 40 {
		t.Errorf("%d places to cut, there are more bytes than that", cuts)
	}
}
