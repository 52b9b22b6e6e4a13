package compile

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
)

// The pseudo files that findings of the upper layers stand in.
const (
	environment = "environment"
	commandLine = "command line"
)

// Names in the environment.
const (
	dockerPrefix = "DOCKER_VERNEMQ_"
	acceptEULA   = "ACCEPT_EULA"
	eulaKey      = "accept_eula"
	nodenameKey  = "nodename"
)

// notKeys are parts of DOCKER_VERNEMQ_ names that steer the container's start, as in VerneMQ's image, and are no keys.
var notKeys = []string{"DISCOVERY_NODE", "KUBERNETES", "SWARM", "COMPOSE", "DOCKER_VERNEMQ_USER"}

// layers returns the assignments of all layers above the defaults, lowest first.
func (c *compilation) layers() []assigned {
	files, findings := source.Read(c.in.FS, c.in.Main)
	c.maskSyntax(findings)
	c.report.Merge(findings)
	var out []assigned
	for _, a := range files {
		out = append(out, assigned{a, plan.File})
	}
	out = append(out, c.defaultsFile()...)
	out = append(out, c.environ()...)
	return append(out, c.set()...)
}

// defaultsFile looks for ACCEPT_EULA in /etc/default/vernemq, a file of shell assignments of which nothing else concerns us.
func (c *compilation) defaultsFile() (out []assigned) {
	data, err := c.in.FS.ReadFile(hostfs.Defaults, 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		c.report.Add(report.Entry{Severity: report.Warning, Code: report.CodeUnreadable, Pos: report.Pos{File: hostfs.Defaults},
			Message: "cannot read the file: " + err.Error(), Hint: "only " + acceptEULA + " is looked for in it"})
		return nil
	}
	for n, line := range strings.Split(string(data), "\n") {
		line = strings.ToValidUTF8(strings.TrimRight(line, " \t\r"), "\uFFFD")
		text := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		value, ok := strings.CutPrefix(text, acceptEULA+"=")
		if !ok {
			continue
		}
		if i := strings.Index(value, " #"); i >= 0 {
			value = strings.TrimSpace(value[:i])
		}
		if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			value = value[1 : len(value)-1]
		}
		if value == "" {
			continue
		}
		before := utf8.RuneCountInString(line[:strings.Index(line, acceptEULA)])
		out = append(out, pseudo(plan.Environment, hostfs.Defaults, n+1, line, before, []string{eulaKey}, len(acceptEULA), value))
	}
	return out
}

// environ returns the settings made by environment variables, in name order: their own order means nothing.
func (c *compilation) environ() (out []assigned) {
	env := slices.Clone(c.in.Environ)
	slices.Sort(env)
	ignored := 0
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		key, docker := strings.CutPrefix(name, dockerPrefix)
		switch {
		case name == acceptEULA && value == "": // as good as unset
			continue
		case name == acceptEULA:
			out = append(out, pseudo(plan.Environment, environment, 0, variable, 0, []string{eulaKey}, len(name), value))
			continue
		case !docker || slices.ContainsFunc(notKeys, func(part string) bool { return strings.Contains(name, part) }):
			continue
		case !c.in.Container:
			ignored++
			continue
		}
		words, ok := source.SplitKey(dockerKey(key))
		if !ok || !utf8.ValidString(value) {
			c.report.Add(report.Entry{Severity: report.Error, Code: report.CodeEnvBad, Pos: report.Pos{File: environment},
				Message: fmt.Sprintf("%q is not the name of a setting, or its value is not UTF-8", name),
				Hint:    "write " + dockerPrefix + " and the key in capitals, with __ for each dot"})
			continue
		}
		if len(words) == 1 && words[0] == nodenameKey && !strings.Contains(value, "@") {
			value = "VerneMQ@" + value
		}
		out = append(out, pseudo(plan.Environment, environment, 0, variable, 0, words, len(name), value))
	}
	if ignored > 0 {
		c.report.Add(report.Entry{Severity: report.Note, Code: report.CodeEnvIgnored, Pos: report.Pos{File: environment},
			Message: fmt.Sprintf("%d %s* variables are set and ignored: this is not the container image", ignored, dockerPrefix),
			Hint:    "set VERNEMQ_CONTAINER=1 to have them read"})
	}
	return out
}

// dockerKey returns the key a variable's name stands for: the leading run of capitals, digits and _ is lowered, __ becomes a dot.
func dockerKey(name string) string {
	n := strings.IndexFunc(name, func(r rune) bool { return !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_') })
	if n < 0 {
		n = len(name)
	}
	return strings.ReplaceAll(strings.ToLower(name[:n])+name[n:], "__", ".")
}

// set returns the settings of the command line.
func (c *compilation) set() (out []assigned) {
	for _, text := range c.in.Set {
		key, value, ok := strings.Cut(text, "=")
		words, isKey := source.SplitKey(strings.TrimSpace(key))
		if !ok || !isKey || !utf8.ValidString(value) {
			c.report.Add(report.Entry{Severity: report.Error, Code: report.CodeSetBad, Pos: report.Pos{File: commandLine},
				Message: fmt.Sprintf("--set %q is not key=value", key), Hint: "as in --set allow_anonymous=on"})
			continue
		}
		out = append(out, pseudo(plan.CommandLine, commandLine, 0, text, 0, words, utf8.RuneCountInString(key), strings.TrimSpace(value)))
	}
	if c.in.AcceptEULA {
		out = append(out, pseudo(plan.CommandLine, commandLine, 0, "--accept-eula", 0, []string{eulaKey}, len("--accept-eula"), "yes"))
	}
	return out
}

// pseudo makes an assignment of a line NAME=value that stands in no vernemq.conf. before is how many characters stand before the name.
func pseudo(layer plan.Layer, file string, line int, text string, before int, words []string, keyWidth int, value string) assigned {
	at := func(col int) report.Pos { return report.Pos{File: file, Line: line, Col: col} }
	return assigned{source.Assignment{
		Key: words, Value: value, KeyPos: at(before + 1), KeyWidth: keyWidth,
		ValuePos: at(before + keyWidth + 2), ValueWidth: utf8.RuneCountInString(value), Text: text,
	}, layer}
}
