// Package reconfigure changes the configuration of a running broker: it compiles all layers anew, or the same files with a setting made at run time,
// and puts the result in force as a whole or not at all. It owns the settings that vmq-admin set has given and the file that keeps some of
// them. It refuses to know what a key does and how the broker takes new options over.
package reconfigure

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/broker/admin"
	"vernemq/broker/config"
	"vernemq/schema"
)

// Broker is what takes new options over.
type Broker interface {
	// Reload puts o in force as far as possible. commit is called when nothing else can fail any more; if it does, nothing has changed.
	Reload(o *config.Options, commit func() error) (config.Changes, error)
}

// Params is what a Reconfigurer works with.
type Params struct {
	Root    hostfs.Root
	Broker  Broker
	Files   source.FS // the files as they are now
	Started *Snapshot // the files as the running configuration was compiled from
	Plan    *plan.Plan
	// Compile compiles files with the settings of run time above all layers.
	Compile func(files source.FS, runTime []compile.Setting) (*plan.Plan, *report.Report, error)
	// Begin is called before a reload, End with what came of it; both may be nil.
	Begin func()
	End   func(o *admin.Outcome, err error)
}

// Reconfigurer is an admin.Reconfigurer over the compiler. Its methods are safe for concurrent use; one change is made at a time.
type Reconfigurer struct {
	Params

	mu      sync.Mutex
	files   *Snapshot
	runTime []compile.Setting
	values  map[string]value // in force, by full name
}

var _ admin.Reconfigurer = (*Reconfigurer)(nil)

// value is a value in force.
type value struct {
	text, origin string
	key          *schema.Key
}

// New returns a Reconfigurer for a broker that runs with p.Plan.
func New(p Params) *Reconfigurer {
	r := &Reconfigurer{Params: p, files: p.Started, values: values(p.Plan)}
	r.Plan, r.Started = nil, nil // what is wanted of them stands in the fields that change
	return r
}

// values returns what a plan says of every key.
func values(p *plan.Plan) map[string]value {
	out := map[string]value{}
	for _, v := range p.All() {
		out[v.Name] = value{v.Text(), v.From(), v.Key}
	}
	return out
}

// attempt is a configuration that is to come into force.
type attempt struct {
	files   *Snapshot
	runTime []compile.Setting
	commit  func() error // what else has to succeed; nil: nothing
	notes   []string
}

// Reload implements admin.Reconfigurer.
func (r *Reconfigurer) Reload(context.Context) (o *admin.Outcome, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Begin != nil {
		r.Begin()
	}
	if r.End != nil {
		defer func() { r.End(o, err) }()
	}
	a := attempt{files: NewSnapshot(r.Files), runTime: r.runTime}
	if n := len(a.runTime); n > 0 {
		a.notes = []string{fmt.Sprintf("Above the files stays what vmq-admin set has given: %s.", strings.Join(keysOf(a.runTime), ", "))}
	}
	result, findings, err := r.compile(a)
	if err != nil {
		return nil, err
	}
	return r.apply(a, result, findings)
}

// compile compiles an attempt. A report with errors is an *admin.Error.
func (r *Reconfigurer) compile(a attempt) (*plan.Plan, *report.Report, error) {
	result, findings, err := r.Compile(a.files, a.runTime)
	if err != nil {
		return nil, nil, err
	}
	if findings.Fatal(false) {
		var text strings.Builder
		if err := findings.WriteText(&text, report.Error); err != nil {
			return nil, nil, err
		}
		return nil, nil, &admin.Error{Text: text.String() + "Nothing has changed."}
	}
	return result, findings, nil
}

// apply has the broker take a compiled configuration over.
func (r *Reconfigurer) apply(a attempt, result *plan.Plan, findings *report.Report) (*admin.Outcome, error) {
	var text bytes.Buffer
	if err := result.WriteTOML(&text); err != nil {
		return nil, err
	}
	options, err := config.Parse(text.Bytes(), r.Root.Path)
	if err != nil {
		return nil, err
	}
	save := func() error {
		_, err := result.Save(r.Root, time.Now())
		return err
	}
	commit, after := save, func() error { return nil }
	if a.commit != nil { // one of two files is the last that can fail, and it is the one that counts
		commit, after = a.commit, save
	}
	changes, err := r.Broker.Reload(options, commit)
	if err != nil {
		return nil, fmt.Errorf("nothing has changed: %w", err)
	}
	if err := after(); err != nil {
		a.notes = append(a.notes, fmt.Sprintf("The copy for people to read is not written: %v.", err))
	}
	out := &admin.Outcome{Notes: a.notes}
	var warnings strings.Builder
	_ = findings.WriteText(&warnings, report.Warning) // into memory: it cannot fail
	out.Findings = warnings.String()
	next := values(result)
	for _, list := range []struct {
		keys []string
		live bool
	}{{changes.Live, true}, {changes.Restart, false}} {
		slices.Sort(list.keys)
		for _, key := range slices.Compact(list.keys) {
			before, now := r.values[key], next[key]
			out.Changes = append(out.Changes, admin.Change{Key: key, Live: list.live, Old: before.text, New: now.text, Origin: now.origin})
			if list.live {
				continue
			}
			if next[key] = before; before.key == nil { // it goes on as it was
				delete(next, key)
			}
		}
	}
	r.files, r.runTime, r.values = a.files, a.runTime, next
	return out, nil
}

// keysOf lists the keys of settings.
func keysOf(list []compile.Setting) (out []string) {
	for _, s := range list {
		out = append(out, s.Key)
	}
	return out
}
