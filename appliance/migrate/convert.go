package migrate

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// The converters of single values. Each reports why it cannot.

func text(c *call) (string, bool) {
	if c.args == "" {
		c.lost(c.word+" has no value", "")
	}
	return c.args, c.args != ""
}

func number(c *call) (string, bool) {
	if _, err := strconv.ParseInt(c.args, 10, 64); err != nil {
		c.lost(fmt.Sprintf("%s: %q is no number", c.word, c.args), "")
		return "", false
	}
	return c.args, true
}

// firstNumber takes the first of several numbers.
func firstNumber(c *call) (string, bool) {
	words := strings.Fields(c.args)
	if len(words) == 0 {
		return number(c)
	}
	if len(words) > 1 {
		c.changed("a bridge waits the same time each time: " + words[0] + " seconds")
	}
	one := *c
	one.args = words[0]
	return number(&one)
}

func onOff(c *call) (string, bool) {
	switch c.args {
	case "true", "1":
		return "on", true
	case "false", "0":
		return "off", true
	}
	c.lost(fmt.Sprintf("%s: %q is neither true nor false", c.word, c.args), "")
	return "", false
}

// oneFlag is onOff for an option that counts versions, 0 being none.
func oneFlag(c *call) (string, bool) {
	if c.args == "2" {
		return "on", true
	}
	return onOff(c)
}

func connections(c *call) (string, bool) {
	if c.args == "-1" {
		return "infinity", true
	}
	return number(c)
}

func mountpoint(c *call) (string, bool) {
	value := strings.TrimSuffix(c.args, "/")
	if value == "" {
		return text(&call{moved: c.moved, n: c.n, word: c.word})
	}
	return value, true
}

// tlsVersion takes the smallest version that mosquitto names and offers it and those above.
func tlsVersion(c *call) (string, bool) {
	switch c.args {
	case "tlsv1.3":
		return "tlsv1.3", true
	case "tlsv1.2":
		return "tlsv1.2,tlsv1.3", true
	}
	c.changed("older versions than TLS 1.2 are not available")
	return "tlsv1.2,tlsv1.3", true
}

func bridgeVersion(c *call) (string, bool) {
	version, ok := map[string]string{"mqttv31": "3", "mqttv311": "4", "mqttv50": "5", "mqttv5": "5"}[c.args]
	if !ok {
		c.lost(fmt.Sprintf("%s: %q is no version of MQTT", c.word, c.args), "one of mqttv31, mqttv311, mqttv50")
	}
	return version, ok
}

// mustBe accepts one value, which needs no line; another is missed.
func mustBe(value, otherwise string) func(c *call) []setting {
	return func(c *call) []setting {
		if c.args != value && !(value == "true" && c.args == "1") && !(value == "false" && c.args == "0") {
			c.lost(c.word+" "+c.args+" is left out: "+otherwise, "")
		} else {
			c.always()
		}
		return nil
	}
}

// better is mustBe for what is hardly missed.
func better(value, otherwise string) func(c *call) []setting {
	return func(c *call) []setting {
		if c.args != value && !(value == "true" && c.args == "1") && !(value == "false" && c.args == "0") {
			c.changed(c.args + " is left out: " + otherwise)
		} else {
			c.always()
		}
		return nil
	}
}

// onceForAll is an option that mosquitto has for each listener and this broker once.
func onceForAll(key, plugin, warning string) func(c *call) []setting {
	return func(c *call) []setting {
		value, ok := text(c)
		if !ok {
			return nil
		}
		if c.written[key] {
			c.lost(c.word+": there is one for all listeners, and an earlier line names it", "bring the files together")
			return nil
		}
		if c.perListener {
			warning := c.word + " holds for all listeners here"
			c.changed(warning)
		}
		c.changed(warning)
		return []setting{{plugin, "on"}, {key, value}}
	}
}

func allowAnonymous(c *call) []setting {
	value, ok := onOff(c)
	switch {
	case !ok:
		return nil
	case !c.perListener:
		return []setting{{"allow_anonymous", value}}
	case value == "off":
		return nil // the default
	}
	return []setting{{c.listener.key() + ".allow_anonymous_override", value}}
}

func perListener(c *call) []setting {
	if c.args == "true" {
		c.changed("allow_anonymous is set for each listener; password and access files hold for all")
	}
	return nil
}

func zeroLength(c *call) []setting {
	if c.args == "false" {
		c.lost(c.word+" false is left out: an empty client identifier is replaced by one of the broker's choice", "")
	}
	return nil
}

func queued(c *call) []setting {
	value, ok := number(c)
	if !ok {
		return nil
	}
	if value == "0" {
		value = "-1"
	}
	return []setting{{"max_online_messages", value}, {"max_offline_messages", value}}
}

func sysInterval(c *call) []setting {
	seconds, err := strconv.ParseInt(c.args, 10, 32)
	switch {
	case err != nil:
		_, _ = number(c)
		return nil
	case seconds == 0:
		return []setting{{"systree_enabled", "off"}}
	}
	return []setting{{"systree_interval", strconv.FormatInt(seconds*1000, 10)}}
}

// louder returns the more talkative of a level and the one that stands for a type of log messages.
func louder(level, logType string) string {
	order := []string{"", "emergency", "error", "warning", "notice", "info", "debug"}
	now := map[string]string{"all": "debug", "debug": "debug", "subscribe": "debug", "unsubscribe": "debug", "websockets": "debug", "internal": "debug",
		"information": "info", "notice": "notice", "warning": "warning", "error": "error", "none": "emergency"}[logType]
	if slices.Index(order, now) > slices.Index(order, level) {
		return now
	}
	return level
}

func logType(c *call) []setting {
	if c.written["log.console.level"] || c.level == "" {
		return nil // the first line stands for all
	}
	return []setting{{"log.console.level", c.level}}
}

// logDest writes the destinations, at the first line that names one.
func logDest(c *call) []setting {
	if c.written["log.console"] {
		return nil
	}
	console, out := map[string]bool{}, []setting(nil)
	for _, dest := range c.dests {
		kind, name, _ := strings.Cut(dest, " ")
		switch kind {
		case "stdout", "stderr":
			console["console"] = true
		case "file":
			console["file"] = true
			if out == nil {
				out = append(out, setting{"log.console.file", strings.TrimSpace(name)})
			}
		case "syslog":
			if !console["syslog"] {
				out = append(out, setting{"log.syslog", "on"})
			}
			console["syslog"] = true
		case "none":
		default:
			c.changed("there is no destination " + kind)
		}
	}
	where := "off"
	switch {
	case console["console"] && console["file"]:
		where = "both"
	case console["console"]:
		where = "console"
	case console["file"]:
		where = "file"
	}
	return append([]setting{{"log.console", where}}, out...)
}

func logFacility(c *call) []setting {
	n, err := strconv.Atoi(c.args)
	if err != nil || n < 0 || n > 7 {
		c.lost(fmt.Sprintf("%s: %q is no facility from 0 to 7", c.word, c.args), "")
		return nil
	}
	return []setting{{"log.syslog.facility", "local" + c.args}}
}

func includeDir(c *call) []setting {
	c.lost("the files of "+c.args+" are not rewritten", "run vernemq config migrate for each *.conf in it, and put the results into /etc/vernemq/conf.d")
	return nil
}

// open writes the address of the listener the line belongs to, once.
func (c *call) open() []string {
	c.listener.opened = true
	s := setting{c.listener.key(), c.listener.where()}
	if line, ok := c.line(s); ok {
		return []string{line}
	}
	return nil
}

// where returns the listener's address as this broker writes it.
func (l *listener) where() string {
	if strings.HasPrefix(l.address, "/") {
		return "local:" + l.address + ":0"
	}
	host := l.address
	if host == "" || host == "*" {
		if host = "0.0.0.0"; l.v6 {
			host = "::"
		}
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), l.port)
}

func listenerLine(c *call) []setting {
	if c.listener.opened {
		return nil
	}
	c.listener.opened = true
	return []setting{{c.listener.key(), c.listener.where()}}
}

// defaultLine is for the options that give the default listener its address, which open writes.
func defaultLine(c *call) []setting {
	if d := c.listeners[0]; !d.opened {
		return []setting{{d.key(), openDefault(d)}}
	}
	return nil
}

func openDefault(d *listener) string {
	d.opened = true
	return d.where()
}

func protocolLine(c *call) []setting {
	if c.args != "mqtt" && c.args != "websockets" {
		c.lost(fmt.Sprintf("protocol: %q is neither mqtt nor websockets", c.args), "")
	}
	return nil
}
