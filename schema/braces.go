package schema

import (
	"fmt"
	"strings"
)

// maxExpansion bounds how many names one pattern may stand for.
const maxExpansion = 256

// expansion is one name a pattern stands for, and what its first braces stand for in it.
type expansion struct{ name, choice string }

// expandBraces returns what a pattern such as listener.{tcp,ssl}.$name stands for, in order. Braces do not nest.
func expandBraces(pattern string) ([]expansion, error) {
	names := []expansion{{}}
	for rest := pattern; rest != ""; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			open = len(rest)
		}
		choices, braces := []string{""}, false
		literal := rest[:open]
		rest = rest[open:]
		if rest != "" {
			end := strings.IndexByte(rest, '}')
			if rest[0] == '}' || end < 0 || strings.Contains(rest[1:end], "{") {
				return nil, fmt.Errorf("unbalanced braces in %q", pattern)
			}
			choices, braces = strings.Split(rest[1:end], ","), true
			rest = rest[end+1:]
		}
		if len(names)*len(choices) > maxExpansion {
			return nil, fmt.Errorf("%q stands for more than %d names", pattern, maxExpansion)
		}
		var next []expansion
		for _, n := range names {
			for _, c := range choices {
				e := expansion{n.name + literal + c, n.choice}
				if braces && e.choice == "" {
					e.choice = c
				}
				next = append(next, e)
			}
		}
		names = next
	}
	return names, nil
}

// nameSet returns the names that patterns stand for.
func nameSet(patterns []string) (map[string]bool, error) {
	set := map[string]bool{}
	for _, p := range patterns {
		names, err := expandBraces(p)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			set[n.name] = true
		}
	}
	return set, nil
}
