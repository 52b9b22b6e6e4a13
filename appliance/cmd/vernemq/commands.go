package main

import (
	"fmt"
	"io"
	"strings"

	"vernemq/appliance/hostfs"
	"vernemq/schema"
)

// command is one word behind vernemq, or behind vernemq config.
type command struct {
	name, args, doc string
	more            string                              // what --help tells besides: flags, exit statuses; lines end with a line end
	run             func(p *program, args []string) int // nil: there are words behind it
}

// What several commands' --help says.
const (
	helpSet    = "  --set KEY=VALUE   one more setting, above all others; may be repeated\n"
	helpEULA   = "  --accept-eula     accept the licence, for this call\n"
	helpUser   = "  --user NAME       run as NAME, when started by root; by default vernemq if there is such a user and no --root\n"
	helpJSON   = "  --format=json     for programs\n"
	helpStrict = "  --strict          warnings count as errors\n"
)

// commands are all of them, in the order of the help; a function, because help lists them and is one.
func commands() []command {
	return []command{
		{"start", "[--accept-eula] [--user NAME] [--set KEY=VALUE]...", "start the broker in the background",
			helpEULA + helpUser + helpSet + "Exit status: 0 it runs, 1 it runs already or failed, 78 licence, configuration or version of the store.\n", (*program).start},
		{"stop", "", "stop it, and wait until it is gone", "Exit status: 0 it is gone, 1 it did not run.\n", (*program).stop},
		{"restart", "[--accept-eula] [--user NAME] [--set KEY=VALUE]...", "stop, then start",
			"A configuration that could not be started with is told first, and the broker that runs goes on.\n" + helpEULA + helpUser + helpSet +
				"Exit status: 0 it runs, 1 it did not run or failed, 78 licence or configuration.\n", (*program).restart},
		{"reload", "[--wait] [--format=json]", "have the running broker read its configuration anew",
			"What can change while it runs does, what cannot is named, and a configuration with errors changes nothing.\n" +
				"  --wait            until it is done, and tell what came of it; without it that is in the log\n" + helpJSON +
				"Exit status: 0 done, or asked for without --wait; 1 refused, or it does not run.\n", (*program).reload},
		{"foreground", "[--accept-eula] [--user NAME] [--set KEY=VALUE]...", "run the broker until it gets SIGTERM or SIGINT",
			helpEULA + helpUser + helpSet + "Exit status: 0 stopped and drained, 1 failed, 78 licence, configuration or version of the store.\n", (*program).foreground},
		{"ping", "", "answer pong if the broker runs", "", (*program).ping},
		{"getpid", "", "print the process id of the broker", "", (*program).getpid},
		{"chkconfig", "[--strict] [--format=json] [--accept-eula] [--set KEY=VALUE]...",
			"check the configuration; on a terminal, ask to accept the licence first",
			helpStrict + helpJSON + "  --accept-eula     accept the licence for good, as the answer yes would\n" + helpSet +
				"Nothing is written but the acceptance. Exit status: 0 it can be used, 1 it has errors, 78 the licence was declined.\n", (*program).chkconfig},
		{"config", "COMMAND...", "compile the configuration, explain it, compare it: see vernemq config --help", "", nil},
		{"doctor", "[--all] [--format=json] [--host DIR] [--set KEY=VALUE]...", "examine the machine and the configuration, and say how to mend what is wrong",
			"  --all             what is in order too\n" + helpJSON +
				"  --host DIR        take /proc and /sys from DIR, such as a copy of another machine's\n" + helpSet +
				"It writes and removes a small file in the data directory. Exit status: 0 nothing serious, 1 errors found, 2 it could not be tried.\n",
			(*program).doctor},
		{"tune", "[--apply|--revert] [--format=json] [--host DIR] [--set KEY=VALUE]...", "show what the kernel and the service's limits lack for the configuration, and change it",
			"  --apply           change the running kernel, and write for later boots " + hostfs.TuneSysctl + ",\n" +
				"                    " + hostfs.TunePages + " and\n" +
				"                    " + hostfs.TuneLimits + "; as root\n" +
				"  --revert          put back what was there before\n" + helpJSON +
				"  --host DIR        take /proc and /sys from DIR; with --root it says which machine's\n" + helpSet +
				"No figure is lowered. With less than 4 GiB of memory huge pages are left to programs that ask.\n" +
				"Exit status: 0 done, 1 not everything could be changed, 2 it could not be tried.\n", (*program).tune},
		{"store", "verify|repair|dump|compact|export|import|backup [--dir DIR] [FILE|TO]", "examine, mend and save the durable store",
			storeHelp, (*program).store},
		{"bench", "MODE --addr HOST:PORT [FLAGS...]", "make load for a broker and measure it; also bench suite, bench compare A.json B.json", benchHelp(), (*program).bench},
		{"image", "COMMAND...", "the appliance: update it, look at it, build it: see vernemq image --help", "", nil},
		{"admin", "COMMAND...", "what vmq-admin does", "", (*program).admin},
		{"passwd", "...", "what vmq-passwd does", "",
			func(p *program, args []string) int { return runPasswd(p.root, args, p.stdin, p.stdout, p.stderr) }},
		{"version", "", "print the version", "", (*program).version},
		{"help", "", "print this text", "", (*program).help},
	}
}

// configCommands are the words behind vernemq config.
func configCommands() []command {
	return []command{
		{"generate", "[--set KEY=VALUE]...", "compile, write what the broker loads, and print where", helpSet, (*program).generate},
		{"effective", "[--origin] [--format=json] [--set KEY=VALUE]...", "every value in force",
			"  --origin          where each comes from, behind a #\n" + helpJSON + helpSet, (*program).effective},
		{"describe", "KEY [--format=json]", "what a key means and accepts, and where it is set",
			"KEY may be concrete (listener.tcp.default) or as in the tables (listener.tcp.$name).\n" + helpJSON +
				"Exit status: 0 described, 1 there is no such key, 2 none is named.\n", (*program).describe},
		{"explain", "KEY [--format=json] [--set KEY=VALUE]...", "where the value of a key comes from, and what it overrides",
			"KEY without the name of a listener (listener.max_connections) also tells who takes its value.\n" + helpJSON + helpSet +
				"Exit status: 0 explained, 1 there is no such key, 2 none is named.\n", (*program).explain},
		{"diff", "A B [--format=json]", "which values differ between two configurations, and whether a change needs a restart",
			"A and B are files, or directories that hold a vernemq.conf. The environment is left out. In front of each key stands live if a\n" +
				"running broker takes the new value (vernemq reload, vmq-admin set), or restart.\n" + helpJSON +
				"Exit status: 0 the same, 1 they differ, 2 one of them cannot be compiled.\n", (*program).diff},
		{"check", "FILE... [--strict] [--format=json]", "check files as if each were vernemq.conf",
			"The environment is left out.\n" + helpStrict + helpJSON + "Exit status: 0 all can be used, 1 one has errors, 2 none is named.\n", (*program).check},
		{"migrate", "OLD.conf [--from=vernemq|mosquitto] [--output FILE]", "rewrite an old vernemq.conf, or a mosquitto.conf, for this broker",
			"The new configuration goes to standard output, what maps and what does not to standard error.\n" +
				"  --from            what OLD.conf was written for; told from its content by default\n" +
				"  --output FILE     write there; a file that exists is left alone\n" +
				"Exit status: 0 everything is carried over, 1 something is not and needs you, 2 it could not be tried.\n", (*program).migrate},
		{"keys", "[--effect=EFFECT] [--format=json]", "the names of all keys, with type, default and effect",
			"  --effect=EFFECT   only those that are live, planned, ignored, refused or fixed\n" + helpJSON, (*program).keys},
		{"default", "", "vernemq.conf as it is shipped", "", (*program).defaultFile},
		{"docs", "[--format=markdown|man]", "the reference of all keys", "  --format=man      as the manual page vernemq.conf(5)\n", (*program).docs},
	}
}

// behind returns the words behind a command; nil if it has none.
func behind(name string) []command {
	switch name {
	case "config":
		return configCommands()
	case "image":
		return imageCommands()
	}
	return nil
}

// findCommand returns the command of that name, such as start or config diff; nil if there is none.
func findCommand(name string) *command {
	list := append(commands(), hiddenCommands()...)
	if first, word, ok := strings.Cut(name, " "); ok {
		name, list = word, behind(first)
	}
	for i := range list {
		if list[i].name == name {
			return &list[i]
		}
	}
	return nil
}

// commandHelp prints the help of one command; prefix is what stands before its name.
func (p *program) commandHelp(prefix string, c *command) int {
	fmt.Fprintf(p.stdout, "Usage: %s\n%s.\n", strings.TrimSpace(prefix+" "+c.name+" "+c.args), c.doc)
	if c.more != "" {
		fmt.Fprintf(p.stdout, "\n%s", c.more)
	}
	return exitOK
}

// dispatch runs the command that args begin with.
func (p *program) dispatch(args []string) int {
	if len(args) == 0 {
		p.usage(p.stderr)
		return exitCannot
	}
	switch args[0] {
	case "--help", "-h":
		return p.help(nil)
	case "--version":
		return p.version(nil)
	}
	c := findCommand(args[0])
	if c == nil {
		p.unknownCommand("vernemq", args[0], commands())
		p.usage(p.stderr)
		return exitCannot
	}
	if words := behind(c.name); words != nil {
		return p.under(c.name, words, args[1:])
	}
	if len(args) > 1 && wantsHelp(args[1:]) && c.name != "admin" && c.name != "passwd" {
		return p.commandHelp("vernemq", c)
	}
	return c.run(p, args[1:])
}

// under runs one of the words behind a command.
func (p *program) under(name string, words []command, args []string) int {
	usage := fmt.Sprintf("Usage: vernemq %s {%s}\n", name, strings.Join(names(words), "|"))
	if len(args) == 0 {
		fmt.Fprint(p.stderr, usage)
		return exitCannot
	}
	if args[0] == "--help" || args[0] == "-h" || args[0] == "help" {
		fmt.Fprintln(p.stdout, usage)
		list(p.stdout, words)
		return exitOK
	}
	c := findCommand(name + " " + args[0])
	if c == nil {
		p.unknownCommand("vernemq "+name, args[0], words)
		fmt.Fprint(p.stderr, usage)
		return exitCannot
	}
	if wantsHelp(args[1:]) {
		return p.commandHelp("vernemq "+name, c)
	}
	return c.run(p, args[1:])
}

func (p *program) unknownCommand(program, word string, list []command) {
	fmt.Fprintf(p.stderr, "%s: unknown command %q", program, word)
	if near := schema.NearestWord(word, names(list)); near != "" {
		fmt.Fprintf(p.stderr, ", did you mean %s?", near)
	}
	fmt.Fprintln(p.stderr)
}

func names(list []command) (out []string) {
	for _, c := range list {
		out = append(out, c.name)
	}
	return out
}

// list prints commands with their arguments.
func list(w io.Writer, commands []command) {
	for _, c := range commands {
		fmt.Fprintf(w, "  %s\n        %s\n", strings.TrimSpace(c.name+" "+c.args), c.doc)
	}
}

func (p *program) usage(w io.Writer) {
	fmt.Fprintf(w, "Usage: vernemq [--root DIR] {%s}\n", strings.Join(names(commands()), "|"))
}

func (p *program) help(args []string) int {
	if !p.noArgs("help", args) {
		return exitCannot
	}
	p.usage(p.stdout)
	fmt.Fprintln(p.stdout)
	list(p.stdout, commands())
	fmt.Fprint(p.stdout, `
  --root DIR takes all paths under DIR, those inside the configuration too. Also for vmq-admin and vmq-passwd.
  --help behind a command tells more about it.
  Exit status: 0 done, 1 failed, 2 could not be tried, 78 not started for the licence, the configuration
  or the version of the store.
`)
	return exitOK
}
