package admin

import "fmt"

// suggest returns a remark that names the candidate nearest to word, or nothing if none is near.
func suggest(word string, candidates []string, prefix string) string {
	if best := nearest(word, candidates); best != "" {
		return fmt.Sprintf(" (did you mean %s%s?)", prefix, best)
	}
	return ""
}

// nearest returns the candidate with the smallest edit distance from word, if it is small for the length of the word.
func nearest(word string, candidates []string) string {
	if len(word) > 64 {
		return ""
	}
	best, limit := "", 1+len(word)/5
	for _, c := range candidates {
		if d := distance(word, c); d > 0 && d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// distance returns how many insertions, deletions, replacements and swaps of neighbours turn a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
