package exchange_test

import (
	"fmt"
	"testing"

	"vernemq/broker/mqtt"
)

// BenchmarkGroup is what a publish to a shared group costs, by the number of its members: with all of them there, and with all of them away, so
// that it waits in the group's queue.
func BenchmarkGroup(b *testing.B) {
	for _, members := range []int{10, 10_000} {
		for _, backlog := range []bool{false, true} {
			b.Run(fmt.Sprintf("members=%d/backlog=%v", members, backlog), func(b *testing.B) {
				o := defaults()
				o.MaxOfflineMessages, o.MaxOnlineMessages = 100, 100
				w := newWorld(b, 1, o)
				for i := range members {
					m := w.persistent(fmt.Sprint("m", i))
					subscribe(m, "$share/g/t", 1)
					if backlog {
						m.lose()
					}
				}
				p := mustConnect(b, w, "p")
				frame := (&mqtt.Publish{Topic: []byte("t"), QoS: 1, PacketID: 1, Payload: []byte("x")}).Append(nil, mqtt.V311)
				if !backlog {
					frame = (&mqtt.Publish{Topic: []byte("t"), Payload: []byte("x")}).Append(nil, mqtt.V311)
				}
				hd, _, err := mqtt.ReadHeader(frame, 0, mqtt.V311)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := p.loop.home.Receive(p.s, hd, frame); err != nil {
						b.Fatal(err)
					}
					w.run()
				}
			})
		}
	}
}
