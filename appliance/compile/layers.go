package compile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	confd "vernemq/conf.d"
)

// The pseudo files that findings of the upper layers stand in.
const (
	environment = "environment"
	commandLine = "command line"
	atRunTime   = "vmq-admin set"
)

// Names in the environment.
const (
	dockerPrefix = "DOCKER_VERNEMQ_"
	acceptEULA   = "ACCEPT_EULA"
	eulaKey      = "accept_eula"
	nodenameKey  = "nodename"
	profileKey   = "profile"
	noProfile    = "none"
)

// notKeys are the beginnings of names behind DOCKER_VERNEMQ_ that steer the container's start, as in VerneMQ's image, and are no keys.
var notKeys = []string{"DISCOVERY_NODE", "DISCOVERY_KUBERNETES", "KUBERNETES_", "SWARM", "COMPOSE", "USER_"}

// steersContainer reports whether the rest of a DOCKER_VERNEMQ_ name is no key.
func steersContainer(name string) bool {
	return slices.ContainsFunc(notKeys, func(beginning string) bool { return strings.HasPrefix(name, beginning) })
}

// layers returns the assignments of all layers above the defaults, lowest first.
func (c *compilation) layers() []assigned {
	var out []assigned
	add := func(layer plan.Layer, assignments []source.Assignment, findings *report.Report) {
		c.maskSyntax(findings)
		c.report.Merge(findings)
		for _, a := range assignments {
			out = append(out, assigned{a, layer})
		}
	}
	files, findings := source.Read(c.in.FS, c.in.Main)
	add(plan.File, files, findings)
	files, findings = source.ReadDir(c.in.FS, hostfs.PersistDir)
	add(plan.Persisted, files, findings)
	files, findings = source.ReadLayer(c.in.FS, hostfs.ImageConf, hostfs.ImageConfs)
	add(plan.Image, files, findings)
	out = append(out, c.defaultsFile()...)
	out = append(out, c.environ()...)
	out = append(out, c.set()...)
	return append(out, c.runTime()...)
}

// profile puts the settings of the chosen profile below all others; false if none is chosen.
func (c *compilation) profile() bool {
	chosen := c.last[profileKey]
	if chosen == nil || !c.expand(chosen, nil) || chosen.text == noProfile || !slices.Contains(chosen.key.Words, chosen.text) {
		return false
	}
	name := path.Join(hostfs.ProfileDir, chosen.text+".conf")
	assignments, findings := source.Read(source.Fallback(c.in.FS, embeddedProfiles()), name)
	c.report.Merge(findings)
	above := c.settings
	c.settings = nil
	for _, a := range assignments {
		if a.Key[0] == profileKey {
			entry := assigned{a, plan.Profile}
			c.report.Add(entry.atKey(report.Error, report.CodeProfile, "a profile cannot choose a profile", "remove the line"))
			continue
		}
		c.resolve(assigned{a, plan.Profile})
	}
	c.settings = append(c.settings, above...)
	return true
}

// embeddedProfiles are the profiles that serve where none are installed.
func embeddedProfiles() source.Texts {
	texts := source.Texts{}
	names, _ := fs.Glob(confd.Profiles, "profiles/*.conf") // the pattern is good
	for _, name := range names {
		if text, err := fs.ReadFile(confd.Profiles, name); err == nil {
			texts[path.Join(hostfs.ProfileDir, path.Base(name))] = string(text)
		}
	}
	return texts
}

// defaultsFile reads /etc/default/vernemq, the file of shell assignments from which the service gets its environment. ACCEPT_EULA in it is a
// setting; the other variables serve $(NAME) where the environment itself has none of that name.
func (c *compilation) defaultsFile() (out []assigned) {
	data, err := c.in.FS.ReadFile(hostfs.Defaults, 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		c.report.Add(report.Entry{Severity: report.Warning, Code: report.CodeUnreadable, Pos: report.Pos{File: hostfs.Defaults},
			Message: "cannot read the file: " + err.Error(), Hint: "the variables in it are not taken into account here"})
		return nil
	}
	for n, line := range strings.Split(string(data), "\n") {
		line = strings.ToValidUTF8(strings.TrimRight(line, " \t\r"), "\uFFFD")
		text := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		name, value, ok := strings.Cut(text, "=")
		if !ok || !isVariable.MatchString(name) {
			continue
		}
		value = unquoteShell(value)
		c.env[name] = value
		if name != acceptEULA || value == "" {
			continue
		}
		before := utf8.RuneCountInString(line[:strings.Index(line, acceptEULA)])
		out = append(out, pseudo(plan.Environment, hostfs.Defaults, n+1, line, before, []string{eulaKey}, len(acceptEULA), value))
	}
	return out
}

// unquoteShell returns the value of a shell assignment: quotes around it go, a comment behind it too.
func unquoteShell(value string) string {
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		if end := strings.IndexByte(value[1:], value[0]); end >= 0 {
			return value[1 : 1+end]
		}
	}
	if i := strings.Index(value, " #"); i >= 0 {
		value = strings.TrimSpace(value[:i])
	}
	return value
}

// environ returns the settings made by environment variables, in name order: their own order means nothing.
func (c *compilation) environ() (out []assigned) {
	env := slices.Clone(c.in.Environ)
	slices.Sort(env)
	ignored := 0
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		c.env[name] = value
		key, docker := strings.CutPrefix(name, dockerPrefix)
		switch {
		case name == acceptEULA && value == "": // as good as unset
			continue
		case name == acceptEULA:
			out = append(out, pseudo(plan.Environment, environment, 0, variable, 0, []string{eulaKey}, len(name), value))
			continue
		case !docker || steersContainer(key):
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

// runTime returns the settings made with vmq-admin set while the broker runs.
func (c *compilation) runTime() (out []assigned) {
	for _, s := range c.in.RunTime {
		words, _ := source.SplitKey(s.Key)
		out = append(out, pseudo(plan.RunTime, atRunTime, 0, s.Key+"="+s.Value, 0, words, utf8.RuneCountInString(s.Key), s.Value))
	}
	return out
}

// set returns the settings of the command line.
func (c *compilation) set() (out []assigned) {
	for i, text := range c.in.Set {
		key, value, ok := strings.Cut(text, "=")
		if !ok { // the text may be a secret
			c.report.Add(report.Entry{Severity: report.Error, Code: report.CodeSetBad, Pos: report.Pos{File: commandLine},
				Message: fmt.Sprintf("the --set number %d has no =", i+1), Hint: "as in --set allow_anonymous=on"})
			continue
		}
		words, isKey := source.SplitKey(strings.TrimSpace(key))
		if !isKey || !utf8.ValidString(value) {
			c.report.Add(report.Entry{Severity: report.Error, Code: report.CodeSetBad, Pos: report.Pos{File: commandLine},
				Message: fmt.Sprintf("--set %q is not key=value", key), Hint: "as in --set allow_anonymous=on"})
			continue
		}
		a := pseudo(plan.CommandLine, commandLine, 0, text, blanks(key), words, utf8.RuneCountInString(strings.TrimSpace(key)), strings.TrimSpace(value))
		a.ValuePos.Col = utf8.RuneCountInString(key) + 1 + blanks(value) + 1
		out = append(out, a)
	}
	if c.in.AcceptEULA {
		out = append(out, pseudo(plan.CommandLine, commandLine, 0, "--accept-eula", 0, []string{eulaKey}, len("--accept-eula"), "yes"))
	}
	return out
}

// blanks is how many characters of white space s begins with.
func blanks(s string) int {
	return utf8.RuneCountInString(s) - utf8.RuneCountInString(strings.TrimLeftFunc(s, unicode.IsSpace))
}

// pseudo makes an assignment of a line NAME=value that stands in no vernemq.conf. before is how many characters stand before the name.
func pseudo(layer plan.Layer, file string, line int, text string, before int, words []string, keyWidth int, value string) assigned {
	at := func(col int) report.Pos { return report.Pos{File: file, Line: line, Col: col} }
	return assigned{source.Assignment{
		Key: words, Value: value, KeyPos: at(before + 1), KeyWidth: keyWidth,
		ValuePos: at(before + keyWidth + 2), ValueWidth: utf8.RuneCountInString(value), Text: text,
	}, layer}
}
