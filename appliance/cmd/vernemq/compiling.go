package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"vernemq/appliance/compile"
	"vernemq/appliance/container"
	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/appliance/report"
	"vernemq/appliance/service"
	"vernemq/appliance/source"
	confd "vernemq/conf.d"
	"vernemq/packaging"
	"vernemq/schema"
)

// compile compiles the configuration under the root. The embedded default files serve where there are none.
func (p *program) compile(l layerFlags) (*plan.Plan, *report.Report, error) {
	return p.compileFrom(p.files(), l, nil, probe.This().Facts())
}

// files are those of the host under the root, and the embedded ones where there are none.
func (p *program) files() source.FS { return source.Fallback(source.Host(p.root), shipped()) }

// compileFrom compiles files with settings made at run time, for a machine of which facts are known.
func (p *program) compileFrom(files source.FS, l layerFlags, runTime []compile.Setting, facts probe.Facts) (*plan.Plan, *report.Report, error) {
	s, err := schema.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("the embedded schema cannot be used: %w", err)
	}
	first, environ := "", os.Environ()
	if inContainer() {
		first, files, environ = container.Local(files, environ)
	}
	result, findings := compile.Compile(compile.Input{
		Schema: s, FS: files, Main: first, Environ: environ, Container: inContainer(),
		Set: l.set, RunTime: runTime, AcceptEULA: l.acceptEULA, Compiler: "vernemq " + version, Host: facts,
	})
	adviseOrdinaryUser(findings, files, os.Geteuid())
	return result, findings, nil
}

// refusal is why a broker does not start with what was compiled: what to end with, and one line for a service manager.
type refusal struct {
	status int
	why    string
}

// admit says whether a broker may start with what was compiled; nil: it may. It prints why the licence keeps it from starting, else the findings of
// severity least and above.
func (p *program) admit(result *plan.Plan, findings *report.Report, least report.Severity) (eula.State, *refusal, error) {
	licence, err := eula.Check(p.root, result)
	if err != nil {
		return licence, nil, err
	}
	if !licence.Accepted {
		fmt.Fprint(p.stderr, licence.Refusal())
		return licence, &refusal{eula.ExitStatus, "the licence is not accepted: run vernemq chkconfig"}, nil
	}
	if err := findings.WriteText(p.stderr, least); err != nil {
		return licence, nil, err
	}
	if findings.Fatal(false) {
		return licence, &refusal{exitConfig, "the configuration has " + findings.Summary(report.Error) + ": see vernemq chkconfig"}, nil
	}
	return licence, nil, nil
}

// runWithSudo is the advice for somebody who may not do what root may.
const runWithSudo = "run this command with sudo"

// adviseOrdinaryUser puts right what is advised about files that the user with the number uid may not read: neither root nor the service, such a
// user learns nothing about what the service may.
func adviseOrdinaryUser(findings *report.Report, files source.FS, uid int) {
	if account, ok := source.Account(files, service.User); uid == 0 || ok && account.UID == uid {
		return
	}
	for i := range findings.Entries {
		if e := &findings.Entries[i]; e.Code == report.CodeDenied {
			e.Hint = runWithSudo + ": your user may not read what is meant for root and the service"
		}
	}
}

// denied reports whether something could not be read for want of rights, so that values that are shown may be wrong.
func denied(findings *report.Report) bool {
	return slices.ContainsFunc(findings.Entries, func(e report.Entry) bool { return e.Code == report.CodeDenied })
}

// compileFile compiles one file, or the vernemq.conf of a directory, as if it were the main one. An absolute name lies under the root. Neither the
// environment nor what is set on this machine besides counts.
func (p *program) compileFile(name string) (*plan.Plan, *report.Report, error) {
	s, err := schema.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("the embedded schema cannot be used: %w", err)
	}
	if info, err := os.Stat(p.root.Path(name)); err == nil && info.IsDir() {
		name = path.Join(name, path.Base(hostfs.MainConf))
	}
	result, findings := compile.Compile(compile.Input{Schema: s, FS: written{source.Host(p.root)}, Main: name, Compiler: "vernemq " + version,
		Host: probe.This().Facts()})
	return result, findings, nil
}

// written is a file system without what this machine adds to the files an operator writes.
type written struct{ source.FS }

// ReadFile implements source.FS.
func (w written) ReadFile(name string, limit int64) ([]byte, error) {
	if added(name) {
		return nil, fs.ErrNotExist
	}
	return w.FS.ReadFile(name, limit)
}

// List implements source.FS.
func (w written) List(dir string) ([]string, error) {
	if added(dir) {
		return nil, fs.ErrNotExist
	}
	return w.FS.List(dir)
}

// Mode lets the compiler see who can read a file.
func (w written) Mode(name string) (fs.FileMode, bool) { return source.Mode(w.FS, name) }

// Way lets the compiler see whether the service can read a file.
func (w written) Way(name string) ([]source.Node, bool) { return source.Way(w.FS, name) }

func added(name string) bool {
	return name == hostfs.Defaults || strings.HasPrefix(name+"/", hostfs.PersistDir+"/") || strings.HasPrefix(name+"/", hostfs.ImageDir+"/")
}

// shipped returns the files that the packages install, as embedded.
func shipped() source.Texts {
	texts := source.Texts{hostfs.MainConf: packaging.Conf}
	names, _ := fs.Glob(confd.Files, "*.conf")
	for _, name := range names {
		if text, err := fs.ReadFile(confd.Files, name); err == nil {
			texts[path.Join(hostfs.ConfDir, name)] = string(text)
		}
	}
	return texts
}

// nodename returns the configured name of the node, for messages.
func (p *program) nodename() string {
	result, _, err := p.compile(layerFlags{})
	if err != nil {
		return "unknown"
	}
	v, _ := result.Get("nodename")
	return v.Text()
}

// cannot reports what kept a command from being tried.
func (p *program) cannot(command string, err error) int {
	advice := ""
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		advice = "; " + runWithSudo
	}
	fmt.Fprintf(p.stderr, "vernemq %s: %v%s\n", command, err, advice)
	return exitCannot
}
