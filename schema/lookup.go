package schema

import (
	"fmt"
	"strings"
)

// node is one word of a tree of names. A word starting with $ is the wild child.
type node struct {
	children map[string]*node
	wild     *node
	key      *Key
}

func isWild(word string) bool { return strings.HasPrefix(word, "$") }

// add files k under words; two keys whose names match the same words at every place are an error.
func (n *node) add(words []string, k *Key) error {
	for _, w := range words {
		var next *node
		if isWild(w) {
			if n.wild == nil {
				n.wild = &node{}
			}
			next = n.wild
		} else {
			if n.children == nil {
				n.children = map[string]*node{}
			}
			next = n.children[w]
			if next == nil {
				next = &node{}
				n.children[w] = next
			}
		}
		n = next
	}
	if n.key != nil {
		return fmt.Errorf("already taken by %s", n.key.Name)
	}
	n.key = k
	return nil
}

// pattern returns the key filed under exactly this pattern.
func (n *node) pattern(words []string) *Key {
	for _, w := range words {
		if isWild(w) {
			n = n.wild
		} else {
			n = n.children[w]
		}
		if n == nil {
			return nil
		}
	}
	return n.key
}

// find returns the key that matches words, an exact word before a wild one, leftmost first; wild collects what wildcards stood for.
func (n *node) find(words, wild []string) (*Key, []string) {
	if len(words) == 0 {
		return n.key, wild
	}
	if next := n.children[words[0]]; next != nil {
		if k, w := next.find(words[1:], wild); k != nil {
			return k, w
		}
	}
	if n.wild != nil && words[0] != "" {
		return n.wild.find(words[1:], append(wild[:len(wild):len(wild)], words[0]))
	}
	return nil, nil
}

// Subjects returns the table files in schema order. The slice is shared: do not modify it.
func (s *Schema) Subjects() []*Subject { return s.subjects }

// Keys returns all keys in schema order. The slice and the keys are shared: do not modify them.
func (s *Schema) Keys() []*Key { return s.keys }

// Lookup returns the key of a concrete name and what its wildcards stand for, in order. An exact name beats a wildcard. Aliases are not
// looked at: see ByAlias. A dot inside a word is written \. in name.
func (s *Schema) Lookup(name string) (k *Key, wild []string, ok bool) {
	return s.LookupWords(SplitName(name))
}

// LookupWords is Lookup for a name already split into words.
func (s *Schema) LookupWords(words []string) (k *Key, wild []string, ok bool) {
	k, wild = s.names.find(words, nil)
	return k, wild, k != nil
}

// Pattern returns the key of exactly this name, wildcards written as in the tables (any name after the $ will do); nil if there is none.
func (s *Schema) Pattern(name string) *Key { return s.names.pattern(SplitName(name)) }

// ByAlias returns the key an older name stands for, and what its wildcards stand for; k.Concrete(wild) is the name to use instead.
func (s *Schema) ByAlias(name string) (k *Key, wild []string, ok bool) {
	k, wild = s.aliases.find(SplitName(name), nil)
	return k, wild, k != nil
}

// Concrete returns the key's name with its wildcards replaced by wild, in order; a missing one stays as it is.
func (k *Key) Concrete(wild []string) string {
	words := SplitName(k.Name)
	for i, w := range words {
		if isWild(w) && len(wild) > 0 {
			words[i], wild = wild[0], wild[1:]
		}
	}
	return JoinName(words)
}

// SplitName splits a name at its dots; \. is a dot inside a word.
func SplitName(name string) []string {
	if !strings.Contains(name, `\`) {
		return strings.Split(name, ".")
	}
	var words []string
	var word []byte
	for i := 0; i < len(name); i++ {
		switch {
		case name[i] == '\\' && i+1 < len(name) && name[i+1] == '.':
			word = append(word, '.')
			i++
		case name[i] == '.':
			words, word = append(words, string(word)), nil
		default:
			word = append(word, name[i])
		}
	}
	return append(words, string(word))
}

// JoinName is the reverse of SplitName.
func JoinName(words []string) string {
	escaped := make([]string, len(words))
	for i, w := range words {
		escaped[i] = strings.ReplaceAll(w, ".", `\.`)
	}
	return strings.Join(escaped, ".")
}
