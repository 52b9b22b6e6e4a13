// Package topic owns the grammar of topic names and topic filters: what is well formed, what a shared subscription names, how deep a
// topic is and which filter matches which name. It refuses to know subscribers, packets and character encodings: UTF-8 and U+0000 are the
// codec's business.
//
// Functions take strings and byte slices alike, keep nothing and allocate nothing.
package topic

import "errors"

// MaxLen is the longest topic name or filter in bytes: the wire's two-byte length [MQTT-4.7.3-3].
const MaxLen = 65535

// Bytes is the text of a topic name or filter.
type Bytes interface{ ~string | ~[]byte }

// What can be wrong with a name or a filter. Clause numbers are those of MQTT 5.0; 3.1.1 has the same rules.
var (
	ErrEmpty        = errors.New("topic: empty, at least one character is required [MQTT-4.7.3-1]")
	ErrTooLong      = errors.New("topic: longer than 65535 bytes [MQTT-4.7.3-3]")
	ErrTooDeep      = errors.New("topic: more levels than topic_max_depth allows")
	ErrNameWildcard = errors.New("topic: a topic name must not contain + or # [MQTT-3.3.2-2]")
	ErrMultiLevel   = errors.New("topic: # must stand alone in the last level of a filter [MQTT-4.7.1-1]")
	ErrSingleLevel  = errors.New("topic: + must fill its whole level of a filter [MQTT-4.7.1-2]")
	ErrShareLevels  = errors.New("topic: a shared subscription is $share/<group>/<filter> with neither part empty [MQTT-4.8.2-1]")
	ErrShareGroup   = errors.New("topic: the group of a shared subscription must not contain + or # [MQTT-4.8.2-2]")
)

// ValidName checks a topic name, the kind a PUBLISH carries. A maxDepth of 0 allows any number of levels.
func ValidName[S Bytes](t S, maxDepth int) error {
	if err := validLen(len(t)); err != nil {
		return err
	}
	depth := 1
	for i := range len(t) {
		switch t[i] {
		case '/':
			depth++
		case '+', '#':
			return ErrNameWildcard
		}
	}
	return validDepth(depth, maxDepth)
}

// ValidFilter checks a topic filter, the kind a SUBSCRIBE carries. A maxDepth of 0 allows any number of levels. Levels are counted as
// they stand: given a whole $share filter, $share and the group count too (as VerneMQ counts them), given Shared.Filter they do not.
func ValidFilter[S Bytes](f S, maxDepth int) error {
	if err := validLen(len(f)); err != nil {
		return err
	}
	depth, last := 1, len(f)-1
	for i := range len(f) {
		switch f[i] {
		case '/':
			depth++
		case '#':
			if i != last || i > 0 && f[i-1] != '/' {
				return ErrMultiLevel
			}
		case '+':
			if i > 0 && f[i-1] != '/' || i != last && f[i+1] != '/' {
				return ErrSingleLevel
			}
		}
	}
	return validDepth(depth, maxDepth)
}

func validLen(n int) error {
	switch {
	case n == 0:
		return ErrEmpty
	case n > MaxLen:
		return ErrTooLong
	}
	return nil
}

func validDepth(depth, maxDepth int) error {
	if maxDepth > 0 && depth > maxDepth {
		return ErrTooDeep
	}
	return nil
}

// HasWildcard tells whether a valid filter matches more than the one name that it spells.
func HasWildcard[S Bytes](f S) bool {
	for i := range len(f) {
		if f[i] == '+' || f[i] == '#' {
			return true
		}
	}
	return false
}
