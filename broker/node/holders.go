package node

import (
	"cmp"
	"slices"

	"vernemq/broker/mqtt"
	"vernemq/broker/shard"
)

// The bounds of one round of closing connections.
const (
	holderLeast = 64 << 10 // bytes: less is not worth a connection
	mostClosed  = 64       // connections
)

var errHolder = &mqtt.Error{Code: mqtt.CodeQuotaExceeded, Text: "memory is short and the client does not take what waits for it"}

// closeHolders closes connections whose clients are furthest behind, those for which most waits first, until about excess bytes are free. It
// returns how many it closed and what they held.
func (n *Node) closeHolders(excess uint64) (closed int, bytes int64) {
	type holder struct {
		s *shard.Shard
		shard.Holder
	}
	var all []holder
	for i := range n.group.Len() {
		s := n.group.Shard(i)
		for _, h := range s.Holders(holderLeast) {
			all = append(all, holder{s, h})
		}
	}
	slices.SortFunc(all, func(a, b holder) int { return cmp.Compare(b.Bytes, a.Bytes) })
	for _, h := range all {
		if closed == mostClosed || uint64(bytes) >= excess {
			break
		}
		if h.s.Close(h.Holder, errHolder) {
			closed++
			bytes += h.Bytes
		}
	}
	return closed, bytes
}
