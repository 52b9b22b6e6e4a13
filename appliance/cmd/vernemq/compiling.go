package main

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	confd "vernemq/conf.d"
	"vernemq/packaging"
	"vernemq/schema"
)

// containerEnv tells that DOCKER_VERNEMQ_* variables are settings. The container image sets it.
const containerEnv = "VERNEMQ_CONTAINER"

// layerFlags are the flags that add to the configuration.
type layerFlags struct {
	set        []string
	acceptEULA bool
}

// add declares the flags.
func (l *layerFlags) add(f *flag.FlagSet) {
	f.Func("set", "", func(text string) error {
		l.set = append(l.set, text)
		return nil
	})
	f.BoolVar(&l.acceptEULA, "accept-eula", false, "")
}

// args returns the flags as arguments.
func (l *layerFlags) args() (out []string) {
	for _, s := range l.set {
		out = append(out, "--set="+s)
	}
	if l.acceptEULA {
		out = append(out, "--accept-eula")
	}
	return out
}

// parse parses args with flags declared by declare. It complains about what it does not know, and about anything that is no flag.
func (p *program) parse(command string, args []string, declare func(*flag.FlagSet)) bool {
	f := flag.NewFlagSet(command, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	declare(f)
	err := f.Parse(args)
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("unexpected %q", f.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "vernemq %s: %v\n", command, err)
		for _, c := range commands() {
			if c.name == strings.Fields(command)[0] {
				fmt.Fprintf(p.stderr, "Usage: vernemq %s %s\n", c.name, c.args)
			}
		}
		return false
	}
	return true
}

// compile compiles the configuration under the root. The embedded default files serve where there are none.
func (p *program) compile(l layerFlags) (*plan.Plan, *report.Report, error) {
	s, err := schema.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("the embedded schema cannot be used: %w", err)
	}
	container := slices.Contains([]string{"1", "on", "yes", "true"}, strings.ToLower(os.Getenv(containerEnv)))
	result, findings := compile.Compile(compile.Input{
		Schema: s, FS: source.Fallback(source.Host(p.root), shipped()), Environ: os.Environ(), Container: container,
		Set: l.set, AcceptEULA: l.acceptEULA, Compiler: "vernemq " + version,
	})
	return result, findings, nil
}

// shipped returns the files that the packages install, as embedded.
func shipped() source.Texts {
	texts := source.Texts{hostfs.MainConf: packaging.Conf}
	names, _ := fs.Glob(confd.Files, "*.conf")
	for _, name := range names {
		if text, err := fs.ReadFile(confd.Files, name); err == nil {
			texts[path.Join(hostfs.ConfDir, name)] = string(text)
		}
	}
	return texts
}

// nodename returns the configured name of the node, for messages.
func (p *program) nodename() string {
	result, _, err := p.compile(layerFlags{})
	if err != nil {
		return "unknown"
	}
	v, _ := result.Get("nodename")
	return v.Text()
}

// cannot reports what kept a command from being tried.
func (p *program) cannot(command string, err error) int {
	fmt.Fprintf(p.stderr, "vernemq %s: %v\n", command, err)
	return exitCannot
}
