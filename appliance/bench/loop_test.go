package bench

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"vernemq/broker/mqtt"
)

// newTestLoop returns a loop with a connected publisher, and the descriptor of its peer.
func newTestLoop(t testing.TB, c Config) (l *loop, pub *conn, peer int) {
	t.Helper()
	c.Addr = "unix:/nowhere"
	r, err := newRun(t.Context(), c.fill(findMode(c.Mode)))
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	l = r.loops[0]
	pub = l.client(kindPublisher, 0)
	pub.fd, pub.online = fds[0], true
	ev := l.interest(pub)
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, pub.fd, &ev); err != nil {
		t.Fatal(err)
	}
	r.publishers = append(r.publishers, l.publisher(pub, 0, newTemplate("a/b", r.cfg.Size, byte(r.cfg.QoS), false, r.cfg.Version)))
	t.Cleanup(func() {
		r.close()
		_ = unix.Close(fds[1])
	})
	return l, pub, fds[1]
}

// stamps reads all messages that are there.
func stamps(t *testing.T, fd int) (list []stamp) {
	t.Helper()
	b := make([]byte, 1<<20)
	n, err := unix.Read(fd, b)
	if err != nil {
		return nil
	}
	for b = b[:n]; len(b) > 0; {
		h, ok, err := mqtt.ReadHeader(b, 0, mqtt.V311)
		if err != nil || !ok {
			t.Fatal(err)
		}
		var p mqtt.Publish
		if err := p.Decode(h.Flags, b[h.Size:h.Size+h.Body], mqtt.V311); err != nil {
			t.Fatal(err)
		}
		s, ok := readStamp(p.Payload)
		if !ok {
			t.Fatal("no stamp")
		}
		list, b = append(list, s), b[h.Size+h.Body:]
	}
	return list
}

// A message that could not be sent when it was due keeps the time at which it was due: latency has to count from there.
func TestLateMessagesKeepTheirTime(t *testing.T) {
	l, pub, peer := newTestLoop(t, Config{Mode: "pairs", QoS: 1, Inflight: 1, Rate: 1})
	s := &schedule{start: 1000, interval: 10, total: 100}
	send := func(want ...int64) {
		t.Helper()
		l.sendDue(pub, s, 0)
		var got []int64
		for _, s := range stamps(t, peer) {
			got = append(got, s.due)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("times of what was sent (-want +got):\n%s", diff)
		}
	}
	acknowledge := func() { l.take(pub, (&mqtt.Ack{Type: mqtt.TypePuback, PacketID: pub.pub.id}).Append(nil, mqtt.V311)) }
	pub.pub.due = 1
	send(1000)
	pub.pub.due = 4
	send() // the window is full
	acknowledge()
	send(1010)
	acknowledge()
	send(1020)
	acknowledge()
	send(1030)
	acknowledge()
	send()
	if l.lag.count != 4 || l.tally.acked != 4 {
		t.Errorf("%d sent, %d acknowledged", l.lag.count, l.tally.acked)
	}
	// What comes back is measured against the time it was due, however late it was sent.
	pub.have, l.run.windowed, l.now = newFlows(0, 1), false, 5000
	payload := make([]byte, MinSize)
	stamp{l.run.id, 0, 1, 1010}.put(payload)
	l.take(pub, (&mqtt.Publish{Topic: []byte("a/b"), Payload: payload}).Append(nil, mqtt.V311))
	if l.latency.max != 3990 {
		t.Errorf("latency %d, want 3990", l.latency.max)
	}
}

// Packets may come in any pieces.
func TestAnyChunking(t *testing.T) {
	var stream []byte
	payload := make([]byte, 200)
	for seq := range uint64(20) {
		stamp{0, 0, seq + 1, 1}.put(payload)
		stream = (&mqtt.Publish{Topic: []byte("a/b"), Payload: payload, QoS: 1, PacketID: uint16(seq + 1)}).Append(stream, mqtt.V311)
	}
	for size := 1; size <= len(stream); size += 1 + size/3 {
		l, c, peer := newTestLoop(t, Config{Mode: "pairs", QoS: 1})
		l.run.id, c.have = 0, newFlows(0, 1)
		for b := stream; len(b) > 0; b = b[min(size, len(b)):] {
			if _, err := unix.Write(peer, b[:min(size, len(b))]); err != nil {
				t.Fatal(err)
			}
			l.readable(c)
		}
		if l.tally.delivered != 20 || l.tally.reordered+l.tally.duplicated+l.tally.corrupted+l.tally.closed != 0 || len(c.left) > 0 {
			t.Fatalf("pieces of %d: %+v, %d bytes left", size, l.tally, len(c.left))
		}
	}
}

// The path of a message allocates nothing: a batch is sent, received and acknowledged.
func TestNoAllocations(t *testing.T) {
	for qos := range 3 {
		l, c, peer := newTestLoop(t, Config{Mode: "pairs", QoS: qos, Batch: 4, Inflight: 40})
		l.run.windowed = true
		c.have = newFlows(0, 1)
		frames := make([]byte, 64<<10)
		turn := func() {
			l.ready(c)
			if !l.pump(now()) {
				t.Fatal("nothing was sent")
			}
			n, err := unix.Read(peer, frames)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := unix.Write(peer, frames[:n]); err != nil { // what was sent comes back
				t.Fatal(err)
			}
			l.poll(0)
			if n, err = unix.Read(peer, frames); qos > 0 && err != nil { // acknowledgements by the subscriber, which the broker's would equal
				t.Fatal(err)
			}
			for i := range max(n, 0) / 4 {
				frames[4*i] = byte(mqtt.TypePubcomp) << 4
			}
			if n > 0 {
				if _, err := unix.Write(peer, frames[:n]); err != nil {
					t.Fatal(err)
				}
				l.poll(0)
			}
		}
		for range 100 {
			turn()
		}
		if allocs := testing.AllocsPerRun(200, turn); allocs > 0 {
			t.Errorf("QoS %d: %g allocations for 4 messages", qos, allocs)
		}
		if l.tally.delivered == 0 || l.tally.delivered != l.tally.published || l.tally.duplicated+l.tally.reordered+l.tally.corrupted != 0 {
			t.Errorf("QoS %d: %+v", qos, l.tally)
		}
	}
}

// A silent connection is kept alive; one that speaks is left alone.
func TestPings(t *testing.T) {
	l, c, peer := newTestLoop(t, Config{Mode: "idle", KeepAlive: 10})
	b := make([]byte, 16)
	for _, step := range []struct {
		at, lastWrite time.Duration
		want          bool
	}{{time.Second, 0, false}, {5 * time.Second, 0, true}, {6 * time.Second, 5 * time.Second, false}, {11 * time.Second, 5 * time.Second, true}} {
		l.now, c.lastWrite = int64(step.at), int64(step.lastWrite)
		l.pings()
		n, _ := unix.Read(peer, b)
		if (n == 2 && b[0] == byte(mqtt.TypePingreq)<<4) != step.want {
			t.Errorf("at %s after %s of silence: % x", step.at, step.at-step.lastWrite, b[:max(n, 0)])
		}
	}
}

// A loop that sleeps is woken by another's nudge, and looks at its publishers.
func TestNudge(t *testing.T) {
	l, c, _ := newTestLoop(t, Config{Mode: "pairs"})
	done := make(chan int)
	go func() { done <- l.poll(20 * time.Second) }()
	l.nudge()
	for !func() bool {
		select {
		case <-done:
			return true
		default:
			l.nudge()
			return false
		}
	}() {
	}
	if len(l.list) != 1 || l.list[0] != c {
		t.Errorf("ready: %v", l.list)
	}
}

func BenchmarkGenerate(b *testing.B) {
	l, c, _ := newTestLoop(b, Config{Mode: "pairs"})
	b.ReportAllocs()
	for b.Loop() {
		l.build = l.build[:0]
		l.append(c.pub, 1)
	}
}

func BenchmarkReceive(b *testing.B) {
	l, c, _ := newTestLoop(b, Config{Mode: "pairs"})
	c.have = newFlows(0, 1)
	c.pub.loop = l
	b.ReportAllocs()
	for b.Loop() {
		l.build = l.build[:0]
		l.append(c.pub, 1)
		l.take(c, l.build)
	}
}
