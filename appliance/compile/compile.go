// Package compile turns the layers of configuration into one plan, and everything that is wrong with them into one report. Every phase goes on
// after a mistake, so that the report is complete: a line that cannot be read, a key that does not exist, a value of the wrong type and a rule
// broken between keys are all told in one run. It refuses to know how files are read (source), what a single value looks like (schema) and what
// becomes of the plan.
package compile

import (
	"time"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// Input is what is compiled.
type Input struct {
	Schema     *schema.Schema
	FS         source.FS   // where vernemq.conf, its includes and /etc/default/vernemq are
	Main       string      // the first file; empty: /etc/vernemq/vernemq.conf
	Environ    []string    // NAME=value, as os.Environ gives it; may be nil
	Container  bool        // DOCKER_VERNEMQ_* variables are settings
	Set        []string    // key=value, above all files and the environment
	RunTime    []Setting   // what vmq-admin set has given, above everything else
	Now        time.Time   // what certificates are held against; zero: the present
	AcceptEULA bool        // accept_eula = yes, on the command line
	Host       probe.Facts // what auto stands for, and what limits are held against; figures that are 0 are unknown
	Compiler   string      // name and version for the compiled file
}

// Setting is a key with its value as an operator writes it, without quotes.
type Setting struct{ Key, Value string }

// Compile merges the layers, checks everything, and returns the effective values and all findings, sorted by place. The plan is never nil: what
// is wrong has its value from the next lower layer in it. It must not be run when the report has errors.
func Compile(in Input) (*plan.Plan, *report.Report) {
	if in.Main == "" {
		in.Main = hostfs.MainConf
	}
	if in.Now.IsZero() {
		in.Now = time.Now()
	}
	c := &compilation{in: in, schema: in.Schema, report: &report.Report{}, shape: listenerShape(in.Schema),
		won: map[string]*setting{}, env: map[string]string{}, spilled: map[string]int{}}
	for _, a := range c.layers() {
		c.resolve(a)
	}
	c.index()
	if c.profile() {
		c.index()
	}
	c.read()
	c.settle()
	c.assemble()
	c.history()
	for _, rule := range checks {
		rule.check(c)
	}
	c.bound()
	c.report.Sort()
	return c.plan, c.report
}

// assigned is an assignment in its layer.
type assigned struct {
	source.Assignment
	layer plan.Layer
}

// setting is an assignment whose key is known.
type setting struct {
	assigned
	key   *schema.Key
	name  string // the concrete name of key; for an old name the new one
	old   string // the old name, if that was written
	alias bool   // the old name is an alias, not a switch for several keys
	value any    // nil: as if it were absent, the level above decides
	err   *schema.ValueError
	quiet bool // one of several that one line makes: only the first is spoken of

	text   string    // Value after substitution
	state  expansion // of text
	part   [2]int    // characters from where on, and how many, of Value are wrong; 0, 0: all of it
	file   string    // that text was read from; empty if from none
	order  int       // among all settings
	secret bool      // text must not be shown
	beside *setting  // an older name: the assignment under the real name, in the same layer, that makes it ineffective
}

// words returns the words of the concrete name.
func (s *setting) words() []string { return schema.SplitName(s.name) }

// compilation is the state of one run.
type compilation struct {
	in       Input
	schema   *schema.Schema
	report   *report.Report
	settings []*setting          // all, in order of precedence
	idle     []*setting          // of keys that are gone or have no meaning here, for the history
	last     map[string]*setting // the last one of each name, good or bad
	won      map[string]*setting // the last good one of each name
	deep     []*setting          // winners among listener options with a second wildcard, sorted by name
	shape    shape
	plan     *plan.Plan
	env      map[string]string // for $(NAME)
	spilled  map[string]int    // by file: the line of a secret whose quote is not closed; what follows may belong to it
	crowded  bool              // there are too many listeners, and that is said
	guesses  int               // suggestions made so far
	expanded int               // bytes that substitution made so far
}

// at starts a finding about a part of an assignment's line.
func (a *assigned) at(pos report.Pos, width int, s report.Severity, code, message, hint string) report.Entry {
	return report.Entry{Severity: s, Code: code, Key: a.Name(), Message: message, Hint: hint, Pos: pos, Text: a.Text, Width: width}
}

func (a *assigned) atKey(s report.Severity, code, message, hint string) report.Entry {
	return a.at(a.KeyPos, a.KeyWidth, s, code, message, hint)
}

func (a *assigned) atValue(s report.Severity, code, message, hint string) report.Entry {
	return a.at(a.ValuePos, a.ValueWidth, s, code, message, hint)
}

// origin is where the value of s came from.
func (s *setting) origin() plan.Origin { return plan.Origin{Layer: s.layer, Pos: s.KeyPos} }
