package conformance_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/config"
	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

// patience is how long a test waits for what must happen; it is no measure of anything.
const patience = 20 * time.Second

// broker is the broker of one test. It starts with the first client, so that a test may change its options before.
type broker struct {
	*testing.T
	v         mqtt.Version
	o         *config.Options
	providers []hook.Provider

	n    *node.Node
	addr string
}

func newBroker(t *testing.T, v mqtt.Version) *broker {
	return &broker{T: t, v: v, o: &config.Options{NodeName: "test@127.0.0.1", Shards: 1, AllowAnonymous: true, MaxClientIDSize: 100,
		ConnectTimeout: 5 * time.Second, TopicMaxDepth: 10, RetryInterval: 20 * time.Second, MaxInflight: 20, MaxLastWillDelay: -1,
		ReceiveMaxClient: 65535, ReceiveMaxBroker: 65535, MaxOnlineMessages: 1000, MaxOfflineMessages: 1000, QueueType: "fifo",
		SharedPolicy: "prefer_local", Listeners: []config.Listener{{Protocol: "tcp", Name: "default", Address: "127.0.0.1:0",
			MaxConnections: -1, ProtocolVersions: []int{3, 4, 5, 131, 132}}}}}
}

func (b *broker) start() {
	if b.n != nil {
		return
	}
	n, err := node.Start(b.Context(), node.Params{Options: b.o, Version: "test", Providers: b.providers})
	if err != nil {
		b.Fatal(err)
	}
	b.n, b.addr = n, n.Listening()[0][2]
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Stop(ctx); err != nil {
			b.Errorf("Stop: %v", err)
		}
	})
}

// is5 reports whether the test runs for MQTT 5.
func (b *broker) is5() bool { return b.v.Is5() }

// by returns what MQTT 3.1.1 or MQTT 5 wants.
func (b *broker) by(v4, v5 string) string {
	if b.is5() {
		return v5
	}
	return v4
}

// client is a client that sends and receives packets as bytes.
type client struct {
	*testing.T
	conn    net.Conn
	v       mqtt.Version
	buf     []byte
	hello   string // the CONNACK
	reasons bool   // show reason strings
}

// dial opens a connection and sends nothing.
func (b *broker) dial() *client {
	b.Helper()
	b.start()
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return &client{T: b.T, conn: conn, v: b.v}
}

// mod changes a CONNECT.
type mod func(*mqtt.Connect)

// hello sends a CONNECT: a clean one of the test's version, unless mods say otherwise.
func (b *broker) hello(id string, mods ...mod) *client {
	b.Helper()
	c := b.dial()
	p := mqtt.Connect{Version: b.v, ClientID: []byte(id), CleanStart: true}
	for _, m := range mods {
		m(&p)
	}
	c.v = p.Version
	c.send(p.Append(nil))
	return c
}

// connect opens a connection that is accepted.
func (b *broker) connect(id string, mods ...mod) *client {
	b.Helper()
	c := b.hello(id, mods...)
	c.hello = c.next()
	if !strings.HasPrefix(c.hello, "CONNACK 0x00") {
		b.Fatalf("%s: received %s, want a CONNACK that accepts", id, c.hello)
	}
	return c
}

// keep asks for a session that outlives its connection, and resumes it if there is one.
func keep(p *mqtt.Connect) {
	p.CleanStart = false
	if p.Version.Is5() {
		p.Props.AddUint(mqtt.PropSessionExpiry, 100)
	}
}

func will(topic, payload string, qos byte, retain bool) mod {
	return func(p *mqtt.Connect) {
		p.HasWill = true
		p.Will.Topic, p.Will.Payload, p.Will.QoS, p.Will.Retain = []byte(topic), []byte(payload), qos, retain
	}
}

// number adds a property to the CONNECT.
func number(id mqtt.PropID, v uint32) mod { return func(p *mqtt.Connect) { p.Props.AddUint(id, v) } }

// text adds a property to the CONNECT.
func text(id mqtt.PropID, v string) mod {
	return func(p *mqtt.Connect) { p.Props.AddBytes(id, []byte(v)) }
}

func (c *client) send(frames ...[]byte) {
	c.Helper()
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
	var all []byte
	for _, f := range frames {
		all = append(all, f...)
	}
	if _, err := c.conn.Write(all); err != nil {
		c.Fatalf("write: %v", err)
	}
}

// hex sends bytes as they are written; blanks do not count, and a part between quotes is text.
func (c *client) hex(s string) { c.Helper(); c.send(unhex(c.T, s)) }

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(part, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

var errClosed = errors.New("the connection is closed")

// frame reads one packet: all its bytes.
func (c *client) frame() ([]byte, error) {
	c.Helper()
	for {
		hd, ok, err := mqtt.ReadHeader(c.buf, 0, c.v)
		if err != nil {
			c.Fatalf("the broker sent % .40x: %v", c.buf, err)
		}
		if n := hd.Size + hd.Body; ok && len(c.buf) >= n {
			f := c.buf[:n:n]
			c.buf = c.buf[n:]
			return f, nil
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(patience))
		b := make([]byte, 64<<10)
		n, err := c.conn.Read(b)
		c.buf = append(c.buf, b[:n]...)
		if n > 0 {
			continue
		}
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			c.Fatal("nothing comes, and the connection stays open")
		}
		if errors.Is(err, io.EOF) && len(c.buf) > 0 {
			c.Fatalf("the broker sent part of a packet: % x", c.buf)
		}
		return nil, errClosed
	}
}

// next reads one packet and shows it.
func (c *client) next() string {
	c.Helper()
	f, err := c.frame()
	if err != nil {
		return err.Error()
	}
	return show(c.T, f, c.v, c.reasons)
}

// want reads as many packets as there are lines and compares.
func (c *client) want(lines ...string) {
	c.Helper()
	var got []string
	for range lines {
		got = append(got, c.next())
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		c.Fatalf("received (-want +got):\n%s", diff)
	}
}

// quiet proves that everything sent so far was handled and nothing came in answer.
func (c *client) quiet() {
	c.Helper()
	c.send(mqtt.AppendPingreq(nil))
	c.want("PINGRESP")
}

// ends wants these packets and then the end of the connection.
func (c *client) ends(lines ...string) {
	c.Helper()
	c.want(append(lines, errClosed.Error())...)
}

// fails wants the end of the connection, and with MQTT 5 a DISCONNECT with one of the codes before.
func (c *client) fails(codes ...mqtt.Code) {
	c.Helper()
	if !c.v.Is5() {
		c.ends()
		return
	}
	got := c.next()
	for _, code := range codes {
		if got == disconnected(code) {
			c.ends()
			return
		}
	}
	c.Fatalf("received %s, want DISCONNECT with one of %x", got, codes)
}

// lose ends the connection without a word, and waits until the broker knows.
func (c *client) lose() {
	c.Helper()
	if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
		c.Fatal(err)
	}
	for {
		if _, err := c.frame(); err != nil {
			return
		}
	}
}

// bye says goodbye in order.
func (c *client) bye() {
	c.Helper()
	c.send((&mqtt.Disconnect{}).Append(nil, c.v))
	for {
		if _, err := c.frame(); err != nil {
			return
		}
	}
}
