package plan

import (
	"vernemq/appliance/report"
	"vernemq/schema"
)

// Auto says how the value of a key that stands at auto was found.
type Auto struct {
	Rule    string // in words: how the value follows from the readings
	Reading string // what was read from the host, in words
}

// Level is one of the keys a value can be given with: for an option of a listener those for all listeners, for its protocol and for its name.
type Level struct {
	Name string // concrete
	Key  *schema.Key
}

// Step is one assignment in the history of a key.
type Step struct {
	Layer Layer
	Name  string     // the key as written: an older name, or the key of a more general level
	Pos   report.Pos // where; unknown for Default
	Text  string     // the value as written, before substitution; asterisks for a secret
	Value string     // the value as read, in its usual form; asterisks for a secret; empty if it is not accepted
	Won   bool       // this is where the value in force comes from
	Why   string     // why it did not win; empty if it did
	By    report.Pos // the assignment that won over it; unknown if that is not the reason
	Auto  *Auto      // not nil if the value follows from readings of the host
}

// AddStep appends an assignment to the history of the concrete key name. The compiler calls it in the order of precedence, lowest first.
func (p *Plan) AddStep(name string, s Step) {
	if p.steps == nil {
		p.steps = map[string][]Step{}
	}
	p.steps[name] = append(p.steps[name], s)
}

// History returns every assignment of a key, the default included, the one that counts least first; exactly one has won if the key has a value.
// For an option of a listener, named in full, the assignments of all levels are in it. A key that is nowhere set and has no default gives nil.
// The result is the caller's.
func (p *Plan) History(name string) []Step {
	v, ok := p.Find(name)
	if !ok {
		return append([]Step(nil), p.steps[name]...)
	}
	levels := v.Levels
	if levels == nil {
		levels = []Level{{name, v.Key}}
	}
	var out []Step
	for _, l := range levels {
		if l.Key.HasDefault() && len(out) == 0 {
			out = append(out, v.defaultStep(l))
		}
		for _, s := range p.steps[l.Name] {
			if s.Won && l.Name != v.Source {
				s.Won, s.Why, s.By = false, v.Source+" is nearer", v.Origin.Pos
				if s.Value == "" && s.Text != "" {
					s.Why = "it means: as the level above"
				}
			}
			if s.Won && v.Auto != nil {
				s.Value, s.Auto = v.Text(), v.Auto
			}
			out = append(out, s)
		}
	}
	return out
}

// defaultStep is the assignment that the schema makes.
func (v *Value) defaultStep(l Level) Step {
	s := Step{Layer: Default, Name: l.Name, Text: l.Key.Default, Value: l.Key.Default, Won: v.Origin.Layer == Default}
	if value, _, err := l.Key.Parse(l.Key.Default); err == nil {
		s.Value = l.Key.Format(value)
	}
	if s.Won {
		s.Value, s.Auto = v.Text(), v.Auto
	} else {
		s.Why, s.By = "it is set", v.Origin.Pos
	}
	if l.Key.Secret && s.Text != "" {
		s.Text, s.Value = hidden, hidden
	}
	return s
}
