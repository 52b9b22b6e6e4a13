package node_test

import (
	"encoding/binary"
	"testing"
	"time"

	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

// own is a provider that gives the client "own" options of its own, and holds up what it publishes to "hold": at once, or after a while to
// "hold later".
type own struct {
	options hook.SessionOptions
	hold    time.Duration
}

func (*own) Name() string { return "own" }

func (o *own) AuthOnRegister(r *hook.Register, _ func(hook.Verdict)) hook.Verdict {
	if r.Client.ID.ClientID == "own" {
		r.SetOptions = o.options
	}
	return hook.OK
}

func (o *own) AuthOnPublish(p *hook.Publish, answer func(hook.Verdict)) hook.Verdict {
	switch string(p.Topic) {
	case "hold":
		p.SetThrottle = o.hold
	case "hold later":
		p.SetThrottle = o.hold
		go answer(hook.OK)
		return hook.Pending
	}
	return hook.OK
}

func startOwn(t *testing.T, shards int, p *own) (*node.Node, string) {
	o := options(shards)
	o.AllowAnonymous = false
	n, err := node.Start(t.Context(), node.Params{Options: o, Version: "test", Providers: []hook.Provider{p}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	return n, n.Listening()[0][2]
}

// TestOwnMessageSize: a client's own max_message_size is announced and enforced, for it alone.
func TestOwnMessageSize(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		size := 100
		n, addr := startOwn(t, shards, &own{options: hook.SessionOptions{MaxMessageSize: &size}})
		big := make([]byte, 101-3)
		other := connect(t, addr, "other", mqtt.V5)
		other.publish("t", big, 0, 0)
		other.ping()
		p := connect(t, addr, "own", mqtt.V5)
		p.publish("t", big[:96], 0, 0)
		p.ping()
		p.publish("t", big, 0, 0)
		if code := p.wantClosed(); code != mqtt.CodePacketTooLarge {
			t.Errorf("closed with 0x%02X, want 0x95", byte(code))
		}
		if got := n.Metrics().Value(metric.MqttInvalidMsgSizeError + 1); got != 1 {
			t.Errorf("%d packets too large, want 1", got)
		}
	})
}

// TestOwnLifetime: a client's own max_connection_lifetime ends its connection; the listener has none.
func TestOwnLifetime(t *testing.T) {
	life := 50 * time.Millisecond
	_, addr := startOwn(t, 2, &own{options: hook.SessionOptions{MaxLifetime: &life}})
	other := connect(t, addr, "other", mqtt.V5)
	if code := connect(t, addr, "own", mqtt.V5).wantClosed(); code != mqtt.CodeMaximumConnectTime {
		t.Errorf("closed with 0x%02X, want 0xA0", byte(code))
	}
	connect(t, addr, "own", mqtt.V311).wantClosed()
	other.ping()
}

// TestOwnRate: a client's own max_message_rate; nothing is lost, and who has none is not slowed.
func TestOwnRate(t *testing.T) {
	rate := 2
	n, addr := startOwn(t, 1, &own{options: hook.SessionOptions{MaxMessageRate: &rate}})
	p := connect(t, addr, "own", mqtt.V311)
	sent := time.Now()
	for id := range uint16(4) {
		p.publish("rate", nil, 1, id+1)
	}
	for id := range uint16(4) {
		if got := binary.BigEndian.Uint16(p.want(mqtt.TypePuback)); got != id+1 {
			t.Fatalf("PUBACK %d, want %d", got, id+1)
		}
		// Only within the second that the burst began in does the count tell anything.
		if got := n.Metrics().Value(metric.MqttPublishReceived); id == 1 && got != 2 && time.Since(sent) < 900*time.Millisecond {
			t.Errorf("%d publishes were read in one second, want 2", got)
		}
	}
	p.ping()
}

// TestThrottle: a provider holds up a client's input, and only that client's, however long it takes to say so itself.
func TestThrottle(t *testing.T) {
	for _, topic := range []string{"hold", "hold later"} {
		t.Run(topic, func(t *testing.T) {
			const hold = 300 * time.Millisecond
			_, addr := startOwn(t, 2, &own{hold: hold})
			other := connect(t, addr, "other", mqtt.V311)
			p := connect(t, addr, "p", mqtt.V311)
			begin := time.Now()
			p.publish(topic, nil, 1, 1)
			p.send(mqtt.AppendPingreq(nil))
			p.want(mqtt.TypePuback)
			other.ping()
			p.want(mqtt.TypePingresp)
			if d := time.Since(begin); d < hold {
				t.Errorf("the input went on after %s, want %s at least", d, hold)
			}
		})
	}
}
