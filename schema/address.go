package schema

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxSocketPath is what fits into the kernel's sun_path with its closing NUL.
const maxSocketPath = 107

func (p *parser) address(text string) (any, *ValueError) {
	k := p.key
	for _, scheme := range []string{"local:", "unix:"} {
		if path, ok := strings.CutPrefix(text, scheme); ok {
			return p.socketPath(path, text)
		}
	}
	colon := strings.LastIndexByte(text, ':')
	if colon <= 0 {
		problem := k.notA(text)
		switch port := strings.TrimPrefix(text, ":"); {
		case text == "":
		case port != "" && strings.Trim(port, "0123456789") == "":
			problem.Hint = "the address is missing: write 127.0.0.1:" + port + " for this machine alone, 0.0.0.0:" + port + " for all addresses"
		default:
			problem.Hint = "the port is missing"
		}
		return nil, problem
	}
	host, ok := canonicalHost(text[:colon])
	if !ok {
		problem := k.notA(text)
		if text[:colon] == "*" {
			problem.Hint = "for all addresses write 0.0.0.0" + text[colon:]
		}
		return nil, problem
	}
	port := text[colon+1:]
	n, err := strconv.ParseUint(port, 10, 64)
	if err != nil && strings.Trim(port, "0123456789") != "" || port == "" {
		return nil, k.notA(text)
	}
	if err != nil || n > 65535 {
		return nil, &ValueError{CodeRange, fmt.Sprintf("port %s is out of range: want 0 to 65535", quote(port)), ""}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.FormatUint(n, 10), nil
}

// socketPath reads what follows local: or unix:. The port behind the path, if there is one, must be 0.
func (p *parser) socketPath(path, text string) (any, *ValueError) {
	k := p.key
	if !k.Local {
		problem := k.notA(text)
		problem.Hint = "a unix socket is possible for listener.tcp only"
		return nil, problem
	}
	if colon := strings.LastIndexByte(path, ':'); colon >= 0 && strings.Trim(path[colon+1:], "0123456789") == "" {
		if path[colon+1:] != "0" {
			return nil, &ValueError{CodeRange, fmt.Sprintf("%s: the port behind a socket path must be 0", quote(text)), ""}
		}
		path = path[:colon]
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "\x00\n") {
		return nil, &ValueError{CodeValue, fmt.Sprintf("%s: the path of a unix socket must begin with /", quote(text)), "write local:/path:0"}
	}
	if strings.TrimSpace(path) != path {
		return nil, &ValueError{CodeValue, fmt.Sprintf("%s: the path of a unix socket must not end with a blank", quote(text)), "write local:/path:0"}
	}
	if len(path) > maxSocketPath {
		return nil, &ValueError{CodeRange, fmt.Sprintf("the path of the unix socket has %d bytes: at most %d are possible", len(path), maxSocketPath), ""}
	}
	// The port is spelled out where the path could be mistaken for one with a port.
	if colon := strings.LastIndexByte(path, ':'); colon >= 0 && strings.Trim(path[colon+1:], "0123456789") == "" {
		return nil, &ValueError{CodeValue, fmt.Sprintf("%s: the path of a unix socket must not end with a colon and a number", quote(text)), ""}
	}
	return "unix:" + path, nil
}

// canonicalHost returns the usual form of an IP address (short IPv4 forms spelled out, no brackets) or of a host name.
func canonicalHost(host string) (string, bool) {
	inner, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		var closed bool
		if inner, closed = strings.CutSuffix(inner, "]"); !closed {
			return "", false
		}
	}
	if strings.Contains(inner, ":") {
		addr, err := netip.ParseAddr(inner)
		if err != nil || strings.ContainsAny(addr.Zone(), "[]: \t\n\x00") {
			return "", false
		}
		return addr.String(), true
	}
	if bracketed {
		return "", false
	}
	if strings.Trim(host, "0123456789.") == "" {
		return shortIPv4(host)
	}
	return host, isHostName(host)
}

// shortIPv4 spells out an IPv4 address of one to four numbers, the last of which fills the bytes that are left, as inet_aton does. Leading
// zeros, which some read as octal, are not accepted.
func shortIPv4(text string) (string, bool) {
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return "", false
	}
	var addr uint64
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		n, err := strconv.ParseUint(part, 10, bits)
		if err != nil || len(part) > 1 && part[0] == '0' {
			return "", false
		}
		addr = addr<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}).String(), true
}

// isHostName reports whether name could be a host's: labels of letters, digits, - and _, with a letter in the last one.
func isHostName(name string) bool {
	if len(name) > 253 {
		return false
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}
