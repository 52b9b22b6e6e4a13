package bench

import (
	"testing"

	"vernemq/broker/store"
)

// Subscribers with persistent sessions make a broker keep what it acknowledges, and take their sessions with them; a run that leaves its queues filled
// leaves just what it counted.
func TestDurable(t *testing.T) {
	dir := t.TempDir()
	tcp, _, stop := startStored(t, dir)
	for qos := 1; qos <= 2; qos++ {
		c := small("pairs", tcp)
		c.Clients, c.QoS, c.Persistent, c.PIDs = 5, qos, true, []int{ownPID}
		r, err := Run(t.Context(), c)
		if err != nil || len(r.Problems) > 0 {
			t.Fatal(err, r)
		}
		for _, name := range []string{"answer_p50_us", "answer_p99_us", "written_per_message"} {
			if _, told := r.Figures[name]; !told || r.Figures[name] < 0 {
				t.Errorf("QoS %d: %s is %g", qos, name, r.Figures[name])
			}
		}
		if r.Figures["answer_p50_us"] > r.Figures["answer_max_us"] {
			t.Errorf("QoS %d: %v", qos, r.Figures)
		}
	}
	c := small("offline", tcp)
	c.Publishers, c.Subscribers, c.Count, c.Leave = 3, 7, 11, true
	r, err := Run(t.Context(), c)
	if err != nil || len(r.Problems) > 0 {
		t.Fatal(err, r)
	}
	if r.Figures["published"] != 77 || r.Figures["answer_p99_us"] <= 0 {
		t.Error(r.Figures)
	}
	stop()
	found, err := store.Verify(dir)
	if err != nil || found.Sessions != 7 || found.Messages != 77 || found.Deliveries != 77 {
		t.Error(found, err)
	}
}

// Answers may come in any order; a second one, or one that nobody waits for, is not counted.
func TestAnswered(t *testing.T) {
	p := publisher{quota: 3}
	if _, ok := p.answered(1); ok {
		t.Error("an answer to nothing")
	}
	for id := uint16(65534); id != 2; id++ {
		p.wait(id, int64(id)+1)
	}
	for _, id := range []uint16{1, 65535, 65534} {
		if due, ok := p.answered(id); !ok || due != int64(id)+1 {
			t.Error(id, due, ok)
		}
		if _, ok := p.answered(id); ok {
			t.Error(id, "twice")
		}
	}
}
