package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"time"

	"vernemq/appliance/doctor"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/tune"
)

// jsonTune is what tune tells, for programs.
type jsonTune struct {
	Settings []tune.Setting   `json:"settings"`
	Kept     []doctor.Finding `json:"kept"`
	Advice   []doctor.Finding `json:"advice"`
}

// tune shows what the kernel and the service need for the configuration, changes it, or takes that back.
func (p *program) tune(args []string) int {
	var layers layerFlags
	var format *string
	apply, revert, host := false, false, ""
	if !p.parse("tune", args, func(f *flag.FlagSet) {
		layers.addSet(f)
		f.BoolVar(&apply, "apply", false, "")
		f.BoolVar(&revert, "revert", false, "")
		f.StringVar(&host, "host", "", "")
		format = oneOf(f, "format", "text", "json")
	}) {
		return exitCannot
	}
	if apply && revert {
		p.misused("tune", errors.New("--apply or --revert, not both"))
		return exitCannot
	}
	if err := isHost(host); err != nil {
		return p.cannot("tune", err)
	}
	m := tune.Machine{Root: p.root, Proc: host, Live: p.root.Dir() == "/" || host != ""}
	if revert {
		list, err := m.Revert()
		if errors.Is(err, tune.ErrNothing) {
			fmt.Fprintf(p.stderr, "vernemq tune: %v\n", err)
			return exitFailed
		}
		if err != nil {
			return p.cannot("tune", err)
		}
		return p.tuned(jsonTune{Settings: list}, *format, true)
	}
	if !m.Live {
		return p.cannot("tune", errors.New("what the kernel of the machine under --root has is not known here: give its /proc and /sys with --host DIR, or run vernemq tune there"))
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("tune", err)
	}
	in := doctor.Input{Root: p.root, Host: doctor.This(host), Plan: result, Findings: findings, Now: time.Now()}
	out := jsonTune{Settings: m.Compute(in), Kept: doctor.Kept(in), Advice: doctor.Advice(in)}
	if apply {
		if err := m.Apply(out.Settings); err != nil {
			return p.cannot("tune", fmt.Errorf("%w; be root to write %s", err, hostfs.TuneSysctl))
		}
	}
	return p.tuned(out, *format, apply)
}

// tuned prints settings; done says that they were changed.
func (p *program) tuned(t jsonTune, format string, done bool) int {
	code := exitOK
	for _, s := range t.Settings {
		if s.Failed {
			code = exitFailed
		}
	}
	if format == "json" {
		t.Settings = append([]tune.Setting{}, t.Settings...)
		t.Kept, t.Advice = append([]doctor.Finding{}, t.Kept...), append([]doctor.Finding{}, t.Advice...)
		if err := p.writeJSON(t); err != nil {
			return p.cannot("tune", err)
		}
		return code
	}
	out := bufio.NewWriter(p.stdout)
	for _, s := range t.Settings {
		fmt.Fprintf(out, "%s: %s -> %s\n", s.Name, s.Before, s.After)
		if s.Why != "" {
			paragraph(out, "    ", s.Why)
		}
		if s.Applied != "" {
			paragraph(out, "    ", "changed: "+s.Applied)
		}
	}
	for _, f := range t.Kept {
		fmt.Fprintf(out, "kept: %s: %s\n", f.Name, f.Reading)
		paragraph(out, "    ", f.Why)
	}
	for _, f := range t.Advice {
		fmt.Fprintf(out, "advice: %s is %s, better %s\n", f.Name, f.Reading, f.Wanted)
		paragraph(out, "    ", f.Why)
		fmt.Fprintf(out, "    %s\n", f.Mend)
	}
	switch n := len(t.Settings); {
	case n == 0:
		fmt.Fprintln(out, "nothing has to change")
	case !done:
		fmt.Fprintf(out, "%d to change: vernemq tune --apply, as root; --revert takes it back\n", n)
	}
	if err := out.Flush(); err != nil {
		return p.cannot("tune", err)
	}
	return code
}
