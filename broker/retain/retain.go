// Package retain owns the retained messages: the last one of each topic, by mountpoint, and the walk over those that a filter matches. It
// refuses to know sessions, time and disks: expiry is decided by who reads a message, durability by who stores it.
package retain

import (
	"sync"
	"sync/atomic"

	"vernemq/broker/msg"
	"vernemq/broker/topic"
	"vernemq/broker/trie"
)

// Overhead is what Bytes counts for a message in addition to its topic, payload and properties: header, tree node, table slot, and the
// entry in the durable store's index.
const Overhead = 192

// Store holds retained messages in memory. All methods may be called from any goroutine. Reading, and setting a topic that has a message
// already, take no lock; a first message and a deletion lock the topic's bucket of the tree for about a microsecond.
type Store struct {
	root   *tree    // of the default mountpoint
	others sync.Map // string to *tree; a mountpoint keeps its tree when that is empty
	count  atomic.Int64
	bytes  atomic.Int64
}

type tree = trie.Tree[kept]

// New returns an empty store.
func New() *Store { return &Store{root: trie.NewTree[kept]()} }

// tree is the tree of a mountpoint, or nil if it has none.
func (s *Store) tree(mountpoint string) *tree {
	if mountpoint == "" {
		return s.root
	}
	if t, ok := s.others.Load(mountpoint); ok {
		return t.(*tree)
	}
	return nil
}

// makeTree is tree for a mountpoint that is to have one.
func (s *Store) makeTree(mountpoint string) *tree {
	if t := s.tree(mountpoint); t != nil {
		return t
	}
	t, _ := s.others.LoadOrStore(mountpoint, trie.NewTree[kept]())
	return t.(*tree)
}

// Set makes a copy of m the retained message of its topic, which must be a valid topic name, and returns by how much the number of messages
// changed: -1, 0 or 1. An empty payload deletes and is not kept [MQTT-3.3.1-6].
func (s *Store) Set(m *msg.Message) (delta int) {
	if len(m.Payload) == 0 {
		if s.Delete(m.Mountpoint, m.Topic) {
			return -1
		}
		return 0
	}
	k := keep(m)
	t := s.makeTree(m.Mountpoint)
	old := t.Load(m.Topic)
	for old != nil && !t.Replace(m.Topic, old, k) {
		old = t.Load(m.Topic)
	}
	if old == nil {
		s.add(1, 0) // before it can be seen, so that a count of 0 means that there is none
		t.Update(m.Topic, func(o *kept) *kept {
			old = o
			return k
		})
		if old == nil {
			s.add(0, k.size())
			return 1
		}
		s.add(-1, 0)
	}
	s.add(0, k.size()-old.size())
	return 0
}

// add changes the totals; those that do not change are left alone, for the sake of the other shards' caches.
func (s *Store) add(count, bytes int64) {
	if count != 0 {
		s.count.Add(count)
	}
	if bytes != 0 {
		s.bytes.Add(bytes)
	}
}

// Fits reports whether there would be at most messages and at most bytes (0: no limit), as Count and Bytes count them, with m set. What does
// not make it more always fits: limits may be lower than what was there before them.
func (s *Store) Fits(m *msg.Message, messages int, bytes int64) bool {
	replaces, larger := s.growth(m)
	return (messages == 0 || replaces || s.Count() < messages) && (bytes == 0 || larger <= 0 || s.Bytes()+larger <= bytes)
}

// Replaces reports whether m would take the place of another message that is no smaller: nothing grows by it.
func (s *Store) Replaces(m *msg.Message) bool {
	replaces, larger := s.growth(m)
	return replaces && larger <= 0
}

// growth tells whether m would take the place of another message, and how many bytes more there would be.
func (s *Store) growth(m *msg.Message) (replaces bool, larger int64) {
	larger = int64(Overhead + len(m.Topic) + len(m.Props) + len(m.Payload))
	if old := s.load(m.Mountpoint, m.Topic); old != nil {
		return true, larger - old.size()
	}
	return false, larger
}

func (s *Store) load(mountpoint string, topic []byte) *kept {
	if t := s.tree(mountpoint); t != nil {
		return t.Load(topic)
	}
	return nil
}

// Get returns the retained message of exactly this topic, or nil. Its bytes are shared: nobody changes them.
func (s *Store) Get(mountpoint string, topic []byte) *msg.Message {
	k := s.load(mountpoint, topic)
	if k == nil {
		return nil
	}
	m := new(msg.Message)
	k.fill(m, mountpoint)
	return m
}

// Delete removes the retained message of a topic; false if there was none.
func (s *Store) Delete(mountpoint string, topic []byte) bool {
	return s.remove(mountpoint, topic, func(*kept) bool { return true })
}

// Expire removes m, which came from Get or a Cursor, if it still is the retained message of its topic; false if it is not. Unlike Delete it
// cannot hit a newer message that came between the look and the removal.
func (s *Store) Expire(m *msg.Message) bool {
	return s.remove(m.Mountpoint, m.Topic, func(k *kept) bool { return k.is(m) })
}

func (s *Store) remove(mountpoint string, topic []byte, doomed func(*kept) bool) bool {
	t := s.tree(mountpoint)
	if t == nil || t.Load(topic) == nil {
		return false
	}
	var gone *kept
	t.Update(topic, func(k *kept) *kept {
		gone = nil
		if k != nil && doomed(k) {
			gone = k
			return nil
		}
		return k
	})
	if gone == nil {
		return false
	}
	s.add(-1, -gone.size())
	return true
}

// Mountpoints lists those that have or had retained messages.
func (s *Store) Mountpoints() []string {
	all := []string{""}
	s.others.Range(func(k, _ any) bool { all = append(all, k.(string)); return true })
	return all
}

// Count is the number of retained messages in all mountpoints.
func (s *Store) Count() int { return int(s.count.Load()) }

// Has reports whether a filter may match a retained message in a mountpoint: false only if it matches none, at the price of one lookup at most.
func (s *Store) Has(mountpoint, filter string) bool {
	return s.Count() > 0 && (topic.HasWildcard(filter) || s.load(mountpoint, []byte(filter)) != nil)
}

// Bytes is about what the messages occupy: topics, payloads, properties and Overhead for each.
func (s *Store) Bytes() int64 { return s.bytes.Load() }
