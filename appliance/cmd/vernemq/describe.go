package main

import (
	"bufio"
	"flag"
	"fmt"
	"strings"

	"vernemq/appliance/docs"
	"vernemq/appliance/plan"
	"vernemq/schema"
)

// asked is the key a command was asked about.
type asked struct {
	schema *schema.Schema
	key    *schema.Key
	name   string // as asked, an older name replaced by the new one
	old    string // the older name, if that was asked about
}

// oneKey parses the arguments of a command about one key, and finds the key. Otherwise it says what is wrong, and status is
// not exitOK.
func (p *program) oneKey(command string, args []string, declare func(*flag.FlagSet)) (a asked, status int) {
	word, ok := p.parseOne(command, args, "key", declare)
	if !ok {
		return asked{}, exitCannot
	}
	s, err := schema.Load()
	if err != nil {
		return asked{}, p.cannot(command, err)
	}
	name := strings.TrimSpace(word)
	if k := s.Pattern(name); k != nil {
		return asked{schema: s, key: k, name: name}, exitOK
	}
	if k, _, ok := s.Lookup(name); ok {
		return asked{schema: s, key: k, name: name}, exitOK
	}
	if k, wild, ok := s.ByAlias(name); ok {
		return asked{schema: s, key: k, name: k.Concrete(wild), old: name}, exitOK
	}
	fmt.Fprintf(p.stderr, "vernemq %s: there is no key %q", command, name)
	if near := s.Nearest(name, 3); len(near) > 0 {
		fmt.Fprintf(p.stderr, ", did you mean %s?", strings.Join(near, " or "))
	} else if under := below(s, name); len(under) > 0 {
		fmt.Fprintf(p.stderr, "; keys below it: %s", strings.Join(under, ", "))
	}
	fmt.Fprintln(p.stderr)
	return asked{}, exitFailed
}

// below returns some of the keys whose names begin with the words of name.
func below(s *schema.Schema, name string) (out []string) {
	const most = 8
	for _, k := range s.Keys() {
		if strings.HasPrefix(k.Name, strings.TrimSuffix(name, ".")+".") && k.Effect != schema.Refused {
			if len(out) == most {
				return append(out, "…")
			}
			out = append(out, k.Name)
		}
	}
	return out
}

// jsonDescription is what describe tells, for programs.
type jsonDescription struct {
	jsonKey
	Asked  string     `json:"asked"`
	Set    []jsonStep `json:"set"`    // where the key is set on this machine
	Levels []string   `json:"levels"` // the keys that can give the value, the most general first
}

// describe prints what is known about a key.
func (p *program) describe(args []string) int {
	var format *string
	a, status := p.oneKey("config describe", args, func(f *flag.FlagSet) { format = oneOf(f, "format", "text", "json") })
	if status != exitOK {
		return status
	}
	result, _, err := p.compile(layerFlags{})
	if err != nil {
		return p.cannot("config describe", err)
	}
	set := settings(result, a)
	if *format == "json" {
		d := jsonDescription{newJSONKey(a.key), a.name, []jsonStep{}, append([]string{}, levelNames(a)...)}
		for _, step := range set {
			d.Set = append(d.Set, newJSONStep(step))
		}
		if err := p.writeJSON(d); err != nil {
			return p.cannot("config describe", err)
		}
		return exitOK
	}
	out := bufio.NewWriter(p.stdout)
	fmt.Fprintln(out, a.name)
	if a.old != "" {
		fmt.Fprintf(out, "  (%s is its older name)\n", a.old)
	}
	paragraph(out, "  ", a.key.Doc)
	fmt.Fprintln(out)
	levels := levelNames(a)
	for _, f := range docs.Facts(a.key) {
		if f.Name == "default" && !a.key.HasDefault() && len(levels) > 1 {
			f.Text = "what the level above has"
		}
		fact(out, f.Name, f.Text)
	}
	for i, name := range levels {
		label := ""
		if i == 0 {
			label = "levels"
		}
		if name == a.name {
			name += " <- this one"
		}
		fact(out, label, name)
	}
	if len(set) == 0 {
		fact(out, "set", "nowhere on this machine")
	}
	for i, step := range set {
		label := ""
		if i == 0 {
			label = "set"
		}
		fact(out, label, fmt.Sprintf("%s = %s, %s", step.Name, plan.Quote(step.Text), place(step)))
	}
	if err := out.Flush(); err != nil {
		return p.cannot("config describe", err)
	}
	return exitOK
}

// settings returns the assignments that the operator made of the very key; for one with wildcards those of every name.
func settings(p *plan.Plan, a asked) (out []plan.Step) {
	if !strings.Contains(a.name, "$") {
		return own(p, a.name)
	}
	eachValue(p, func(name string, v *plan.Value) {
		if k, _, ok := a.schema.Lookup(name); ok && k == a.key {
			out = append(out, own(p, name)...)
		}
	})
	return out
}

// own returns the assignments of one concrete key that stand somewhere, without those of more general levels.
func own(p *plan.Plan, name string) (out []plan.Step) {
	levels := map[string]bool{}
	if v, ok := p.Find(name); ok {
		for _, l := range v.Levels {
			levels[l.Name] = l.Name != name
		}
	}
	for _, s := range p.History(name) {
		if s.Layer != plan.Default && !levels[s.Name] {
			out = append(out, s)
		}
	}
	return out
}

// place says where an assignment stands: file and line, or the layer where there is no file.
func place(s plan.Step) string {
	if s.Pos.Line == 0 {
		return s.Layer.String()
	}
	o := plan.Origin{Layer: s.Layer, Pos: s.Pos}
	return o.String()
}

// levelNames returns the keys that can give an option of listeners its value, the most general first; nil for any other key.
func levelNames(a asked) (names []string) {
	words := schema.SplitName(a.key.Name)
	if words[0] != "listener" || len(words) < 2 || len(words) == 3 && strings.HasPrefix(words[2], "$") {
		return nil
	}
	protocol, name, option := "PROTOCOL", "NAME", words[len(words)-1:]
	switch asked := schema.SplitName(a.name); {
	case len(words) == 3:
		protocol = asked[1]
	case len(words) > 3:
		protocol, name, option = asked[1], asked[2], asked[3:]
	}
	if protocol == "PROTOCOL" {
		return []string{a.name, schema.JoinName(append([]string{"listener", protocol}, option...)),
			schema.JoinName(append([]string{"listener", protocol, name}, option...))}
	}
	for _, front := range [][]string{{"listener"}, {"listener", protocol}, {"listener", protocol, name}} {
		candidate := append(append([]string{}, front...), option...)
		pattern := append([]string{}, candidate...)
		if len(front) == 3 {
			pattern[2] = "$name"
		}
		if k := a.schema.Pattern(schema.JoinName(pattern)); k != nil && k.Effect != schema.Ignored {
			names = append(names, schema.JoinName(candidate))
		}
	}
	return names
}
