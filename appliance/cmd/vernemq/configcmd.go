package main

import (
	"bufio"
	"flag"
	"fmt"
	"time"

	"vernemq/appliance/docs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/schema"
)

// generate writes the compiled configuration and prints where.
func (p *program) generate(args []string) int {
	var layers layerFlags
	if !p.parse("config generate", args, layers.add) {
		return exitCannot
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("config generate", err)
	}
	if err := findings.WriteText(p.stderr, report.Warning); err != nil {
		return p.cannot("config generate", err)
	}
	if findings.Fatal(false) {
		return exitFailed
	}
	name, err := result.Save(p.root, time.Now())
	if err != nil {
		return p.cannot("config generate", err)
	}
	fmt.Fprintln(p.stdout, name)
	return exitOK
}

// effective prints every value in force.
func (p *program) effective(args []string) int {
	var layers layerFlags
	origin, format := false, (*string)(nil)
	if !p.parse("config effective", args, func(f *flag.FlagSet) {
		layers.add(f)
		f.BoolVar(&origin, "origin", false, "")
		format = oneOf(f, "format", "text", "json")
	}) {
		return exitCannot
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("config effective", err)
	}
	if *format == "json" {
		err = p.writeJSON(jsonValues(result))
	} else {
		err = result.WriteEffective(p.stdout, origin)
	}
	if err != nil {
		return p.cannot("config effective", err)
	}
	if !findings.Fatal(false) {
		return exitOK
	}
	if err := findings.WriteText(p.stderr, report.Warning); err != nil {
		return p.cannot("config effective", err)
	}
	return exitFailed
}

// jsonKey is a key of the schema, for programs.
type jsonKey struct {
	Key     string   `json:"key"`
	Type    string   `json:"type"`
	Unit    string   `json:"unit,omitempty"`
	Default *string  `json:"default"` // null: unset
	Accepts string   `json:"accepts"`
	Runtime bool     `json:"runtime"` // may be changed while the broker runs
	Secret  bool     `json:"secret"`
	Since   string   `json:"since,omitempty"`
	Aliases []string `json:"aliases,omitempty"`
	Effect  string   `json:"effect"`
	Hint    string   `json:"hint,omitempty"`
	Doc     string   `json:"doc"`
}

func newJSONKey(k *schema.Key) jsonKey {
	out := jsonKey{Key: k.Name, Type: string(k.Type), Unit: k.Unit, Accepts: k.Accepts(), Runtime: k.Runtime, Secret: k.Secret, Since: k.Since,
		Aliases: k.Aliases, Effect: effectWord(k), Hint: k.Hint, Doc: k.Doc}
	if k.HasDefault() {
		out.Default = &k.Default
	}
	return out
}

// effectWord is the effect of a key in one word.
func effectWord(k *schema.Key) string {
	if k.Effect == schema.Live {
		return "live"
	}
	return string(k.Effect)
}

// keys lists the keys of the schema: name, type, default, effect, separated by tabs; how many there are goes to standard error.
func (p *program) keys(args []string) int {
	var effect, format *string
	if !p.parse("config keys", args, func(f *flag.FlagSet) {
		effect = oneOf(f, "effect", "", "live", string(schema.Planned), string(schema.Ignored), string(schema.Refused), string(schema.Fixed))
		format = oneOf(f, "format", "text", "json")
	}) {
		return exitCannot
	}
	s, err := schema.Load()
	if err != nil {
		return p.cannot("config keys", err)
	}
	var keys []*schema.Key
	for _, k := range s.Keys() {
		if *effect == "" || *effect == effectWord(k) {
			keys = append(keys, k)
		}
	}
	if *format == "json" {
		list := make([]jsonKey, len(keys))
		for i, k := range keys {
			list[i] = newJSONKey(k)
		}
		if err := p.writeJSON(list); err != nil {
			return p.cannot("config keys", err)
		}
		return exitOK
	}
	out := bufio.NewWriter(p.stdout)
	for _, k := range keys {
		value := "unset"
		if k.HasDefault() {
			value = k.Default
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", k.Name, k.Type, value, effectWord(k))
	}
	if err := out.Flush(); err != nil {
		return p.cannot("config keys", err)
	}
	fmt.Fprintf(p.stderr, "%d keys\n", len(keys))
	return exitOK
}

// defaultFile prints vernemq.conf as it is shipped.
func (p *program) defaultFile(args []string) int {
	if !p.noArgs("config default", args) {
		return exitCannot
	}
	s, err := schema.Load()
	if err != nil {
		return p.cannot("config default", err)
	}
	if _, err := p.stdout.Write(schema.DefaultFile(s)); err != nil {
		return p.cannot("config default", err)
	}
	return exitOK
}

// docs prints the reference of all keys.
func (p *program) docs(args []string) int {
	var format *string
	if !p.parse("config docs", args, func(f *flag.FlagSet) { format = oneOf(f, "format", "markdown", "man") }) {
		return exitCannot
	}
	s, err := schema.Load()
	if err != nil {
		return p.cannot("config docs", err)
	}
	if *format == "man" {
		err = docs.Man(p.stdout, s, version)
	} else {
		err = docs.Markdown(p.stdout, s)
	}
	if err != nil {
		return p.cannot("config docs", err)
	}
	return exitOK
}

// jsonValue is a value in force, for programs.
type jsonValue struct {
	Key    string `json:"key"`
	Value  any    `json:"value"` // typed; asterisks for a secret
	Text   string `json:"text"`  // as it is written in vernemq.conf
	Unit   string `json:"unit,omitempty"`
	Layer  string `json:"layer"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Source string `json:"source,omitempty"` // the key it is taken from, if that is another one
	Change string `json:"change"`           // live or restart
}

func newJSONValue(name string, v *plan.Value) jsonValue {
	out := jsonValue{Key: name, Value: v.Value, Text: v.Text(), Unit: v.Key.Unit, Layer: v.Origin.Layer.String(),
		File: v.Origin.Pos.File, Line: v.Origin.Pos.Line, Change: change(v.Key)}
	if v.Key.Secret || v.Secret {
		out.Value = out.Text
	}
	if v.Source != name {
		out.Source = v.Source
	}
	return out
}

// jsonValues returns every value in force, those of listeners behind the others.
func jsonValues(p *plan.Plan) []jsonValue {
	out := []jsonValue{}
	eachValue(p, func(name string, v *plan.Value) { out = append(out, newJSONValue(name, v)) })
	return out
}

// eachValue calls f with the full name of each value in force.
func eachValue(p *plan.Plan, f func(name string, v *plan.Value)) {
	for i := range p.Values {
		f(p.Values[i].Name, &p.Values[i])
	}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		f(l.Address.Name, &l.Address)
		for j := range l.Options {
			f(l.Address.Name+"."+l.Options[j].Name, &l.Options[j])
		}
	}
}
