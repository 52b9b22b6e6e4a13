package compile

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// The forms of substitution inside a value:
//
//	$(key)     the text of another key, the default included
//	$(NAME)    an environment variable of the service, unless there is a key of that name
//	$(<path)   as the whole value: the content of a file
//	$$(        the text $(
//
// Everything else with a dollar sign is plain text, as it always was: $D0, ${X}, 5$.
const (
	open    = "$("
	literal = "$$("
	closing = ')'
)

// The bounds of substitution.
const (
	maxReferences = 32       // references that lead to references
	maxExpanded   = 16 << 20 // bytes that all substituted values have together
)

// expansion is how far the substitution in a value is.
type expansion uint8

const (
	untouched expansion = iota
	expanding           // a reference that leads here is circular
	done                // text is right, or err is set
)

// errTold stands for a mistake that is reported at the value referred to.
var errTold = &schema.ValueError{Code: report.CodeReference, Message: "the value referred to is not accepted"}

// isReference reports whether a value consists of one reference alone: then the line shows no secret, and may be shown.
func isReference(value string) bool {
	return strings.HasPrefix(value, open) && strings.IndexByte(value, closing) == len(value)-1
}

// expand fills in the text of s; false, with s.err set, if it cannot be. chain are the settings whose values led here.
func (c *compilation) expand(s *setting, chain []*setting) bool {
	if s.state != untouched {
		return s.err == nil
	}
	s.state, s.secret = expanding, s.key.Secret
	s.text = s.Value
	if strings.Contains(s.Value, open) {
		c.substitute(s, append(chain, s))
	}
	if i := strings.IndexFunc(s.text, noText); i >= 0 && s.err == nil {
		r, _ := utf8.DecodeRuneInString(s.text[i:])
		s.err = &schema.ValueError{Code: report.CodeControl, Message: fmt.Sprintf("the value holds the control character U+%04X", r), Hint: "remove it"}
	}
	s.state = done
	return s.err == nil
}

// noText reports whether r is a control character that no value holds. Those of a configuration file are refused where they stand; a value from a
// file of its own, the environment or the command line meets the same rule here.
func noText(r rune) bool { return source.Control(r) && r != '\n' }

// substitute replaces the references in the value of s, the last one of chain.
func (c *compilation) substitute(s *setting, chain []*setting) {
	var out strings.Builder
	rest := s.Value
	for {
		i := strings.Index(rest, open)
		if i < 0 {
			break
		}
		from := len(s.Value) - len(rest) + i
		if i > 0 && rest[i-1] == '$' {
			out.WriteString(rest[:i-1] + open)
			rest = rest[i+len(open):]
			continue
		}
		name, after, closed := strings.Cut(rest[i+len(open):], string(closing))
		if !closed || name == "" {
			c.plainDollar(s, closed)
			break
		}
		s.part = [2]int{utf8.RuneCountInString(s.Value[:from]), utf8.RuneCountInString(name) + len(open) + 1}
		out.WriteString(rest[:i])
		var text string
		if file, ok := strings.CutPrefix(name, "<"); ok {
			if rest != s.Value || i > 0 || after != "" {
				s.err = &schema.ValueError{Code: report.CodeReference, Message: open + name + ") must be the whole value",
					Hint: "the content of a file cannot be joined with other text; for the text itself write " + literal}
				return
			}
			text = c.file(s, strings.TrimSpace(file))
		} else {
			text = c.referred(s, name, chain)
		}
		if s.err != nil {
			return
		}
		out.WriteString(text)
		if c.expanded += len(text); c.expanded > maxExpanded || out.Len() > schema.MaxValue {
			s.err = &schema.ValueError{Code: report.CodeTooLarge, Message: "the references make more text than is accepted"}
			return
		}
		rest = after
	}
	out.WriteString(rest)
	s.text, s.part = out.String(), [2]int{}
}

// plainDollar warns that a $( is taken for plain text.
func (c *compilation) plainDollar(s *setting, closed bool) {
	message := "there is no ) behind $(: it is taken as plain text"
	if closed {
		message = "$() names nothing: it is taken as plain text"
	}
	if !s.quiet {
		c.report.Add(s.atValue(report.Warning, report.CodeDollar, message, "write "+literal+" for a "+open+" that is meant so"))
	}
}

// referred returns the text of the key or environment variable called name.
func (c *compilation) referred(s *setting, name string, chain []*setting) string {
	fail := func(code, message, hint string) string {
		s.err = &schema.ValueError{Code: code, Message: message, Hint: hint}
		return ""
	}
	shown := open + name + ")"
	key, _, isKey := c.schema.Lookup(name)
	if !isKey {
		if alias, wild, ok := c.schema.ByAlias(name); ok {
			return fail(report.CodeReference, shown+" is the older name of a key", "write "+open+alias.Concrete(wild)+")")
		}
		return c.variable(s, name)
	}
	switch key.Effect {
	case schema.Refused, schema.Ignored:
		return fail(report.CodeReference, shown+": that key has no value any more", key.Hint)
	}
	target := c.last[schema.JoinName(schema.SplitName(name))]
	if target == nil {
		if !key.HasDefault() {
			return fail(report.CodeReference, shown+": that key is not set and has no default", "set "+name)
		}
		s.secret = s.secret || key.Secret
		return c.plainText(key, key.Default)
	}
	if target.state == expanding {
		return fail(report.CodeCircular, "the value refers to itself: "+circle(target, chain), "break the circle at one of these keys")
	}
	if len(chain) > maxReferences {
		return fail(report.CodeTooLarge, fmt.Sprintf("more than %d references lead from one to the next", maxReferences), "refer to the last of them")
	}
	if !c.expand(target, chain) {
		s.err = errTold
		return ""
	}
	s.secret = s.secret || target.secret
	return c.plainText(key, target.text)
}

// plainText returns the text of a key as others refer to it: auto is the number it stands for.
func (c *compilation) plainText(k *schema.Key, text string) string {
	if k.Auto != "" && text == schema.AutoWord {
		return c.autoText(k)
	}
	return text
}

// circle names the keys of a circle: from target, where it closes, to the end of the chain and back.
func circle(target *setting, chain []*setting) string {
	var names []string
	for i := range chain {
		if chain[i] == target {
			for _, s := range chain[i:] {
				names = append(names, s.name)
			}
			break
		}
	}
	return strings.Join(append(names, target.name), " refers to ")
}

// variable returns the text of an environment variable.
func (c *compilation) variable(s *setting, name string) string {
	text, ok := c.env[name]
	if !ok || !utf8.ValidString(text) {
		s.err = &schema.ValueError{Code: report.CodeReference, Message: open + name + ") is neither a key nor an environment variable of the service",
			Hint: "set " + name + "=... in " + hostfs.Defaults + ", or write " + literal + " for the text itself"}
		var near []string
		if c.suggests() {
			near = c.schema.Nearest(name, 1)
		}
		switch {
		case ok:
			s.err.Message, s.err.Hint = "the environment variable "+name+" is not UTF-8", ""
		case len(near) > 0:
			s.err.Hint = "did you mean " + open + near[0] + ")?"
		case !isVariable.MatchString(name):
			s.err.Message, s.err.Hint = open+name+") is no key", "write "+literal+" for the text itself"
		}
		return ""
	}
	s.secret = s.secret || suspect(name)
	return text
}

var (
	isVariable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	inPath     = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
)

// credentials is the variable in which systemd tells a service where its credentials are (LoadCredential=).
const credentials = "CREDENTIALS_DIRECTORY"

// credentialDirs are where the service's credentials are found by a check that does not run as the service: while it runs, and before.
var credentialDirs = []string{"/run/credentials/vernemq.service", "/etc/credstore"}

// file returns the content of the file name, without one line end at its end. A relative name is taken from the directory of the file in which
// the line stands; ${NAME} in it is an environment variable.
func (c *compilation) file(s *setting, name string) string {
	candidates := []string{name}
	if _, set := c.env[credentials]; !set && strings.HasPrefix(name, "${"+credentials+"}/") {
		candidates = nil
		for _, dir := range credentialDirs {
			candidates = append(candidates, dir+strings.TrimPrefix(name, "${"+credentials+"}"))
		}
		s.secret = true
	}
	s.secret = s.secret || strings.Contains(name, credentials) || suspect(path.Base(name))
	var problem *schema.ValueError
	for _, candidate := range candidates {
		var text string
		if text, problem = c.content(s, candidate); problem == nil {
			return text
		}
	}
	if len(candidates) > 1 {
		problem.Message = fmt.Sprintf("there is no credential %s: %s is not set, and it is in none of %s", path.Base(name), credentials,
			strings.Join(credentialDirs, ", "))
		problem.Hint = fmt.Sprintf("put the secret into /etc/credstore/%[1]s and LoadCredential=%[1]s into the unit", path.Base(name))
	}
	s.err = problem
	return ""
}

// content reads one file for file.
func (c *compilation) content(s *setting, name string) (string, *schema.ValueError) {
	fail := func(code, message, hint string) (string, *schema.ValueError) {
		return "", &schema.ValueError{Code: code, Message: message, Hint: hint}
	}
	missing := ""
	full := inPath.ReplaceAllStringFunc(name, func(ref string) string {
		text, ok := c.env[ref[2:len(ref)-1]]
		if !ok {
			missing = ref[2 : len(ref)-1]
		}
		return text
	})
	switch {
	case missing != "":
		return fail(report.CodeReference, "the environment variable "+missing+" is not set", "set "+missing+"=... in "+hostfs.Defaults)
	case full == "":
		return fail(report.CodeReference, "$(<) names no file", "as in $(</etc/vernemq/secret)")
	case strings.ContainsRune(full, 0):
		return fail(report.CodeReference, "a path cannot hold a NUL character", "")
	case !path.IsAbs(full):
		dir := hostfs.EtcDir
		if fromFiles(s.layer) || s.layer == plan.Profile {
			dir = path.Dir(s.KeyPos.File)
		}
		full = path.Join(dir, full)
	}
	data, err := c.in.FS.ReadFile(path.Clean(full), schema.MaxValue+2)
	switch {
	case errors.Is(err, source.ErrTooLarge):
		return fail(report.CodeTooLarge, fmt.Sprintf("%s is larger than a value may be (%d bytes)", full, schema.MaxValue), "is it the right file?")
	case err != nil:
		code, message, hint := fileProblem(full, err)
		return fail(code, message, hint)
	case !utf8.Valid(data):
		return fail(report.CodeEncoding, full+" is not UTF-8", "a binary file cannot be a value")
	}
	if !strings.Contains(name, credentials) { // those are not read by the service's user, but handed to it
		s.file = full
	}
	text, cut := strings.CutSuffix(string(data), "\n")
	if cut {
		text = strings.TrimSuffix(text, "\r")
	}
	return text, nil
}

// wrong returns which characters a finding about the value of s points to.
func (s *setting) wrong() (pos report.Pos, width int) {
	if s.part == [2]int{} || s.key.Secret && !isReference(s.Value) { // the line of a secret is masked
		return s.ValuePos, s.ValueWidth
	}
	pos = s.ValuePos
	runes := []rune(s.Text)
	at := pos.Col - 1 + s.part[0]
	for _, quote := range []string{"'''", "'"} {
		if pos.Col >= 1 && pos.Col <= len(runes) && strings.HasPrefix(string(runes[pos.Col-1:]), quote) {
			at += len(quote)
			break
		}
	}
	if pos.Col < 1 || at+s.part[1] > len(runes) || !strings.HasPrefix(string(runes[at:]), open) {
		return s.ValuePos, s.ValueWidth // a value over several lines
	}
	pos.Col = at + 1
	return pos, s.part[1]
}
