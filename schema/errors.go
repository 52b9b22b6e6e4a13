package schema

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Codes of value errors and notes. They are stable: tools may depend on them.
const (
	CodeValue    = "bad-value"       // the text is not of the key's type
	CodeWord     = "unknown-word"    // not one of the accepted words
	CodeRange    = "out-of-range"    // of the right type, but too small, too large or of the wrong length
	CodeUnit     = "missing-unit"    // a bare number where a unit is needed
	CodeTooLong  = "value-too-long"  // longer than MaxValue
	CodeSpelling = "spelling"        // note: accepted, but this is not how the value is written
	CodeOldWord  = "old-word"        // note: an older word for a value
	CodeWordHint = "word-hint"       // note: what the schema says about this word
	CodeNoEffect = "option-ignored"  // note: an option of a list that has no effect here
	CodeRounded  = "rounded"         // note: the value is not a whole number of the key's unit
	maxQuoted    = 60                // characters of a value shown in a message
	hidden       = "the secret text" // stands for the value of a secret key in messages
)

// MaxValue is the longest accepted text of one value, in bytes.
const MaxValue = 64 << 10

// ValueError says why a text is no value of a key. It knows neither the key nor its place. The text of a secret key is not shown.
type ValueError struct {
	Code    string
	Message string // what is wrong and what is accepted
	Hint    string // what to write instead; may be empty
}

// Error returns the message and, behind a semicolon, the hint.
func (e *ValueError) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}

// Note is a remark on a value that was accepted.
type Note struct {
	Code    string
	Message string
	Warning bool // it deserves a warning: the value does not do what one may expect
}

// quote shows a value in a message: cut, control characters escaped, secrets hidden.
func (k *Key) quote(text string) string {
	if k.Secret {
		return hidden
	}
	return quote(text)
}

func quote(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n == maxQuoted {
			b.WriteString("…")
			break
		}
		n++
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			fmt.Fprintf(&b, "\\x%02x", r)
			continue
		}
		b.WriteRune(r)
	}
	return `"` + b.String() + `"`
}

// notA is the error of a text that has not the form of the key's type.
func (k *Key) notA(text string) *ValueError {
	if text == "" {
		return &ValueError{CodeValue, "the value is empty: want " + k.Accepts(), ""}
	}
	return &ValueError{CodeValue, fmt.Sprintf("%s is not accepted: want %s", k.quote(text), k.Accepts()), ""}
}
