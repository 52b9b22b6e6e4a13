package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// layerFlags are the flags that add to the configuration.
type layerFlags struct {
	set        []string
	acceptEULA bool
	user       string // who the broker is to run as
}

// add declares the flags.
func (l *layerFlags) add(f *flag.FlagSet) {
	l.addSet(f)
	f.BoolVar(&l.acceptEULA, "accept-eula", false, "")
}

// addStart declares the flags of what starts a broker.
func (l *layerFlags) addStart(f *flag.FlagSet) {
	l.add(f)
	f.StringVar(&l.user, "user", "", "")
}

// addSet declares --set alone.
func (l *layerFlags) addSet(f *flag.FlagSet) {
	f.Func("set", "", func(text string) error {
		l.set = append(l.set, text)
		return nil
	})
}

// oneOf declares a flag that takes one of a few words, the first of which is its default.
func oneOf(f *flag.FlagSet, name string, words ...string) *string {
	value := words[0]
	f.Func(name, "", func(text string) error {
		if !slices.Contains(words, text) {
			return fmt.Errorf("--%s is %s", name, choice(words))
		}
		value = text
		return nil
	})
	return &value
}

// choice lists words; an empty one, which stands for "not given", is left out.
func choice(words []string) string {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	if len(words) == 2 {
		return words[0] + " or " + words[1]
	}
	return "one of " + strings.Join(words, ", ")
}

// parse parses args with flags declared by declare. It complains about what it does not know, and about anything that is no flag.
func (p *program) parse(command string, args []string, declare func(*flag.FlagSet)) bool {
	rest, ok := p.parseWords(command, args, declare)
	if ok && len(rest) > 0 {
		p.misused(command, fmt.Errorf("unexpected %q", rest[0]))
		return false
	}
	return ok
}

// parseWords is parse for a command that takes words too; flags may stand before, between and behind them, up to a --.
func (p *program) parseWords(command string, args []string, declare func(*flag.FlagSet)) (words []string, ok bool) {
	f := flag.NewFlagSet(command, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	declare(f)
	for {
		if err := f.Parse(args); err != nil {
			p.misused(command, err)
			return nil, false
		}
		rest := f.Args()
		if len(rest) == 0 {
			return words, true
		}
		if before := len(args) - len(rest); before > 0 && args[before-1] == "--" {
			return append(words, rest...), true
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

// parseOne is parse for a command that takes one word; what says which, for the complaint.
func (p *program) parseOne(command string, args []string, what string, declare func(*flag.FlagSet)) (word string, ok bool) {
	words, ok := p.parseWords(command, args, declare)
	if !ok {
		return "", false
	}
	if len(words) != 1 {
		p.misused(command, fmt.Errorf("one %s is needed, and there are %d", what, len(words)))
		return "", false
	}
	return words[0], true
}

// misused prints what is wrong with a command's arguments, and its usage.
func (p *program) misused(command string, problem error) {
	fmt.Fprintf(p.stderr, "vernemq %s: %v\n", command, problem)
	if c := findCommand(command); c != nil {
		fmt.Fprintf(p.stderr, "Usage: vernemq %s\n", strings.TrimSpace(command+" "+c.args))
	}
}

// wantsHelp reports whether --help or -h stands among args, up to a --.
func wantsHelp(args []string) bool {
	for _, a := range args {
		switch a {
		case "--help", "-help", "-h":
			return true
		case "--":
			return false
		}
	}
	return false
}

// noFlags declares none.
func noFlags(*flag.FlagSet) {}
