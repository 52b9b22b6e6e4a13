// Package schema holds every configuration key as data: the tables in *.toml (one file a subject, embedded), their Go form, and the
// parsing of one value text by its key's type. It knows no files of the operator, no layers and no consequences: that is compile's.
package schema

import "strings"

// Visibility says where a key appears in the generated default file.
type Visibility string

// The visibilities.
const (
	Shown     Visibility = "shown"     // live line in the default file
	Commented Visibility = "commented" // commented sample in the default file
	Hidden    Visibility = "hidden"    // documented, not in the default file
)

// Effect says what setting a key does today.
type Effect string

// The effects.
const (
	Live    Effect = ""        // the key works
	Planned Effect = "planned" // accepted and checked; no effect yet, warned about when set to other than its default
	Ignored Effect = "ignored" // accepted with a warning: it has no meaning in this broker (Hint says why or what instead)
	Refused Effect = "refused" // an error with Hint: the key is gone (Hint names the replacement)
	Fixed   Effect = "fixed"   // only the default is accepted, silently: VerneMQ could load other code here (Hint says why not)
)

// Type is the kind of a value.
type Type string

// The types. The Go type of a parsed value stands behind each.
const (
	Flag      Type = "flag"      // bool: on, off
	Integer   Type = "integer"   // int64
	Float     Type = "float"     // float64
	String    Type = "string"    // string
	Enum      Type = "enum"      // string: one of Words
	ByteSize  Type = "bytesize"  // int64, bytes: 10, 10KB, 1.5MB, 1GB
	Duration  Type = "duration"  // int64, in Unit (ms, s or min): 1h30m, rounded up
	Age       Type = "age"       // int64 seconds: one integer and one of s h d w m(28 days) y(336 days)
	Percent   Type = "percent"   // int64: 10%
	Address   Type = "address"   // string, canonical: 127.0.0.1:1883, [::1]:1883, host:1883; unix:/path when Local is set
	File      Type = "file"      // string, a path
	Directory Type = "directory" // string, a path
	IntList   Type = "intlist"   // []int64: 3,4,5 or [3,4,5]; Min, Max and Words hold for each element
	WordList  Type = "wordlist"  // []string: a,b or [a, b]
	Options   Type = "options"   // []string: an Erlang property list such as [{nodelay, true}, {linger, {true, 0}}], one element an entry, normalised
)

// Key is one row: everything that is known about a configuration key. Keys of a loaded Schema are shared and must not be modified.
type Key struct {
	Name       string            `toml:"key"`           // words joined by dots; a word starting with $ matches any one word
	Type       Type              `toml:"type"`          //
	Default    string            `toml:"default"`       // as the operator would write it; "" means unset unless EmptyIsSet; "auto" means computed from the host
	EmptyIsSet bool              `toml:"empty_default"` // the default is the empty text, not "unset"
	Sample     string            `toml:"sample"`        // value in the default file when it differs from the default
	SampleName string            `toml:"sample_name"`   // text in place of the wildcards in the default file, one word each, separated by blanks
	Inherit    string            `toml:"inherit"`       // text that means "as if this line were absent": the level above decides. Parse gives nil for it
	Unit       string            `toml:"unit"`          // ms, s, min, bytes, messages, levels, …; empty if it has none
	Min        *int64            `toml:"min"`           // smallest value, in Unit
	Max        *int64            `toml:"max"`           // largest value, in Unit
	Len        int               `toml:"len"`           // IntList: exact number of elements; String: exact number of characters; 0 any
	Words      []string          `toml:"words"`         // Enum: accepted words. WordList, IntList: accepted elements, empty any. Options: names that have an effect
	WordHints  map[string]string `toml:"word_hints"`    // what to know about a word: a warning if it is one of Words, else the hint of its error
	Special    map[string]int64  `toml:"special"`       // numeric types: words that stand for a number, e.g. infinity = -1, off = 0
	Auto       string            `toml:"auto"`          // the rule of compile by which the word auto, one of Special, becomes a number of the host
	Local      bool              `toml:"local"`         // Address: unix sockets allowed
	Visibility Visibility        `toml:"visibility"`    //
	Runtime    bool              `toml:"runtime"`       // may be changed while running
	Secret     bool              `toml:"secret"`        // redacted everywhere
	Since      string            `toml:"since"`         // VerneMQ version that introduced it, or "1.0-go" for ours
	Aliases    []string          `toml:"aliases"`       // older names; wildcards as in Name
	AliasWords map[string]string `toml:"alias_words"`   // older words for values
	Sets       []string          `toml:"sets"`          // an older switch: its value is assigned to these keys instead of to itself
	Doc        string            `toml:"doc"`           // own words; ends with how it behaves at its special values
	Effect     Effect            `toml:"effect"`        //
	Hint       string            `toml:"hint"`          // what to do instead, for Ignored, Refused and Fixed

	Subject string `toml:"-"` // file it stands in, without .toml
	Order   int    `toml:"-"` // position in the whole schema

	emptyText bool // the empty text is accepted because it is the default of the topmost level
}

// AutoWord is the word of Special for a number that follows from the host by the rule Auto.
const AutoWord = "auto"

// HasDefault reports whether an absent key has a value.
func (k *Key) HasDefault() bool { return k.Default != "" || k.EmptyIsSet }

// Wild reports whether the name has a wildcard word.
func (k *Key) Wild() bool { return strings.Contains(k.Name, "$") }

// Change says what it takes for a changed value to come into force.
type Change string

// The changes.
const (
	ChangeLive    Change = "live"    // at once, without a restart: vmq-admin set does it too
	ChangeRestart Change = "restart" // at the next start of the broker
	ChangeNothing Change = "nothing" // the key has no effect
)

// Change returns what it takes for a new value of the key to come into force.
func (k *Key) Change() Change {
	switch {
	case k.Effect != Live:
		return ChangeNothing
	case k.Runtime:
		return ChangeLive
	default:
		return ChangeRestart
	}
}
