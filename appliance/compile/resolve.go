package compile

import (
	"errors"
	"reflect"
	"strings"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/schema"
)

// resolve finds the key of an assignment and reads its value.
func (c *compilation) resolve(a assigned) {
	name := a.Name()
	key, _, ok := c.schema.LookupWords(a.Key)
	s := &setting{assigned: a, key: key, name: name}
	if !ok {
		alias, wild, isAlias := c.schema.ByAlias(name)
		if !isAlias {
			c.unknown(a)
			return
		}
		s.key, s.name, s.old, s.alias = alias, alias.Concrete(wild), name, true
	}
	if s.key.Secret && !isReference(s.Value) {
		mask(&s.assigned.Assignment)
	}
	switch s.key.Effect {
	case schema.Refused:
		c.report.Add(s.atKey(report.Error, report.CodeRefused, name+" is gone", s.key.Hint))
		c.idle = append(c.idle, s)
		return
	case schema.Ignored:
		c.report.Add(s.atKey(report.Warning, report.CodeIgnored, name+" is accepted and has no meaning here", s.key.Hint))
		c.idle = append(c.idle, s)
		return
	}
	if len(s.key.Sets) > 0 {
		c.spread(s)
		return
	}
	c.settings = append(c.settings, s)
}

// spread assigns the value of an older switch to the keys it stands for.
func (c *compilation) spread(s *setting) {
	c.report.Add(s.atKey(report.Warning, report.CodeAlias, s.name+" is an older switch for "+strings.Join(s.key.Sets, ", "), "set these keys instead"))
	for i, name := range s.key.Sets {
		if target, _, ok := c.schema.Lookup(name); ok { // the schema refuses to load without it
			each := *s
			each.key, each.name, each.old, each.quiet = target, name, s.name, i > 0
			c.settings = append(c.settings, &each)
		}
	}
}

// index notes for every name the assignment that stands for it, be its value good or bad: the last one. An old name gives way to the new one of
// its layer, wherever the two stand.
func (c *compilation) index() {
	type place struct {
		layer plan.Layer
		name  string
	}
	canonical := map[place]*setting{} // the last one written under the real name
	for _, s := range c.settings {
		if s.old == "" {
			canonical[place{s.layer, s.name}] = s
		}
	}
	c.last = make(map[string]*setting, len(c.settings))
	for _, s := range c.settings {
		if s.old != "" {
			s.beside = canonical[place{s.layer, s.name}]
		}
		if s.beside == nil {
			c.last[s.name] = s
		}
	}
}

// read gives every setting its value.
func (c *compilation) read() {
	kept := c.settings[:0]
	for i, s := range c.settings {
		s.order = i
		if c.value(s) || !c.optionForName(s) {
			kept = append(kept, s)
		}
	}
	c.settings = kept
}

// value reads the value of a setting; false if it is not accepted.
func (c *compilation) value(s *setting) bool {
	if !c.expand(s, nil) {
		return false
	}
	key := s.key
	if s.secret && !key.Secret { // messages must not show it
		hidden := *key
		hidden.Secret, key = true, &hidden
	}
	value, notes, err := key.Parse(s.text)
	if err != nil && isAddress(s) && suspect(s.name) { // not the address of a listener, but a secret option that is misspelled
		hidden := *key
		hidden.Secret = true
		_, _, err = hidden.Parse(s.text)
		mask(&s.assigned.Assignment)
	}
	if err != nil {
		if !errors.As(err, &s.err) {
			s.err = &schema.ValueError{Code: schema.CodeValue, Message: err.Error()}
		}
		return false
	}
	s.value = value
	if s.quiet {
		return true
	}
	for _, n := range notes {
		severity := report.Note
		if n.Warning {
			severity = report.Warning
		}
		c.report.Add(s.atValue(severity, report.CodeValueNote, n.Message, ""))
	}
	return true
}

// settle decides which of the settings of one name wins, and reports the ones that are wrong or doubled. A wrong value that a later, good one
// covers is a warning: it never had an effect.
func (c *compilation) settle() {
	last := map[string]*setting{}
	for _, s := range c.settings {
		if real := s.beside; real != nil {
			e := s.atKey(report.Warning, report.CodeAliasTwice, s.old+" has no effect: "+s.name+" is set too", "remove one of the lines")
			if !s.alias {
				e.Severity, e.Message, e.Hint = report.Note, s.old+" does not change "+s.name+", which is set too", ""
			}
			e.Also = []report.Pos{real.KeyPos}
			c.report.Add(e)
			continue
		}
		if s.alias {
			c.report.Add(s.atKey(report.Warning, report.CodeAlias, s.old+" is the older name of "+s.name, "write "+s.name))
		}
		if before := last[s.name]; before != nil && before.layer == s.layer && fromFiles(s.layer) && !s.quiet {
			e := s.atKey(report.Note, report.CodeDuplicate, s.name+" is set before; this line wins", "")
			e.Also = []report.Pos{before.KeyPos}
			c.report.Add(e)
		}
		last[s.name] = s
		if s.err == nil {
			c.won[s.name] = s
		}
	}
	for _, s := range c.settings {
		if s.err != nil && !s.quiet && s.err != errTold {
			pos, width := s.wrong()
			e := s.at(pos, width, report.Error, s.err.Code, s.Name()+": "+s.err.Message, s.err.Hint)
			if winner := last[s.name]; winner != s && winner.err == nil {
				e.Severity, e.Message = report.Warning, e.Message+" (a later line wins)"
				e.Also = []report.Pos{winner.KeyPos}
			}
			c.report.Add(e)
		}
	}
}

// fromFiles reports whether a layer is made of files an operator writes, in which a key may stand twice by mistake.
func fromFiles(l plan.Layer) bool { return l == plan.File || l == plan.Persisted || l == plan.Image }

// unknown reports a key that is not in the schema.
func (c *compilation) unknown(a assigned) {
	name := a.Name()
	if from, ok := c.spilled[a.KeyPos.File]; ok && a.KeyPos.Line > from {
		c.report.Add(report.Entry{Severity: report.Error, Code: report.CodeUnknownKey, Message: afterSpill,
			Pos: report.Pos{File: a.KeyPos.File, Line: a.KeyPos.Line}})
		return
	}
	if a.Key[0] == listenerWord {
		if code, message, hint := c.shape.explain(a.Key); message != "" {
			maskSuspect(&a.Assignment, name, hint)
			c.report.Add(a.atKey(report.Error, code, message, hint))
			return
		}
	}
	var near []string
	if c.suggests() {
		near = c.schema.Nearest(name, 3)
	}
	maskSuspect(&a.Assignment, name, strings.Join(near, " "))
	c.report.Add(a.atKey(report.Error, report.CodeUnknownKey, "unknown key "+name, didYouMean(near)))
}

// didYouMean makes a hint of suggestions; no suggestion gives no hint.
func didYouMean(near []string) string {
	switch n := len(near); n {
	case 0:
		return ""
	case 1:
		return "did you mean " + near[0] + "?"
	default:
		return "did you mean " + strings.Join(near[:n-1], ", ") + " or " + near[n-1] + "?"
	}
}

// effective checks what a winning value means for a key that does not work yet, or only with its default.
func (c *compilation) effective(s *setting, dflt any) {
	same := reflect.DeepEqual(s.value, dflt)
	switch {
	case s.value == nil || same || s.quiet:
	case s.key.Effect == schema.Planned:
		c.report.Add(s.atKey(report.Warning, report.CodePlanned, s.name+" has no effect yet", "the line may stay: it will work in a later version"))
	case s.key.Effect == schema.Fixed:
		c.report.Add(s.atValue(report.Error, schema.CodeValue, s.name+": only "+s.key.Default+" is accepted", s.key.Hint))
	}
}

// defaultOf returns the value of an absent key; nil if it has none.
func defaultOf(k *schema.Key) any {
	if !k.HasDefault() {
		return nil
	}
	value, _, err := k.Parse(k.Default)
	if err != nil {
		return nil // the schema's own tests exclude it
	}
	return value
}
