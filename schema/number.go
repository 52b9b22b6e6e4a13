package schema

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

func (p *parser) integer(text string) (any, *ValueError) {
	k := p.key
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s is out of range: want %s", k.quote(text), k.Accepts()), ""}
	}
	if err != nil {
		problem := k.notA(text)
		if unit := unitLength(k.Unit); unit > 0 {
			if d, ok := scanDuration(text); ok {
				if n, ok := wholeUnits(d, unit); ok {
					problem.Hint = fmt.Sprintf("write %d", n)
				}
			}
		}
		return nil, problem
	}
	return p.inRange(n, text)
}

// inRange checks n, in the key's unit, against the key's range, and that a length of time fits time.Duration.
func (p *parser) inRange(n int64, text string) (any, *ValueError) {
	k := p.key
	limit := int64(math.MaxInt64)
	if unit := unitLength(k.Unit); unit > 0 {
		limit /= int64(unit)
	}
	if k.Min != nil && n < *k.Min || k.Max != nil && n > *k.Max || n > limit || n < -limit && k.UnitLength() > 0 {
		problem := &ValueError{CodeRange, fmt.Sprintf("%s is out of range: want %s", k.quote(text), k.Accepts()), ""}
		if k.Max != nil {
			limit = min(limit, *k.Max)
		}
		if n > limit {
			problem.Hint = "the largest possible is " + k.amount(limit)
		}
		return nil, problem
	}
	return n, nil
}

func (p *parser) float(text string) (any, *ValueError) {
	k := p.key
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return nil, k.notA(text)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, k.notA(text)
	}
	if k.Min != nil && f < float64(*k.Min) || k.Max != nil && f > float64(*k.Max) {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s is out of range: want %s", k.quote(text), k.Accepts()), ""}
	}
	return f, nil
}

func (p *parser) percent(text string) (any, *ValueError) {
	k := p.key
	digits, sign := strings.CutSuffix(text, "%")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil, k.notA(text)
	}
	if n < 0 || n > 100 {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s is out of range: want 0%% to 100%%", k.quote(text)), ""}
	}
	if !sign {
		p.note(CodeSpelling, "%s is read as %d%%", quote(text), n)
	}
	return p.inRange(n, text)
}

// sizes are the units of a size in lower case; all are powers of 1024.
var sizes = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "kb": 1 << 10, "kib": 1 << 10,
	"m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20,
	"g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30,
}

func (p *parser) byteSize(text string) (any, *ValueError) {
	k := p.key
	if strings.HasPrefix(text, "-") {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s is negative: want %s", k.quote(text), k.Accepts()), ""}
	}
	number, rest := cutNumber(text)
	unit, ok := sizes[strings.ToLower(strings.TrimSpace(rest))]
	if number == nil || !ok {
		return nil, k.notA(text)
	}
	n, ok := ceil(number.Mul(number, new(big.Rat).SetInt64(unit)))
	if !ok {
		return nil, &ValueError{CodeRange, fmt.Sprintf("%s is too large: want %s", k.quote(text), k.Accepts()), ""}
	}
	switch rest {
	case "", "KB", "MB", "GB", "kb", "mb", "gb":
	default:
		p.note(CodeSpelling, "%s is read as %s (%d bytes)", quote(text), k.plain(n), n)
	}
	return p.inRange(n, text)
}

// maxDigits bounds a number with a unit, so that exact arithmetic stays cheap.
const maxDigits = 32

// cutNumber reads the digits, with at most one decimal point inside, at the head of text; nil if there are none or too many.
func cutNumber(text string) (number *big.Rat, rest string) {
	end, point := 0, false
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || text[end] == '.' && !point && end > 0) {
		point = point || text[end] == '.'
		end++
	}
	if end == 0 || end > maxDigits || text[end-1] == '.' {
		return nil, text
	}
	number, ok := new(big.Rat).SetString(text[:end])
	if !ok {
		return nil, text
	}
	return number, text[end:]
}

// ceil rounds up to a whole number; false if it does not fit.
func ceil(r *big.Rat) (int64, bool) {
	quotient, remainder := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if remainder.Sign() > 0 {
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient.Int64(), quotient.IsInt64()
}

// unitLength returns the length of a unit of time, 0 if unit is none.
func unitLength(unit string) time.Duration {
	switch unit {
	case "ms":
		return time.Millisecond
	case "s":
		return time.Second
	case "min":
		return time.Minute
	case "h":
		return time.Hour
	case "d":
		return 24 * time.Hour
	}
	return 0
}

// UnitLength returns the length of the key's unit if it is one of time (ms, s, min, h, d), else 0.
func (k *Key) UnitLength() time.Duration { return unitLength(k.Unit) }
