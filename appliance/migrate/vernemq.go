package migrate

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

var includeLine = regexp.MustCompile(`^[ \t]*include[ \t]+[A-Za-z0-9._*/-]+[ \t]*(#.*)?$`)

// old is a vernemq.conf that is being rewritten.
type old struct {
	*page
	schema   *schema.Schema
	set      map[string]bool  // names that are set under their present name
	replaced map[int][]string // lines by number, from 0
}

// FromVerneMQ rewrites a vernemq.conf of VerneMQ 1.x or 2.x. name stands in the findings. Errors in the report are lines that need a decision.
func FromVerneMQ(s *schema.Schema, name string, text []byte) ([]byte, *report.Report) {
	o := &old{page: newPage(name, text), schema: s, set: map[string]bool{}, replaced: map[int][]string{}}
	assignments, problems := source.Parse(name, []byte(strings.Join(o.lines, "\n")))
	at := map[int]report.Entry{} // syntax errors by line
	for _, e := range problems.Entries {
		if _, ok := at[e.Pos.Line-1]; !ok && e.Severity == report.Error {
			at[e.Pos.Line-1] = e
		}
	}
	for i := range assignments {
		o.set[assignments[i].Name()] = true
	}
	covered := map[int]bool{}
	for i := range assignments {
		a := &assignments[i]
		first, last := a.KeyPos.Line-1, o.end(a)
		for n := first; n <= last; n++ {
			covered[n] = true
		}
		o.assignment(a, first, last)
	}
	for n, line := range o.lines {
		trimmed := strings.TrimLeft(line, " \t")
		if covered[n] || trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if _, wrong := at[n]; !wrong && includeLine.MatchString(line) {
			if !strings.Contains(line, "conf.d/*.conf") {
				o.find(n, 0, 0, report.Note, CodeChanged, "the included files are not rewritten", "run vernemq config migrate for each of them")
			}
			continue
		}
		message, col := "this line cannot be read and is left out", 0
		if e, ok := at[n]; ok {
			message, col = "this line is left out: "+e.Message, e.Pos.Col
		}
		shown := o.lines[n]
		if suspect(trimmed) {
			o.lines[n], col = hide(shown), 0
		}
		o.find(n, col, 1, report.Error, CodeLost, message, "correct it in the new file, where it is a comment")
		o.replaced[n] = []string{comment(shown)}
	}
	o.addresses(assignments)
	o.report.Sort()
	return o.text(o.replaced), o.report
}

// suspect reports whether a line that cannot be read may hold a secret.
func suspect(line string) bool {
	line = strings.ToLower(line)
	return slices.ContainsFunc([]string{"passw", "secret", "cookie", "token", "key", "psk"}, func(w string) bool { return strings.Contains(line, w) })
}

// end returns the last line of an assignment, from 0.
func (o *old) end(a *source.Assignment) int {
	n := a.ValuePos.Line - 1
	opening := []rune(o.lines[n])
	from := min(a.ValuePos.Col-1, len(opening))
	rest, quoted := strings.CutPrefix(string(opening[from:]), "'''")
	for quoted && !strings.Contains(rest, "'''") && n+1 < len(o.lines) {
		n++
		rest = o.lines[n]
	}
	return n
}

// assignment decides about one setting that stands on the lines first to last.
func (o *old) assignment(a *source.Assignment, first, last int) {
	name := a.Name()
	k, wild, known := o.schema.LookupWords(a.Key)
	alias := false
	if !known {
		k, wild, alias = o.schema.ByAlias(name)
	}
	if !known && !alias {
		hint := "it is a comment in the new file"
		if near := o.schema.Nearest(name, 1); len(near) > 0 {
			hint = "did you mean " + near[0] + "? It is a comment in the new file"
		}
		o.leaveOut(a, first, last, suspect(name), report.Error, CodeLost, "there is no key "+name, hint)
		return
	}
	current := name
	if alias {
		current = k.Concrete(wild)
	}
	switch {
	case k.Name == "accept_eula":
		if a.Value != "no" {
			o.replaceValue(a, first, "no")
			o.find(first, a.KeyPos.Col, a.KeyWidth, report.Warning, CodeChanged, "the licence of this broker is another one and has to be accepted anew",
				"run vernemq chkconfig on a terminal")
		}
		return
	case k.Effect == schema.Refused:
		o.leaveOut(a, first, last, k.Secret, report.Warning, CodeLeftOut, name+" had no effect or is gone, and is left out", k.Hint)
		return
	case k.Effect == schema.Ignored:
		o.leaveOut(a, first, last, k.Secret, report.Note, CodeLeftOut, name+" has no meaning here and is left out", k.Hint)
		return
	case len(k.Sets) > 0:
		o.spread(a, k, first, last)
		return
	case alias && o.set[current]:
		o.leaveOut(a, first, last, k.Secret, report.Note, CodeLeftOut, name+" is an older name of "+current+", which is set too", "")
		return
	}
	if !o.value(a, k, name, first, last) {
		return
	}
	if alias {
		o.rename(a, first, current)
	}
	o.meaning(a, k, first)
}

// value checks the value and writes its older words anew; false if the line had to be left out.
func (o *old) value(a *source.Assignment, k *schema.Key, name string, first, last int) bool {
	if strings.Contains(a.Value, "$(") {
		return true // known when it is compiled
	}
	value, _, err := k.Parse(a.Value)
	if err != nil {
		message, hint := refusal(err)
		o.leaveOut(a, first, last, k.Secret, report.Error, CodeLost, name+": "+message, hint)
		return false
	}
	if k.Effect == schema.Fixed {
		if d, _, err := k.Parse(k.Default); err == nil && !reflect.DeepEqual(d, value) {
			o.leaveOut(a, first, last, k.Secret, report.Error, CodeLost, name+": only "+k.Default+" is accepted", k.Hint)
			return false
		}
	}
	if now, isOld := k.AliasWords[a.Value]; isOld {
		o.replaceValue(a, first, now)
		o.find(first, a.ValuePos.Col, a.ValueWidth, report.Note, CodeRenamed, fmt.Sprintf("%s is now written %s", a.Value, now), "")
	}
	return true
}

// spread writes the keys that an older switch stood for.
func (o *old) spread(a *source.Assignment, k *schema.Key, first, last int) {
	lines := []string{comment(o.lines[first])}
	for _, target := range k.Sets {
		t, _, ok := o.schema.Lookup(target)
		if !ok || o.set[target] {
			continue
		}
		if _, _, err := t.Parse(a.Value); err != nil {
			message, _ := refusal(err)
			o.leaveOut(a, first, last, k.Secret, report.Error, CodeLost, a.Name()+": "+message, "")
			return
		}
		if text, ok := quote(a.Value); ok {
			lines = append(lines, target+" = "+text)
		}
	}
	o.find(first, a.KeyPos.Col, a.KeyWidth, report.Note, CodeRenamed, a.Name()+" becomes "+strings.Join(k.Sets, ", "), "")
	o.replaced[first] = lines
	for n := first + 1; n <= last; n++ {
		o.replaced[n] = []string{comment(o.lines[n])}
	}
}

// meaning tells where a line does something else than it did.
func (o *old) meaning(a *source.Assignment, k *schema.Key, first int) {
	words := schema.SplitName(k.Name)
	tell := func(message, hint string) {
		o.find(first, a.KeyPos.Col, a.KeyWidth, report.Warning, CodeChanged, message, hint)
	}
	option := words[len(words)-1]
	switch {
	case words[0] == "listener" && len(words) == 3 && slices.Contains([]string{"max_connections", "nr_of_acceptors", "eccs"}, option):
		tell(a.Name()+" had no effect in VerneMQ, and has one here", "remove the line to keep what was in force")
	case words[0] == "listener" && len(words) == 2 && option == "nr_of_acceptors" && k.Effect == schema.Live:
		return
	case words[0] == "listener" && option == "proxy_protocol_use_cn_as_username":
		tell(a.Name()+" was not read from the file by VerneMQ, and is here", "")
	case k.Type == schema.Percent && !strings.Contains(a.Value, "%"):
		tell(fmt.Sprintf("VerneMQ cut the last character of %q; here it is read as it stands", a.Value), "write the percent sign")
	}
}

// addresses adds the addresses that VerneMQ took by itself for listeners that have options and no address.
func (o *old) addresses(assignments []source.Assignment) {
	defaults := map[string]string{"vmq": "0.0.0.0:44053", "vmqs": "0.0.0.0:44054", "http": "127.0.0.1:8888", "https": "127.0.0.1:8889"}
	added := map[string]bool{}
	for i := range assignments {
		a := &assignments[i]
		k, _, ok := o.schema.LookupWords(a.Key)
		if !ok || len(a.Key) < 4 || a.Key[0] != "listener" || defaults[a.Key[1]] == "" || !strings.HasPrefix(k.Name, "listener."+a.Key[1]+".$") {
			continue
		}
		name := schema.JoinName(a.Key[:3])
		if o.set[name] || added[name] || k.Effect == schema.Ignored || k.Effect == schema.Refused {
			continue
		}
		added[name] = true
		if len(added) == 1 {
			o.extra = append(o.extra, "", "# Listeners that VerneMQ opened although no line gave them an address.")
		}
		o.extra = append(o.extra, name+" = "+defaults[a.Key[1]])
		o.find(a.KeyPos.Line-1, a.KeyPos.Col, a.KeyWidth, report.Warning, CodeChanged,
			name+" has no address; VerneMQ took "+defaults[a.Key[1]]+", and a line says so now", "")
	}
}

// rename writes the key's present name in place of the older one.
func (o *old) rename(a *source.Assignment, n int, current string) {
	o.find(n, a.KeyPos.Col, a.KeyWidth, report.Note, CodeRenamed, a.Name()+" is now called "+current, "")
	line := o.current(n)
	runes := []rune(line)
	start := min(a.KeyPos.Col-1, len(runes))
	end := min(start+a.KeyWidth, len(runes))
	o.replaced[n] = []string{string(runes[:start]) + current + string(runes[end:])}
}

// replaceValue writes another value. It must be done before a rename, which moves what stands behind the key.
func (o *old) replaceValue(a *source.Assignment, n int, value string) {
	if a.ValuePos.Line-1 != n || o.end(a) != n {
		return // a value of several lines is no single word
	}
	runes := []rune(o.current(n))
	start := min(a.ValuePos.Col-1, len(runes))
	end := min(start+a.ValueWidth, len(runes))
	o.replaced[n] = []string{string(runes[:start]) + value + string(runes[end:])}
}

// current returns line n as it is by now.
func (o *old) current(n int) string {
	if now, ok := o.replaced[n]; ok && len(now) == 1 {
		return now[0]
	}
	return o.lines[n]
}

// leaveOut makes the lines of an assignment comments.
func (o *old) leaveOut(a *source.Assignment, first, last int, secret bool, s report.Severity, code, message, hint string) {
	for n := first; n <= last; n++ {
		o.replaced[n] = []string{comment(o.lines[n])}
	}
	if secret {
		o.lines[first] = hide(o.lines[first])
	}
	o.find(first, a.KeyPos.Col, a.KeyWidth, s, code, message, hint)
}

// refusal is what a value's error says, and what to do about it.
func refusal(err error) (message, hint string) {
	var v *schema.ValueError
	if errors.As(err, &v) {
		return v.Message, v.Hint
	}
	return err.Error(), ""
}
