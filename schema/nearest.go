package schema

import (
	"sort"
	"strings"
)

// maxNameForNearest bounds the work of a suggestion: a longer name is no slip of the pen.
const maxNameForNearest = 160

// Nearest returns at most n names close to a misspelt one, nearest first, wildcards replaced by the words of name at their place. Keys that
// are refused are never suggested, nor is name itself. If nothing is close, keys without wildcards whose last words are name are: max_connections
// may be meant as listener.max_connections. Nothing of both gives nil.
func (s *Schema) Nearest(name string, n int) []string {
	if name == "" || len(name) > maxNameForNearest {
		return nil
	}
	type candidate struct {
		name     string
		distance int
		order    int
	}
	words := SplitName(name)
	limit := closeEnough(name)
	var found []candidate
	for _, k := range s.keys {
		if k.Effect == Refused {
			continue
		}
		concrete := k.Name
		if k.Wild() {
			pattern := SplitName(k.Name)
			if len(pattern) != len(words) {
				continue
			}
			for i, w := range pattern {
				if isWild(w) {
					pattern[i] = words[i]
				}
			}
			concrete = JoinName(pattern)
		}
		if concrete == name {
			continue
		}
		if d := editDistance(name, concrete, limit); d <= limit {
			found = append(found, candidate{concrete, d, k.Order})
		}
	}
	if len(found) == 0 {
		for _, k := range s.keys {
			if k.Effect != Refused && !k.Wild() && strings.HasSuffix(k.Name, "."+name) {
				found = append(found, candidate{k.Name, len(k.Name), k.Order})
			}
		}
	}
	sort.Slice(found, func(i, j int) bool {
		if found[i].distance != found[j].distance {
			return found[i].distance < found[j].distance
		}
		return found[i].order < found[j].order
	})
	var names []string
	for i, c := range found {
		if len(names) == n {
			break
		}
		if i == 0 || c.name != found[i-1].name {
			names = append(names, c.name)
		}
	}
	return names
}

// minShort is the length from which a text is taken for the beginning of a longer word: warn for warning.
const minShort = 3

// NearestWord returns the one of words that text is a slip of, the first of those that are equally close, or else the only one that begins with text
// or that text begins with, or "". That is never text itself, nor a slip of which half is different.
func NearestWord(text string, words []string) string {
	best, distance := "", closeEnough(text)+1
	if len(text) > maxNameForNearest {
		return ""
	}
	folded := strings.ToLower(text)
	for _, w := range words {
		if d := editDistance(folded, strings.ToLower(w), distance-1); w != text && d < distance && d < len(w) && (d < 2 || 2*d < len(w)) {
			best, distance = w, d
		}
	}
	if best != "" {
		return best
	}
	for _, w := range words {
		small := strings.ToLower(w)
		if w != text && (len(folded) >= minShort && strings.HasPrefix(small, folded) || len(small) >= minShort && strings.HasPrefix(folded, small)) {
			if best != "" {
				return ""
			}
			best = w
		}
	}
	return best
}

// closeEnough returns how many edits may lie between a slip and what was meant.
func closeEnough(text string) int {
	switch {
	case len(text) < 4:
		return 1
	case len(text) < 16:
		return 2
	default:
		return 3
	}
}

// editDistance counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment); above limit it may stop early
// and return any number above limit.
func editDistance(a, b string, limit int) int {
	if abs(len(a)-len(b)) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		smallest := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			smallest = min(smallest, row[j])
		}
		if smallest > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
