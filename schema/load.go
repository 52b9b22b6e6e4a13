package schema

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
)

//go:embed *.toml
var tables embed.FS

// Subject is one table file: a section of the default file.
type Subject struct {
	Name  string // file name without .toml
	Title string // heading
	Doc   string // a sentence or two under the heading; may be empty
	Keys  []*Key // in the file's order
}

// Schema is the set of all keys. It is immutable after loading and safe for concurrent use.
type Schema struct {
	subjects []*Subject
	keys     []*Key
	names    node
	aliases  node
}

// table is one file as written.
type table struct {
	Title string `toml:"title"`
	Order int    `toml:"order"`
	Doc   string `toml:"doc"`
	Key   []row  `toml:"key"`
}

// row is one [[key]] table. It describes one key, or one option at several levels or for several protocols: key takes braces as a shell does,
// and keys lists the levels, topmost first; {} in a text is what the first braces stand for. Only the topmost level of an option has its
// default, its aliases and a line in the default file; the levels below fall back to it.
type row struct {
	Key
	Keys      []string `toml:"keys"`      // instead of key: the levels, topmost first
	Commented []string `toml:"commented"` // of these, the ones that stand in the default file as a commented sample
	Live      []string `toml:"live"`      // of these, the ones that work already when effect says otherwise
}

// Load returns the schema of the embedded tables. It is read once; all callers share it.
func Load() (*Schema, error) { return loadEmbedded() }

var loadEmbedded = sync.OnceValues(func() (*Schema, error) { return LoadFS(tables) })

// LoadFS reads all *.toml in the root of fsys, such as /usr/share/vernemq/schema. All mistakes are reported, joined in one error.
func LoadFS(fsys fs.FS) (*Schema, error) {
	files, err := fs.Glob(fsys, "*.toml")
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("no schema tables (*.toml) found")
	}
	type named struct {
		name string
		table
	}
	var parsed []named
	var problems []error
	for _, file := range files {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		n := named{name: strings.TrimSuffix(file, ".toml")}
		dec := toml.NewDecoder(strings.NewReader(string(text))).DisallowUnknownFields()
		if err := dec.Decode(&n.table); err != nil {
			problems = append(problems, tableError(file, err))
			continue
		}
		parsed = append(parsed, n)
	}
	sort.SliceStable(parsed, func(i, j int) bool { return parsed[i].Order < parsed[j].Order })
	s := &Schema{}
	for _, n := range parsed {
		subject := &Subject{Name: n.name, Title: n.Title, Doc: n.Doc}
		s.subjects = append(s.subjects, subject)
		for i := range n.Key {
			keys, err := n.Key[i].expand()
			if err != nil {
				problems = append(problems, fmt.Errorf("%s.toml: %w", n.name, err))
			}
			for _, k := range keys {
				k.Subject, k.Order = n.name, len(s.keys)
				if err := s.names.add(SplitName(k.Name), k); err != nil {
					problems = append(problems, fmt.Errorf("%s.toml: key %s: %w", n.name, k.Name, err))
				}
				s.keys = append(s.keys, k)
				subject.Keys = append(subject.Keys, k)
			}
		}
	}
	problems = append(problems, s.indexAliases()...)
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return s, nil
}

// tableError adds the place of a TOML mistake.
func tableError(file string, err error) error {
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) {
		return fmt.Errorf("%s: unknown field:\n%s", file, missing.String())
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, col := decode.Position()
		return fmt.Errorf("%s:%d:%d: %w", file, line, col, err)
	}
	return fmt.Errorf("%s: %w", file, err)
}

// indexAliases fills the alias tree; an alias must not be a key, nor belong to two keys.
func (s *Schema) indexAliases() (problems []error) {
	for _, k := range s.keys {
		for _, alias := range k.Aliases {
			words := SplitName(alias)
			if other := s.names.pattern(words); other != nil {
				problems = append(problems, fmt.Errorf("alias %s of %s is a key itself", alias, k.Name))
			}
			if err := s.aliases.add(words, k); err != nil {
				problems = append(problems, fmt.Errorf("alias %s of %s: %w", alias, k.Name, err))
			}
		}
		for _, name := range k.Sets {
			if s.names.pattern(SplitName(name)) == nil {
				problems = append(problems, fmt.Errorf("%s sets %s, which is not a key", k.Name, name))
			}
		}
	}
	return problems
}

// expand returns the keys a row stands for.
func (r *row) expand() ([]*Key, error) {
	levels := r.Keys
	if r.Name != "" {
		levels = append([]string{r.Name}, levels...)
	}
	if len(levels) == 0 {
		return nil, errors.New("a row without a key")
	}
	commented, err := nameSet(r.Commented)
	if err != nil {
		return nil, err
	}
	live, err := nameSet(r.Live)
	if err != nil {
		return nil, err
	}
	var keys []*Key
	for level, pattern := range levels {
		names, err := expandBraces(pattern)
		if err != nil {
			return nil, err
		}
		for _, e := range names {
			k, name := r.Key, e.name
			k.Name, k.emptyText = name, r.EmptyIsSet
			if level > 0 {
				k.Default, k.EmptyIsSet, k.Visibility = "", false, Hidden
			}
			if commented[name] {
				k.Visibility = Commented
			}
			if live[name] {
				k.Effect = Live
			}
			delete(commented, name)
			delete(live, name)
			for _, text := range []*string{&k.Default, &k.Sample, &k.Doc, &k.Hint} {
				*text = strings.ReplaceAll(*text, "{}", e.choice)
			}
			k.Aliases = nil
			if level == 0 {
				for _, alias := range r.Aliases {
					k.Aliases = append(k.Aliases, strings.ReplaceAll(alias, "{}", e.choice))
				}
			}
			if err := k.check(); err != nil {
				return nil, fmt.Errorf("key %s: %w", name, err)
			}
			keys = append(keys, &k)
		}
	}
	for name := range commented {
		return nil, fmt.Errorf("commented names %s, which is not of its row", name)
	}
	for name := range live {
		return nil, fmt.Errorf("live names %s, which is not of its row", name)
	}
	return keys, nil
}

// check finds what would make a row meaningless to the code that uses it.
func (k *Key) check() error {
	for _, w := range SplitName(k.Name) {
		if w == "" || w == "$" {
			return errors.New("an empty word in the name")
		}
	}
	switch k.Type {
	case Flag, Integer, Float, String, ByteSize, Percent, Address, File, Directory, IntList, WordList, Options:
	case Enum:
		if len(k.Words) == 0 {
			return errors.New("an enum without words")
		}
	case Age:
		k.Unit = "s"
	case Duration:
		if unitLength(k.Unit) == 0 {
			return fmt.Errorf("a duration in the unknown unit %q", k.Unit)
		}
	default:
		return fmt.Errorf("unknown type %q", k.Type)
	}
	if _, ok := k.Special[AutoWord]; ok != (k.Auto != "") {
		return errors.New("the special word auto and a rule (auto) belong together")
	}
	switch k.Visibility {
	case Shown, Commented, Hidden:
	case "":
		k.Visibility = Hidden
	default:
		return fmt.Errorf("unknown visibility %q", k.Visibility)
	}
	switch k.Effect {
	case Live, Planned, Ignored, Refused, Fixed:
	default:
		return fmt.Errorf("unknown effect %q", k.Effect)
	}
	return nil
}
