package image

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"vernemq/appliance/report"
	"vernemq/appliance/source"
)

// codeNetwork marks findings about network.conf and the other small files of the configuration partition.
const (
	codeNetwork  = "bad-network"
	codeHostname = "bad-hostname"
	codeKeys     = "bad-authorized-keys"
)

// network is what network.conf says.
type network struct {
	iface, address, gateway, dns, ntp, domain, ipv6, mtu string
}

var (
	goodInterface = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.*-]{0,31}$`)
	goodHost      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// goodName reports whether a text is the name of a host, with or without domains.
func goodName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if !goodHost.MatchString(label) {
			return false
		}
	}
	return true
}

// networkKeys are the keys of network.conf: where the value goes, what is accepted, in words and as a function.
var networkKeys = map[string]struct {
	field func(*network) *string
	want  string
	ok    func(string) bool
}{
	"interface": {func(n *network) *string { return &n.iface }, "the name of an interface, such as eth0 or en*", goodInterface.MatchString},
	"address": {func(n *network) *string { return &n.address }, "dhcp, or an address with its prefix such as 192.168.7.2/24", func(v string) bool {
		return v == "dhcp" || each(v, func(a string) bool { _, err := netip.ParsePrefix(a); return err == nil })
	}},
	"gateway": {func(n *network) *string { return &n.gateway }, "an address such as 192.168.7.1", isAddr},
	"dns":     {func(n *network) *string { return &n.dns }, "addresses of name servers, separated by blanks", func(v string) bool { return each(v, isAddr) }},
	"ntp": {func(n *network) *string { return &n.ntp }, "names or addresses of time servers, separated by blanks", func(v string) bool {
		return each(v, func(s string) bool { return isAddr(s) || goodName(s) })
	}},
	"domain": {func(n *network) *string { return &n.domain }, "the name of a domain", goodName},
	"ipv6":   {func(n *network) *string { return &n.ipv6 }, "auto or off", func(v string) bool { return v == "auto" || v == "off" }},
	"mtu": {func(n *network) *string { return &n.mtu }, "a number of bytes from 576 to 9216", func(v string) bool {
		size, err := strconv.Atoi(v)
		return err == nil && size >= 576 && size <= 9216
	}},
}

func isAddr(v string) bool {
	a, err := netip.ParseAddr(v)
	return err == nil && a.Zone() == ""
}

func each(v string, ok func(string) bool) bool {
	for _, word := range strings.Fields(v) {
		if !ok(word) {
			return false
		}
	}
	return strings.TrimSpace(v) != ""
}

// parseNetwork reads network.conf, which is written in the language of vernemq.conf.
func parseNetwork(text []byte) (network, *report.Report) {
	n := network{iface: "en* eth* end*", address: "dhcp", ipv6: "auto"}
	lines, findings := source.Parse(confNetwork, text)
	for _, a := range lines {
		find := func(pos report.Pos, width int, message, hint string) {
			findings.Add(report.Entry{Severity: report.Error, Code: codeNetwork, Key: a.Name(), Message: message, Hint: hint, Pos: pos, Width: width, Text: a.Text})
		}
		key, known := networkKeys[a.Name()]
		switch {
		case !known:
			find(a.KeyPos, a.KeyWidth, "unknown key "+a.Name(), "the keys are interface, address, gateway, dns, ntp, domain, ipv6 and mtu")
		case !key.ok(a.Value):
			find(a.ValuePos, a.ValueWidth, fmt.Sprintf("%s: %q is not accepted: want %s", a.Name(), a.Value, key.want), "")
		default:
			*key.field(&n) = a.Value
		}
	}
	if n.gateway != "" && n.address == "dhcp" {
		findings.Add(report.Entry{Severity: report.Error, Code: codeNetwork, Key: "gateway", Pos: report.Pos{File: confNetwork},
			Message: "a gateway without an address of one's own", Hint: "with address = dhcp the gateway comes from there too: remove the line"})
	}
	return n, findings
}

// unit returns the network as systemd-networkd reads it.
func (n *network) unit() string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s=%s\n", key, value)
		}
	}
	b.WriteString("[Match]\n")
	line("Name", n.iface)
	if n.mtu != "" {
		b.WriteString("\n[Link]\n")
		line("MTUBytes", n.mtu)
	}
	b.WriteString("\n[Network]\n")
	if n.address == "dhcp" {
		line("DHCP", map[string]string{"auto": "yes", "off": "ipv4"}[n.ipv6])
	} else {
		for address := range strings.FieldsSeq(n.address) {
			line("Address", address)
		}
	}
	line("IPv6AcceptRA", map[string]string{"auto": "yes", "off": "no"}[n.ipv6])
	line("LinkLocalAddressing", map[string]string{"auto": "ipv6", "off": "no"}[n.ipv6])
	line("Gateway", n.gateway)
	for server := range strings.FieldsSeq(n.dns) {
		line("DNS", server)
	}
	line("Domains", n.domain)
	if n.address == "dhcp" {
		b.WriteString("\n[DHCPv4]\nUseDomains=yes\nClientIdentifier=mac\n")
	}
	return b.String()
}
