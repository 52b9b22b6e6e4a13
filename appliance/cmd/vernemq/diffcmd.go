package main

import (
	"bufio"
	"flag"
	"fmt"
	"reflect"
	"slices"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/schema"
)

// difference is one key whose value differs between two configurations.
type difference struct {
	Key    string     `json:"key"`
	Change string     `json:"change"` // live or restart: how the second value takes hold in a broker that runs with the first
	Old    *jsonValue `json:"old"`    // null: it has no value in the first
	New    *jsonValue `json:"new"`    // null: it has none in the second
	Secret bool       `json:"secret,omitempty"`
}

// diff prints which values in force differ between two configurations.
func (p *program) diff(args []string) int {
	var format *string
	files, ok := p.parseWords("config diff", args, func(f *flag.FlagSet) { format = oneOf(f, "format", "text", "json") })
	if !ok {
		return exitCannot
	}
	if len(files) != 2 {
		p.misused("config diff", fmt.Errorf("two files or directories are needed, and there are %d", len(files)))
		return exitCannot
	}
	var plans [2]*plan.Plan
	for i, name := range files {
		result, findings, err := p.compileFile(name)
		if err != nil {
			return p.cannot("config diff", err)
		}
		if findings.Fatal(false) {
			if err := findings.WriteText(p.stderr, report.Error); err != nil {
				return p.cannot("config diff", err)
			}
			fmt.Fprintf(p.stderr, "vernemq config diff: %s has errors, so there is nothing to compare\n", name)
			return exitCannot
		}
		plans[i] = result
	}
	list := compare(plans[0], plans[1])
	var err error
	if *format == "json" {
		err = p.writeJSON(list)
	} else {
		err = p.writeDiff(list)
	}
	if err != nil {
		return p.cannot("config diff", err)
	}
	if len(list) > 0 {
		return exitFailed
	}
	return exitOK
}

// compare returns the keys whose values differ, by name.
func compare(a, b *plan.Plan) []difference {
	before, after := valuesByName(a), valuesByName(b)
	names := []string{}
	for name := range before {
		names = append(names, name)
	}
	for name := range after {
		if before[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	list := []difference{}
	for _, name := range names {
		old, now := before[name], after[name]
		if old != nil && now != nil && reflect.DeepEqual(old.Value, now.Value) {
			continue
		}
		d := difference{Key: name}
		for _, side := range []struct {
			v  *plan.Value
			to **jsonValue
		}{{old, &d.Old}, {now, &d.New}} {
			if side.v != nil {
				value := newJSONValue(name, side.v)
				*side.to, d.Change = &value, change(side.v.Key)
				d.Secret = d.Secret || side.v.Key.Secret || side.v.Secret
			}
		}
		list = append(list, d)
	}
	return list
}

func valuesByName(p *plan.Plan) map[string]*plan.Value {
	out := map[string]*plan.Value{}
	eachValue(p, func(name string, v *plan.Value) { out[name] = v })
	return out
}

// writeDiff prints differences a line each: how it takes hold (live: in a running broker; restart: at its next start), the key, the old and the new value. Options of a listener that comes or goes as a
// whole are not listed.
func (p *program) writeDiff(list []difference) error {
	whole := map[string]bool{}
	for _, d := range list {
		if words := schema.SplitName(d.Key); len(words) == 3 && words[0] == "listener" && (d.Old == nil || d.New == nil) {
			whole[d.Key+"."] = true
		}
	}
	var rows [][]string
	count := map[string]int{}
	for _, d := range list {
		words := schema.SplitName(d.Key)
		if len(words) > 3 && whole[schema.JoinName(words[:3])+"."] && isDefault(d.Old) && isDefault(d.New) {
			continue
		}
		row := []string{d.Change, d.Key, "", ""}
		switch {
		case d.Old == nil:
			row[2] = "+ " + plan.Quote(d.New.Text)
		case d.New == nil:
			row[2] = "- " + plan.Quote(d.Old.Text)
		default:
			row[2] = plan.Quote(d.Old.Text) + " -> " + plan.Quote(d.New.Text)
		}
		if d.Secret && d.Old != nil && d.New != nil {
			row[2] = "another secret"
		}
		if d.New != nil && d.New.File != "" {
			row[3] = fmt.Sprintf("%s:%d", d.New.File, d.New.Line)
		} else if d.New == nil && d.Old.File != "" {
			row[3] = fmt.Sprintf("was %s:%d", d.Old.File, d.Old.Line)
		}
		count[d.Change]++
		rows = append(rows, row)
	}
	out := bufio.NewWriter(p.stdout)
	table(out, "", rows)
	if len(rows) > 0 {
		fmt.Fprintf(out, "%d differ: live %d, restart %d\n", len(rows), count["live"], count["restart"])
	} else {
		fmt.Fprintln(out, "no difference")
	}
	return out.Flush()
}

// isDefault reports whether a side of a difference is nothing an operator wrote.
func isDefault(v *jsonValue) bool { return v == nil || v.Layer == plan.Default.String() }
