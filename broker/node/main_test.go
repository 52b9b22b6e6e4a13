package node_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vernemq/broker/config"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashChild(dir)
	}
	if os.Getenv(floodChildEnv) != "" {
		floodChild()
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must happen; it is no measure of anything.
const patience = 20 * time.Second

func options(shards int) *config.Options {
	return &config.Options{NodeName: "test@127.0.0.1", Shards: shards, AllowAnonymous: true, MaxClientIDSize: 100, ConnectTimeout: 5 * time.Second,
		TopicMaxDepth: 10, RetryInterval: 20 * time.Second, MaxInflight: 20, MaxLastWillDelay: -1, ReceiveMaxClient: 65535, ReceiveMaxBroker: 65535,
		MaxOnlineMessages: 1000, MaxOfflineMessages: 1000, QueueType: "fifo", SharedPolicy: "prefer_local",
		Listeners: []config.Listener{tcp("default", "127.0.0.1:0")}}
}

func tcp(name, addr string) config.Listener {
	return config.Listener{Protocol: "tcp", Name: name, Address: addr, MaxConnections: -1, ProtocolVersions: []int{3, 4, 5, 131, 132}}
}

// start runs a broker until the end of the test; addr is that of its first listener.
func start(t *testing.T, o *config.Options) (n *node.Node, addr string) {
	t.Helper()
	n, err := node.Start(t.Context(), node.Params{Options: o, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	return n, n.Listening()[0][2]
}

func stop(t *testing.T, n *node.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		waitABit()
	}
}

// waitABit gives the broker a moment between two looks at a condition.
func waitABit() {
	timer := time.NewTimer(2 * time.Millisecond)
	<-timer.C
}

// peer is a client that sends and receives packets as bytes.
type peer struct {
	t *testing.T
	net.Conn
	v   mqtt.Version
	buf []byte
}

func dial(t *testing.T, addr string) *peer {
	t.Helper()
	network, a := "tcp", addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, a = "unix", path
	}
	c, err := net.Dial(network, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &peer{t: t, Conn: c}
}

// connect opens a connection and completes the handshake.
func connect(t *testing.T, addr, id string, v mqtt.Version, change ...func(*mqtt.Connect)) *peer {
	t.Helper()
	p := dial(t, addr)
	c := mqtt.Connect{Version: v, ClientID: []byte(id), CleanStart: true}
	for _, f := range change {
		f(&c)
	}
	p.v = v
	p.send(c.Append(nil))
	if typ, body := p.next(); typ != mqtt.TypeConnack || body[1] != 0 {
		t.Fatalf("%s: %s % x, want a CONNACK that accepts", id, typ, body)
	}
	return p
}

func (p *peer) send(b []byte) {
	p.t.Helper()
	_ = p.SetWriteDeadline(time.Now().Add(patience))
	if _, err := p.Write(b); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// frame reads one packet.
func (p *peer) frame() ([]byte, error) {
	for {
		hd, ok, err := mqtt.ReadHeader(p.buf, 0, p.v)
		if err != nil {
			return nil, err
		}
		if n := hd.Size + hd.Body; ok && len(p.buf) >= n {
			f := p.buf[:n:n]
			p.buf = p.buf[n:]
			return f, nil
		}
		_ = p.SetReadDeadline(time.Now().Add(patience))
		b := make([]byte, 64<<10)
		n, err := p.Read(b)
		p.buf = append(p.buf, b[:n]...)
		if n == 0 && err != nil {
			return nil, err
		}
	}
}

func (p *peer) next() (mqtt.Type, []byte) {
	p.t.Helper()
	f, err := p.frame()
	if err != nil {
		p.t.Fatalf("read: %v", err)
	}
	hd, _, _ := mqtt.ReadHeader(f, 0, p.v)
	return hd.Type, f[hd.Size:]
}

// want reads one packet, which must be of a type.
func (p *peer) want(typ mqtt.Type) []byte {
	p.t.Helper()
	got, body := p.next()
	if got != typ {
		p.t.Fatalf("received %s % .40x, want %s", got, body, typ)
	}
	return body
}

// wantClosed reads until the connection ends and returns the reason code of a DISCONNECT on the way, 0 if there was none.
func (p *peer) wantClosed() (code mqtt.Code) {
	p.t.Helper()
	for {
		f, err := p.frame()
		if err != nil {
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				p.t.Fatal("the connection was not closed")
			}
			return code
		}
		if mqtt.Type(f[0]>>4) == mqtt.TypeDisconnect && len(f) > 2 {
			code = mqtt.Code(f[2])
		}
	}
}

func (p *peer) subscribe(filter string, qos byte) {
	p.t.Helper()
	s := mqtt.Subscribe{PacketID: 1}
	s.Add([]byte(filter), mqtt.SubOptions(qos))
	p.send(s.Append(nil, p.v))
	if body := p.want(mqtt.TypeSuback); body[len(body)-1] != qos {
		p.t.Fatalf("SUBACK % x", body)
	}
}

func (p *peer) publish(topic string, payload []byte, qos byte, id uint16) {
	p.t.Helper()
	p.send((&mqtt.Publish{Topic: []byte(topic), Payload: payload, QoS: qos, PacketID: id}).Append(nil, p.v))
}

// message reads a PUBLISH and acknowledges it at QoS 1.
func (p *peer) message() (topic string, payload []byte) {
	p.t.Helper()
	f, err := p.frame()
	if err != nil {
		p.t.Fatalf("read: %v", err)
	}
	hd, _, _ := mqtt.ReadHeader(f, 0, p.v)
	var m mqtt.Publish
	if hd.Type != mqtt.TypePublish {
		p.t.Fatalf("received %s, want PUBLISH", hd.Type)
	}
	if err := m.Decode(hd.Flags, f[hd.Size:], p.v); err != nil {
		p.t.Fatal(err)
	}
	if m.QoS == 1 {
		p.send(binary.BigEndian.AppendUint16([]byte{0x40, 2}, m.PacketID))
	}
	return string(m.Topic), m.Payload
}

// wantMessage reads a PUBLISH with a payload.
func (p *peer) wantMessage(payload string) {
	p.t.Helper()
	if _, got := p.message(); string(got) != payload {
		p.t.Fatalf("received %.60q, want %q", got, payload)
	}
}

// ping proves that everything sent so far was handled.
func (p *peer) ping() {
	p.t.Helper()
	p.send(mqtt.AppendPingreq(nil))
	p.want(mqtt.TypePingresp)
}

// eachShards runs a test with different numbers of shards.
func eachShards(t *testing.T, f func(t *testing.T, shards int)) {
	for _, n := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("shards=%d", n), func(t *testing.T) { f(t, n) })
	}
}
