package node_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/config"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

// TestRestart: what was acknowledged is there after the broker was stopped and started over the same directory, whatever the number of shards.
func TestRestart(t *testing.T) {
	for _, durability := range []string{"ack", "interval", "none"} {
		t.Run(durability, func(t *testing.T) {
			o := options(2)
			o.StoreDir, o.StoreDurability, o.StoreSyncInterval = filepath.Join(t.TempDir(), "store"), durability, time.Second
			n, err := node.Start(t.Context(), node.Params{Options: o})
			if err != nil {
				t.Fatal(err)
			}
			addr := n.Listening()[0][2]
			persistent := func(c *mqtt.Connect) { c.CleanStart = false }
			s := connect(t, addr, "s", mqtt.V311, persistent)
			s.subscribe("d/#", 2)
			_ = s.Close()
			p := connect(t, addr, "p", mqtt.V311)
			var wantAll [3][]string
			for i := range 200 {
				qos := byte(1 + i%2)
				wantAll[qos] = append(wantAll[qos], fmt.Sprintf("m%03d", i))
				id := uint16(i + 1)
				p.publish(fmt.Sprintf("d/%d", qos), fmt.Appendf(nil, "m%03d", i), qos, id)
				if qos == 1 {
					p.want(mqtt.TypePuback)
					continue
				}
				p.want(mqtt.TypePubrec)
				p.send((&mqtt.Ack{Type: mqtt.TypePubrel, PacketID: id}).Append(nil, mqtt.V311))
				p.want(mqtt.TypePubcomp)
			}
			stop(t, n)

			o2 := *o
			o2.Shards = 3
			n2, addr := start(t, &o2)
			if n2 == n {
				t.Fatal("the same node")
			}
			s = connect(t, addr, "s", mqtt.V311, persistent)
			if diff := cmp.Diff(wantAll, receiveAll(t, s, 200)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			s.ping()
		})
	}
}

// receiveAll takes n messages, answers them to the end, and returns their payloads by QoS in the order they came.
func receiveAll(t *testing.T, s *peer, n int) (got [3][]string) {
	t.Helper()
	for completed := 0; completed < n; {
		b, err := s.frame()
		if err != nil {
			t.Fatalf("after %d of %d messages: %v", completed, n, err)
		}
		hd, _, err := mqtt.ReadHeader(b, 0, s.v)
		if err != nil {
			t.Fatal(err)
		}
		ack := func(typ mqtt.Type, id uint16) { s.send((&mqtt.Ack{Type: typ, PacketID: id}).Append(nil, s.v)) }
		switch body := b[hd.Size:]; hd.Type {
		case mqtt.TypePublish:
			var m mqtt.Publish
			if err := m.Decode(hd.Flags, body, s.v); err != nil {
				t.Fatal(err)
			}
			got[m.QoS] = append(got[m.QoS], string(m.Payload))
			if m.QoS == 1 {
				ack(mqtt.TypePuback, m.PacketID)
				completed++
			} else {
				ack(mqtt.TypePubrec, m.PacketID)
			}
		case mqtt.TypePubrel:
			ack(mqtt.TypePubcomp, binary.BigEndian.Uint16(body))
			completed++
		default:
			t.Fatalf("received %s", hd.Type)
		}
	}
	return got
}

// TestTwoOnOneStore: a second broker on the directory is refused, and the first one is not disturbed.
func TestTwoOnOneStore(t *testing.T) {
	o := options(1)
	o.StoreDir, o.StoreDurability = filepath.Join(t.TempDir(), "store"), "ack"
	_, addr := start(t, o)
	o2 := *o
	if n, err := node.Start(t.Context(), node.Params{Options: &o2}); err == nil {
		stop(t, n)
		t.Fatal("the second broker started")
	}
	connect(t, addr, "c", mqtt.V5).ping()
}

// TestFailedStart: a broker that cannot listen gives its store back.
func TestFailedStart(t *testing.T) {
	o := options(1)
	o.StoreDir, o.StoreDurability = filepath.Join(t.TempDir(), "store"), "ack"
	bad := *o
	bad.Listeners = []config.Listener{tcp("far", "192.0.2.1:1883")}
	if n, err := node.Start(t.Context(), node.Params{Options: &bad}); err == nil {
		stop(t, n)
		t.Fatal("it started")
	}
	_, addr := start(t, o)
	connect(t, addr, "c", mqtt.V5).ping()
}
