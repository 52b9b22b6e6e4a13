package compile

import (
	"slices"
	"sort"
	"strings"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/schema"
)

const (
	listenerWord  = "listener"
	mountpoint    = "mountpoint"
	mountpointOff = "off" // the word for the common mountpoint, whose name is empty
)

// shape is what the schema says about listeners: protocols, and the levels of each option.
type shape struct {
	protocols []string
	options   map[string][]option // by protocol, in schema order
}

// option is one option of listeners of a protocol, with its row at each level where one exists.
type option struct {
	name                    string // words below the listener's name
	global, protocol, named *schema.Key
}

// levels returns the rows from the most general to the most special, with the concrete key at each for a listener called name.
func (o *option) levels(protocol, name string) (rows []*schema.Key, names []string) {
	for _, l := range []struct {
		key  *schema.Key
		path []string
	}{{o.global, nil}, {o.protocol, []string{protocol}}, {o.named, []string{protocol, name}}} {
		if l.key != nil {
			path := append(append([]string{listenerWord}, l.path...), strings.Split(o.name, ".")...)
			rows, names = append(rows, l.key), append(names, schema.JoinName(path))
		}
	}
	return rows, names
}

// listenerShape reads the listeners' shape from the rows listener.OPTION, listener.PROTOCOL.OPTION and listener.PROTOCOL.$name.OPTION. Options with
// further wildcards have only the named level and come from what is set.
func listenerShape(s *schema.Schema) shape {
	sh := shape{options: map[string][]option{}}
	global := map[string]*schema.Key{}
	at := func(protocol, name string) *option {
		list := sh.options[protocol]
		i := slices.IndexFunc(list, func(o option) bool { return o.name == name })
		if i < 0 {
			i = len(list)
			list = append(list, option{name: name})
			sh.options[protocol] = list
		}
		return &list[i]
	}
	for _, k := range s.Keys() {
		words := schema.SplitName(k.Name)
		if words[0] != listenerWord || len(words) < 2 || k.Effect == schema.Refused || k.Effect == schema.Ignored {
			continue
		}
		switch {
		case len(words) == 2:
			global[words[1]] = k
		case len(words) == 3 && words[2][0] == '$':
			sh.protocols = append(sh.protocols, words[1])
		case len(words) == 3:
			at(words[1], words[2]).protocol = k
		case words[2][0] == '$' && !strings.Contains(strings.Join(words[3:], "."), "$"):
			at(words[1], strings.Join(words[3:], ".")).named = k
		}
	}
	for _, list := range sh.options {
		for i := range list {
			list[i].global = global[list[i].name]
		}
	}
	return sh
}

// names returns the option names of a protocol that have a row at the protocol level, respectively at the named one.
func (sh *shape) names(protocol string, named bool) (out []string) {
	for _, o := range sh.options[protocol] {
		if named && o.named != nil || !named && o.protocol != nil {
			out = append(out, o.name)
		}
	}
	return out
}

// explain says what is wrong with a listener key that is not in the schema; an empty message means nothing better is known than that.
func (sh *shape) explain(words []string) (code, message, hint string) {
	switch {
	case len(words) == 2 && slices.Contains(sh.protocols, words[1]):
		return report.CodeUnknownKey, "unknown key " + schema.JoinName(words), "a listener needs a name, as in listener." + words[1] + ".default"
	case len(words) < 3:
		return "", "", ""
	case !slices.Contains(sh.protocols, words[1]):
		hint = "protocols are " + strings.Join(sh.protocols, ", ")
		if near := schema.NearestWord(words[1], sh.protocols); near != "" {
			hint = "did you mean " + schema.JoinName(append([]string{listenerWord, near}, words[2:]...)) + "?"
		}
		return report.CodeUnknownProto, "there is no listener protocol " + words[1], hint
	case len(words) == 4 && slices.Contains(sh.names(words[1], false), words[3]):
		return report.CodeUnknownKey, "unknown key " + schema.JoinName(words),
			"this option exists only for all listeners of the protocol: " + schema.JoinName([]string{listenerWord, words[1], words[3]})
	case len(words) == 4:
		if near := schema.NearestWord(words[3], sh.names(words[1], true)); near != "" {
			return report.CodeUnknownKey, "unknown key " + schema.JoinName(words), "did you mean " + schema.JoinName(append(words[:3:3], near)) + "?"
		}
		return report.CodeUnknownKey, "unknown key " + schema.JoinName(words), words[1] + " listeners have no option " + words[3]
	}
	return "", "", ""
}

// optionForName takes a misspelled option of a protocol for what it is: listener.tcp.mountpiont would otherwise be a listener of that name with a
// bad address. It reports true if it has explained the setting, whose value is no address.
func (c *compilation) optionForName(s *setting) bool {
	if !isAddress(s) || !c.suggests() {
		return false
	}
	words := s.words()
	protocol, word := words[1], words[2]
	if near := schema.NearestWord(word, c.shape.names(protocol, false)); near != "" {
		c.report.Add(s.atKey(report.Error, report.CodeUnknownKey, "unknown option "+s.name+", and its value is no address of a listener",
			"did you mean "+schema.JoinName([]string{listenerWord, protocol, near})+"?"))
		return true
	}
	if slices.Contains(c.shape.names(protocol, true), word) {
		c.report.Add(s.atKey(report.Error, report.CodeUnknownKey, word+" can be set only for a listener with a name",
			"write "+schema.JoinName([]string{listenerWord, protocol, "NAME", word})+" with the listener's name"))
		return true
	}
	return false
}

// listener returns the listener whose address is set by a, with its options after inheritance: of global, protocol and named level the most
// special one that is set wins; the default is that of the most general level.
func (c *compilation) listener(a *setting) plan.Listener {
	words := a.words()
	protocol, name := words[1], words[2]
	l := plan.Listener{Protocol: protocol, Name: name,
		Address: plan.Value{Key: a.key, Name: a.name, Value: a.value, Source: a.name, Origin: a.origin(), Secret: a.secret}}
	for i := range c.shape.options[protocol] {
		o := &c.shape.options[protocol][i]
		rows, names := o.levels(protocol, name)
		v := plan.Value{Name: o.name}
		for n, row := range rows {
			if d := defaultOf(row); d != nil && v.Key == nil {
				v.Key, v.Value, v.Source = row, d, names[n]
			}
		}
		for n, row := range rows {
			if s := c.won[names[n]]; s != nil && s.value != nil {
				v.Key, v.Value, v.Source, v.Origin, v.Secret = row, s.value, names[n], s.origin(), s.secret
			}
		}
		if v.Name == mountpoint && v.Value == mountpointOff {
			v.Value = ""
		}
		for n, row := range rows {
			v.Levels = append(v.Levels, plan.Level{Name: names[n], Key: row})
		}
		if v.Key != nil {
			c.automatic(&v)
			l.Options = append(l.Options, v)
		}
	}
	prefix := a.name + "."
	first := sort.Search(len(c.deep), func(i int) bool { return c.deep[i].name >= prefix })
	for _, s := range c.deep[first:] { // options with wildcards of their own
		rest, ok := strings.CutPrefix(s.name, prefix)
		if !ok {
			break
		}
		if s.value != nil {
			l.Options = append(l.Options, plan.Value{Key: s.key, Name: rest, Value: s.value, Source: s.name, Origin: s.origin(), Secret: s.secret})
		}
	}
	return l
}

// listenerDefault returns what a listener key would have if its own level were absent everywhere: the default of the option's most general row.
func (c *compilation) listenerDefault(s *setting) any {
	words := schema.SplitName(s.key.Name)
	protocol, name := "", words[len(words)-1]
	switch {
	case len(words) == 2:
	case len(words) == 3:
		protocol = words[1]
	default:
		protocol, name = words[1], strings.Join(words[3:], ".")
	}
	for p, list := range c.shape.options {
		for i := range list {
			if o := &list[i]; o.name == name && (p == protocol || protocol == "") {
				rows, _ := o.levels(p, "")
				for _, row := range rows {
					if d := defaultOf(row); d != nil {
						return d
					}
				}
			}
		}
	}
	return defaultOf(s.key)
}
