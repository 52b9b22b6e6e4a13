package hook_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

// stepper answers each step with the next of its verdicts; with later set, it says Pending first.
type stepper struct {
	name     string
	verdicts []hook.Verdict
	later    *[]func()
	log      *[]string
}

func (p *stepper) Name() string { return p.name }

func (p *stepper) OnAuth(a *hook.Auth, answer func(hook.Verdict)) hook.Verdict {
	*p.log = append(*p.log, p.name+" "+string(a.Data))
	v := p.verdicts[0]
	p.verdicts = p.verdicts[1:]
	if p.later == nil {
		return v
	}
	*p.later = append(*p.later, func() { answer(v) })
	return hook.Pending
}

// TestAuthSteps: the chain is asked for the first step, who answered it for the others, at once or later.
func TestAuthSteps(t *testing.T) {
	const n, ok, no = hook.Next, hook.OK, hook.Refuse
	for _, c := range []struct {
		name          string
		first, second []hook.Verdict // of two providers
		want          []hook.Verdict // of three steps, as far as they go
		code          mqtt.Code
		asked         []string
	}{
		{"the first one", []hook.Verdict{ok, ok, ok}, nil, []hook.Verdict{ok, ok, ok}, 0, []string{"a 1", "a 2", "a 3"}},
		{"the second one", []hook.Verdict{n}, []hook.Verdict{ok, ok, ok}, []hook.Verdict{ok, ok, ok}, 0, []string{"a 1", "b 1", "b 2", "b 3"}},
		{"refused", []hook.Verdict{n}, []hook.Verdict{ok, no}, []hook.Verdict{ok, no}, 0, []string{"a 1", "b 1", "b 2"}},
		{"refused at once", []hook.Verdict{no}, nil, []hook.Verdict{no}, 0, []string{"a 1"}},
		{"nobody knows the method", []hook.Verdict{n}, []hook.Verdict{n}, []hook.Verdict{no}, mqtt.CodeBadAuthenticationMethod, []string{"a 1", "b 1"}},
		{"the second changes its mind", []hook.Verdict{n}, []hook.Verdict{ok, n}, []hook.Verdict{ok, no}, 0, []string{"a 1", "b 1", "b 2"}},
	} {
		for _, pending := range []bool{false, true} {
			t.Run(map[bool]string{false: "at once ", true: "later "}[pending]+c.name, func(t *testing.T) {
				var log []string
				var later []func()
				a, b := &stepper{name: "a", verdicts: c.first, log: &log}, &stepper{name: "b", verdicts: c.second, log: &log}
				if pending {
					a.later, b.later = &later, &later
				}
				chains := hook.NewChains(a, b)
				q := hook.NewAuth(hook.Client{}, "method", false)
				var got []hook.Verdict
				for _, data := range []string{"1", "2", "3"}[:len(c.want)] {
					q.Next([]byte(data))
					v := chains.AskAuth(q, func(v hook.Verdict) { got = append(got, v) })
					if v != hook.Pending {
						got = append(got, v)
					}
					for len(later) > 0 {
						f := later[0]
						later = later[1:]
						f()
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("verdicts (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.asked, log); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				if q.Code != c.code {
					t.Errorf("code 0x%02X, want 0x%02X", byte(q.Code), byte(c.code))
				}
			})
		}
	}
	q := hook.NewAuth(hook.Client{}, "method", false)
	if v := hook.NewChains().AskAuth(q, nil); v != hook.Refuse || q.Code != mqtt.CodeBadAuthenticationMethod {
		t.Errorf("an empty chain says %d with 0x%02X", v, byte(q.Code))
	}
}
