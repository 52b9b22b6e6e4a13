// Package trie owns the concurrent index from topic filters to subscribers, and the level tree below it that the retained store uses too.
// It refuses to know sessions, queues and messages: a subscriber is a shard number and an Entry. Filters and topics are taken to be valid;
// one that is not finds nothing useful but does no harm.
//
// # How readers and writers meet
//
// Readers (Match, Load, Gen, Leaf, Cursor) take no lock and make no copy. Writers lock one of the tree's buckets, chosen by the first
// level of the filter, and change the tree in place through atomic pointers. What makes that safe:
//
//   - A node keeps its place for as long as it lives. An only child that gets a sibling goes from the parent's cell into a table; it is in
//     both for a moment, and readers look at the cell first.
//   - A table is changed lane by lane. When it or a segment of it has to grow or split, a new one is built and takes its place with one
//     store for each cell; the old one is never written again, so that who still reads it sees the level as it was at that moment.
//   - A node, leaf or group that became empty is unlinked and never used again. A writer that comes later makes a new one.
//   - The generation of a bucket rises after its change is visible. A match result that was cached with an older generation is stale.
//
// # What it costs
//
// A node is 64 bytes, one cache line: levels of up to eight bytes are inside it, and a path's new nodes are allocated in pairs, so that the
// last level, mostly an only child, comes with the one before it. The work of a match does not depend on how many filters there are; what
// grows is the share of it that misses the caches. A wide level is a directory of segments of equal size, indexed by the hash: header and
// directory are small enough to stay near, and a lookup adds two lines that do not, the group that holds the child's tag and the child. The
// lookups of one level begin together, so that a topic which could match in several branches waits once for all of them: with a million
// filters a match is about two and a half times the latency of memory. One subscriber of a filter is 16 bytes, the leaf itself; more take
// eight bytes each and as much again for room, above 32 a shard an index from slot to position too.
package trie
