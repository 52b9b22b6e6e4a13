package schema

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Format returns the canonical text of a value of the key's type: Parse of it gives the value back. A value of another type is printed as Go
// prints it; nil is Inherit. Secrets are not hidden.
func (k *Key) Format(value any) string {
	switch v := value.(type) {
	case nil:
		return k.Inherit
	case bool:
		if v {
			return "on"
		}
		return "off"
	case int64:
		for _, w := range k.specialWords() {
			if k.Special[w] == v {
				return w
			}
		}
		return k.plain(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return v
	case []int64:
		words := make([]string, len(v))
		for i, n := range v {
			words[i] = strconv.FormatInt(n, 10)
		}
		return strings.Join(words, ",")
	case []string:
		if k.Type == Options {
			return "[" + strings.Join(v, ", ") + "]"
		}
		return strings.Join(v, ",")
	}
	return fmt.Sprint(value)
}

// plain writes a number of the key's unit with the largest unit that divides it.
func (k *Key) plain(n int64) string {
	switch k.Type {
	case ByteSize:
		return largest(n, []step{{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}, {1, ""}})
	case Percent:
		return strconv.FormatInt(n, 10) + "%"
	case Age:
		return largest(n, []step{{7 * 86400, "w"}, {86400, "d"}, {3600, "h"}, {1, "s"}})
	case Duration:
		steps := []step{}
		unit := unitLength(k.Unit)
		for _, word := range []string{"w", "d", "h", "m", "s", "ms"} {
			if length := durationUnits[word]; unit > 0 && length%unit == 0 {
				steps = append(steps, step{int64(length / unit), word})
			}
		}
		if unit == time.Millisecond || len(steps) > 0 {
			return largest(n, steps)
		}
	}
	return strconv.FormatInt(n, 10)
}

// step is one unit: how many of the smallest it holds, and its word.
type step struct {
	size int64
	word string
}

// largest writes n with the largest unit that divides it; nothing is written with the last, smallest one.
func largest(n int64, steps []step) string {
	for _, s := range steps {
		if n != 0 && n%s.size == 0 {
			return strconv.FormatInt(n/s.size, 10) + s.word
		}
	}
	return strconv.FormatInt(n, 10) + steps[len(steps)-1].word
}
