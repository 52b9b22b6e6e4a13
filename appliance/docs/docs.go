// Package docs writes the schema for people: the reference of all keys in Markdown and as a manual page, and the facts of one key. It refuses to know
// what is configured on this machine.
package docs

import (
	"slices"
	"strings"

	"vernemq/schema"
)

// Fact is one line of what is known about a key: a short name and the text.
type Fact struct{ Name, Text string }

// Facts returns what the schema says about a key besides its explanation, in the order in which it is told.
func Facts(k *schema.Key) []Fact {
	facts := []Fact{{"type", string(k.Type)}}
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, Fact{name, text})
		}
	}
	if unit := longUnit(k.Unit); unit != "" {
		facts[0].Text += ", in " + unit
	}
	add("accepts", k.Accepts())
	switch {
	case k.Default == "" && k.EmptyIsSet:
		add("default", "the empty text")
	case k.HasDefault():
		add("default", k.Default)
	default:
		add("default", "unset")
	}
	if k.Secret {
		add("secret", "its value is never shown")
	}
	add("takes hold", when(k))
	add("since", since(k.Since))
	add("older names", strings.Join(k.Aliases, ", "))
	add("effect", Effect(k))
	return facts
}

// longUnit spells a unit out.
func longUnit(unit string) string {
	if long, ok := map[string]string{"ms": "milliseconds", "s": "seconds", "min": "minutes", "d": "days"}[unit]; ok {
		return long
	}
	return unit
}

// when says how a change of the key takes hold.
func when(k *schema.Key) string {
	switch {
	case k.Effect != schema.Live && k.Effect != schema.Planned:
		return ""
	case k.Runtime:
		return "while the broker runs (vmq-admin set), or at its next start"
	default:
		return "at the next start of the broker"
	}
}

func since(version string) string {
	switch {
	case version == "":
		return ""
	case strings.HasSuffix(version, "-go"):
		return version + ", not in VerneMQ"
	case strings.HasPrefix(version, "<"):
		return "before VerneMQ " + version[1:]
	}
	return "VerneMQ " + version
}

// Effect says what setting the key does.
func Effect(k *schema.Key) string {
	text := map[schema.Effect]string{
		schema.Live:    "it works",
		schema.Planned: "none yet: accepted and checked",
		schema.Ignored: "none: accepted, and has no meaning here",
		schema.Refused: "refused: the key is gone",
		schema.Fixed:   "only the default is accepted",
	}[k.Effect]
	if k.Hint != "" {
		text += "; " + k.Hint
	}
	return text
}

// entry is one heading of the reference: keys that stand together and are explained by the same words.
type entry struct {
	keys  []*schema.Key
	names []string // of the keys, those that differ in one word only as one name with braces
	facts []Fact   // what holds for all of the keys
}

// entries puts the keys of a subject together.
func entries(keys []*schema.Key) (out []*entry) {
	for _, k := range keys {
		if n := len(out); n > 0 && same(out[n-1].keys[0], k) {
			out[n-1].keys = append(out[n-1].keys, k)
			continue
		}
		out = append(out, &entry{keys: []*schema.Key{k}})
	}
	for _, e := range out {
		e.finish()
	}
	return out
}

// same reports whether two rows are explained by the same words.
func same(a, b *schema.Key) bool {
	last := func(k *schema.Key) string {
		words := schema.SplitName(k.Name)
		return words[len(words)-1]
	}
	return a.Doc == b.Doc && a.Type == b.Type && a.Accepts() == b.Accepts() && last(a) == last(b) && a.Runtime == b.Runtime &&
		len(a.Aliases) == 0 && len(b.Aliases) == 0
}

// finish derives the names and the facts. Of levels the topmost has the default; an effect that not all keys share names the ones it is of.
func (e *entry) finish() {
	top := *e.keys[0]
	for _, k := range e.keys {
		if k.HasDefault() && !top.HasDefault() {
			top.Default, top.EmptyIsSet = k.Default, k.EmptyIsSet
		}
	}
	names := make([]string, len(e.keys))
	byEffect, order := map[string][]string{}, []string(nil)
	for i, k := range e.keys {
		names[i] = k.Name
		effect := Effect(k)
		if byEffect[effect] == nil {
			order = append(order, effect)
		}
		byEffect[effect] = append(byEffect[effect], k.Name)
	}
	e.names = collapse(names)
	for _, f := range Facts(&top) {
		if f.Name != "effect" {
			e.facts = append(e.facts, f)
			continue
		}
		for _, effect := range order {
			text := effect
			if len(order) > 1 {
				text += " (" + strings.Join(collapse(byEffect[effect]), ", ") + ")"
			}
			e.facts = append(e.facts, Fact{"effect", text})
		}
	}
}

// collapse writes names that differ in their second word only as one name with braces, as a shell would expand them.
func collapse(names []string) (out []string) {
	type group struct {
		first string
		rest  string
		words []string
	}
	var groups []*group
	for _, name := range names {
		words := schema.SplitName(name)
		if len(words) < 3 {
			groups = append(groups, &group{first: name})
			continue
		}
		first, rest := words[0], schema.JoinName(words[2:])
		i := slices.IndexFunc(groups, func(g *group) bool { return g.first == first && g.rest == rest && g.words != nil })
		if i < 0 {
			groups = append(groups, &group{first: first, rest: rest, words: []string{words[1]}})
			continue
		}
		groups[i].words = append(groups[i].words, words[1])
	}
	for _, g := range groups {
		switch len(g.words) {
		case 0:
			out = append(out, g.first)
		case 1:
			out = append(out, schema.JoinName([]string{g.first, g.words[0]})+"."+g.rest)
		default:
			out = append(out, g.first+".{"+strings.Join(g.words, ",")+"}."+g.rest)
		}
	}
	return out
}
