package trie

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"sync/atomic"
	"unsafe"
)

// node is one level of a filter. Readers load its pointers in any order; only the holder of the bucket's lock stores. 64 bytes.
type node[V any] struct {
	value atomic.Pointer[V]        // of the filter that ends here
	multi atomic.Pointer[V]        // of the filter that ends here with one more level, "#"
	plus  atomic.Pointer[node[V]]  // the child "+"
	first atomic.Pointer[node[V]]  // the literal child, if there is one that has no siblings yet
	more  atomic.Pointer[table[V]] // the literal children otherwise
	head  uint64                   // see level.head
	text  *byte                    // own copy of the level's text when it is longer than head; nil otherwise
	size  uint32                   // bytes of text
}

// level is the text of one level on its way through the tree. head holds the text itself up to eight bytes, else its first eight.
type level struct {
	text []byte
	head uint64
}

func newLevel(text []byte) level { return level{text, head(text)} }

// head packs text into a word so that two texts of the same length up to eight are equal exactly if their heads are. The lowest byte is
// the first character.
func head(b []byte) uint64 {
	switch n := len(b); {
	case n >= 8:
		return binary.LittleEndian.Uint64(b)
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n >= 2:
		return uint64(binary.LittleEndian.Uint16(b)) | uint64(binary.LittleEndian.Uint16(b[n-2:]))<<16
	case n == 1:
		return uint64(b[0])
	}
	return 0
}

// unhead is the reverse of head for a text of up to eight bytes, as many as there is room for in b.
func unhead(b []byte, head uint64) []byte {
	switch n := len(b); {
	case n == 8:
		binary.LittleEndian.PutUint64(b, head)
	case n >= 4:
		binary.LittleEndian.PutUint32(b[n-4:], uint32(head>>32))
		binary.LittleEndian.PutUint32(b, uint32(head))
	case n >= 2:
		binary.LittleEndian.PutUint16(b[n-2:], uint16(head>>16))
		binary.LittleEndian.PutUint16(b, uint16(head))
	case n == 1:
		b[0] = byte(head)
	}
	return b
}

func (l level) hash(seed maphash.Seed) uint64 { return maphash.Bytes(seed, l.text) }

// become makes a new node the literal level l.
func (n *node[V]) become(l level) {
	n.head, n.size = l.head, uint32(len(l.text))
	if len(l.text) > 8 {
		n.text = unsafe.SliceData(bytes.Clone(l.text))
	}
}

// is tells whether the node is the literal level l.
func (n *node[V]) is(l level) bool {
	if n.head != l.head || int(n.size) != len(l.text) {
		return false
	}
	return n.text == nil || bytes.Equal(unsafe.Slice(n.text, n.size)[8:], l.text[8:])
}

// hash is the hash of the node's level.
func (n *node[V]) hash(seed maphash.Seed) uint64 {
	if n.text != nil {
		return maphash.Bytes(seed, unsafe.Slice(n.text, n.size))
	}
	var b [8]byte
	return maphash.Bytes(seed, unhead(b[:n.size], n.head))
}

// dollar tells whether the node's level begins with $.
func (n *node[V]) dollar() bool { return n.size > 0 && byte(n.head) == '$' }

// empty tells whether nothing is left here that a reader could find.
func (n *node[V]) empty() bool {
	return n.value.Load() == nil && n.multi.Load() == nil && n.plus.Load() == nil && n.first.Load() == nil && n.more.Load() == nil
}

// child is the literal child l, or nil.
func (n *node[V]) child(l level, seed maphash.Seed) *node[V] {
	if c := n.first.Load(); c != nil {
		if c.is(l) {
			return c
		}
		return nil
	}
	if t := n.more.Load(); t != nil {
		return t.find(l, l.hash(seed))
	}
	return nil
}

// add links a literal child that is not there yet. An only child that gets a sibling is in both places for a moment, so that a reader who
// looks at first before more cannot miss it.
func (n *node[V]) add(c *node[V], l level, seed maphash.Seed) {
	only, old := n.first.Load(), n.more.Load()
	if only == nil && old == nil {
		n.first.Store(c)
		return
	}
	t := old
	if only != nil {
		t = t.add(only, only.hash(seed), seed)
	}
	if t = t.add(c, l.hash(seed), seed); t != old {
		n.more.Store(t)
	}
	if only != nil {
		n.first.Store(nil)
	}
}

// remove unlinks a literal child.
func (n *node[V]) remove(c *node[V], l level, seed maphash.Seed) {
	if n.first.Load() == c {
		n.first.Store(nil)
		return
	}
	old := n.more.Load()
	if t := old.remove(c, l.hash(seed), seed); t != old {
		n.more.Store(t)
	}
}
