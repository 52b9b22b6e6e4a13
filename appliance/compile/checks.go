package compile

import (
	"fmt"
	"slices"
	"strings"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
)

// rule is a rule over several keys. It runs after every single value is known, adds what it finds to the report and changes nothing.
type rule struct {
	name  string // also of its test file testdata/checks/<name>.txtar
	check func(c *compilation)
}

// checks are all rules, in the order in which they run. They stand in the files checks_*.go, by subject.
var checks = []rule{
	{"address_twice", addressTwice},
	{"options_without_address", optionsWithoutAddress},
	{"name_like_option", nameLikeOption},
	{"no_listener", noListener},
	{"open_to_all", openToAll},
	{"privileged_port", privilegedPort},

	{"certificates", certificates},
	{"authorities", authorities},
	{"revocation_lists", revocationLists},

	{"secret_readable", secretReadable},
	{"key_file_readable", keyFileReadable},
	{"service_cannot_read", serviceCannotRead},
	{"password_file", passwordFile},
	{"rule_file", ruleFile},

	{"open_files", openFiles},
	{"memory_for_connections", memoryForConnections},
	{"memory_limit", memoryLimit},
	{"memory_high_water", memoryHighWater},
	{"more_shards_than_cores", moreShardsThanCores},
	{"queues_without_limit", queuesWithoutLimit},

	{"nodename", nodename},
	{"default_cookie", defaultCookie},
	{"port_range", portRange},
	{"plugin_off", pluginOff},
}

// listenersSet returns the listeners in the order in which their addresses were written.
func (c *compilation) listenersSet() []*plan.Listener {
	out := make([]*plan.Listener, len(c.plan.Listeners))
	for i := range c.plan.Listeners {
		out[i] = &c.plan.Listeners[i]
	}
	slices.SortStableFunc(out, func(a, b *plan.Listener) int { return c.won[a.Address.Name].order - c.won[b.Address.Name].order })
	return out
}

// severity is how bad a mistake in a listener is: one that is not opened yet keeps nothing from starting.
func severity(l *plan.Listener) report.Severity {
	if l.Live() {
		return report.Error
	}
	return report.Warning
}

// about starts a finding at the value that gave v; if that is a default, at the line of the listener l, or without a place if l is nil.
func (c *compilation) about(v *plan.Value, l *plan.Listener, s report.Severity, code, message, hint string) report.Entry {
	if set := c.won[v.Source]; set != nil && v.Origin.Layer != plan.Default {
		return set.atValue(s, code, message, hint)
	}
	if l != nil {
		return c.won[l.Address.Name].atKey(s, code, message, hint)
	}
	return report.Entry{Severity: s, Code: code, Key: v.Name, Message: message, Hint: hint}
}

// nodename finds a node name that is not NAME@HOST.
func nodename(c *compilation) {
	s := c.won[nodenameKey]
	if s == nil {
		return
	}
	name, host, ok := strings.Cut(fmt.Sprint(s.value), "@")
	if !ok || name == "" || host == "" || strings.ContainsAny(host, "@ \t") || strings.ContainsAny(name, " \t") {
		c.report.Add(s.atValue(report.Error, report.CodeNodename, "nodename must be NAME@HOST without blanks", "as in VerneMQ@127.0.0.1"))
	}
}

// defaultCookie finds nodes that anybody who has read the documentation could join.
func defaultCookie(c *compilation) {
	cookie, ok := c.plan.Get("distributed_cookie")
	if !ok || cookie.Value != cookie.Key.Default {
		return
	}
	for _, l := range c.listenersSet() {
		if (l.Protocol == "vmq" || l.Protocol == "vmqs") && !loopback(l.Address.Value) {
			c.report.Add(c.won[l.Address.Name].atValue(report.Warning, report.CodeDefaultCookie,
				"other nodes can reach this one, and distributed_cookie has its default, which everybody knows", "set distributed_cookie to a long random text"))
			return
		}
	}
}

// portRange finds a range of ports that is empty.
func portRange(c *compilation) {
	const lowest, highest = "erlang.distribution.port_range.minimum", "erlang.distribution.port_range.maximum"
	from, to := c.won[lowest], c.won[highest]
	switch {
	case from == nil && to != nil:
		c.report.Add(to.atKey(report.Warning, report.CodePortRange, highest+" counts only together with "+lowest, "set "+lowest))
	case from != nil && to != nil && from.value.(int64) > to.value.(int64):
		e := to.atValue(report.Error, report.CodePortRange, fmt.Sprintf("the range of ports is empty: it begins at %v and ends at %v", from.value, to.value),
			"exchange the two")
		e.Also = []report.Pos{from.KeyPos}
		c.report.Add(e)
	}
}

// pluginOff finds settings of a plugin that is switched off.
func pluginOff(c *compilation) {
	told := map[string]bool{}
	for _, s := range c.winners() {
		prefix := s.words()[0]
		name := "plugins." + prefix
		if told[prefix] || !strings.HasPrefix(prefix, "vmq_") {
			continue
		}
		if v, ok := c.plan.Get(name); ok && v.Value == false {
			told[prefix] = true
			c.report.Add(s.atKey(report.Note, report.CodePluginOff, "the keys "+prefix+".* do nothing while "+name+" is off", "set "+name+" = on"))
		}
	}
}
