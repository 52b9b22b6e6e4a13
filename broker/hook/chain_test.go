package hook_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/hook"
)

// provider answers every question with its verdict, or says Pending and answers with later when it is told to.
type provider struct {
	name  string
	now   hook.Verdict
	later hook.Verdict
	log   *[]string
	queue *[]func()
}

func (p *provider) Name() string { return p.name }

func (p *provider) ask(what string, answer func(hook.Verdict)) hook.Verdict {
	*p.log = append(*p.log, p.name+" "+what)
	if p.now == hook.Pending {
		*p.queue = append(*p.queue, func() { answer(p.later) })
	}
	return p.now
}

func (p *provider) AuthOnRegister(_ *hook.Register, a func(hook.Verdict)) hook.Verdict {
	return p.ask("register", a)
}
func (p *provider) AuthOnPublish(_ *hook.Publish, a func(hook.Verdict)) hook.Verdict {
	return p.ask("publish", a)
}
func (p *provider) AuthOnSubscribe(_ *hook.Subscribe, a func(hook.Verdict)) hook.Verdict {
	return p.ask("subscribe", a)
}

type observer struct {
	name string
	log  *[]string
}

func (o *observer) Name() string { return o.name }
func (o *observer) Observe(p hook.Point, e *hook.Event) {
	*o.log = append(*o.log, fmt.Sprintf("%s saw %d %s", o.name, p, e.Reason))
}

const pendingNext = 10 // Pending, then Next, and so on

// TestConditional: one provider after another until one gives a verdict, at once or later.
func TestConditional(t *testing.T) {
	const n, ok, no = hook.Next, hook.OK, hook.Refuse
	const pn, pok, pno = pendingNext + n, pendingNext + ok, pendingNext + no
	for _, c := range []struct {
		name      string
		verdicts  []hook.Verdict
		asked     string
		want      hook.Verdict // for publish and subscribe
		forClient hook.Verdict // for register
	}{
		{"empty", nil, "", ok, no},
		{"all pass", []hook.Verdict{n, n}, "0 1", no, no},
		{"first accepts", []hook.Verdict{ok, no}, "0", ok, ok},
		{"first refuses", []hook.Verdict{no, ok}, "0", no, no},
		{"second accepts", []hook.Verdict{n, ok, no}, "0 1", ok, ok},
		{"accepts later", []hook.Verdict{pok, no}, "0", ok, ok},
		{"refuses later", []hook.Verdict{n, pno, ok}, "0 1", no, no},
		{"passes later, next accepts", []hook.Verdict{pn, ok}, "0 1", ok, ok},
		{"passes later, next later too", []hook.Verdict{pn, pn, n, pok, no}, "0 1 2 3", ok, ok},
		{"all pass later", []hook.Verdict{pn, pn}, "0 1", no, no},
	} {
		for _, point := range []string{"register", "publish", "subscribe"} {
			t.Run(c.name+"/"+point, func(t *testing.T) {
				var log []string
				var queue []func()
				var ps []hook.Provider
				for i, v := range c.verdicts {
					p := &provider{name: fmt.Sprint(i), now: v, log: &log, queue: &queue}
					if v >= pendingNext {
						p.now, p.later = hook.Pending, v-pendingNext
					}
					ps = append(ps, p)
				}
				chains := hook.NewChains(ps...)
				var later []hook.Verdict
				done := func(v hook.Verdict) { later = append(later, v) }
				want := c.want
				var got hook.Verdict
				switch point {
				case "register":
					want, got = c.forClient, chains.AskRegister(&hook.Register{}, done)
				case "publish":
					got = chains.AskPublish(&hook.Publish{}, done)
				default:
					got = chains.AskSubscribe(&hook.Subscribe{}, done)
				}
				if got == hook.Pending {
					for len(queue) > 0 {
						if len(later) > 0 {
							t.Fatal("answered before every provider that was asked had answered")
						}
						f := queue[0]
						queue = queue[1:]
						f()
					}
					if len(later) != 1 {
						t.Fatalf("answered %d times, want once", len(later))
					}
					got = later[0]
				} else if len(later) > 0 {
					t.Fatalf("answered at once and again: %v", later)
				}
				if got != want {
					t.Errorf("verdict %d, want %d", got, want)
				}
				asked := strings.ReplaceAll(strings.Join(log, " "), " "+point, "")
				if diff := cmp.Diff(c.asked, asked); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestObserve: all observers are told, in their order, and those who do not ask are not in the way.
func TestObserve(t *testing.T) {
	var log []string
	c := hook.NewChains(&observer{"a", &log}, &provider{name: "p"}, &observer{"b", &log})
	if !c.Observed() || !c.Publishes() || !c.Subscribes() {
		t.Error("chains with observers and a provider say that nobody asks")
	}
	c.Observe(hook.OnMessageDrop, &hook.Event{Reason: "queue_full"})
	want := []string{fmt.Sprintf("a saw %d queue_full", hook.OnMessageDrop), fmt.Sprintf("b saw %d queue_full", hook.OnMessageDrop)}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if e := hook.NewChains(); e.Observed() || e.Publishes() || e.Subscribes() {
		t.Error("empty chains say that somebody asks")
	}
}

// TestAnswerElsewhere: answers may come from any goroutine, before the asking call has returned.
func TestAnswerElsewhere(t *testing.T) {
	c := hook.NewChains(elsewhere{}, elsewhere{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Add(1)
		if v := c.AskRegister(&hook.Register{}, func(v hook.Verdict) {
			if v != hook.Refuse {
				t.Errorf("verdict %d, want a refusal: nobody accepted", v)
			}
			wg.Done()
		}); v != hook.Pending {
			t.Fatalf("verdict %d, want Pending", v)
		}
	}
	wg.Wait()
}

type elsewhere struct{}

func (elsewhere) Name() string { return "elsewhere" }
func (elsewhere) AuthOnRegister(_ *hook.Register, answer func(hook.Verdict)) hook.Verdict {
	go answer(hook.Next)
	return hook.Pending
}
