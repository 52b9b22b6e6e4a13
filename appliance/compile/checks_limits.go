package compile

import (
	"fmt"

	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/appliance/report"
)

// connections returns how many connections the live listeners hold together, -1 for no limit, and where the limit that counts most is set; nil if
// nobody has set one: what fits then is no contradiction in the configuration.
func (c *compilation) connections() (sum int64, most *setting) {
	largest := int64(-1)
	for _, l := range c.listenersSet() {
		v, ok := l.Option("max_connections")
		n, isNumber := v.Value.(int64)
		if !l.Live() || !ok || !isNumber {
			continue
		}
		var s *setting
		if v.Auto == nil && v.Origin.Layer != plan.Default {
			s = c.won[v.Source]
		}
		if n < 0 {
			return -1, s
		}
		sum += n
		if s != nil && n > largest {
			largest, most = n, s
		}
	}
	return sum, most
}

// openFiles finds more connections than files may be open.
func openFiles(c *compilation) {
	sum, s := c.connections()
	files := amount(c.in.Host.NoFile)
	if files == 0 || sum < 0 || s == nil || sum+probe.Reserve <= files {
		return
	}
	c.report.Add(s.atKey(report.Warning, report.CodeOpenFiles,
		fmt.Sprintf("max_connections lets %d clients in, but only %d files may be open, and %d are kept for other things", sum, files, probe.Reserve),
		fmt.Sprintf("LimitNOFILE=%d in the unit, or a lower max_connections; auto takes what fits", sum+probe.Reserve)))
}

// memoryForConnections finds more connections than the memory has room for.
func memoryForConnections(c *compilation) {
	sum, s := c.connections()
	memory := amount(c.in.Host.Memory())
	if memory == 0 || s == nil || sum >= 0 && sum <= memory/connectionCost {
		return
	}
	many := fmt.Sprint(sum)
	if sum < 0 {
		many = "any number of"
	}
	severity := report.Warning
	if sum < 0 {
		severity = report.Note
	}
	c.report.Add(s.atKey(severity, report.CodeMemory,
		fmt.Sprintf("max_connections lets %s clients in, and there is room for about %d: %d KB each, %s", many, memory/connectionCost, connectionCost>>10,
			memoryReading(c.in.Host)), "set listener.max_connections = auto, or a number"))
}

// memoryLimit finds a limit above what there is.
func memoryLimit(c *compilation) {
	v, _ := c.plan.Get("memory_limit")
	s, memory := c.won["memory_limit"], amount(c.in.Host.Memory())
	if n, ok := v.Value.(int64); ok && s != nil && memory > 0 && n > memory {
		c.report.Add(s.atValue(report.Warning, report.CodeMemory, fmt.Sprintf("memory_limit is %s, and there are %s: the limit is never reached",
			v.Key.Format(n), memoryReading(c.in.Host)), "set memory_limit = auto"))
	}
}

// memoryHighWater finds a mark that is reached after the limit: by then the broker spends its time on collecting garbage.
func memoryHighWater(c *compilation) {
	v, _ := c.plan.Get("memory_high_water")
	limit, _ := c.plan.Get("memory_limit")
	s := c.won["memory_high_water"]
	n, _ := v.Value.(int64)
	most, _ := limit.Value.(int64)
	if s != nil && most > 0 && n > most/8*7 {
		c.report.Add(s.atValue(report.Warning, report.CodeMemory, fmt.Sprintf("memory_high_water is %s and memory_limit %s: load is shed too late",
			v.Key.Format(n), limit.Key.Format(most)), "set memory_high_water = auto, or seven eighths of memory_limit at most"))
	}
}

// moreShardsThanCores finds event loops that only wait for each other.
func moreShardsThanCores(c *compilation) {
	v, _ := c.plan.Get("shards")
	s, n := c.won["shards"], int64(c.in.Host.Cores)
	if shards, ok := v.Value.(int64); ok && s != nil && n > 0 && shards > n {
		c.report.Add(s.atValue(report.Note, report.CodeShards, fmt.Sprintf("%d event loops share %s", shards, cores(c.in.Host)), "set shards = auto"))
	}
}

// queuesWithoutLimit finds queues that grow for as long as a client stays away.
func queuesWithoutLimit(c *compilation) {
	for _, name := range []string{"max_offline_messages", "max_online_messages"} {
		if s := c.won[name]; s != nil && s.value == int64(-1) {
			c.report.Add(s.atValue(report.Note, report.CodeNoLimit, name+" sets no limit: one client that does not take its messages can use up the memory",
				"set a number"))
		}
	}
}
