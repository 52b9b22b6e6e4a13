package node_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var groupTime = flag.Duration("group.time", time.Second, "how long TestGroupConsumersRestart goes on")

// TestGroupConsumersRestart: twenty consumers in a shared group, each of which is killed and started again all the time, publishers of QoS 1 and 2, and a
// broker that is killed now and then: together the consumers get every acknowledged message, those of QoS 2 once.
func TestGroupConsumersRestart(t *testing.T) {
	c := &crash{t: t, dir: t.TempDir(), rng: rand.New(rand.NewPCG(9, 9))}
	for i := range 4 {
		c.clients = append(c.clients, &crashClient{c: c, id: fmt.Sprintf("pub%d", i), publishes: byte(1 + i%2), v: version(i / 2), open: map[uint16]string{}})
	}
	for i := range 20 {
		c.clients = append(c.clients, &crashClient{c: c, id: fmt.Sprintf("mem%d", i), v: version(i), filter: "$share/g/c/#", open: map[uint16]string{},
			breaks: rand.New(rand.NewPCG(10, uint64(i)))})
	}
	c.subscribe()
	for left := *groupTime; left > 0; left -= 15 * time.Second {
		c.round(min(left, 15*time.Second))
	}
	c.finish()
}
