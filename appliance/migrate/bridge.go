package migrate

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// emptyPrefix stands for no prefix in a topic line.
const emptyPrefix = "$empty"

// buffered is how many messages mosquitto keeps for a bridge that is not connected, unless max_queued_messages says otherwise.
const buffered = "1000"

// bridgeAddress writes the address and what mosquitto does without a line and this broker does not.
func bridgeAddress(c *call) []setting {
	if c.bridge == nil {
		c.lost("this option belongs to a bridge, and no connection stands above it", "")
		return nil
	}
	hosts := strings.Fields(c.args)
	if len(hosts) == 0 {
		c.lost(c.word+" has no value", "")
		return nil
	}
	if len(hosts) > 1 {
		c.changed("a bridge has one address; the others are left out")
	}
	address := hosts[0]
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "1883")
	}
	key := c.bridge.key()
	c.bridge.address = true
	out := []setting{{"plugins.vmq_bridge", "on"}, {key, address}}
	if !c.bridge.version {
		out = append(out, setting{key + ".mqtt_version", "4"})
	}
	limit := buffered
	for _, other := range c.calls {
		if other.word == "max_queued_messages" {
			limit = other.args
		}
	}
	return append(out, setting{key + ".max_outgoing_buffered_messages", limit})
}

// bridgeTopic writes a topic line: pattern, direction, QoS and prefixes stand in the same order; # is written *, and a prefix ends without a slash.
func bridgeTopic(c *call) []setting {
	if c.bridge == nil {
		c.lost("this option belongs to a bridge, and no connection stands above it", "")
		return nil
	}
	words := strings.Fields(c.args)
	for i, w := range words {
		if w == `""` {
			words[i] = ""
		}
	}
	if len(words) == 0 || len(words) > 5 {
		c.lost("topic: want PATTERN [DIRECTION [QOS [LOCAL-PREFIX REMOTE-PREFIX]]]", "")
		return nil
	}
	for len(words) < 5 {
		words = append(words, map[int]string{1: "out", 2: "0"}[len(words)])
	}
	pattern, direction, qos := words[0], words[1], words[2]
	switch {
	case pattern == "":
		c.lost("topic: a line for the prefixes alone has no counterpart", "write the topic itself as the pattern, without prefixes, if both are the same")
		return nil
	case strings.Contains(pattern, "*"):
		c.lost("topic: * stands for # in a pattern here, so that a topic with * cannot be written", "")
		return nil
	case !slices.Contains([]string{"in", "out", "both"}, direction) || !slices.Contains([]string{"0", "1", "2"}, qos):
		c.lost(fmt.Sprintf("topic: %q and %q are no direction (in, out, both) and QoS (0, 1, 2)", direction, qos), "")
		return nil
	}
	value := []string{strings.Replace(pattern, "#", "*", 1), direction, qos}
	if c.bridge.retain {
		value = append(value, "retain")
	}
	if words[3] != "" || words[4] != "" {
		for _, prefix := range words[3:5] {
			cut, slash := strings.CutSuffix(prefix, "/")
			switch {
			case prefix == "":
				cut = emptyPrefix
			case !slash || cut == "":
				c.lost(fmt.Sprintf("topic: the prefix %q does not end in a level: here a slash stands between prefix and topic", prefix), "")
				return nil
			}
			value = append(value, cut)
		}
	}
	c.bridge.topics++
	return []setting{{fmt.Sprintf("%s.topic.%d", c.bridge.key(), c.bridge.topics), strings.Join(value, " ")}}
}
