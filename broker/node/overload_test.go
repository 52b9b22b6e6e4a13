package node_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

var floodTime = flag.Duration("overload.time", 0, "how long TestOverload lasts at least")

const (
	floodChildEnv = "VERNEMQ_FLOOD"
	floodLimit    = 96 << 20       // memory_limit of the broker that is flooded
	floodMost     = 3 * floodLimit // a fast machine brings some ten megabytes between two looks of the guard; without it more than 1 GB would wait
)

// floodChild is the broker that TestOverload floods: this test binary, started anew. For each line it reads it writes its counts.
func floodChild() {
	o := options(2)
	o.MemoryLimit, o.MemoryHighWater = floodLimit, floodLimit/4*3
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := node.Start(context.Background(), node.Params{Options: o, Log: log})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(n.Listening()[0][2])
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		v := n.Metrics().Value
		fmt.Println(v(metric.OverloadStage), v(metric.OverloadQos0Dropped), v(metric.OverloadPublishersPaused), v(metric.OverloadConsumersClosed))
	}
	os.Exit(0)
}

// flood is a broker in a process of its own, and what is thrown at it.
type flood struct {
	t       *testing.T
	cmd     *exec.Cmd
	in      io.Writer
	out     *bufio.Reader
	addr    string
	stop    atomic.Bool
	crowd   sync.WaitGroup
	acked   atomic.Int64 // acknowledged to the good publisher
	taken   atomic.Int64 // received by the good consumer, in order
	settled chan struct{}
}

type floodCounts struct{ stage, shed, paused, closed int }

func (f *flood) counts() (c floodCounts) {
	f.t.Helper()
	if _, err := fmt.Fprintln(f.in); err != nil {
		f.t.Fatal(err)
	}
	line, err := f.out.ReadString('\n')
	if _, err2 := fmt.Sscan(line, &c.stage, &c.shed, &c.paused, &c.closed); err != nil || err2 != nil {
		f.t.Fatalf("the broker says %q: %v %v", line, err, err2)
	}
	return c
}

// peak is the most memory that the broker had resident, in bytes.
func (f *flood) peak() int {
	f.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	if err != nil {
		f.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		f.t.Fatal(err)
	}
	return n << 10
}

// client connects without a test's help: it may fail, as the broker is overloaded.
func (f *flood) client(id string, clean bool) (*peer, error) {
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		return nil, err
	}
	p := &peer{t: f.t, Conn: c, v: mqtt.V311}
	q := mqtt.Connect{Version: p.v, ClientID: []byte(id), CleanStart: clean}
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err = c.Write(q.Append(nil)); err == nil {
		var frame []byte
		if frame, err = p.frame(); err == nil && frame[3] != 0 {
			err = fmt.Errorf("refused with %d", frame[3])
		}
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return p, c.SetDeadline(time.Time{})
}

// again runs a client's life over and over until the flood is over.
func (f *flood) again(id string, live func(*peer)) {
	f.crowd.Go(func() {
		for !f.stop.Load() {
			p, err := f.client(id, true)
			if err != nil {
				waitABit()
				continue
			}
			live(p)
			_ = p.Close()
		}
	})
}

// deaf subscribes and then reads nothing, until the broker closes the connection.
func (f *flood) deaf(id, filter string, qos byte) {
	f.again(id, func(p *peer) {
		_ = p.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		s := mqtt.Subscribe{PacketID: 1}
		s.Add([]byte(filter), mqtt.SubOptions(qos))
		if _, err := p.Write(s.Append(nil, p.v)); err != nil {
			return
		}
		for !f.stop.Load() { // pings tell whether the connection lives
			_ = p.SetWriteDeadline(time.Now().Add(patience))
			if _, err := p.Write(mqtt.AppendPingreq(nil)); err != nil {
				return
			}
			timer := time.NewTimer(100 * time.Millisecond)
			<-timer.C
		}
	})
}

// loud publishes without end; at QoS 1 it takes the answers.
func (f *flood) loud(id string, qos byte, topic func(i int) string) {
	payload := make([]byte, 16<<10)
	f.again(id, func(p *peer) {
		if qos > 0 {
			f.crowd.Go(func() { _, _ = io.Copy(io.Discard, p.Conn) })
		}
		for i := 1; !f.stop.Load(); i++ {
			m := mqtt.Publish{Topic: []byte(topic(i)), Payload: payload, QoS: qos, PacketID: uint16(i%60000 + 1)}
			_ = p.SetWriteDeadline(time.Now().Add(time.Second))
			if _, err := p.Write(m.Append(nil, p.v)); err != nil && !strings.Contains(err.Error(), "timeout") || f.stop.Load() {
				return
			} else if err != nil { // part of a packet may be out: begin anew
				return
			}
		}
	})
}

// good publishes numbers at QoS 1, some at a time, and takes them with another client: none that was acknowledged may be missing.
func (f *flood) good() {
	s, err := f.client("good-s", false)
	if err != nil {
		f.t.Fatal(err)
	}
	s.subscribe("good", 1)
	p, err := f.client("good-p", true)
	if err != nil {
		f.t.Fatal(err)
	}
	f.settled = make(chan struct{})
	go func() {
		defer close(f.settled)
		for want := int64(0); ; {
			frame, err := s.frame()
			if err != nil {
				return // closed by the test
			}
			if mqtt.Type(frame[0]>>4) != mqtt.TypePublish {
				continue
			}
			hd, _, _ := mqtt.ReadHeader(frame, 0, s.v)
			var m mqtt.Publish
			if err := m.Decode(hd.Flags, frame[hd.Size:], s.v); err != nil {
				f.t.Error(err)
				return
			}
			if got := int64(binary.BigEndian.Uint64(m.Payload)); got != want {
				f.t.Errorf("received %d, want %d", got, want)
				return
			}
			want++
			f.taken.Store(want)
			_ = s.SetWriteDeadline(time.Now().Add(patience))
			if _, err := s.Write(binary.BigEndian.AppendUint16([]byte{0x40, 2}, m.PacketID)); err != nil {
				f.t.Errorf("the good consumer: %v", err)
				return
			}
		}
	}()
	f.crowd.Go(func() {
		defer func() { _ = p.Close() }()
		for i := int64(0); !f.stop.Load(); i++ {
			m := mqtt.Publish{Topic: []byte("good"), Payload: binary.BigEndian.AppendUint64(nil, uint64(i)), QoS: 1, PacketID: uint16(i%60000 + 1)}
			_ = p.SetWriteDeadline(time.Now().Add(patience))
			if _, err := p.Write(m.Append(nil, p.v)); err != nil {
				f.t.Errorf("the good publisher: %v", err)
				return
			}
			if _, err := p.frame(); err != nil {
				if !f.stop.Load() {
					f.t.Errorf("the good publisher: %v", err)
				}
				return
			}
			f.acked.Store(i + 1)
		}
	})
}

// TestOverload: clients that take nothing while others publish ten times what the broker's memory holds. The broker stays within its memory,
// sheds, pauses and closes what it must, loses nothing it has acknowledged to those who behave, and is itself again afterwards.
func TestOverload(t *testing.T) {
	f := &flood{t: t}
	f.cmd = exec.Command(os.Args[0], "-test.run=^$")
	f.cmd.Env = append(os.Environ(), floodChildEnv+"=1")
	f.cmd.Stderr = os.Stderr
	in, err := f.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.cmd.Process.Kill(); _ = f.cmd.Wait() }()
	f.in, f.out = in, bufio.NewReader(out)
	line, err := f.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the broker does not start: %v", err)
	}
	f.addr = strings.TrimSpace(line)

	begin := time.Now()
	f.good()
	const own = 64 // topics with a deaf consumer each: 1,000 messages of 16 KB may wait for every one
	for i := range own {
		f.deaf(fmt.Sprintf("own-%d", i), fmt.Sprintf("own/%d", i), 1)
	}
	for i := range 16 {
		f.deaf(fmt.Sprintf("all-%d", i), "all/#", 0)
	}
	for i := range 3 {
		f.loud(fmt.Sprintf("loud-%d", i), 1, func(n int) string { return fmt.Sprintf("own/%d", n%own) })
	}
	f.loud("loud-all", 0, func(n int) string { return fmt.Sprintf("all/%d", n%100) })

	var c floodCounts
	var after int64
	floodUntil(t, "shedding, pausing, closing, and going on", 6*patience, func() bool {
		c = f.counts()
		if after == 0 && c.shed > 0 && c.paused > 0 && c.closed > 0 {
			after = f.acked.Load() + 20
		}
		return after > 0 && f.acked.Load() >= after && time.Since(begin) > *floodTime || t.Failed()
	})
	t.Logf("after %s: %+v, %d good messages acknowledged, %d MB at most", time.Since(begin).Round(time.Millisecond), c, f.acked.Load(), f.peak()>>20)

	f.stop.Store(true)
	floodUntil(t, "enough memory again", 3*patience, func() bool { return f.counts().stage == 0 })
	f.crowd.Wait()
	floodUntil(t, "all acknowledged messages delivered", patience, func() bool { return f.taken.Load() >= f.acked.Load() || t.Failed() })
	p, err := f.client("late", true)
	if err != nil {
		t.Fatalf("a new client after the flood: %v", err)
	}
	p.ping()
	if peak := f.peak(); peak > floodMost && !raceDetector {
		t.Errorf("%d MB resident with a memory_limit of %d MB, want %d at most", peak>>20, floodLimit>>20, floodMost>>20)
	}
}

func floodUntil(t *testing.T, what string, long time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(long + *floodTime)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		timer := time.NewTimer(20 * time.Millisecond)
		<-timer.C
	}
}
