package reconfigure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"vernemq/appliance/compile"
	"vernemq/appliance/plan"
	"vernemq/broker/admin"
	"vernemq/schema"
)

// Set implements admin.Reconfigurer. The files are those of the last start or reload, with what is kept in addition.
func (r *Reconfigurer) Set(_ context.Context, assignments []admin.Assignment, persist bool) (*admin.Outcome, error) {
	var given []compile.Setting
	for _, x := range assignments {
		given = append(given, compile.Setting{Key: x.Key, Value: x.Value})
	}
	names := keysOf(given)
	if err := settable(names, persist); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := attempt{files: r.files, runTime: append(without(r.runTime, names), given...)}
	if persist {
		k, err := r.readKept()
		if err != nil {
			return nil, err
		}
		a.runTime = without(r.runTime, names)
		k.list = append(without(k.list, names), given...)
		a.files, a.commit = r.files.With(keptFile, k.text()), func() error { return k.write(r.Root) }
	}
	result, findings, err := r.compile(a)
	if err != nil {
		return nil, err
	}
	if persist { // an upper layer would hide the value: it counts now, and the operator learns that it will not at the next start
		for _, s := range given {
			if v, ok := result.Find(s.Key); ok && v.Source == s.Key && v.Origin.Layer > plan.Persisted {
				a.runTime = append(a.runTime, s)
				a.notes = append(a.notes, fmt.Sprintf("%s is given by the %s too, which counts again at the next start.", s.Key, v.Origin.Layer))
			}
		}
		if len(a.notes) > 0 {
			if result, findings, err = r.compile(a); err != nil {
				return nil, err
			}
		}
	}
	return r.apply(a, result, findings)
}

// Unset implements admin.Reconfigurer.
func (r *Reconfigurer) Unset(_ context.Context, keys []string, persist bool) (*admin.Outcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k, err := r.readKept()
	if err != nil {
		return nil, err
	}
	known := append(keysOf(r.runTime), keysOf(k.list)...)
	for _, key := range keys {
		if !slices.Contains(known, key) {
			return nil, &admin.Error{Text: fmt.Sprintf("Invalid config keys: %s (vmq-admin set has not given it)", key)}
		}
		if !persist && !slices.Contains(keysOf(r.runTime), key) {
			return nil, &admin.Error{Text: fmt.Sprintf("%s is kept in %s: add --persist to take it out", key, keptFile)}
		}
	}
	if len(keys) == 0 {
		keys = known
	}
	a := attempt{files: r.files, runTime: without(r.runTime, keys)}
	if persist {
		k.list = without(k.list, keys)
		a.files, a.commit = r.files.With(keptFile, k.text()), func() error { return k.write(r.Root) }
	}
	result, findings, err := r.compile(a)
	if err != nil {
		return nil, err
	}
	return r.apply(a, result, findings)
}

// Values implements admin.Reconfigurer.
func (r *Reconfigurer) Values(keys []string) (out []admin.Value, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(keys) == 0 {
		k, err := r.readKept()
		if err != nil {
			return nil, err
		}
		keys = append(keysOf(r.runTime), keysOf(k.list)...)
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	s, err := schema.Load()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		v, ok := r.values[key]
		if !ok {
			known, _, isKey := s.Lookup(key)
			if !isKey {
				return nil, unknown(s, []string{key})
			}
			v = value{"", "not set", known}
		}
		out = append(out, admin.Value{Key: key, Text: v.text, Origin: v.origin, Change: string(v.key.Change())})
	}
	return out, nil
}

// settable finds keys that cannot be given at run time.
func settable(keys []string, persist bool) error {
	s, err := schema.Load()
	if err != nil {
		return err
	}
	var bad, fixed, later []string
	for _, key := range keys {
		k, _, ok := s.Lookup(key)
		switch {
		case !ok:
			bad = append(bad, key)
		case k.Change() == schema.ChangeNothing:
			fixed = append(fixed, key+" (it has no effect in this broker)")
		case k.Change() == schema.ChangeRestart && !persist:
			later = append(later, key+" (it takes a restart: add --persist to keep it for that)")
		}
	}
	switch {
	case bad != nil:
		return unknown(s, bad)
	case fixed != nil || later != nil:
		return &admin.Error{Text: "The following config keys are not settable: " + strings.Join(append(fixed, later...), ", ")}
	}
	return nil
}

// unknown says that there are no such keys, and which ones were meant perhaps.
func unknown(s *schema.Schema, keys []string) error {
	for i, key := range keys {
		if near := s.Nearest(key, 1); len(near) > 0 {
			keys[i] += " (did you mean " + near[0] + "?)"
		}
	}
	return &admin.Error{Text: "Invalid config keys: " + strings.Join(keys, ", ")}
}

// without returns the settings of other keys.
func without(list []compile.Setting, keys []string) []compile.Setting {
	return slices.DeleteFunc(slices.Clone(list), func(s compile.Setting) bool { return slices.Contains(keys, s.Key) })
}
