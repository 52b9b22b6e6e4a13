package main

import (
	"bufio"
	"flag"
	"fmt"
	"strings"

	"vernemq/appliance/plan"
	"vernemq/schema"
)

// jsonStep is one assignment, for programs.
type jsonStep struct {
	Key     string `json:"key"` // as written: an older name, or the key of a more general level
	Layer   string `json:"layer"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Text    string `json:"text"`            // as written
	Value   string `json:"value,omitempty"` // as read; empty if it is not accepted
	Won     bool   `json:"won"`
	Why     string `json:"why,omitempty"` // why it did not win
	Rule    string `json:"rule,omitempty"`
	Reading string `json:"reading,omitempty"`
}

func newJSONStep(s plan.Step) jsonStep {
	out := jsonStep{Key: s.Name, Layer: s.Layer.String(), File: s.Pos.File, Line: s.Pos.Line, Column: s.Pos.Col, Text: s.Text, Value: s.Value,
		Won: s.Won, Why: s.Why}
	if s.Auto != nil {
		out.Rule, out.Reading = s.Auto.Rule, s.Auto.Reading
	}
	return out
}

// jsonExplanation is what explain tells, for programs.
type jsonExplanation struct {
	Key     string     `json:"key"`
	Set     bool       `json:"set"` // the key has a value
	Value   *jsonValue `json:"value,omitempty"`
	History []jsonStep `json:"history"`
	Levels  []string   `json:"levels"`
	Givers  []string   `json:"gives_to"` // listeners' options that take their value from this key
}

// explain prints where the value of a key comes from.
func (p *program) explain(args []string) int {
	var layers layerFlags
	var format *string
	a, status := p.oneKey("config explain", args, func(f *flag.FlagSet) {
		layers.add(f)
		format = oneOf(f, "format", "text", "json")
	})
	if status != exitOK {
		return status
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("config explain", err)
	}
	if strings.Contains(a.name, "$") {
		return p.explainEach(result, a, *format)
	}
	if *format == "json" {
		if err := p.writeJSON(explanation(result, a)); err != nil {
			return p.cannot("config explain", err)
		}
		return exitOK
	}
	out := bufio.NewWriter(p.stdout)
	explainText(out, result, a)
	for _, e := range findings.Entries {
		if e.Key == a.name || e.Key == a.old && a.old != "" {
			at := ""
			if e.Pos.Known() {
				at = e.Pos.String() + ": "
			}
			fmt.Fprintf(out, "\n  %s%s: %s\n", at, e.Severity, e.Message)
		}
	}
	if err := out.Flush(); err != nil {
		return p.cannot("config explain", err)
	}
	return exitOK
}

// explainEach explains a key with wildcards for every name that has it.
func (p *program) explainEach(result *plan.Plan, a asked, format string) int {
	var all []asked
	eachValue(result, func(name string, v *plan.Value) {
		if k, _, ok := a.schema.Lookup(name); ok && k == a.key {
			all = append(all, asked{schema: a.schema, key: a.key, name: name})
		}
	})
	if format == "json" {
		list := []jsonExplanation{}
		for _, one := range all {
			list = append(list, explanation(result, one))
		}
		if err := p.writeJSON(list); err != nil {
			return p.cannot("config explain", err)
		}
		return exitOK
	}
	out := bufio.NewWriter(p.stdout)
	if len(all) == 0 {
		fmt.Fprintf(out, "%s is set for no name; vernemq config describe '%s' tells what it means\n", a.name, a.name)
	}
	for i, one := range all {
		if i > 0 {
			fmt.Fprintln(out)
		}
		explainText(out, result, one)
	}
	if err := out.Flush(); err != nil {
		return p.cannot("config explain", err)
	}
	return exitOK
}

func explanation(p *plan.Plan, a asked) jsonExplanation {
	e := jsonExplanation{Key: a.name, History: []jsonStep{}, Levels: append([]string{}, levelNames(a)...), Givers: append([]string{}, takers(p, a.name)...)}
	if v, ok := p.Find(a.name); ok {
		value := newJSONValue(a.name, &v)
		e.Set, e.Value = true, &value
	}
	for _, s := range history(p, a) {
		e.History = append(e.History, newJSONStep(s))
	}
	return e
}

// history returns the assignments of a key, for one level of a listener's option those of that level.
func history(p *plan.Plan, a asked) []plan.Step {
	steps := p.History(a.name)
	if _, ok := p.Find(a.name); ok || !a.key.HasDefault() {
		return steps
	}
	won := false
	for _, s := range steps {
		won = won || s.Won
	}
	d := plan.Step{Layer: plan.Default, Name: a.name, Text: a.key.Default, Value: a.key.Default, Won: !won}
	if won {
		d.Why = "it is set"
	}
	return append([]plan.Step{d}, steps...)
}

// takers returns the options of listeners that take their value from the key, which is one of a more general level.
func takers(p *plan.Plan, name string) (out []string) {
	eachValue(p, func(full string, v *plan.Value) {
		if v.Source == name && full != name {
			out = append(out, full)
		}
	})
	return out
}

func explainText(out *bufio.Writer, p *plan.Plan, a asked) {
	if a.old != "" {
		fmt.Fprintf(out, "%s is the older name of %s\n", a.old, a.name)
	}
	v, ok := p.Find(a.name)
	steps, gives := history(p, a), takers(p, a.name)
	switch {
	case ok:
		fmt.Fprintf(out, "%s = %s%s\n", a.name, plan.Quote(v.Text()), inUnit(v.Key))
		if v.Source != a.name {
			fact(out, "taken from", v.Source)
		}
		fact(out, "layer", layerText(v.Origin))
	case len(gives) > 0 || levelled(a):
		fmt.Fprintf(out, "%s is a level: it has no value of its own, and gives one to listeners\n", a.name)
	default:
		fmt.Fprintf(out, "%s is not set and has no default\n", a.name)
	}
	if auto := autoOf(steps); auto != nil {
		fact(out, "rule", auto.Rule)
		fact(out, "reading", auto.Reading)
	}
	if a.key.Effect != schema.Live {
		fact(out, "effect", effectWord(a.key))
	}
	if a.key.Effect == schema.Live || a.key.Effect == schema.Planned {
		fact(out, "change", map[string]string{"live": "takes hold while the broker runs", "restart": "takes hold at the next start"}[change(a.key)])
	}
	if len(steps) > 0 {
		fmt.Fprint(out, "\n  every assignment, the one that counts most last:\n")
		table(out, "    ", stepRows(steps))
	}
	if names := levelNames(a); len(names) > 1 && ok {
		fmt.Fprint(out, "\n  levels, the nearest last:\n")
		table(out, "    ", levelRows(p, names))
	}
	for i, name := range gives {
		label := ""
		if i == 0 {
			fmt.Fprintln(out)
			label = "gives to"
		}
		fact(out, label, name)
	}
}

// levelled reports whether the key is a level of an option of listeners above that of a name.
func levelled(a asked) bool { return len(levelNames(a)) > 1 && a.key.Effect != schema.Ignored }

// autoOf returns how the value in force was computed; nil if it was not.
func autoOf(steps []plan.Step) *plan.Auto {
	for _, s := range steps {
		if s.Won && s.Auto != nil {
			return s.Auto
		}
	}
	return nil
}

// layerText names a layer and the place in it.
func layerText(o plan.Origin) string {
	if text := o.String(); text != o.Layer.String() {
		return o.Layer.String() + ", " + text
	}
	return o.Layer.String()
}

func inUnit(k *schema.Key) string {
	switch k.Type {
	case schema.Integer, schema.Float, schema.IntList:
		if k.Unit != "" {
			return "  (" + k.Unit + ")"
		}
	}
	return ""
}

// stepRows makes a table of assignments.
func stepRows(steps []plan.Step) (rows [][]string) {
	for _, s := range steps {
		text := s.Name + " = " + plan.Quote(s.Text)
		if s.Text == "" && s.Layer == plan.Default {
			text = s.Name + " = ''"
		}
		verdict := "counts"
		if !s.Won {
			verdict = "no: " + s.Why
			if s.By.Known() && s.By.Line > 0 {
				verdict += " (" + plan.Origin{Layer: plan.File, Pos: s.By}.String() + ")"
			}
		}
		at := ""
		if s.Pos.Line > 0 {
			at = place(s)
		}
		rows = append(rows, []string{s.Layer.String(), strings.ReplaceAll(text, "\n", "⏎"), at, verdict})
	}
	return rows
}

// levelRows makes a table of what is set at each level.
func levelRows(p *plan.Plan, names []string) (rows [][]string) {
	for _, name := range names {
		value := "not set"
		for _, s := range own(p, name) {
			if s.Value != "" {
				value = s.Value
			} else if s.Text != "" {
				value = s.Text
			}
		}
		rows = append(rows, []string{name, value})
	}
	return rows
}
