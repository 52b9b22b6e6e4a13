package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"vernemq/appliance/report"
	"vernemq/schema"
)

// moved is a mosquitto.conf that is being rewritten.
type moved struct {
	*page
	schema      *schema.Schema
	calls       []*call          // one for each line that is no comment
	listeners   []*listener      // in order; the first is the default one
	bridges     []*bridge        // in order
	written     map[string]bool  // keys that stand in the new file
	replaced    map[int][]string // lines by number, from 0
	perListener bool             // per_listener_settings true
	anonymous   bool             // allow_anonymous is given
	dests       []string         // of log_dest
	level       string           // of log_type, the most talkative
}

// call is one line and where it belongs.
type call struct {
	*moved
	n        int    // the line, from 0
	word     string // the option
	args     string // what stands behind it
	col      int    // of args, in characters from 1
	listener *listener
	bridge   *bridge // nil above the first connection
	failed   bool    // a finding says why the line is not carried over
}

// listener is a listener of mosquitto.
type listener struct {
	name    string
	port    string
	address string // a host or, for a unix socket, a path; empty: all
	ws      bool   // protocol websockets
	tls     bool
	v6      bool // socket_domain ipv6
	used    bool // a line speaks of it
	opened  bool // its address is written
}

// bridge is a connection of mosquitto.
type bridge struct {
	name    string
	tls     bool
	retain  bool
	version bool // bridge_protocol_version is given
	topics  int
	address bool // it is written
}

// protocol returns the word for the listener's protocol in a key.
func (l *listener) protocol() string {
	switch {
	case l.ws && l.tls:
		return "wss"
	case l.ws:
		return "ws"
	case l.tls:
		return "ssl"
	}
	return "tcp"
}

func (l *listener) key() string { return "listener." + l.protocol() + "." + l.name }

func (b *bridge) key() string {
	if b.tls {
		return "vmq_bridge.ssl." + b.name
	}
	return "vmq_bridge.tcp." + b.name
}

// FromMosquitto rewrites a mosquitto.conf. name stands in the findings. Errors in the report are lines whose effect is missed.
func FromMosquitto(s *schema.Schema, name string, text []byte) ([]byte, *report.Report) {
	m := &moved{page: newPage(name, text), schema: s, written: map[string]bool{}, replaced: map[int][]string{},
		listeners: []*listener{{name: "default", port: "1883"}}}
	m.survey()
	for _, c := range m.calls {
		m.carry(c)
	}
	m.finish()
	m.report.Sort()
	return m.text(m.replaced), m.report
}

// survey reads the lines: which listener and bridge each belongs to, and what has to be known before the first is written.
func (m *moved) survey() {
	at, on := m.listeners[0], (*bridge)(nil)
	for n, line := range m.lines {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		word, args, _ := strings.Cut(strings.ReplaceAll(trimmed, "\t", " "), " ")
		args = strings.TrimSpace(args)
		c := &call{moved: m, n: n, word: word, args: args, col: 1}
		if i := strings.LastIndex(line, args); args != "" && i >= 0 {
			c.col = utf8.RuneCountInString(line[:i]) + 1
		}
		switch word {
		case "listener":
			at = m.newListener(args)
		case "connection":
			on = m.newBridge(args)
		}
		c.listener, c.bridge = at, on
		m.calls = append(m.calls, c)
		m.remember(c)
	}
}

// remember keeps what other lines depend on.
func (m *moved) remember(c *call) {
	l, b := c.listener, c.bridge
	switch c.word {
	case "port":
		m.listeners[0].port, m.listeners[0].used = c.args, true
	case "bind_address":
		m.listeners[0].address, m.listeners[0].used = c.args, true
	case "protocol":
		l.ws, l.used = c.args == "websockets", true
	case "socket_domain":
		l.v6, l.used = c.args == "ipv6", true
	case "certfile", "keyfile":
		l.tls, l.used = true, true
	case "max_connections", "mount_point", "cafile", "require_certificate", "crlfile", "use_identity_as_username":
		l.used = true
	case "per_listener_settings":
		m.perListener = c.args == "true"
	case "allow_anonymous":
		m.anonymous = true
	case "log_dest":
		m.dests = append(m.dests, c.args)
	case "log_type":
		m.level = louder(m.level, c.args)
	case "bridge_cafile", "bridge_capath", "bridge_certfile", "bridge_psk", "bridge_tls_use_os_certs":
		if b != nil {
			b.tls = true
		}
	case "bridge_outgoing_retain":
		if b != nil {
			b.retain = c.args != "false"
		}
	case "bridge_protocol_version":
		if b != nil {
			b.version = true
		}
	}
}

func (m *moved) newListener(args string) *listener {
	port, address, _ := strings.Cut(args, " ")
	l := &listener{port: port, address: strings.TrimSpace(address), used: true}
	base := "port" + word(port)
	if strings.HasPrefix(l.address, "/") {
		base = "socket"
	}
	l.name = base
	for n := 2; ; n++ {
		taken := false
		for _, other := range m.listeners {
			taken = taken || other.name == l.name
		}
		if !taken {
			break
		}
		l.name = fmt.Sprintf("%s_%d", base, n)
	}
	m.listeners = append(m.listeners, l)
	return l
}

func (m *moved) newBridge(args string) *bridge {
	b := &bridge{name: word(args), retain: true}
	if b.name == "" {
		b.name = "bridge"
	}
	base := b.name
	for n := 2; ; n++ {
		taken := false
		for _, other := range m.bridges {
			taken = taken || other.name == b.name
		}
		if !taken {
			break
		}
		b.name = fmt.Sprintf("%s_%d", base, n)
	}
	m.bridges = append(m.bridges, b)
	return b
}

// word makes a word of a key of a text.
func word(text string) string {
	const longest = 64
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-':
			return r
		}
		return '_'
	}, text)
	return out[:min(len(out), longest)]
}

// carry writes what becomes of one line.
func (m *moved) carry(c *call) {
	defer func() {
		if len(m.replaced[c.n]) == 0 {
			m.replaced[c.n] = []string{comment(m.lines[c.n])}
		}
	}()
	if secretWord(c.word) {
		shown := m.lines[c.n]
		m.lines[c.n] = hide(shown)
		m.replaced[c.n], c.col = []string{comment(shown)}, 0
	}
	o, known := options[c.word]
	switch {
	case strings.HasPrefix(c.word, "auth_opt_") || strings.HasPrefix(c.word, "plugin_opt_"):
		o = needless("it belongs to a plugin that cannot be loaded")
	case !known:
		hint := "it is a comment in the new file"
		if near := schema.NearestWord(c.word, slices.Sorted(maps.Keys(options))); near != "" {
			hint = "did you mean " + near + "? It is a comment in the new file"
		}
		c.lost("mosquitto has no option "+c.word, hint)
		return
	}
	if o.to == nil {
		code := CodeLost
		if o.severity == report.Note {
			code = CodeLeftOut
		}
		m.find(c.n, wordCol(m.lines[c.n]), len(c.word), o.severity, code, c.word+" is left out: "+o.why, "")
		return
	}
	var lines []string
	if c.listener == m.listeners[0] && c.listener.used && !c.listener.opened && ofListener(c.word) {
		lines = c.open()
	}
	for _, s := range o.to(c) {
		if line, ok := c.line(s); ok {
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		m.replaced[c.n] = lines
	}
}

// secretWord reports whether an option's value must not be shown.
func secretWord(w string) bool {
	return strings.HasSuffix(w, "password") || w == "bridge_psk" || strings.HasPrefix(w, "auth_opt_") || strings.HasPrefix(w, "plugin_opt_")
}

// ofListener reports whether an option speaks of a listener.
func ofListener(w string) bool {
	switch w {
	case "port", "bind_address", "protocol", "socket_domain", "max_connections", "mount_point", "cafile", "certfile", "keyfile", "crlfile", "ciphers",
		"require_certificate", "use_identity_as_username", "tls_version", "accept_protocol_versions":
		return true
	}
	return false
}

// line writes a setting, if its key exists and takes the value. A key is written once.
func (c *call) line(s setting) (string, bool) {
	k, _, ok := c.schema.Lookup(s.key)
	if !ok || k.Effect == schema.Ignored || k.Effect == schema.Refused {
		c.lost(fmt.Sprintf("%s is left out: %s has no such option", c.word, parent(s.key)), "")
		return "", false
	}
	if _, _, err := k.Parse(s.value); err != nil {
		message, hint := refusal(err)
		c.lost(c.word+": "+message, hint)
		return "", false
	}
	text, ok := quote(s.value)
	if !ok {
		c.lost(c.word+": the value cannot be written in vernemq.conf", "")
		return "", false
	}
	if c.written[s.key] {
		if k.Type != schema.Flag || !strings.HasPrefix(s.key, "plugins.") {
			c.changed(s.key + " is written twice; the last one counts")
		} else {
			return "", false
		}
	}
	c.written[s.key] = true
	return s.key + " = " + text, true
}

// parent returns a key without its last word.
func parent(key string) string {
	words := schema.SplitName(key)
	if len(words) < 2 {
		return "this broker"
	}
	return schema.JoinName(words[:len(words)-1])
}

// lost reports that the line is not carried over.
func (c *call) lost(message, hint string) {
	c.failed = true
	c.find(c.n, wordCol(c.lines[c.n]), utf8.RuneCountInString(c.word), report.Error, CodeLost, message, hint)
}

// changed reports that the line does not mean quite the same.
func (c *call) changed(message string) {
	c.find(c.n, wordCol(c.lines[c.n]), utf8.RuneCountInString(c.word), report.Warning, CodeChanged, c.word+": "+message, "")
}

// always reports that the line asks for what this broker does anyway.
func (c *call) always() {
	c.find(c.n, wordCol(c.lines[c.n]), utf8.RuneCountInString(c.word), report.Note, CodeLeftOut, c.word+" "+c.args+" needs no line: it is always so", "")
}

// wordCol returns where the first word of a line begins, in characters from 1.
func wordCol(line string) int {
	return utf8.RuneCountInString(line) - utf8.RuneCountInString(strings.TrimLeft(line, " \t")) + 1
}

// finish adds what mosquitto does without a line.
func (m *moved) finish() {
	add := func(why string, settings ...setting) {
		c := &call{moved: m, word: "default"}
		var lines []string
		for _, s := range settings {
			if line, ok := c.line(s); ok {
				lines = append(lines, line)
			}
		}
		if len(lines) > 0 {
			m.extra = append(append(m.extra, "", "# "+why), lines...)
		}
	}
	if len(m.listeners) == 1 && !m.listeners[0].used {
		add("Without a listener mosquitto 2 serves this machine, and anybody on it.", setting{"listener.tcp.default", "127.0.0.1:1883"})
		if !m.anonymous {
			add("That includes clients without a login.", setting{"allow_anonymous", "on"})
		}
	}
	if !m.written["listener.max_connections"] {
		add("mosquitto sets no limit where none is written.", setting{"listener.max_connections", "infinity"})
	}
	for _, b := range m.bridges {
		if !b.address {
			m.add(report.Entry{Severity: report.Error, Code: CodeLost, Pos: report.Pos{File: m.name}, Message: "the connection " + b.name + " has no address"})
		}
	}
}
