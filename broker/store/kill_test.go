package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// victim names, in its environment, the directory of the store that a process of this test writes to until it is killed.
const victim = "VERNEMQ_STORE_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		write(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// write publishes numbered messages, says each number once its ticket is complete, and acknowledges most of them.
func write(dir string) {
	s, err := store.Open(store.Config{Dir: dir, SegmentBytes: 20_000, CompactRate: 1 << 30})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	w := newWaiter(s)
	k, ticket := s.PutSession(&store.Session{ID: msg.SubscriberID{ClientID: "a"}})
	w.wait(ticket)
	for n, done := 0, -1; ; n++ {
		m := msg.New("", []byte("t"), fmt.Appendf(nil, "%s-%d", dir, n), nil, 1, false)
		ref, ticket := s.PutMessage(m, store.Inbound{}, []store.Recipient{{Session: k, Opts: 1}})
		w.wait(ticket)
		fmt.Println("durable", n)
		if done >= 0 { // it is written with what came behind it at the latest
			fmt.Println("done", done)
		}
		if done = -1; n%10 != 0 {
			s.PutAck(store.Ack{Kind: store.Done, Session: k, Message: ref})
			done = n
		}
	}
}

// TestKill kills a writing process again and again: every message that was told to be durable is there, every one that was done is not.
func TestKill(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 12 {
		dir := t.TempDir()
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), victim+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		durable, done := map[int]bool{}, map[int]bool{}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var i int
			switch what, number, _ := strings.Cut(lines.Text(), " "); what {
			case "durable":
				_, err = fmt.Sscan(number, &i)
				durable[i] = true
			case "done":
				_, err = fmt.Sscan(number, &i)
				done[i] = true
			default:
				t.Fatal(lines.Text())
			}
			if err != nil {
				break // the last line, cut off
			}
			if n == 150*(round+1)+round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("it was not killed")
		}
		s, got := reopened(t, store.Config{Dir: dir, SegmentBytes: 20_000, BallastBytes: -1})
		for i := range durable {
			_, there := got[fmt.Sprintf("delivery 1 %s-%d", dir, i)]
			if done[i] && there {
				t.Errorf("round %d: message %d was done and came back", round, i)
			}
			if !there && i%10 == 0 {
				t.Errorf("round %d: message %d was durable and is gone", round, i)
			}
		}
		mustClose(t, s)
	}
}
