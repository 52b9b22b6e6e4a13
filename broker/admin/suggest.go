package admin

import (
	"fmt"

	"vernemq/schema"
)

// suggest returns a remark that names the candidate nearest to word, or nothing if none is near.
func suggest(word string, candidates []string, prefix string) string {
	if best := schema.NearestWord(word, candidates); best != "" {
		return fmt.Sprintf(" (did you mean %s%s?)", prefix, best)
	}
	return ""
}
