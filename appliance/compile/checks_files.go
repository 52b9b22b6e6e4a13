package compile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/broker/auth/acl"
	"vernemq/broker/auth/passwd"
)

// serviceUser is the account the service runs as.
const serviceUser = "vernemq"

// maxListed bounds how many bad lines of one file are listed.
const maxListed = 20

// secretReadable finds files with secrets that every user of the machine can read. A line that only refers to a secret shows none: what counts is
// the file that it names.
func secretReadable(c *compilation) {
	told := map[string]bool{}
	for _, s := range c.settings {
		file := s.KeyPos.File
		if isReference(s.Value) {
			file = s.file
		}
		if !s.key.Secret || !fromFiles(s.layer) || s.Value == "" || file == "" || told[file] {
			continue
		}
		told[file] = true
		if mode, ok := source.Mode(c.in.FS, file); ok && mode&0o004 != 0 {
			c.report.Add(s.atKey(report.Warning, report.CodeSecretReadable,
				fmt.Sprintf("%s is a secret, and every user of this machine can read %s", s.name, file), "chmod o-r "+file))
		}
	}
}

// keyFileReadable finds files with keys and hashes that every user of the machine can read.
func keyFileReadable(c *compilation) {
	told := map[string]bool{}
	for _, f := range c.usedFiles() {
		if !f.secret || told[f.name] {
			continue
		}
		told[f.name] = true
		if mode, ok := source.Mode(c.in.FS, f.name); ok && mode&0o004 != 0 {
			c.report.Add(c.about(f.value, f.listener, report.Warning, report.CodeSecretReadable,
				fmt.Sprintf("every user of this machine can read %s", f.name), "chmod o-r "+f.name))
		}
	}
}

// usedFile is a file that the broker reads because a key names it.
type usedFile struct {
	name     string
	value    *plan.Value
	listener *plan.Listener // nil: of none
	secret   bool           // it is not for everybody
}

// listenerFiles are the options of listeners that name a file, and whether it is secret.
var listenerFiles = []struct {
	option string
	secret bool
}{{"cafile", false}, {"certfile", false}, {"keyfile", true}, {"crlfile", false}}

// usedFiles returns the files that keys name: those of listeners, passwords and rules.
func (c *compilation) usedFiles() (out []usedFile) {
	for _, l := range c.listenersSet() {
		for _, f := range listenerFiles {
			if v, ok := l.Option(f.option); ok && v.Value != "" {
				out = append(out, usedFile{fmt.Sprint(v.Value), &v, l, f.secret})
			}
		}
	}
	for _, f := range []struct{ plugin, key string }{{"vmq_passwd", "password_file"}, {"vmq_acl", "acl_file"}} {
		if v, ok := c.authFile(f.plugin, f.key); ok {
			out = append(out, usedFile{fmt.Sprint(v.Value), v, nil, f.plugin == "vmq_passwd"})
		}
	}
	return out
}

// authFile returns the file of a plugin that is on.
func (c *compilation) authFile(plugin, key string) (*plan.Value, bool) {
	if on, ok := c.plan.Get("plugins." + plugin); ok && on.Value == false {
		return nil, false
	}
	v, ok := c.plan.Get(plugin + "." + key)
	return &v, ok && v.Value != ""
}

// serviceCannotRead finds files that whoever checks may read, and the service may not: it would fail only when it starts.
func serviceCannotRead(c *compilation) {
	user, ok := source.Account(c.in.FS, serviceUser)
	if !ok {
		return
	}
	told := map[string]bool{}
	check := func(name string, add func(severity report.Severity, code, message, hint string)) {
		if told[name] {
			return
		}
		told[name] = true
		way, ok := source.Way(c.in.FS, name)
		if !ok {
			return
		}
		obstacle, ok := user.CanRead(way)
		if ok {
			return
		}
		message, hint := fmt.Sprintf("the service's user %s cannot read %s", user.Name, name), "chgrp "+user.Name+" "+name+" && chmod g+r "+name
		if obstacle.Mode.IsDir() {
			message += ": it may not pass through " + obstacle.Name
			hint = "chgrp " + user.Name + " " + obstacle.Name + " && chmod g+x " + obstacle.Name
		}
		add(report.Error, report.CodeServiceCannotRead, message, hint)
	}
	for _, s := range c.settings {
		if fromFiles(s.layer) {
			check(s.KeyPos.File, func(severity report.Severity, code, message, hint string) {
				c.report.Add(report.Entry{Severity: severity, Code: code, Message: message, Hint: hint, Pos: report.Pos{File: s.KeyPos.File}})
			})
		}
		if s.file != "" {
			check(s.file, func(severity report.Severity, code, message, hint string) {
				c.report.Add(s.atValue(severity, code, message, hint))
			})
		}
	}
	for _, f := range c.usedFiles() {
		check(f.name, func(_ report.Severity, code, message, hint string) {
			s := report.Warning
			if f.listener != nil {
				s = severity(f.listener)
			}
			c.report.Add(c.about(f.value, f.listener, s, code, message, hint))
		})
	}
}

// passwordFile finds lines of the password file that let nobody in.
func passwordFile(c *compilation) {
	v, text, ok := c.readAuthFile("vmq_passwd", "password_file")
	if !ok {
		return
	}
	_, bad, err := passwd.Parse(bytes.NewReader(text))
	c.badFile(v, err)
	for i, b := range bad {
		c.badLine(v, report.CodePasswordFile, i, len(bad), b.Line, b.Err, "write users with vmq-passwd "+fmt.Sprint(v.Value)+" NAME")
	}
}

// ruleFile finds lines of the rule file that allow nothing.
func ruleFile(c *compilation) {
	v, text, ok := c.readAuthFile("vmq_acl", "acl_file")
	if !ok {
		return
	}
	depth, _ := c.number("topic_max_depth")
	_, bad, err := acl.Parse(bytes.NewReader(text), int(depth))
	c.badFile(v, err)
	for i, b := range bad {
		c.badLine(v, report.CodeRuleFile, i, len(bad), b.Line, b.Err, "as in: topic read sensors/+/state")
	}
}

// maxAuthFile bounds the password and rule files that are checked, in bytes.
const maxAuthFile = 64 << 20

// readAuthFile reads the file of a plugin that is on. A file that is missing is reported if a line names it: the one of the default need not
// be there.
func (c *compilation) readAuthFile(plugin, key string) (v *plan.Value, text []byte, ok bool) {
	v, ok = c.authFile(plugin, key)
	if !ok || !path.IsAbs(fmt.Sprint(v.Value)) {
		return v, nil, false
	}
	text, err := c.in.FS.ReadFile(path.Clean(fmt.Sprint(v.Value)), maxAuthFile)
	if errors.Is(err, fs.ErrNotExist) && v.Origin.Layer == plan.Default {
		return v, nil, false
	}
	c.badFile(v, err)
	return v, text, err == nil
}

// badFile reports a file that cannot be read.
func (c *compilation) badFile(v *plan.Value, err error) {
	if err != nil {
		code, message, hint := fileProblem(fmt.Sprint(v.Value), err)
		c.report.Add(c.about(v, nil, report.Warning, code, v.Name+": "+message, hint))
	}
}

// badLine reports one of the bad lines of a file, up to a bound.
func (c *compilation) badLine(v *plan.Value, code string, i, n, line int, err error, hint string) {
	e := report.Entry{Severity: report.Warning, Code: code, Key: v.Name, Message: "the line has no effect: " + err.Error(), Hint: hint,
		Pos: report.Pos{File: fmt.Sprint(v.Value), Line: line}}
	switch {
	case i == maxListed:
		e.Message, e.Hint = fmt.Sprintf("%d more lines are bad and not listed", n-maxListed), ""
	case i > maxListed:
		return
	}
	c.report.Add(e)
}

// fileProblem says in words why a file cannot be used, and what to do.
func fileProblem(name string, err error) (code, message, hint string) {
	code = report.CodeUnreadable
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return code, "there is no file " + name, "create it, or correct the path"
	case errors.Is(err, fs.ErrPermission):
		return report.CodeDenied, "no permission to read " + name, "chgrp " + serviceUser + " " + name + " && chmod g+r " + name
	case errors.Is(err, source.ErrTooLarge):
		return code, name + " is too large", "is it the right file?"
	}
	return code, "cannot read " + name + ": " + err.Error(), ""
}
