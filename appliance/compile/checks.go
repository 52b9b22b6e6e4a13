package compile

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// rule is a rule over several keys. It runs after every single value is known, adds what it finds to the report and changes nothing.
type rule struct {
	name  string // also of its test file testdata/checks/<name>.txtar
	check func(c *compilation)
}

// checks are all rules, in the order in which they run.
var checks = []rule{
	{"address_twice", addressTwice},
	{"options_without_address", optionsWithoutAddress},
	{"name_like_option", nameLikeOption},
	{"no_listener", noListener},
	{"open_to_all", openToAll},
	{"secret_readable", secretReadable},
	{"nodename", nodename},
	{"queue_override", queueOverride},
}

// addressTwice finds listeners that cannot be open at the same time.
func addressTwice(c *compilation) {
	var seen []*plan.Listener
	for i := range c.plan.Listeners {
		l := &c.plan.Listeners[i]
		for _, other := range seen {
			same, overlap := collide(other.Address.Value, l.Address.Value)
			if !same && !overlap {
				continue
			}
			first, second := other, l
			if c.position(second) < c.position(first) {
				first, second = second, first
			}
			e := c.won[second.Address.Name].atValue(report.Error, report.CodeAddressTwice,
				fmt.Sprintf("%s has the address of %s", second.Address.Name, first.Address.Name), "give each listener its own port")
			if overlap {
				e.Code, e.Message = report.CodeAddressOverlap, fmt.Sprintf("%s and %s share a port, and one of them takes all addresses",
					second.Address.Name, first.Address.Name)
			}
			e.Also = []report.Pos{first.Address.Origin.Pos}
			c.report.Add(e)
		}
		seen = append(seen, l)
	}
}

// position returns where among all settings the address of l was set.
func (c *compilation) position(l *plan.Listener) int {
	return slices.Index(c.settings, c.won[l.Address.Name])
}

// collide reports whether two addresses are the same, or one is "all addresses" with the port of the other. Port 0 never collides.
func collide(a, b any) (same, overlap bool) {
	x, y := fmt.Sprint(a), fmt.Sprint(b)
	hostX, portX, errX := net.SplitHostPort(x)
	hostY, portY, errY := net.SplitHostPort(y)
	if strings.HasPrefix(x, "unix:") || strings.HasPrefix(y, "unix:") || errX != nil || errY != nil {
		return x == y, false
	}
	if portX != portY || portX == "0" {
		return false, false
	}
	ipX, errX := netip.ParseAddr(hostX)
	ipY, errY := netip.ParseAddr(hostY)
	if errX != nil || errY != nil {
		return strings.EqualFold(hostX, hostY), false
	}
	if ipX == ipY {
		return true, false
	}
	return false, ipX.IsUnspecified() && ipX.Is4() == ipY.Is4() || ipY.IsUnspecified() && ipX.Is4() == ipY.Is4()
}

// optionsWithoutAddress finds names with options and without an address: nothing listens there.
func optionsWithoutAddress(c *compilation) {
	told := map[string]bool{}
	for _, s := range c.winners() {
		protocol, name, ok := nameOfListener(s)
		key := plan.ListenerName(protocol, name)
		if !ok || isAddress(s) || told[key] || c.attempted(key) {
			continue
		}
		told[key] = true
		hint := "add " + key + " = ADDRESS:PORT"
		if near := schema.NearestWord(name, c.namesWithAddress(protocol)); near != "" {
			hint = "did you mean " + plan.ListenerName(protocol, near) + "?"
		}
		c.report.Add(s.atKey(report.Warning, report.CodeNoAddress, key+" has options and no address: nothing listens there", hint))
	}
}

// attempted reports whether some line sets name, be it with a wrong value.
func (c *compilation) attempted(name string) bool {
	return slices.ContainsFunc(c.settings, func(s *setting) bool { return s.name == name })
}

// nameLikeOption finds listeners whose name looks like a misspelled option of their protocol.
func nameLikeOption(c *compilation) {
	const shortest = 5 // letters; shorter names are close to everything
	for _, l := range c.plan.Listeners {
		near := schema.NearestWord(l.Name, c.shape.names(l.Protocol, false))
		if near != "" && len(l.Name) >= shortest {
			c.report.Add(c.won[l.Address.Name].atKey(report.Warning, report.CodeNameLikeOption,
				fmt.Sprintf("a listener named %s is opened; the name is close to the option %s", l.Name, near), "rename the listener if it is meant"))
		}
	}
}

// noListener finds a configuration in which no MQTT client can connect.
func noListener(c *compilation) {
	for _, l := range c.plan.Listeners {
		if l.Live() && slices.Contains([]string{"tcp", "ssl", "ws", "wss"}, l.Protocol) {
			return
		}
	}
	if len(c.settings) == 0 && c.report.Fatal(false) {
		return // nothing was read: that is the finding
	}
	c.report.Add(report.Entry{Severity: report.Warning, Code: report.CodeNoListener, Message: "no listener for MQTT clients: nobody can connect",
		Hint: "add listener.tcp.default = 127.0.0.1:1883", Pos: report.Pos{File: c.in.Main}})
}

// openToAll finds listeners that let anybody in from other machines.
func openToAll(c *compilation) {
	everywhere := false
	if v, ok := c.plan.Get("allow_anonymous"); ok {
		everywhere = v.Value == true
	}
	for _, l := range c.plan.Listeners {
		here, _ := l.Option("allow_anonymous_override")
		if !l.Live() || !everywhere && here.Value != true || loopback(l.Address.Value) {
			continue
		}
		why := "allow_anonymous is on"
		if !everywhere {
			why = here.Source + " is on"
		}
		c.report.Add(c.won[l.Address.Name].atValue(report.Warning, report.CodeOpenToAll,
			fmt.Sprintf("%s lets anybody in who can reach it: %s", l.Address.Name, why), "listen on 127.0.0.1, or switch it off and set up authentication"))
	}
}

// loopback reports whether an address can be reached from this machine only.
func loopback(address any) bool {
	text := fmt.Sprint(address)
	if strings.HasPrefix(text, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

// secretReadable finds files with secrets that every user of the machine can read.
func secretReadable(c *compilation) {
	told := map[string]bool{}
	for _, s := range c.settings {
		file := s.KeyPos.File
		if !s.key.Secret || s.layer != plan.File || s.Value == "" || told[file] {
			continue
		}
		told[file] = true
		if mode, ok := source.Mode(c.in.FS, file); ok && mode&0o004 != 0 {
			c.report.Add(s.atKey(report.Warning, report.CodeSecretReadable,
				fmt.Sprintf("%s is a secret, and every user of this machine can read %s", s.name, file), "chmod o-r "+file))
		}
	}
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

// queueOverride finds a switch that has nothing to override.
func queueOverride(c *compilation) {
	override, _ := c.plan.Get("override_max_online_messages")
	limit, _ := c.plan.Get("max_online_messages")
	if s := c.won["override_max_online_messages"]; s != nil && override.Value == true && limit.Value == int64(-1) {
		c.report.Add(s.atKey(report.Warning, report.CodeQueueOverride,
			"override_max_online_messages has nothing to override: max_online_messages has no limit",
			"remove the line, or set a limit"))
	}
}
