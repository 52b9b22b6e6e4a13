package main

import (
	"bufio"
	"flag"
	"fmt"
	"strings"
	"time"

	"vernemq/appliance/report"
	"vernemq/schema"
)

// config runs the words behind vernemq config.
func (p *program) config(args []string) int {
	sub := map[string]func([]string) int{"generate": p.generate, "effective": p.effective, "keys": p.keys, "default": p.defaultFile}
	if len(args) > 0 {
		if run, ok := sub[args[0]]; ok {
			return run(args[1:])
		}
		fmt.Fprintf(p.stderr, "vernemq config: unknown command %q", args[0])
		if near := schema.NearestWord(args[0], []string{"generate", "effective", "keys", "default"}); near != "" {
			fmt.Fprintf(p.stderr, ", did you mean %s?", near)
		}
		fmt.Fprintln(p.stderr)
	}
	fmt.Fprintln(p.stderr, "Usage: vernemq config generate | effective [--origin] | keys [--effect=EFFECT] | default")
	return exitFailed
}

// generate writes the compiled configuration and prints where.
func (p *program) generate(args []string) int {
	var layers layerFlags
	if !p.parse("config generate", args, layers.add) {
		return exitFailed
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("config generate", err)
	}
	if err := findings.WriteText(p.stderr, report.Warning); err != nil {
		return p.cannot("config generate", err)
	}
	if findings.Fatal(false) {
		return exitFailed
	}
	name, err := result.Save(p.root, time.Now())
	if err != nil {
		return p.cannot("config generate", err)
	}
	fmt.Fprintln(p.stdout, name)
	return exitOK
}

// effective prints every value in force.
func (p *program) effective(args []string) int {
	var layers layerFlags
	origin := false
	if !p.parse("config effective", args, func(f *flag.FlagSet) {
		layers.add(f)
		f.BoolVar(&origin, "origin", false, "")
	}) {
		return exitFailed
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("config effective", err)
	}
	if err := result.WriteEffective(p.stdout, origin); err != nil {
		return p.cannot("config effective", err)
	}
	if !findings.Fatal(false) {
		return exitOK
	}
	if err := findings.WriteText(p.stderr, report.Warning); err != nil {
		return p.cannot("config effective", err)
	}
	return exitFailed
}

// keys lists the keys of the schema: name, type, default, effect, separated by tabs; how many there are goes to standard error.
func (p *program) keys(args []string) int {
	effect := ""
	if !p.parse("config keys", args, func(f *flag.FlagSet) { f.StringVar(&effect, "effect", "", "") }) {
		return exitFailed
	}
	effects := []string{"live", string(schema.Planned), string(schema.Ignored), string(schema.Refused), string(schema.Fixed)}
	if effect != "" && !strings.Contains(" "+strings.Join(effects, " ")+" ", " "+effect+" ") {
		fmt.Fprintf(p.stderr, "vernemq config keys: --effect is one of %s, not %q\n", strings.Join(effects, ", "), effect)
		return exitFailed
	}
	s, err := schema.Load()
	if err != nil {
		return p.cannot("config keys", err)
	}
	out, n := bufio.NewWriter(p.stdout), 0
	for _, k := range s.Keys() {
		does := string(k.Effect)
		if k.Effect == schema.Live {
			does = "live"
		}
		if effect != "" && effect != does {
			continue
		}
		n++
		value := "unset"
		if k.HasDefault() {
			value = k.Default
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", k.Name, k.Type, value, does)
	}
	if err := out.Flush(); err != nil {
		return p.cannot("config keys", err)
	}
	fmt.Fprintf(p.stderr, "%d keys\n", n)
	return exitOK
}

// defaultFile prints vernemq.conf as it is shipped.
func (p *program) defaultFile(args []string) int {
	if !p.noArgs("config default", args) {
		return exitFailed
	}
	s, err := schema.Load()
	if err != nil {
		return p.cannot("config default", err)
	}
	if _, err := p.stdout.Write(schema.DefaultFile(s)); err != nil {
		return p.cannot("config default", err)
	}
	return exitOK
}
