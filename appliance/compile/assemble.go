package compile

import (
	"slices"
	"strings"

	"vernemq/appliance/plan"
	"vernemq/schema"
)

// assemble builds the plan from defaults and winners, and warns about winners without effect.
func (c *compilation) assemble() {
	c.plan = &plan.Plan{Compiler: c.in.Compiler}
	for _, k := range c.schema.Keys() {
		if k.Wild() || len(k.Sets) > 0 || isListener(k.Name) || k.Effect == schema.Ignored || k.Effect == schema.Refused {
			continue
		}
		if _, set := c.won[k.Name]; set {
			continue
		}
		if d := defaultOf(k); d != nil {
			c.add(plan.Value{Key: k, Name: k.Name, Value: d, Source: k.Name})
		}
	}
	winners := c.winners()
	for _, s := range winners {
		if isListener(s.name) && strings.Count(s.key.Name, "$") > 1 {
			c.deep = append(c.deep, s)
		}
	}
	slices.SortFunc(c.deep, func(a, b *setting) int { return strings.Compare(a.name, b.name) })
	for _, s := range winners {
		switch {
		case !isListener(s.name):
			c.effective(s, defaultOf(s.key))
			value := s.value
			if value == nil {
				value = defaultOf(s.key)
			}
			if value != nil {
				c.add(plan.Value{Key: s.key, Name: s.name, Value: value, Source: s.name, Origin: s.origin(), Secret: s.secret})
			}
		case isAddress(s):
			c.effective(s, nil)
			if s.value != nil && c.fits(s) {
				c.plan.Listeners = append(c.plan.Listeners, c.listener(s))
			}
		case !c.onPlannedListener(s):
			c.effective(s, c.listenerDefault(s))
		}
	}
	c.plan.Sort()
}

// add puts a value that is not of a listener into the plan.
func (c *compilation) add(v plan.Value) {
	c.automatic(&v)
	c.plan.Values = append(c.plan.Values, v)
}

// winners returns the winning settings in the order in which they were written.
func (c *compilation) winners() (out []*setting) {
	for _, s := range c.settings {
		if c.won[s.name] == s {
			out = append(out, s)
		}
	}
	return out
}

// onPlannedListener reports whether s is an option of a listener that has no effect yet as a whole: one warning about that is enough.
func (c *compilation) onPlannedListener(s *setting) bool {
	protocol, name, ok := nameOfListener(s)
	if !ok {
		return false
	}
	address := c.won[plan.ListenerName(protocol, name)]
	return address != nil && address.key.Effect == schema.Planned
}

func isListener(name string) bool { return strings.HasPrefix(name, listenerWord+".") }

// isAddress reports whether s gives a listener its address.
func isAddress(s *setting) bool {
	words := schema.SplitName(s.key.Name)
	return len(words) == 3 && words[0] == listenerWord && words[2][0] == '$'
}

// nameOfListener returns the protocol and name if s belongs to one listener.
func nameOfListener(s *setting) (protocol, name string, ok bool) {
	words := schema.SplitName(s.key.Name)
	if len(words) < 3 || words[0] != listenerWord || words[2][0] != '$' {
		return "", "", false
	}
	concrete := s.words()
	return concrete[1], concrete[2], true
}

// namesWithAddress returns the names of the protocol's listeners, sorted.
func (c *compilation) namesWithAddress(protocol string) (names []string) {
	for _, l := range c.plan.Listeners {
		if l.Protocol == protocol {
			names = append(names, l.Name)
		}
	}
	slices.Sort(names)
	return names
}
