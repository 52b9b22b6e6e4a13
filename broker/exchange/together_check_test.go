package exchange_test

import (
	"strings"
	"time"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// finish lets everybody who has something to complete come back, ends the sessions that may end, and checks.
func (h *together) finish() {
	h.slow = false
	o := *h.live.Load()
	o.AllowMultipleSessions = false
	h.live.Swap(&o)
	h.world.run()
	for _, g := range h.guests {
		for len(g.seats) > 0 && !g.lasting {
			g.lose()
		}
		if g.lasting {
			g.lose()
			g.connect()
		}
	}
	h.advance(5 * time.Second) // sessions expire, wills are due
	for range 200 {
		h.calm()
		open := false
		for _, g := range h.guests {
			if len(g.open) > 0 { // refused, and can only be tried again on another connection
				open = true
				g.lose()
				g.connect()
			}
		}
		if !open {
			break
		}
	}
	h.check()
	for _, g := range h.guests {
		if len(g.seats) > 0 && strings.HasPrefix(g.id, "mem") {
			g.unsubscribe(g.filters[0])
		}
	}
	h.calm()
	h.checkStore()
	h.checkHomes()
}

// check holds what came against what was published.
func (h *together) check() {
	group, ordered := map[string]int{}, !h.refuses && !h.lifo && !h.upgrades
	for _, g := range h.guests {
		if len(g.open) > 0 {
			h.t.Errorf("%s: %d publishes were never completed", g.id, len(g.open))
		}
		times, last := map[string]int{}, map[string]string{}
		for _, m := range g.got {
			times[m]++
			if i := strings.LastIndexByte(m, ' '); ordered && strings.HasPrefix(g.id, "keep") && times[m] == 1 && !strings.HasPrefix(m, "will") {
				if last[m[:i]] >= m {
					h.t.Errorf("%s: %q came after %q", g.id, m, last[m[:i]])
				}
				last[m[:i]] = m
			}
			if strings.HasPrefix(g.id, "mem") || g.id == "fleet" {
				group[m]++
			}
		}
		if strings.HasPrefix(g.id, "keep") || g.id == "many" {
			h.hold(g.id, times, g.id != "many")
		}
	}
	h.hold("the group", group, true)
}

func (h *together) hold(who string, times map[string]int, exact bool) {
	for m, w := range h.wants {
		switch n := times[m]; {
		case w.refused && n > 0:
			h.t.Errorf("%s: %q was refused and came", who, m)
		case w.acked && n == 0, w.acked && w.qos == 2 && n > 1 && exact:
			h.t.Errorf("%s: %q came %d times", who, m, n)
		}
	}
}

func (h *together) checkStore() {
	names := map[store.SessionKey]string{}
	sessions := 0
	err := h.mem.Load(store.Loader{
		Session: func(r *store.Session) {
			names[r.Key] = r.ID.ClientID
			if sessions++; r.ID.ClientID[0] == 0 {
				h.t.Errorf("store: the queue of the group %q, which has no members", r.ID.ClientID[1:])
			}
		},
		Inbound: func(in store.Inbound) {
			h.t.Errorf("store: exchange %d of %s was never released", in.PacketID, names[in.Session])
		},
		Message: func(_ store.MessageRef, m *msg.Message, r store.Recipient, state store.AckKind) {
			h.t.Errorf("store: %q still waits for %q, QoS %d, state %d", m.Payload, names[r.Session], r.Opts&3, state)
		},
		Retained: func(string, *msg.Message) {},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if sessions != h.lasting() {
		h.t.Errorf("store: %d sessions, %d have not ended: %v", sessions, h.lasting(), names)
	}
}

func (h *together) lasting() (n int) {
	for _, g := range h.guests {
		if g.lasting {
			n++
		}
	}
	return n
}

func (h *together) checkHomes() {
	sessions := 0
	for _, l := range h.loops {
		sessions += l.home.Sessions()
		if n := l.home.T.Waits.Len(); n > 0 {
			h.t.Errorf("shard %d: %d steps still wait for the store", l.id, n)
		}
		if queues, waiting, lent := l.home.GroupQueues(); queues > 0 || waiting > 0 || lent > 0 {
			h.t.Errorf("shard %d: %d queues of groups without members, %d waiting, %d lent", l.id, queues, waiting, lent)
		}
	}
	if sessions != h.lasting() {
		h.t.Errorf("%d sessions in the end, want %d", sessions, h.lasting())
	}
	for _, g := range h.guests {
		if s := h.loops[h.shardOf(g.id)].home.Session(msg.SubscriberID{ClientID: g.id}); s != nil && (s.Waiting() > 0 || s.Inflight() > 0) {
			h.t.Errorf("%s: %d waiting and %d in flight", g.id, s.Waiting(), s.Inflight())
		}
	}
	if n := h.x.FullMarks(); n != 0 {
		h.t.Errorf("%d queues are said to be full, and all are empty", n)
	}
}
