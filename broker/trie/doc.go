// Package trie owns the concurrent index from topic filters to subscribers, and the level tree below it that the retained store uses too.
// It refuses to know sessions, queues and messages: a subscriber is a shard number and an Entry. Filters and topics are taken to be valid;
// one that is not finds nothing useful but does no harm.
//
// # How readers and writers meet
//
// Readers (Match, Load, Gen, Leaf, Cursor) take no lock and make no copy. Writers lock one of the tree's buckets, chosen by the first
// level of the filter, and change the tree in place through atomic pointers. What makes that safe:
//
//   - A node, once linked, keeps its place for as long as it lives: it is never moved between a parent's inline cell and its table.
//   - A table is changed lane by lane. When it has to grow, shrink or split, a new one is built and takes its place with one store; the
//     old one is never written again, so that who still reads it sees the level as it was at that moment.
//   - A node, leaf or group that became empty is unlinked and never used again. A writer that comes later makes a new one.
//   - The generation of a bucket rises after its change is visible. A match result that was cached with an older generation is stale.
//
// # What it costs
//
// A node is 64 bytes, one cache line: levels of up to eight bytes are inside it. A level with many children is a table in
// which a lookup costs one cache line before the child's own, and above some hundred children a directory of such tables, so that no
// insertion moves more than that many however wide a level is. The work of a match does not depend on how many filters there are; what
// grows is the share of it that misses the caches, two lines for each wide level on the way. One subscriber of a filter is 16 bytes, the
// leaf itself; more take eight bytes each and as much again for room, above 32 a shard an index from slot to position too.
package trie
