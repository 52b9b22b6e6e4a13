package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Reconfigurer changes the configuration of the running broker. It is implemented over the compiler, which the broker does not know. Its methods
// are safe for concurrent use. What it refuses is an *Error that says why, and then nothing has changed.
type Reconfigurer interface {
	// Reload compiles all layers anew and puts in force what can be.
	Reload(ctx context.Context) (*Outcome, error)
	// Set gives keys values that count above all layers until the broker ends. With persist they are kept for later starts, too.
	Set(ctx context.Context, values []Assignment, persist bool) (*Outcome, error)
	// Unset takes back what Set did to keys, or to all if there are none. With persist also what was kept.
	Unset(ctx context.Context, keys []string, persist bool) (*Outcome, error)
	// Values returns the values in force of keys; of all that Set has given if there are none.
	Values(keys []string) ([]Value, error)
}

// Assignment is one key=value.
type Assignment struct{ Key, Value string }

// Value is a value in force.
type Value struct {
	Key    string
	Text   string // as it is written in vernemq.conf; asterisks for a secret
	Origin string // file and line, or the layer
	Change string // how another value takes hold: live, restart or nothing
}

// Outcome is what a change of the configuration did.
type Outcome struct {
	Changes  []Change
	Findings string // warnings of the compiler, for people; lines end with a line end
	Notes    []string
}

// Change is one key whose value is another now.
type Change struct {
	Key      string
	Live     bool // in force; false: at the next start
	Old, New string
	Origin   string
}

var errFixed = errors.New("this broker's configuration cannot be changed while it runs")

// reconfiguring is the Run of a command that works with the Reconfigurer of a broker, if there is one.
func reconfiguring(b Broker, f func(context.Context, Reconfigurer, *Request) (Result, error)) func(context.Context, *Request) (Result, error) {
	return func(ctx context.Context, r *Request) (Result, error) {
		c := b.Reconfigurer()
		if c == nil {
			return nil, errFixed
		}
		return f(ctx, c, r)
	}
}

// changed is the result of an outcome: what the compiler has to say, and a table of what changed.
func changed(o *Outcome, err error) (Result, error) {
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	text.WriteString(o.Findings)
	live := 0
	for _, c := range o.Changes {
		if c.Live {
			live++
		}
	}
	switch later := len(o.Changes) - live; {
	case len(o.Changes) == 0:
		text.WriteString("Nothing has changed.\n")
	case later == 0:
		fmt.Fprintf(&text, "%d changed.\n", live)
	default:
		fmt.Fprintf(&text, "%d changed, %d wait for a restart.\n", live, later)
	}
	for _, n := range o.Notes {
		text.WriteString(n + "\n")
	}
	out := Several{Text(text.String())}
	if len(o.Changes) == 0 {
		return out, nil
	}
	var cells [][]any
	for _, c := range o.Changes {
		when := "restart"
		if c.Live {
			when = "live"
		}
		cells = append(cells, []any{when, c.Key, c.Old, c.New, c.Origin})
	}
	return append(out, rows([]string{"change", "key", "old", "new", "origin"}, cells)), nil
}

// reload is `reload`: all files anew.
func reload(b Broker) *Command {
	return &Command{
		Path: []string{"reload"},
		Doc: "Reads the configuration anew and puts in force what can be.\nIf it has errors they are told, and nothing changes. What needs a restart is named. " +
			"Values given with set stay above the files until they are taken back.",
		Run: reconfiguring(b, func(ctx context.Context, c Reconfigurer, _ *Request) (Result, error) {
			return changed(c.Reload(ctx))
		}),
	}
}
