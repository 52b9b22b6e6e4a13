package schema

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// Accepts describes in a few words what may be written as the key's value: form, unit, range, words.
func (k *Key) Accepts() string {
	text := ""
	switch k.Type {
	case Flag:
		text = "on or off"
	case Integer:
		text = "a whole number" + k.unitText() + k.rangeText()
	case Float:
		text = "a number" + k.unitText() + k.rangeText()
	case String:
		text = "text"
		if k.Len > 0 {
			text = fmt.Sprintf("text of exactly %d character(s)", k.Len)
		}
	case Enum:
		if len(k.Words) == 1 {
			return "only " + k.Words[0]
		}
		return "one of " + strings.Join(k.Words, ", ")
	case ByteSize:
		text = "a size such as 4096, 64KB, 1.5MB or 1GB" + k.rangeText()
	case Duration:
		text = "a duration of numbers and units (ms, s, m, h, d, w) such as 30s or 1h30m" + k.rangeText()
	case Age:
		text = "one whole number and one unit, s, h, d, w, m (28 days) or y (336 days), such as 1w" + k.rangeText()
	case Percent:
		text = "a percentage such as 10%" + k.rangeText()
	case Address:
		text = "address:port such as 127.0.0.1:1883, [::1]:1883 or host:1883"
		if k.Local {
			text += ", or local:/path:0 for a unix socket"
		}
	case File:
		text = "the path of a file"
	case Directory:
		text = "the path of a directory"
	case IntList:
		text = "whole numbers separated by commas" + k.unitText() + k.rangeText()
		if k.Len > 0 {
			text = fmt.Sprintf("exactly %d %s", k.Len, text)
		}
		if len(k.Words) > 0 {
			text += ", each one of " + strings.Join(k.Words, ", ")
		}
	case WordList:
		text = "words separated by commas"
		if len(k.Words) > 0 {
			text += ", each one of " + strings.Join(k.Words, ", ")
		}
	case Options:
		text = "a list such as [{nodelay, true}, {linger, {true, 0}}]"
		if len(k.Words) > 0 {
			text += " of " + strings.Join(k.Words, ", ")
		}
	}
	for _, w := range k.specialWords() {
		text += ", or " + w
	}
	if k.Inherit != "" {
		text += ", or " + k.Inherit + " for the value of the level above"
	}
	return text
}

func (k *Key) unitText() string {
	if k.Unit == "" {
		return ""
	}
	return " (" + k.UnitName() + ")"
}

// UnitName returns the key's unit spelled out, such as seconds or messages; empty if it has none.
func (k *Key) UnitName() string {
	if long, ok := longUnits[k.Unit]; ok {
		return long
	}
	return k.Unit
}

// longUnits spells out the units of time.
var longUnits = map[string]string{"ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours", "d": "days"}

func (k *Key) rangeText() string {
	most := k.Max
	if most != nil && *most == math.MaxInt32 {
		most = nil // what every machine can count to: not worth words
	}
	switch {
	case k.Min != nil && most != nil:
		return fmt.Sprintf(", %s to %s", k.amount(*k.Min), k.amount(*most))
	case k.Min != nil:
		return ", at least " + k.amount(*k.Min)
	case most != nil:
		return ", at most " + k.amount(*most)
	}
	return ""
}

// amount writes a bound the way a value is written.
func (k *Key) amount(n int64) string {
	switch k.Type {
	case ByteSize, Duration, Age, Percent:
		return k.plain(n)
	}
	return strconv.FormatInt(n, 10)
}

// specialWords returns the words of Special in alphabetical order.
func (k *Key) specialWords() []string {
	words := make([]string, 0, len(k.Special))
	for w := range k.Special {
		words = append(words, w)
	}
	sort.Strings(words)
	return words
}
