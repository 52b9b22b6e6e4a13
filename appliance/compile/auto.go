package compile

import (
	"fmt"
	"math"

	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/schema"
)

// What a connection costs, measured with 8,000 idle clients with a subscription each: 1.9 KB of the broker's heap. The collector lets the heap
// grow to twice what is live, and the kernel keeps a socket and what is on the way on it.
const (
	connectionHeap   = 4 << 10
	connectionKernel = 12 << 10
	connectionCost   = connectionHeap + connectionKernel
)

// leastMemory is below what the broker is not limited: the program itself and its first buffers.
const leastMemory = 64 << 20

// otherwise is how many connections auto stands for on a host that was not read: what VerneMQ allows a listener.
const otherwise = 10000

// autoRule is how a key at auto gets its number. The schema names the rule.
type autoRule struct {
	text string // in words, for people
	// find returns the number in the key's unit and what it rests on; if the host tells too little, ok is false and n what to take then.
	find func(c *compilation, f probe.Facts) (n int64, reading string, ok bool)
}

// autoRules are all rules, by name.
var autoRules = map[string]autoRule{
	"cores": {"one for each processor core the broker may use", func(_ *compilation, f probe.Facts) (int64, string, bool) {
		return int64(min(f.Cores, 256)), cores(f), f.Cores > 0
	}},
	"hashers": {"one less than the processor cores, at least one", func(_ *compilation, f probe.Facts) (int64, string, bool) {
		return int64(max(f.Cores-1, 1)), cores(f), f.Cores > 0
	}},
	"memory": {"three quarters of the memory, at least 64MB; the rest is for the kernel's sockets and for other programs",
		func(_ *compilation, f probe.Facts) (int64, string, bool) {
			return memory(f), memoryReading(f), f.Memory() > 0
		}},
	"highwater": {"three quarters of memory_limit; none if that is off", func(c *compilation, f probe.Facts) (int64, string, bool) {
		limit, ok := c.number("memory_limit")
		if limit < 0 {
			return -1, "memory_limit is off", ok
		}
		from := ""
		if limit == 0 {
			limit, from = memory(f), " from "+memoryReading(f)
		}
		return limit / 4 * 3, fmt.Sprintf("memory_limit of %d MB%s", limit>>20, from), ok && limit > 0
	}},
	"connections": {fmt.Sprintf("one for each %d KB of half the memory, but %d fewer than files may be open", connectionCost>>10, probe.Reserve),
		func(_ *compilation, f probe.Facts) (int64, string, bool) {
			if f.Memory() == 0 {
				return otherwise, "", false
			}
			n := amount(f.Memory() / 2 / connectionCost)
			reading := memoryReading(f)
			if f.NoFile > 0 {
				n = min(n, amount(f.NoFile)-probe.Reserve)
				reading += fmt.Sprintf(", %d open files", f.NoFile)
			}
			return min(max(n, 1), math.MaxInt32), reading, true
		}},
	"store": {"leveldb.maximum_memory.percent of the memory", func(c *compilation, f probe.Facts) (int64, string, bool) {
		percent, ok := c.number("leveldb.maximum_memory.percent")
		return amount(f.Memory() / 100 * uint64(max(percent, 0)) >> 20 << 20), fmt.Sprintf("%s, %d%% of it", memoryReading(f), percent), ok && f.Memory() > 0
	}},
}

// memory is what the broker tries to stay below on a host; 0 if the host does not tell.
func memory(f probe.Facts) int64 {
	if f.Memory() == 0 {
		return 0
	}
	return max(amount(f.Memory()/4*3)>>20<<20, leastMemory)
}

// amount makes a whole number of a reading, which a machine of another kind may have larger than that.
func amount(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

func cores(f probe.Facts) string {
	if f.Cores == 1 {
		return "1 core"
	}
	return fmt.Sprintf("%d cores", f.Cores)
}

func memoryReading(f probe.Facts) string {
	if f.MemoryLimit > 0 && f.Memory() == f.MemoryLimit {
		return fmt.Sprintf("%d MB of memory by the limit of the control group", f.MemoryLimit>>20)
	}
	return fmt.Sprintf("%d MB of memory", f.Memory()>>20)
}

// number returns the winning or default value of a key that holds a whole number.
func (c *compilation) number(name string) (int64, bool) {
	if s := c.won[name]; s != nil {
		n, ok := s.value.(int64)
		return n, ok
	}
	if k, _, ok := c.schema.Lookup(name); ok {
		n, ok := defaultOf(k).(int64)
		return n, ok
	}
	return 0, false
}

// automatic puts the number of the host in the place of auto. Where the host tells too little, the broker decides when it starts.
func (c *compilation) automatic(v *plan.Value) {
	k := v.Key
	if k.Auto == "" || v.Value != k.Special[schema.AutoWord] {
		return
	}
	rule, ok := autoRules[k.Auto]
	if !ok {
		return // the schema's rules are held against the table by a test
	}
	n, reading, ok := rule.find(c, c.in.Host)
	v.Auto = &plan.Auto{Rule: rule.text, Reading: reading}
	if ok {
		n = within(k, n)
	} else {
		v.Auto.Reading = "the host tells too little"
	}
	v.Value = n
}

// autoText returns the number that auto stands for as a text, for references to the key.
func (c *compilation) autoText(k *schema.Key) string {
	v := plan.Value{Key: k, Value: k.Special[schema.AutoWord]}
	c.automatic(&v)
	return k.Format(v.Value)
}

// within brings a number into the key's range; one with a word of its own is left alone.
func within(k *schema.Key, n int64) int64 {
	for _, special := range k.Special {
		if n == special {
			return n
		}
	}
	if k.Min != nil {
		n = max(n, *k.Min)
	}
	if k.Max != nil {
		n = min(n, *k.Max)
	}
	return n
}
