package trie

// Entry is one subscription as the index keeps it: who, and what a delivery has to know. Never 0 when in use.
type Entry uint64

// Layout of an Entry. The shard's bits are set only inside a Leaf.
const (
	entryOpts      = 32 // shift; eight bits
	entryDurable   = 1 << 40
	entryHasID     = 1 << 41
	entryOwn       = 1 << 42 // the session has its own word on upgrades:
	entryUpgrade   = 1 << 43
	entryShard     = 48 // shift; six bits
	entryShardMask = (MaxShards - 1) << entryShard
	entryUsed      = 1 << 63
	MaxShards      = 64 // shards that an Index can tell apart
)

// MakeEntry describes the subscription of the session in a slot. opts are the subscription options as on the wire: QoS in bits 0-1, No
// Local 2, Retain As Published 3, Retain Handling 4-5. durable: the session outlives its connection. hasID: it keeps an MQTT 5
// subscription identifier for this subscription.
func MakeEntry(slot uint32, opts byte, durable, hasID bool) Entry {
	e := Entry(slot) | Entry(opts)<<entryOpts | entryUsed
	if durable {
		e |= entryDurable
	}
	if hasID {
		e |= entryHasID
	}
	return e
}

// Slot is the session's slot on its shard.
func (e Entry) Slot() uint32 { return uint32(e) }

// Opts are the subscription options as on the wire.
func (e Entry) Opts() byte { return byte(e >> entryOpts) }

// QoS is the maximum QoS that was granted.
func (e Entry) QoS() byte { return e.Opts() & 3 }

// Durable tells whether the session outlives its connection.
func (e Entry) Durable() bool { return e&entryDurable != 0 }

// HasID tells whether the session keeps a subscription identifier for this subscription.
func (e Entry) HasID() bool { return e&entryHasID != 0 }

// WithUpgrade gives the session's own word on whether deliveries have the QoS of the subscription, whatever they were published at.
func (e Entry) WithUpgrade(upgrade bool) Entry {
	if upgrade {
		return e | entryOwn | entryUpgrade
	}
	return e&^entryUpgrade | entryOwn
}

// Upgrade is the session's own word on upgrades, or otherwise if it has none.
func (e Entry) Upgrade(otherwise bool) bool {
	if e&entryOwn == 0 {
		return otherwise
	}
	return e&entryUpgrade != 0
}

// withShard and shard pack the shard in for the one entry of a Leaf that has no splits.
func (e Entry) withShard(shard int) uint64 { return uint64(e) | uint64(shard)<<entryShard }

func unpack(p uint64) (shard int, e Entry) {
	return int(p & entryShardMask >> entryShard), Entry(p &^ entryShardMask)
}
