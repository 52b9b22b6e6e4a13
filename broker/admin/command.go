package admin

import (
	"context"
	"slices"
	"strings"
)

// Command is one command: a node of the tree with what it accepts and what it does.
type Command struct {
	Path  []string   // words, such as session, show
	Args  []ArgSpec  // key=value arguments; their order on the command line is free
	Flags []FlagSpec // in the order of the help text
	// Words stands in help texts for the words that may follow, any number of them; empty: none may. Settings says that any key=value may follow.
	Words    string
	Settings bool
	Doc      string // what it does: the first line is its summary in lists
	// Run does it. It may be called from several goroutines at once; when ctx is done it ends soon. A Table's rows are produced while they
	// are written, after Run has returned and under the same ctx.
	Run func(ctx context.Context, r *Request) (Result, error)
}

// ArgSpec is one key=value argument.
type ArgSpec struct {
	Name     string
	Hint     string // stands for the value in help texts
	Doc      string
	Required bool
	Check    func(value string) error // nil: every text that is not empty
}

// FlagSpec is one flag.
type FlagSpec struct {
	Name   string // long name, without dashes
	Short  string // short name of one letter, without dash; empty: none
	Value  ValueKind
	Hint   string   // stands for the value in help texts
	Words  []string // the values it can have; empty: any
	Doc    string
	Repeat bool               // may be given more than once
	Check  func(f Flag) error // nil: every text; asked only where there is a value
}

// ValueKind says whether a flag has a value.
type ValueKind uint8

// The kinds of flags.
const (
	Switch   ValueKind = iota // --flag
	Optional                  // --flag or --flag=value
	Required                  // --flag=value
)

// Flag is one flag as it was given.
type Flag struct {
	Name   string // long name
	Value  string
	Set    bool // it has a value
	Joined bool // the value was joined to the flag with =
}

// Request is a command line that was understood.
type Request struct {
	Args     map[string]string
	Flags    []Flag       // in the order given
	Words    []string     // of a Command with Words
	Settings []Assignment // of a Command with Settings, in the order given
	Columns  int          // width of the terminal, 0 unknown
}

// Flag returns the last flag of a name.
func (r *Request) Flag(name string) (f Flag, ok bool) {
	for _, g := range r.Flags {
		if g.Name == name {
			f, ok = g, true
		}
	}
	return f, ok
}

// Tree holds all commands. It is immutable once built, and safe for concurrent use.
type Tree struct {
	commands []*Command
	groups   []group
}

// group is an inner node of the tree: a noun.
type group struct{ name, doc string }

// NewTree returns the tree of all commands of a broker.
func NewTree(b Broker) *Tree {
	t := &Tree{}
	t.add("node", "Inspects this node.", nodeStatus(b))
	t.add("session", "Inspects and ends the sessions of clients.", sessionShow(b), sessionDisconnect(b), sessionDisconnectClients(b), sessionDisconnectBatch(b),
		sessionUnsubscribe(b), sessionReauthorize(b))
	t.add("listener", "Inspects the addresses the broker listens on.", listenerShow(b))
	t.add("metrics", "Inspects and resets the broker's metrics.", metricsShow(b), metricsReset(b))
	t.add("store", "Inspects and saves the durable store.", storeShow(b), storeBackup(b), storeCompact(b))
	t.add("api-key", "Makes and ends the keys of the HTTP interface.", apiKeyCreate(b), apiKeyAdd(b), apiKeyDelete(b), apiKeyShow(b))
	t.add("reload", "Reads the configuration anew.", reload(b))
	t.add("set", "Changes the configuration of the running broker.", set(b))
	t.add("unset", "Takes back what set gave.", unset(b))
	t.add("reset", "Takes everything back that set gave.", reset(b))
	t.add("show", "Shows the configuration in force.", show(b))
	return t
}

// add appends a noun with its commands.
func (t *Tree) add(name, doc string, commands ...*Command) {
	t.groups = append(t.groups, group{name, doc})
	for _, c := range commands {
		if len(c.Path) == 0 || c.Path[0] != name {
			panic("BUG: command " + c.name() + " does not belong to " + name)
		}
		if found, rest := t.find(c.Path); found != nil && len(rest) == 0 {
			panic("BUG: command " + c.name() + " is there twice")
		}
		t.commands = append(t.commands, c)
	}
}

// Commands returns all commands in the order of the help texts. Do not change them.
func (t *Tree) Commands() []*Command { return t.commands }

// find returns the command with the longest path that words begin with, and the words behind it.
func (t *Tree) find(words []string) (c *Command, rest []string) {
	for _, candidate := range t.commands {
		n := len(candidate.Path)
		if n <= len(words) && slices.Equal(candidate.Path, words[:n]) && (c == nil || n > len(c.Path)) {
			c, rest = candidate, words[n:]
		}
	}
	return c, rest
}

// name returns the words of the command's path.
func (c *Command) name() string { return strings.Join(c.Path, " ") }

// flag finds a flag by its long or short name.
func (c *Command) flag(long, short string) *FlagSpec {
	for i := range c.Flags {
		if f := &c.Flags[i]; long != "" && f.Name == long || short != "" && f.Short == short {
			return f
		}
	}
	return nil
}

// arg finds a key=value argument.
func (c *Command) arg(name string) *ArgSpec {
	for i := range c.Args {
		if c.Args[i].Name == name {
			return &c.Args[i]
		}
	}
	return nil
}
