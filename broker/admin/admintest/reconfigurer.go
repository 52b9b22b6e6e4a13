package admintest

import (
	"context"

	"vernemq/broker/admin"
)

// Reconfigurer is an admin.Reconfigurer that answers the same every time.
type Reconfigurer struct {
	Answer admin.Outcome
	Known  []admin.Value
	Refuse error // what every change is refused with
}

var _ admin.Reconfigurer = (*Reconfigurer)(nil)

// Reload returns r.Answer.
func (r *Reconfigurer) Reload(context.Context) (*admin.Outcome, error) { return r.outcome() }

// Set returns r.Answer.
func (r *Reconfigurer) Set(context.Context, []admin.Assignment, bool) (*admin.Outcome, error) {
	return r.outcome()
}

// Unset returns r.Answer.
func (r *Reconfigurer) Unset(context.Context, []string, bool) (*admin.Outcome, error) {
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
