package node_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"testing"
	"time"

	"vernemq/broker/mqtt"
)

var versions = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}

// TestFragmented: packets may come byte by byte.
func TestFragmented(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		_, addr := start(t, options(shards))
		for _, v := range versions {
			p := dial(t, addr)
			p.v = v
			c := mqtt.Connect{Version: v, ClientID: []byte("drip"), CleanStart: true}
			sub := mqtt.Subscribe{PacketID: 7}
			sub.Add([]byte("drip/#"), 1)
			b := sub.Append(c.Append(nil), v)
			b = (&mqtt.Publish{Topic: []byte("drip/x"), Payload: bytes.Repeat([]byte("y"), 300), QoS: 1, PacketID: 8}).Append(b, v)
			for i := range b {
				p.send(b[i : i+1])
			}
			p.want(mqtt.TypeConnack)
			p.want(mqtt.TypeSuback)
			seen := map[mqtt.Type]bool{}
			for range 2 { // in either order
				typ, _ := p.next()
				seen[typ] = true
			}
			if !seen[mqtt.TypePublish] || !seen[mqtt.TypePuback] {
				t.Errorf("v%d: received %v, want PUBLISH and PUBACK", v, seen)
			}
			_ = p.Close()
		}
	})
}

// TestOneWrite: a CONNECT with everything that follows it in one write, many packets long.
func TestOneWrite(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		o := options(shards)
		o.MaxOnlineMessages = -1
		_, addr := start(t, o)
		for _, v := range versions {
			const n = 5000
			p := dial(t, addr)
			p.v = v
			topic := fmt.Appendf(nil, "own %d", v) // what one client published may still be on its way to other shards when the next one subscribes
			sub := mqtt.Subscribe{PacketID: 7}
			sub.Add(topic, 0)
			b := sub.Append((&mqtt.Connect{Version: v, ClientID: []byte(fmt.Sprintf("all at once %d", v)), CleanStart: true}).Append(nil), v)
			for i := range n {
				b = (&mqtt.Publish{Topic: topic, Payload: binary.BigEndian.AppendUint32(nil, uint32(i))}).Append(b, v)
			}
			b = mqtt.AppendPingreq(b)
			go func() { _, _ = p.Write(b) }()
			p.want(mqtt.TypeConnack)
			p.want(mqtt.TypeSuback)
			for i := 0; i < n; {
				typ, body := p.next()
				if typ == mqtt.TypePingresp {
					continue
				}
				if got := binary.BigEndian.Uint32(body[len(body)-4:]); got != uint32(i) {
					t.Fatalf("v%d: message %d is %d", v, i, got)
				}
				i++
			}
		}
	})
}

// TestLarge: five mebibytes both ways, at every QoS.
func TestLarge(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		_, addr := start(t, options(shards))
		payload := make([]byte, 5<<20)
		for i := range payload {
			payload[i] = byte(i * 7 / 3)
		}
		for _, v := range versions {
			s, p := connect(t, addr, "large-s", v), connect(t, addr, "large-p", v)
			s.subscribe("large", 1)
			for qos := range byte(2) {
				p.publish("large", payload, qos, 5)
				if _, got := s.message(); !bytes.Equal(got, payload) {
					t.Fatalf("v%d QoS %d: %d bytes received, or other ones", v, qos, len(got))
				}
			}
			p.want(mqtt.TypePuback)
		}
	})
}

// TestBadStart: what a connection may not begin with.
func TestBadStart(t *testing.T) {
	_, addr := start(t, options(2))
	connack := func(code byte) []byte { return []byte{0x20, 2, 0, code} }
	for _, c := range []struct {
		name string
		in   []byte
		want []byte // before the connection is closed
	}{
		{"PINGREQ", mqtt.AppendPingreq(nil), nil},
		{"PUBLISH", (&mqtt.Publish{Topic: []byte("x")}).Append(nil, mqtt.V311), nil},
		{"HTTP", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), nil},
		{"TLS", []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3}, nil},
		{"zeros", make([]byte, 100), nil},
		{"length without end", []byte{0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, nil},
		{"a CONNECT of 200 MB", []byte{0x10, 0x80, 0x80, 0x80, 0x60}, nil},
		{"other protocol", []byte("\x10\x0c\x00\x04HTTP\x04\x02\x00\x00\x00\x00"), connack(1)},
		{"level 9", []byte("\x10\x0c\x00\x04MQTT\x09\x02\x00\x00\x00\x00"), connack(1)},
		{"reserved flag", []byte("\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00"), nil},
		{"no client identifier, 3.1.1, not clean", []byte("\x10\x0c\x00\x04MQTT\x04\x00\x00\x00\x00\x00"), connack(2)},
		{"malformed, 5", []byte("\x10\x0d\x00\x04MQTT\x05\x03\x00\x00\x00\x00\x00"), []byte{0x20, 3, 0, 0x81, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := dial(t, addr)
			p.send(c.in)
			_ = p.SetReadDeadline(time.Now().Add(patience))
			var got []byte
			b := make([]byte, 100)
			for {
				n, err := p.Read(b)
				got = append(got, b[:n]...)
				if err != nil {
					if ne, ok := err.(net.Error); ok && ne.Timeout() {
						t.Fatal("the connection was not closed")
					}
					break
				}
			}
			if !bytes.Equal(got, c.want) {
				t.Errorf("received % x, want % x", got, c.want)
			}
		})
	}
	connect(t, addr, "still there", mqtt.V5).ping()
}

// TestBrokenLater: what ends a connection after CONNECT, and what an MQTT 5 client is told.
func TestBrokenLater(t *testing.T) {
	_, addr := start(t, options(2))
	for name, c := range map[string]struct {
		in   []byte
		code mqtt.Code
	}{
		"second CONNECT":      {(&mqtt.Connect{Version: mqtt.V5, ClientID: []byte("x")}).Append(nil), mqtt.CodeProtocolError},
		"garbage":             {[]byte{0xFF, 0xFF, 0xFF}, mqtt.CodeMalformedPacket},
		"type 0":              {[]byte{0, 0}, mqtt.CodeMalformedPacket},
		"CONNACK":             {[]byte{0x20, 2, 0, 0}, mqtt.CodeProtocolError},
		"QoS 3":               {[]byte{0x36, 5, 0, 1, 'x', 0, 1}, mqtt.CodeMalformedPacket},
		"wildcard in a topic": {(&mqtt.Publish{Topic: []byte("x/#")}).Append(nil, mqtt.V5), mqtt.CodeTopicNameInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range versions {
				p := connect(t, addr, "broken", v)
				p.send(c.in)
				code := p.wantClosed()
				if v.Is5() && code != c.code {
					t.Errorf("DISCONNECT with 0x%02X, want 0x%02X", byte(code), byte(c.code))
				}
			}
		})
	}
}

// TestTooLarge: a packet above max_message_size is refused when its length is known.
func TestTooLarge(t *testing.T) {
	o := options(1)
	o.MaxMessageSize = 1000
	_, addr := start(t, o)
	p := connect(t, addr, "large", mqtt.V5)
	p.publish("x", make([]byte, 900), 1, 1)
	p.want(mqtt.TypePuback)
	p.send([]byte{0x30, 0xE9, 7}) // 1001 bytes are to come
	if code := p.wantClosed(); code != mqtt.CodePacketTooLarge {
		t.Errorf("DISCONNECT with 0x%02X, want 0x95", byte(code))
	}
}

// TestHalfOpen: a client that has finished sending is gone, and what it sent before counts.
func TestHalfOpen(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		_, addr := start(t, options(shards))
		s := connect(t, addr, "watcher", mqtt.V311)
		s.subscribe("half/#", 0)
		p := connect(t, addr, "half", mqtt.V311, func(c *mqtt.Connect) {
			c.HasWill, c.Will.Topic, c.Will.Payload = true, []byte("half/will"), []byte("gone")
		})
		for i := range 100 {
			p.publish("half/x", []byte(fmt.Sprint(i)), 0, 0)
		}
		if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			s.wantMessage(fmt.Sprint(i))
		}
		s.wantMessage("gone")
		p.wantClosed()
	})
}

// TestReset: a connection that is reset publishes its will too.
func TestReset(t *testing.T) {
	_, addr := start(t, options(2))
	s := connect(t, addr, "watcher", mqtt.V311)
	s.subscribe("reset", 0)
	p := connect(t, addr, "reset", mqtt.V311, func(c *mqtt.Connect) {
		c.HasWill, c.Will.Topic, c.Will.Payload = true, []byte("reset"), []byte("gone")
	})
	_ = p.Conn.(*net.TCPConn).SetLinger(0)
	_ = p.Close()
	s.wantMessage("gone")
}

// TestConnectTimeout: who does not say CONNECT in time is closed, also in the middle of one; who did, is not.
func TestConnectTimeout(t *testing.T) {
	t.Parallel() // it waits more than it works
	o := options(2)
	o.ConnectTimeout = 100 * time.Millisecond
	_, addr := start(t, o)
	living := connect(t, addr, "living", mqtt.V311)
	silent, half := dial(t, addr), dial(t, addr)
	half.send([]byte{0x10, 20, 0, 4, 'M'})
	silent.wantClosed()
	half.wantClosed()
	living.ping()
}

// TestKeepAlive: silence for one and a half times the keep alive ends a connection; any packet counts.
func TestKeepAlive(t *testing.T) {
	t.Parallel() // it waits more than it works
	_, addr := start(t, options(2))
	w := connect(t, addr, "watcher", mqtt.V311)
	w.subscribe("silent/#", 0)
	for _, v := range versions {
		p := connect(t, addr, "silent", v, func(c *mqtt.Connect) {
			c.KeepAlive = 1
			c.HasWill, c.Will.Topic, c.Will.Payload = true, []byte("silent/x"), []byte("gone")
		})
		began := time.Now()
		code := p.wantClosed()
		if v.Is5() && code != mqtt.CodeKeepAliveTimeout {
			t.Errorf("DISCONNECT with 0x%02X, want 0x8D", byte(code))
		}
		if d := time.Since(began); d < 1400*time.Millisecond { // never early, whatever the machine does
			t.Errorf("v%d: closed after %v", v, d)
		}
		w.wantMessage("gone")
	}
}
