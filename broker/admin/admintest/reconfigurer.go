package admintest

import (
	"context"

	"vernemq/broker/admin"
)

// Reconfigurer is an admin.Reconfigurer that remembers what it is asked and answers the same every time.
type Reconfigurer struct {
	Given   []admin.Assignment
	Persist bool
	Answer  admin.Outcome
	Known   []admin.Value
	Refuse  error // what every change is refused with
}

var _ admin.Reconfigurer = (*Reconfigurer)(nil)

// Reload returns r.Answer.
func (r *Reconfigurer) Reload(context.Context) (*admin.Outcome, error) { return r.outcome() }

// Set remembers the values and returns r.Answer.
func (r *Reconfigurer) Set(_ context.Context, values []admin.Assignment, persist bool) (*admin.Outcome, error) {
	r.Given, r.Persist = append(r.Given, values...), persist
	return r.outcome()
}

// Unset returns r.Answer.
func (r *Reconfigurer) Unset(_ context.Context, _ []string, persist bool) (*admin.Outcome, error) {
	r.Persist = persist
	return r.outcome()
}

// Values returns those of r.Known that are asked for, all of them without keys.
func (r *Reconfigurer) Values(keys []string) (out []admin.Value, err error) {
	for _, v := range r.Known {
		for _, key := range keys {
			if v.Key == key {
				out = append(out, v)
			}
		}
	}
	if len(keys) == 0 {
		return r.Known, nil
	}
	if out == nil {
		return nil, &admin.Error{Text: "Invalid config keys: " + keys[0]}
	}
	return out, nil
}

func (r *Reconfigurer) outcome() (*admin.Outcome, error) {
	if r.Refuse != nil {
		return nil, r.Refuse
	}
	return &r.Answer, nil
}
