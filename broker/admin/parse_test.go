package admin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testTree has one command with everything a command can have, and one with a longer path behind it.
func testTree() *Tree {
	run := func(context.Context, *Request) (Result, error) { return Text("Done"), nil }
	t := &Tree{}
	t.add("thing", "Changes things.", &Command{
		Path: []string{"thing", "make"},
		Doc:  "Makes a thing.",
		Args: []ArgSpec{
			{Name: "name", Hint: "NAME", Doc: "How it is called.", Required: true},
			{Name: "port", Hint: "PORT", Doc: "Where it is.", Check: func(v string) error {
				if v != "1883" {
					return errors.New("1883")
				}
				return nil
			}},
		},
		Flags: []FlagSpec{
			{Name: "fast", Short: "f", Doc: "Hurries."},
			{Name: "count", Short: "n", Value: Required, Hint: "N", Doc: "How many."},
			{Name: "field", Value: Optional, Hint: "TEXT", Doc: "A field.", Repeat: true},
			{Name: "mode", Value: Required, Words: []string{"a", "b"}, Doc: "How."},
		},
		Run: run,
	}, &Command{Path: []string{"thing", "make", "again"}, Doc: "Makes it again.", Run: run})
	return t
}

func TestParse(t *testing.T) {
	type want struct {
		Command string
		Args    map[string]string
		Flags   []Flag
		Help    bool
		Format  string
		Limit   time.Duration
		Errs    []string
	}
	name := map[string]string{"name": "x"}
	tests := []struct {
		name, in string // words are separated by spaces
		want     want
	}{
		{"arguments", "thing make name=x port=1883", want{Args: map[string]string{"name": "x", "port": "1883"}}},
		{"flags first", "thing make --fast name=x", want{Args: name, Flags: []Flag{{Name: "fast"}}}},
		{"format in front", "--format=json thing make name=x", want{Args: name, Format: "json"}},
		{"format as a word", "thing make name=x --format csv", want{Args: name, Format: "csv"}},
		{"value with equals signs", "thing make name=a=b=c", want{Args: map[string]string{"name": "a=b=c"}}},
		{"flag value with equals signs", "thing make name=x --field=a=b",
			want{Args: name, Flags: []Flag{{Name: "field", Value: "a=b", Set: true, Joined: true}}}},
		{"longest path", "thing make again", want{Command: "thing make again"}},
		{"long flag and word", "thing make name=x --count 5", want{Args: name, Flags: []Flag{{Name: "count", Value: "5", Set: true}}}},
		{"negative integer", "thing make name=x --count -5", want{Args: name, Flags: []Flag{{Name: "count", Value: "-5", Set: true}}}},
		{"short flag and word", "thing make name=x -n 5", want{Args: name, Flags: []Flag{{Name: "count", Value: "5", Set: true}}}},
		{"short flag with its value", "thing make name=x -n5", want{Args: name, Flags: []Flag{{Name: "count", Value: "5", Set: true}}}},
		{"short flag and equals", "thing make name=x -n=5",
			want{Args: name, Flags: []Flag{{Name: "count", Value: "5", Set: true, Joined: true}}}},
		{"switch takes no word", "thing make -f name=x", want{Args: name, Flags: []Flag{{Name: "fast"}}}},
		{"switch is true", "thing make --fast=true name=x", want{Args: name, Flags: []Flag{{Name: "fast"}}}},
		{"switch is false", "thing make --fast=false name=x", want{Args: name}},
		{"optional value, none", "thing make --field name=x", want{Args: name, Flags: []Flag{{Name: "field"}}}},
		{"optional value, a word", "thing make --field y name=x", want{Args: name, Flags: []Flag{{Name: "field", Value: "y", Set: true}}}},
		{"optional value, empty", "thing make --field= name=x",
			want{Args: name, Flags: []Flag{{Name: "field", Set: true, Joined: true}}}},
		{"repeated", "thing make --field --field=y name=x",
			want{Args: name, Flags: []Flag{{Name: "field"}, {Name: "field", Value: "y", Set: true, Joined: true}}}},
		{"call limit", "thing make name=x -rpctimeout 1500", want{Args: name, Limit: 1500 * time.Millisecond}},
		{"no call limit", "thing make name=x -rpctimeout=infinity", want{Args: name}},

		{"missing argument", "thing make", want{Args: map[string]string{}, Errs: []string{"Missing argument: name=NAME"}}},
		{"empty argument", "thing make name=", want{Args: map[string]string{},
			Errs: []string{"Empty value in argument: name=", "Missing argument: name=NAME"}}},
		{"unknown argument", "thing make name=x naem=y", want{Args: name, Errs: []string{"Invalid key: naem (did you mean name?)"}}},
		{"argument twice", "thing make name=x name=y", want{Args: name, Errs: []string{"Invalid key: name is there twice"}}},
		{"bad argument", "thing make name=x port=1", want{Args: name, Errs: []string{"Invalid value: 1 for key: port (1883)"}}},
		{"bare word", "thing make name=x port", want{Args: name, Errs: []string{"Invalid argument: port"}}},
		{"bare word in front", "thing make port name=x", want{Args: name, Errs: []string{"Invalid argument: port"}}},
		{"unknown flag", "thing make name=x --fats y -z=1", want{Args: name,
			Errs: []string{"Invalid flag: --fats (did you mean --fast?)", "Invalid flag: -z"}}},
		{"odd short flag", "thing make name=x -é", want{Args: name, Errs: []string{"Invalid flag: -é"}}},
		{"two dashes", "thing make name=x --", want{Args: name, Errs: []string{"Invalid flag: --"}}},
		{"flag without value", "thing make name=x --count --fast",
			want{Args: name, Flags: []Flag{{Name: "fast"}}, Errs: []string{"Missing value for flag: --count"}}},
		{"flag at the end without value", "thing make name=x --count", want{Args: name, Errs: []string{"Missing value for flag: --count"}}},
		{"bad word", "thing make name=x --mode=c", want{Args: name, Errs: []string{"Invalid value: c for flag: --mode (one of a, b)"}}},
		{"switch with a value", "thing make name=x --fast=1", want{Args: name, Errs: []string{"Invalid value: 1 for flag: --fast (it has none)"}}},
		{"flag twice", "thing make name=x -f --fast",
			want{Args: name, Flags: []Flag{{Name: "fast"}}, Errs: []string{"Invalid flag: --fast is there twice"}}},
		{"format without value", "thing make name=x --format", want{Args: name, Errs: []string{"Missing value for flag: --format"}}},
		{"help behind mistakes", "thing make --bogus -h", want{Args: map[string]string{}, Help: true,
			Errs: []string{"Invalid flag: --bogus", "Missing argument: name=NAME"}}},
		{"no command", "thing --bogus x=y", want{Command: "none"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := testTree().parse(strings.Fields(tt.in))
			got := want{Args: l.request.Args, Flags: l.request.Flags, Help: l.help, Format: l.format, Limit: l.limit, Errs: l.errs}
			switch {
			case l.command == nil:
				got.Command = "none"
			case l.command.name() != "thing make":
				got.Command = l.command.name()
			}
			if tt.want.Args == nil {
				tt.want.Args = map[string]string{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.in, diff)
			}
		})
	}
}

func TestUsageOfArguments(t *testing.T) {
	want := `Usage: vmq-admin thing make name=NAME [port=PORT] [options]

  Makes a thing.

  Arguments:
    name=NAME  How it is called.
    port=PORT  Where it is.

  Options:
    -f, --fast      Hurries.
    -n, --count=N   How many.
    --field[=TEXT]  A field.
    --mode=a|b      How.
`
	got, _, _ := strings.Cut(testTree().usage([]string{"thing", "make", "more"}, 100), "\n  Options of every command:")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTreeRefusesDuplicates(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a command was added twice")
		}
	}()
	tree := testTree()
	tree.add("thing", "", &Command{Path: []string{"thing", "make"}})
}

// TestCommandsAreComplete holds what help texts and exports rely on.
func TestCommandsAreComplete(t *testing.T) {
	for _, c := range NewTree(nil).Commands() {
		name := c.name()
		if c.Run == nil || !strings.HasSuffix(c.Doc, ".") {
			t.Errorf("%s: no Run, or a doc that is no sentence", name)
		}
		short := map[string]bool{"h": true}
		for _, f := range c.Flags {
			if f.Short != "" && short[f.Short] {
				t.Errorf("%s: -%s is taken", name, f.Short)
			}
			short[f.Short] = true
			if !strings.HasSuffix(f.Doc, ".") {
				t.Errorf("%s --%s: the doc is no sentence", name, f.Name)
			}
			if f.Value != Switch && f.Hint == "" && len(f.Words) == 0 {
				t.Errorf("%s --%s: no hint for its value", name, f.Name)
			}
		}
	}
}
