package schema

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// durationUnits are the units of a duration, in lower case.
var durationUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day, "w": week, "f": 2 * week,
}

// maxDurationText bounds a duration: repeated units add up, so its length is not bounded by its meaning.
const maxDurationText = 128

// scanDuration adds up pairs of number and unit, in nanoseconds; any order, any letter case, decimals, repeats.
func scanDuration(text string) (*big.Rat, bool) {
	if text == "" || len(text) > maxDurationText {
		return nil, false
	}
	sum := new(big.Rat)
	for rest := text; rest != ""; {
		var number *big.Rat
		if number, rest = cutNumber(rest); number == nil {
			return nil, false
		}
		end := 0
		for end < len(rest) && (rest[end]|0x20) >= 'a' && (rest[end]|0x20) <= 'z' {
			end++
		}
		unit, ok := durationUnits[strings.ToLower(rest[:end])]
		if !ok {
			return nil, false
		}
		rest = rest[end:]
		sum.Add(sum, number.Mul(number, new(big.Rat).SetInt64(int64(unit))))
	}
	return sum, true
}

// wholeUnits rounds nanoseconds up to whole units.
func wholeUnits(ns *big.Rat, unit time.Duration) (int64, bool) {
	return ceil(new(big.Rat).Quo(ns, new(big.Rat).SetInt64(int64(unit))))
}

func (p *parser) duration(text string) (any, *ValueError) {
	k := p.key
	if number, rest := cutNumber(text); number != nil && rest == "" {
		return nil, &ValueError{CodeUnit, fmt.Sprintf("%s has no unit: want %s", k.quote(text), k.Accepts()),
			fmt.Sprintf("for %s write %s", k.Unit, quote(text+durationWord(k.Unit)))}
	}
	sum, ok := scanDuration(text)
	if !ok {
		return nil, k.notA(text)
	}
	unit := unitLength(k.Unit)
	n, ok := wholeUnits(sum, unit)
	if !ok {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s is too long: want %s", k.quote(text), k.Accepts()), ""}
	}
	if exact := new(big.Rat).SetInt64(n); exact.Mul(exact, new(big.Rat).SetInt64(int64(unit))).Cmp(sum) != 0 {
		p.note(CodeRounded, "%s is rounded up to %d %s", quote(text), n, k.Unit)
	}
	return p.inRange(n, text)
}

// durationWord is how a unit of the schema is written in a duration.
func durationWord(unit string) string {
	if unit == "min" {
		return "m"
	}
	return unit
}

// ageUnits are the units of an age, in seconds. A month has 28 days and a year 12 of these, as in VerneMQ.
var ageUnits = map[byte]int64{'s': 1, 'h': 3600, 'd': 86400, 'w': 7 * 86400, 'm': 28 * 86400, 'y': 336 * 86400}

func (p *parser) age(text string) (any, *ValueError) {
	k := p.key
	if text == "" {
		return nil, k.notA(text)
	}
	digits := strings.TrimRight(text, "shdwmySHDWMY")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil, k.notA(text)
	}
	if digits == text {
		return nil, &ValueError{CodeUnit, fmt.Sprintf("%s has no unit: want %s", k.quote(text), k.Accepts()),
			fmt.Sprintf("for seconds write %s", quote(text+"s"))}
	}
	letter := text[len(digits):]
	unit := ageUnits[letter[0]|0x20]
	if len(letter) != 1 || unit == 0 {
		return nil, k.notA(text)
	}
	if letter[0] < 'a' {
		p.note(CodeSpelling, "%s is read as %s", quote(text), strings.ToLower(text))
	}
	if n < 0 || n > (1<<62)/unit {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s is out of range: want %s", k.quote(text), k.Accepts()), ""}
	}
	return p.inRange(n*unit, text)
}
