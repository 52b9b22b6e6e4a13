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
	Profile                  // /usr/share/vernemq/profiles
	File                     // vernemq.conf with its includes
	Persisted                // /var/lib/vernemq/conf.d: settings made while the broker ran
	Image                    // the configuration partition of an appliance
	Environment              // variables of the process, or of /etc/default/vernemq
	CommandLine              // --set and --accept-eula
	RunTime                  // vmq-admin set, until the broker ends
)

// String returns the layer's name.
func (l Layer) String() string {
	return [...]string{"default", "profile", "file", "persisted", "image", "environment", "command line", "run time"}[l]
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
	Levels []Level // for an option of a listener: the keys it can be set with, most general first; else nil
	Auto   *Auto   // not nil if the value follows from readings of the host
	Secret bool    // it must not be shown: the key is secret, or the value comes from one that is
}

// hidden stands in place of a secret.
const hidden = "******"

// Text returns the value as an operator would write it, and asterisks for a secret that is set.
func (v *Value) Text() string {
	text := v.Key.Format(v.Value)
	if (v.Key.Secret || v.Secret) && text != "" {
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

	steps map[string][]Step // by concrete key
}

// Get returns the value of a key that is not of a listener; ok is false if it has none.
func (p *Plan) Get(name string) (v Value, ok bool) { return find(p.Values, name) }

// Find returns the value of any key by its full name, that of a listener's address or of one of its options included; ok is false if it has none.
// The Name of an option is filled in as it was asked for.
func (p *Plan) Find(name string) (v Value, ok bool) {
	if v, ok := p.Get(name); ok {
		return v, true
	}
	words := schema.SplitName(name)
	if len(words) < 3 || words[0] != "listener" {
		return Value{}, false
	}
	i := sort.Search(len(p.Listeners), func(i int) bool {
		l := &p.Listeners[i]
		return l.Protocol > words[1] || l.Protocol == words[1] && l.Name >= words[2]
	})
	if i == len(p.Listeners) || p.Listeners[i].Protocol != words[1] || p.Listeners[i].Name != words[2] {
		return Value{}, false
	}
	if len(words) == 3 {
		return p.Listeners[i].Address, true
	}
	v, ok = p.Listeners[i].Option(schema.JoinName(words[3:]))
	v.Name = name
	return v, ok
}

// All returns every value with its full name in Name, sorted by it: those of listeners and their options included.
func (p *Plan) All() []Value {
	out := append([]Value(nil), p.Values...)
	for i := range p.Listeners {
		l := &p.Listeners[i]
		out = append(out, l.Address)
		for _, v := range l.Options {
			v.Name = l.Address.Name + "." + v.Name
			out = append(out, v)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

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
