package admin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// line is a command line taken apart. Mistakes do not end the parse: a --help behind them still counts.
type line struct {
	words   []string
	command *Command
	request *Request
	help    bool
	format  string        // value of --format, empty if absent
	limit   time.Duration // -rpctimeout: how long the command may take; 0 no limit
	errs    []string      // what is wrong, in the order of the command line
}

// parse reads the command line behind the program's name: words, then key=value arguments and flags in any order. A value may contain
// further = signs. A negative integer is no flag.
func (t *Tree) parse(argv []string) *line {
	l := &line{request: &Request{Args: map[string]string{}}}
	i := 0
	for i < len(argv) {
		a := argv[i]
		if n := l.global(argv[i:]); n > 0 {
			i += n
			continue
		}
		if isFlag(a) || strings.Contains(a, "=") {
			break
		}
		l.words = append(l.words, a)
		i++
	}
	var bare []string
	l.command, bare = t.find(l.words)
	for _, w := range bare {
		l.word(w)
	}
	for i < len(argv) {
		if n := l.global(argv[i:]); n > 0 {
			i += n
			continue
		}
		i += l.item(argv[i:])
	}
	if c := l.command; c != nil {
		for _, a := range c.Args {
			if _, ok := l.request.Args[a.Name]; a.Required && !ok {
				l.fail("Missing argument: %s=%s", a.Name, a.Hint)
			}
		}
	}
	return l
}

// global reads a flag that every command has from the start of argv and returns how many words it took, 0 if there is none.
func (l *line) global(argv []string) int {
	name, value, joined := strings.Cut(argv[0], "=")
	switch name {
	case "--help", "-h":
		l.help = true
		return 1
	case "--format", "-rpctimeout":
	default:
		return 0
	}
	n := 1
	if !joined {
		if len(argv) < 2 {
			l.fail("Missing value for flag: %s", name)
			return 1
		}
		value, n = argv[1], 2
	}
	if name == "--format" {
		l.format = value
		return n
	}
	if value == "infinity" {
		l.limit = 0
	} else if ms, err := strconv.ParseInt(value, 10, 32); err == nil && ms > 0 {
		l.limit = time.Duration(ms) * time.Millisecond
	} else {
		l.fail("Invalid value: %s for flag: %s (milliseconds, or infinity)", value, name)
	}
	return n
}

// item reads one argument or flag from the start of argv and returns how many words it took.
func (l *line) item(argv []string) int {
	a := argv[0]
	c := l.command
	if c == nil {
		return 1 // nothing is known about it
	}
	if !isFlag(a) {
		l.argument(a)
		return 1
	}
	var spec *FlagSpec
	var f Flag
	if long, ok := strings.CutPrefix(a, "--"); ok {
		f.Name, f.Value, f.Joined = strings.Cut(long, "=")
		f.Set = f.Joined
		spec = c.flag(f.Name, "")
	} else {
		_, size := utf8.DecodeRuneInString(a[1:])
		f.Name, f.Value = a[1:1+size], a[1+size:]
		f.Set = f.Value != ""
		if rest, ok := strings.CutPrefix(f.Value, "="); ok {
			f.Value, f.Joined = rest, true
		}
		spec = c.flag("", f.Name)
	}
	if spec == nil {
		l.fail("Invalid flag: %s%s", a[:len(a)-len(f.Value)-joint(f.Joined)], suggest(f.Name, flagNames(c), "--"))
		if f.Set || len(argv) < 2 || isFlag(argv[1]) || strings.Contains(argv[1], "=") {
			return 1
		}
		return 2 // what looks like its value would only be a second mistake
	}
	f.Name = spec.Name
	n := 1
	if !f.Set && len(argv) > 1 && l.takes(spec, argv[1]) {
		f.Value, f.Set, n = argv[1], true, 2
	}
	l.flag(spec, f)
	return n
}

// takes reports whether next is the value of a flag that has none joined to it.
func (l *line) takes(spec *FlagSpec, next string) bool {
	if spec.Value == Switch || isFlag(next) {
		return false
	}
	name, _, ok := strings.Cut(next, "=")
	return !ok || l.command.arg(name) == nil
}

// flag checks f and adds it to the request.
func (l *line) flag(spec *FlagSpec, f Flag) {
	flag := "--" + spec.Name
	_, twice := l.request.Flag(f.Name)
	switch {
	case spec.Value == Switch && f.Set && f.Value == "true":
		f = Flag{Name: f.Name}
	case spec.Value == Switch && f.Set && f.Value == "false":
		return // the same as not to give it
	case spec.Value == Switch && f.Set:
		l.fail("Invalid value: %s for flag: %s (it has none)", f.Value, flag)
		return
	case spec.Value == Required && !f.Set:
		l.fail("Missing value for flag: %s", flag)
		return
	case f.Set && len(spec.Words) > 0 && !slices.Contains(spec.Words, f.Value):
		l.fail("Invalid value: %s for flag: %s (one of %s)", f.Value, flag, strings.Join(spec.Words, ", "))
		return
	case twice && !spec.Repeat:
		l.fail("Invalid flag: %s is there twice", flag)
		return
	}
	if f.Set && spec.Check != nil {
		if err := spec.Check(f); err != nil {
			l.fail("Invalid value: %s for flag: %s (%v)", f.Value, flag, err)
			return
		}
	}
	l.request.Flags = append(l.request.Flags, f)
}

// word adds a word that is neither argument nor flag, where the command takes such.
func (l *line) word(w string) {
	if l.command == nil || l.command.Words == "" {
		l.fail("Invalid argument: %s", w)
		return
	}
	if !slices.Contains(l.request.Words, w) {
		l.request.Words = append(l.request.Words, w)
	}
}

// setting adds a key=value to the request.
func (l *line) setting(key, value string) {
	switch twice := func(s Assignment) bool { return s.Key == key }; {
	case key == "":
		l.fail("Invalid argument: =%s", value)
	case slices.ContainsFunc(l.request.Settings, twice):
		l.fail("Invalid key: %s is there twice", key)
	default:
		l.request.Settings = append(l.request.Settings, Assignment{key, value})
	}
}

// argument checks a key=value argument and adds it to the request.
func (l *line) argument(a string) {
	name, value, ok := strings.Cut(a, "=")
	if !ok {
		l.word(a)
		return
	}
	if l.command.Settings {
		l.setting(name, value)
		return
	}
	spec := l.command.arg(name)
	_, twice := l.request.Args[name]
	switch {
	case spec == nil:
		var names []string
		for _, s := range l.command.Args {
			names = append(names, s.Name)
		}
		l.fail("Invalid key: %s%s", name, suggest(name, names, ""))
		return
	case value == "":
		l.fail("Empty value in argument: %s", a)
		return
	case twice:
		l.fail("Invalid key: %s is there twice", name)
		return
	}
	if spec.Check != nil {
		if err := spec.Check(value); err != nil {
			l.fail("Invalid value: %s for key: %s (%v)", value, name, err)
			return
		}
	}
	l.request.Args[name] = value
}

func (l *line) fail(format string, args ...any) {
	l.errs = append(l.errs, fmt.Sprintf(format, args...))
}

// isFlag reports whether a word is a flag: it begins with a dash and is no negative integer.
func isFlag(a string) bool {
	if len(a) < 2 || a[0] != '-' {
		return false
	}
	_, err := strconv.ParseInt(a, 10, 64)
	return err != nil
}

func joint(joined bool) int {
	if joined {
		return 1
	}
	return 0
}

func flagNames(c *Command) []string {
	names := []string{"help", "format"}
	for _, f := range c.Flags {
		names = append(names, f.Name)
	}
	return names
}
