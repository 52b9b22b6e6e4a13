package node_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"

	"vernemq/broker/metric"
)

// TestPahoV3: the Eclipse client for MQTT 3.1 and 3.1.1.
func TestPahoV3(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		n, addr := start(t, options(shards))
		for _, level := range []uint{3, 4} {
			completed := n.Metrics().Value(metric.MqttPubcompReceived)
			client := func(id string, clean bool) paho3.Client {
				c := paho3.NewClient(paho3.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id).SetProtocolVersion(level).SetCleanSession(clean).
					SetAutoReconnect(false).SetOrderMatters(true))
				finish(t, c.Connect())
				return c
			}
			got := make(chan string, 10)
			keep := func(_ paho3.Client, m paho3.Message) {
				got <- fmt.Sprintf("%s %s %d %v", m.Topic(), m.Payload(), m.Qos(), m.Retained())
			}
			want := func(s string) {
				t.Helper()
				select {
				case g := <-got:
					if g != s {
						t.Errorf("level %d: received %q, want %q", level, g, s)
					}
				case <-time.After(patience):
					t.Fatalf("level %d: %q did not come", level, s)
				}
			}
			p, s := client("p", true), client("s", false)
			finish(t, s.Subscribe("paho/#", 2, keep))
			for qos := range byte(3) {
				finish(t, p.Publish("paho/x", qos, false, "hello"))
				want(fmt.Sprintf("paho/x hello %d false", qos))
			}
			// The next client of this name knows nothing of the exchanges of this one: they have to be over.
			until(t, "the QoS 2 exchange is completed", func() bool { return n.Metrics().Value(metric.MqttPubcompReceived) > completed })
			s.Disconnect(250)
			finish(t, p.Publish("paho/x", 1, true, "kept"))
			o := paho3.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("s").SetProtocolVersion(level).SetCleanSession(false).SetDefaultPublishHandler(keep)
			s = paho3.NewClient(o.SetAutoReconnect(false))
			finish(t, s.Connect())
			want("paho/x kept 1 false")
			finish(t, s.Subscribe("paho/#", 1, keep))
			want("paho/x kept 1 true")
			finish(t, s.Unsubscribe("paho/#"))
			finish(t, p.Publish("paho/x", 1, true, ""))
			s.Disconnect(250)
			p.Disconnect(250)
		}
	})
}

func finish(t *testing.T, token paho3.Token) {
	t.Helper()
	if !token.WaitTimeout(patience) {
		t.Fatal("no answer")
	}
	if err := token.Error(); err != nil {
		t.Fatal(err)
	}
}

// TestPahoV5: the Eclipse client for MQTT 5.
func TestPahoV5(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		_, addr := start(t, options(shards))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		got := make(chan *paho.Publish, 10)
		client := func(id string, clean bool) (*paho.Client, *paho.Connack) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			c := paho.NewClient(paho.ClientConfig{Conn: conn, OnPublishReceived: []func(paho.PublishReceived) (bool, error){
				func(r paho.PublishReceived) (bool, error) { got <- r.Packet; return true, nil },
			}})
			expiry := uint32(100)
			ack, err := c.Connect(ctx, &paho.Connect{ClientID: id, CleanStart: clean, KeepAlive: 30, Properties: &paho.ConnectProperties{SessionExpiryInterval: &expiry}})
			if err != nil {
				t.Fatal(err)
			}
			return c, ack
		}
		s, ack := client("s", true)
		if ack.SessionPresent {
			t.Error("session present for a clean start")
		}
		p, _ := client("p", true)
		subID := 42
		if _, err := s.Subscribe(ctx, &paho.Subscribe{Properties: &paho.SubscribeProperties{SubscriptionIdentifier: &subID},
			Subscriptions: []paho.SubscribeOptions{{Topic: "paho/#", QoS: 2}}}); err != nil {
			t.Fatal(err)
		}
		publish := func(qos byte) {
			t.Helper()
			if _, err := p.Publish(ctx, &paho.Publish{Topic: "paho/x", QoS: qos, Payload: []byte("hello"),
				Properties: &paho.PublishProperties{ContentType: "text/plain", User: paho.UserProperties{{Key: "k", Value: "v"}}}}); err != nil {
				t.Fatal(err)
			}
		}
		want := func(qos byte) {
			t.Helper()
			select {
			case m := <-got:
				if m.Topic != "paho/x" || m.QoS != qos || string(m.Payload) != "hello" || m.Properties.ContentType != "text/plain" ||
					m.Properties.User.Get("k") != "v" || m.Properties.SubscriptionIdentifier == nil || *m.Properties.SubscriptionIdentifier != 42 {
					t.Errorf("received %v %+v", m, m.Properties)
				}
			case <-ctx.Done():
				t.Fatal("the message did not come")
			}
		}
		for qos := range byte(3) {
			publish(qos)
			want(qos)
		}
		if err := s.Disconnect(&paho.Disconnect{}); err != nil {
			t.Fatal(err)
		}
		publish(1)
		s, ack = client("s", false)
		if !ack.SessionPresent {
			t.Error("the session is not present after a reconnect")
		}
		want(1)
		for _, c := range []*paho.Client{s, p} {
			if err := c.Disconnect(&paho.Disconnect{}); err != nil {
				t.Error(err)
			}
			<-c.Done()
		}
	})
}

// TestMosquittoClients: mosquitto_pub and mosquitto_sub, as a user starts them.
func TestMosquittoClients(t *testing.T) {
	for _, program := range []string{"mosquitto_pub", "mosquitto_sub"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: install the package mosquitto-clients", err)
		}
	}
	n, addr := start(t, options(2))
	u, err := url.Parse("mqtt://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	for i, version := range []string{"31", "311", "5"} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		at := []string{"-h", u.Hostname(), "-p", u.Port(), "-V", version}
		sub := exec.CommandContext(ctx, "mosquitto_sub", append(at, "-t", "a/#", "-v", "-q", "2", "-C", "3", "-i", "sub")...)
		var out, errs strings.Builder
		sub.Stdout, sub.Stderr = &out, &errs
		if err := sub.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "mosquitto_sub has subscribed", func() bool { return n.Metrics().Value(metric.RouterSubscriptions) == 1 })
		for qos := range 3 {
			pub := exec.CommandContext(ctx, "mosquitto_pub", append(at, "-t", "a/b", "-m", fmt.Sprintf("hi %d", qos), "-q", fmt.Sprint(qos))...)
			if b, err := pub.CombinedOutput(); err != nil {
				t.Fatalf("mosquitto_pub -V %s: %v: %s", version, err, b)
			}
		}
		if err := sub.Wait(); err != nil {
			t.Fatalf("mosquitto_sub -V %s: %v: %s", version, err, &errs)
		}
		cancel()
		if want := "a/b hi 0\na/b hi 1\na/b hi 2\n"; out.String() != want {
			t.Errorf("round %d: mosquitto_sub -V %s wrote %q, want %q", i, version, out.String(), want)
		}
		until(t, "its session has ended", func() bool { return n.Metrics().Value(metric.RouterSubscriptions) == 0 })
	}
}
