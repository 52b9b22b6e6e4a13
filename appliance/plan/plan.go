// Package plan holds the result of compiling a configuration: every effective value with where it came from, the listeners with their options
// after inheritance, and the file the broker loads. It refuses to know how the result was found and what a value does.
package plan

import (
	"sort"

	"vernemq/appliance/report"
	"vernemq/schema"
)

// Layer is one of the layers of configuration; a higher one wins.
type Layer uint8

// The layers, lowest first.
const (
	Default     Layer = iota // the schema
	File                     // vernemq.conf with its includes
	Environment              // variables of the process, or of /etc/default/vernemq
	CommandLine              // --set and --accept-eula
)

// String returns the layer's name.
func (l Layer) String() string {
	return [...]string{"default", "file", "environment", "command line"}[l]
}

// Origin says where a value came from.
type Origin struct {
	Layer Layer
	Pos   report.Pos // the assignment; unknown for Default
}

// String returns the place of the assignment, or "default".
func (o Origin) String() string {
	if o.Layer == Default {
		return "default"
	}
	return report.Pos{File: o.Pos.File, Line: o.Pos.Line}.String()
}

// Value is one effective value.
type Value struct {
	Key    *schema.Key
	Name   string // the concrete key; for an option of a listener the option's name only
	Value  any    // as schema.Key.Parse gives it
	Source string // the concrete key it was taken from: for an inherited option that of a higher level
	Origin Origin
}

// hidden stands in place of a secret.
const hidden = "******"

// Text returns the value as an operator would write it, and asterisks for a secret that is set.
func (v *Value) Text() string {
	text := v.Key.Format(v.Value)
	if v.Key.Secret && text != "" {
		return hidden
	}
	return text
}

// Listener is one listening address.
type Listener struct {
	Protocol string // tcp, ssl, ws, wss, http, https, vmq or vmqs
	Name     string
	Address  Value   // Name is listener.PROTOCOL.NAME
	Options  []Value // after inheritance, sorted by name
}

// Option returns the option of that name; ok is false if it has no value.
func (l *Listener) Option(name string) (v Value, ok bool) { return find(l.Options, name) }

// Live reports whether the broker can open a listener of this protocol.
func (l *Listener) Live() bool { return l.Address.Key.Effect == schema.Live }

// Plan is a compiled configuration. It is not modified after compiling.
type Plan struct {
	Compiler  string     // name and version of the program that compiled it
	Values    []Value    // all but those of listeners, sorted by name
	Listeners []Listener // sorted by protocol, then name
}

// Get returns the value of a key that is not of a listener; ok is false if it has none.
func (p *Plan) Get(name string) (v Value, ok bool) { return find(p.Values, name) }

func find(values []Value, name string) (Value, bool) {
	i := sort.Search(len(values), func(i int) bool { return values[i].Name >= name })
	if i < len(values) && values[i].Name == name {
		return values[i], true
	}
	return Value{}, false
}

// Sort brings values and listeners into their order; Get and Option need it.
func (p *Plan) Sort() {
	byName := func(values []Value) {
		sort.SliceStable(values, func(i, j int) bool { return values[i].Name < values[j].Name })
	}
	byName(p.Values)
	for i := range p.Listeners {
		byName(p.Listeners[i].Options)
	}
	sort.SliceStable(p.Listeners, func(i, j int) bool {
		a, b := &p.Listeners[i], &p.Listeners[j]
		if a.Protocol != b.Protocol {
			return a.Protocol < b.Protocol
		}
		return a.Name < b.Name
	})
}
