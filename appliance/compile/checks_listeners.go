package compile

import (
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/schema"
)

// addressTwice finds listeners that cannot be open at the same time.
func addressTwice(c *compilation) {
	byAddress, byPort := map[string]*plan.Listener{}, map[string]*onePort{}
	for _, l := range c.listenersSet() {
		text := fmt.Sprint(l.Address.Value)
		host, port, err := net.SplitHostPort(text)
		if err != nil || strings.HasPrefix(text, "unix:") {
			port = ""
		} else if port == "0" {
			continue // the system chooses
		} else {
			text = net.JoinHostPort(strings.ToLower(host), port)
		}
		if other := byAddress[text]; other != nil {
			c.collision(l, other, report.CodeAddressTwice, fmt.Sprintf("%s has the address of %s", l.Address.Name, other.Address.Name))
			continue
		}
		byAddress[text] = l
		ip, err := netip.ParseAddr(host)
		if port == "" || err != nil {
			continue
		}
		families := []string{port}
		if ip.Is6() {
			families[0] += " v6"
		}
		if ip == netip.IPv6Unspecified() { // takes the addresses of IPv4, too
			families = append(families, port)
		}
		for _, family := range families {
			p := byPort[family]
			if p == nil {
				p = &onePort{first: l}
				byPort[family] = p
			}
			other := p.all
			if ip.IsUnspecified() {
				other, p.all = p.first, l
			}
			if other != nil && other != l {
				c.collision(l, other, report.CodeAddressOverlap, fmt.Sprintf("%s and %s share a port, and one of them takes all addresses", l.Address.Name,
					other.Address.Name))
				break
			}
		}
	}
}

// onePort is who listens on one port of one family of addresses.
type onePort struct {
	first *plan.Listener // that was met
	all   *plan.Listener // on all addresses
}

func (c *compilation) collision(l, other *plan.Listener, code, message string) {
	e := c.won[l.Address.Name].atValue(report.Error, code, message, "give each listener its own port")
	e.Also = []report.Pos{other.Address.Origin.Pos}
	c.report.Add(e)
}

// optionsWithoutAddress finds names with options and without an address: nothing listens there.
func optionsWithoutAddress(c *compilation) {
	told, names := map[string]bool{}, map[string][]string{}
	for _, s := range c.winners() {
		protocol, name, ok := nameOfListener(s)
		key := plan.ListenerName(protocol, name)
		if !ok || isAddress(s) || told[key] || c.last[key] != nil {
			continue
		}
		if name == sampleName && reflect.DeepEqual(s.value, c.listenerDefault(s)) {
			continue // the file that VerneMQ ships has such lines
		}
		told[key] = true
		hint := "add " + key + " = ADDRESS:PORT"
		if names[protocol] == nil {
			names[protocol] = c.namesWithAddress(protocol)
		}
		if near := schema.NearestWord(name, names[protocol]); near != "" {
			hint = "did you mean " + plan.ListenerName(protocol, near) + "?"
		}
		c.report.Add(s.atKey(report.Warning, report.CodeNoAddress, key+" has options and no address: nothing listens there", hint))
	}
}

// sampleName is the name that stands for any other in the file that VerneMQ ships.
const sampleName = "name"

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

// privilegedPort finds ports that the service's user may not open unless it is allowed to on purpose.
func privilegedPort(c *compilation) {
	const firstFree = 1024
	for _, l := range c.listenersSet() {
		_, text, err := net.SplitHostPort(fmt.Sprint(l.Address.Value))
		if port, errPort := strconv.Atoi(text); err == nil && errPort == nil && port > 0 && port < firstFree {
			c.report.Add(c.won[l.Address.Name].atValue(report.Note, report.CodePrivilegedPort,
				fmt.Sprintf("ports below %d need a permission that the service does not have by itself", firstFree),
				"add AmbientCapabilities=CAP_NET_BIND_SERVICE to the unit, or take a higher port"))
			return
		}
	}
}
