package admin

import (
	"context"
	"fmt"
	"strings"
)

var persistFlag = FlagSpec{Name: "persist", Short: "p", Doc: "Also for later starts: kept in /var/lib/vernemq/conf.d, above vernemq.conf and below the environment and the command line."}

// set is `set`: values at run time.
func set(b Broker) *Command {
	return &Command{
		Path: []string{"set"}, Settings: true, Flags: []FlagSpec{persistFlag},
		Doc: "Gives keys of the configuration another value while the broker runs.\nThe value counts above all files until the broker ends, or, with --persist, " +
			"also later. Keys that take a restart are refused without --persist. All of them change, or none.",
		Run: reconfiguring(b, func(ctx context.Context, c Reconfigurer, r *Request) (Result, error) {
			if len(r.Settings) == 0 {
				return nil, &Error{"Usage: vmq-admin set key=value ... [--persist]"}
			}
			_, persist := r.Flag("persist")
			o, err := c.Set(ctx, r.Settings, persist)
			if err != nil {
				return nil, err
			}
			var keys []string
			for _, s := range r.Settings {
				keys = append(keys, s.Key)
			}
			return told(c, o, keys, `%s set to "%s"`)
		}),
	}
}

// unset is `unset`: takes values of set back.
func unset(b Broker) *Command {
	return &Command{
		Path: []string{"unset"}, Words: "KEY", Flags: []FlagSpec{persistFlag},
		Doc: "Takes back what set gave: the files count again.\nWith --persist also what set --persist has kept.",
		Run: reconfiguring(b, func(ctx context.Context, c Reconfigurer, r *Request) (Result, error) {
			if len(r.Words) == 0 {
				return nil, &Error{"Usage: vmq-admin unset KEY ... [--persist]; vmq-admin reset takes everything back"}
			}
			_, persist := r.Flag("persist")
			o, err := c.Unset(ctx, r.Words, persist)
			if err != nil {
				return nil, err
			}
			return told(c, o, r.Words, `%s is "%s"`)
		}),
	}
}

// reset is `reset`: takes all values of set back.
func reset(b Broker) *Command {
	return &Command{
		Path: []string{"reset"}, Flags: []FlagSpec{persistFlag},
		Doc: "Takes everything back that set gave: the files count again.\nWith --persist also what set --persist has kept.",
		Run: reconfiguring(b, func(ctx context.Context, c Reconfigurer, r *Request) (Result, error) {
			_, persist := r.Flag("persist")
			return changed(c.Unset(ctx, nil, persist))
		}),
	}
}

// told tells the values that keys have now, and what else is to say.
func told(c Reconfigurer, o *Outcome, keys []string, form string) (Result, error) {
	values, err := c.Values(keys)
	if err != nil {
		return nil, err
	}
	later := map[string]string{}
	for _, x := range o.Changes {
		if !x.Live {
			later[x.Key] = x.New
		}
	}
	var text strings.Builder
	text.WriteString(o.Findings)
	for _, v := range values {
		if now, waits := later[v.Key]; waits {
			fmt.Fprintf(&text, "%s is kept as \"%s\" for the next start; it goes on as \"%s\"\n", v.Key, now, v.Text)
			continue
		}
		fmt.Fprintf(&text, form+"\n", v.Key, v.Text)
	}
	for _, n := range o.Notes {
		text.WriteString(n + "\n")
	}
	return Text(text.String()), nil
}

// show is `show`: values in force.
func show(b Broker) *Command {
	return &Command{
		Path: []string{"show"}, Words: "KEY",
		Flags: []FlagSpec{{Name: "origin", Short: "o", Doc: "One row for each key, with where its value comes from and how another one takes hold."}},
		Doc:   "Shows the values that are in force.\nWithout a key those that set has given, with their origin.",
		Run: reconfiguring(b, func(_ context.Context, c Reconfigurer, r *Request) (Result, error) {
			values, err := c.Values(r.Words)
			if err != nil {
				return nil, err
			}
			if _, origin := r.Flag("origin"); origin || len(r.Words) == 0 {
				var cells [][]any
				for _, v := range values {
					cells = append(cells, []any{v.Key, v.Text, v.Origin, v.Change})
				}
				return rows([]string{"key", "value", "origin", "change"}, cells), nil
			}
			columns, cells := []string{"node"}, []any{b.NodeName()}
			for _, v := range values {
				columns, cells = append(columns, v.Key), append(cells, v.Text)
			}
			return rows(columns, [][]any{cells}), nil
		}),
	}
}
