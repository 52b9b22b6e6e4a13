package exchange_test

import (
	"testing"

	"vernemq/broker/mqtt"
)

// TestSeveralHandOn: what a connection of a client has not answered when it ends goes on with another one, whether that was there when the message
// came, and has it, or connected later; and is told apart by the broker that dies then.
func TestSeveralHandOn(t *testing.T) {
	for _, mode := range []string{"fanout", "balance"} {
		for _, late := range []bool{false, true} {
			name := mode
			if late {
				name += ", late"
			}
			t.Run(name, func(t *testing.T) {
				o := defaults()
				o.AllowMultipleSessions, o.QueueDeliverMode = true, mode
				w := newWorld(t, 2, o)
				main := w.persistent("s")
				subscribe(main, "t", 2)
				a := w.persistent("s")
				main.lose()
				p := w.persistent("p")
				publish := func(id uint16) {
					p.send((&mqtt.Publish{Topic: []byte("t"), QoS: 2, PacketID: id, Payload: []byte("x")}).Append(nil, mqtt.V311))
				}
				if late {
					publish(1)
				}
				b := w.persistent("s") // the main session, as nobody has it
				if b.s.Further() {
					t.Fatal("a further connection")
				}
				c := w.persistent("s")
				b.lose()
				if !late {
					publish(1)
				}
				publish(2)
				got := func(c *client) (n int) {
					for _, f := range c.frames() {
						if mqtt.Type(f[0]>>4) == mqtt.TypePublish {
							n++
						}
					}
					return n
				}
				before := got(a)
				a.lose()
				if n := got(c); n != 2 && (mode == "fanout" || before+n < 2) {
					t.Errorf("the connection that is left received %d messages, the other one %d, want both", n, before)
				}
				if n := w.waitingFor()["s"]; n != 2 {
					t.Errorf("%d deliveries in the store, want 2", n)
				}
				c.lose() // without an answer
				w.crash(1)
				again := map[byte]bool{}
				for _, f := range w.persistentFrames("s")[1:] {
					again[f[len(f)-2]] = true // the identifier
				}
				if len(again) != 2 {
					t.Errorf("after a crash %d identifiers, want 2", len(again))
				}
			})
		}
	}
}
