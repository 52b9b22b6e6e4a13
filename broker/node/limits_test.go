package node_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vernemq/broker/config"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
)

// TestLimit: each limit of the configuration, by its key: at the limit all is well; above it the client gets the answer its protocol has, and it is
// counted.
func TestLimit(t *testing.T) {
	long := strings.Repeat("c", 11)
	publish := func(p *peer, topic string, size int) {
		p.publish(topic, make([]byte, size), 1, 1)
	}
	for _, c := range []struct {
		key     string
		set     func(*config.Options)
		counter metric.ID // of MQTT 5; the one before it is of older versions
		connack [2]byte   // 3.x, 5: of the CONNECT that is above the limit; 0: it is let in
		connect func(*mqtt.Connect)
		fine    func(p *peer)
		above   func(p *peer)
		code    mqtt.Code // of the DISCONNECT; 0: the connection stays, above has looked at the answer
	}{
		{key: "topic_max_depth, publish", set: func(o *config.Options) { o.TopicMaxDepth = 3 }, counter: metric.MqttTopicDepthError + 1,
			fine: func(p *peer) { publish(p, "a/b/c", 0); p.want(mqtt.TypePuback) }, above: func(p *peer) { publish(p, "a/b/c/d", 0) }, code: mqtt.CodeTopicNameInvalid},
		{key: "topic_max_depth, subscribe", set: func(o *config.Options) { o.TopicMaxDepth = 3 }, counter: metric.MqttTopicDepthError + 1,
			fine: func(p *peer) { p.subscribe("a/+/c", 1) }, above: func(p *peer) { wantSuback(p, "a/b/c/#", mqtt.CodeTopicFilterInvalid) }},
		{key: "topic_max_depth, will", set: func(o *config.Options) { o.TopicMaxDepth = 3 }, counter: metric.MqttTopicDepthError + 1,
			connect: func(c *mqtt.Connect) { c.HasWill, c.Will = true, mqtt.Will{Topic: []byte("a/b/c/d")} }, connack: [2]byte{3, 0x90}},
		{key: "max_client_id_size", set: func(o *config.Options) { o.MaxClientIDSize = 10 }, counter: metric.ConnackSent(0x85),
			connect: func(c *mqtt.Connect) { c.ClientID = []byte(long) }, connack: [2]byte{2, 0x85}},
		{key: "max_message_size", set: func(o *config.Options) { o.MaxMessageSize = 100 }, counter: metric.MqttInvalidMsgSizeError + 1,
			fine: func(p *peer) { publish(p, "t", 90); p.want(mqtt.TypePuback) }, above: func(p *peer) { publish(p, "t", 100) }, code: mqtt.CodePacketTooLarge},
		{key: "max_subscriptions_per_client", set: func(o *config.Options) { o.MaxSubscriptions = 2 }, counter: metric.MqttSubscriptionLimitError + 1,
			fine:  func(p *peer) { p.subscribe("a", 1); p.subscribe("b", 1); p.subscribe("a", 0) },
			above: func(p *peer) { wantSuback(p, "c", mqtt.CodeQuotaExceeded) }},
		{key: "max_message_rate", set: func(o *config.Options) { o.MaxMessageRate = 1000 }, counter: metric.MqttMessageRatePaused + 1,
			fine: func(p *peer) { publish(p, "t", 0); p.want(mqtt.TypePuback) },
			above: func(p *peer) {
				var burst []byte
				for range 1500 {
					burst = (&mqtt.Publish{Topic: []byte("t")}).Append(burst, p.v)
				}
				p.send(burst)
			}},
		{key: "max_connection_rate", set: func(o *config.Options) { o.Listeners[0].MaxConnectRate = 1 }, counter: metric.MqttConnectionRateError + 1,
			connect: func(*mqtt.Connect) {}, connack: [2]byte{3, 0x9F}},
		{key: "max_connection_lifetime", set: func(o *config.Options) { o.Listeners[0].MaxLifetime = time.Second }, counter: metric.ClientLifetimeExpired + 1,
			fine: func(p *peer) { p.ping() }, above: func(*peer) {}, code: mqtt.CodeMaximumConnectTime},
	} {
		for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
			t.Run(fmt.Sprintf("%s/MQTT %d", c.key, v), func(t *testing.T) {
				o := options(1)
				c.set(o)
				n, addr := start(t, o)
				counter, connack := c.counter, c.connack[1]
				if !v.Is5() {
					connack = c.connack[0]
					if counter--; c.counter == metric.ConnackSent(0x85) {
						counter = metric.ConnackReturned(2)
					}
				}
				p := connect(t, addr, "c", v)
				if c.fine != nil {
					c.fine(p)
					p.ping()
				}
				if got := n.Metrics().Value(counter); got != 0 {
					t.Fatalf("counted %d at the limit, want 0", got)
				}
				if c.connect != nil {
					q := mqtt.Connect{Version: v, ClientID: []byte("d"), CleanStart: true}
					c.connect(&q)
					p = dial(t, addr)
					p.v = v
					p.send(q.Append(nil))
					if body := p.want(mqtt.TypeConnack); body[1] != connack {
						t.Errorf("CONNACK 0x%02X, want 0x%02X", body[1], connack)
					}
					p.wantClosed()
				} else {
					c.above(p)
					switch code := c.code; {
					case code == 0:
						p.ping()
					case !v.Is5():
						p.wantClosed()
					default:
						if got := p.wantClosed(); got != code {
							t.Errorf("DISCONNECT 0x%02X, want 0x%02X", byte(got), byte(code))
						}
					}
				}
				if got := n.Metrics().Value(counter); got != 1 {
					t.Errorf("counted %d above the limit, want 1", got)
				}
				until(t, "another client is let in", func() bool { return enters(t, addr, "other", v) })
			})
		}
	}
}

// wantSuback subscribes and wants a failure: before MQTT 5 there is one code for all.
func wantSuback(p *peer, filter string, code mqtt.Code) {
	p.t.Helper()
	s := mqtt.Subscribe{PacketID: 9}
	s.Add([]byte(filter), 1)
	p.send(s.Append(nil, p.v))
	if !p.v.Is5() {
		code = 0x80
	}
	if body := p.want(mqtt.TypeSuback); mqtt.Code(body[len(body)-1]) != code {
		p.t.Errorf("SUBACK 0x%02X, want 0x%02X", body[len(body)-1], byte(code))
	}
}

// enters reports whether a client is let in now.
func enters(t *testing.T, addr, id string, v mqtt.Version) bool {
	p := dial(t, addr)
	p.v = v
	p.send((&mqtt.Connect{Version: v, ClientID: []byte(id), CleanStart: true}).Append(nil))
	return p.want(mqtt.TypeConnack)[1] == 0
}
