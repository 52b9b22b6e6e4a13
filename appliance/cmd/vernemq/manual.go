package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"vernemq/appliance/docs"
	"vernemq/appliance/hostfs"
	"vernemq/broker/admin"
)

// hiddenCommands are for those who build packages: the help does not list them.
func hiddenCommands() []command {
	return []command{
		{"manual", "vernemq|vmq-admin|vmq-passwd", "print the manual page of a program, in roff",
			"The page vernemq.conf(5) is printed by vernemq config docs --format=man.\n", (*program).manual},
		{"completion", strings.Join(docs.Shells, "|"), "print the completion script of a shell, for all three programs", "", (*program).completion},
	}
}

// manual prints a manual page.
func (p *program) manual(args []string) int {
	name, ok := p.parseOne("manual", args, "program", noFlags)
	if !ok {
		return exitCannot
	}
	all := programs()
	i := slices.IndexFunc(all, func(d docs.Program) bool { return d.Name == name })
	if i < 0 {
		p.misused("manual", fmt.Errorf("there is no program %s", name))
		return exitCannot
	}
	if err := all[i].Man(p.stdout, version); err != nil {
		return p.cannot("manual", err)
	}
	return exitOK
}

// completion prints a completion script.
func (p *program) completion(args []string) int {
	shell, ok := p.parseOne("completion", args, "shell", noFlags)
	if !ok {
		return exitCannot
	}
	var script bytes.Buffer
	if err := docs.Completion(&script, shell, programs()); err != nil {
		p.misused("completion", err)
		return exitCannot
	}
	if _, err := script.WriteTo(p.stdout); err != nil {
		return p.cannot("completion", err)
	}
	return exitOK
}

// rootOption is what all three programs take.
var rootOption = docs.Option{Form: "--root DIR", Doc: "Takes all paths under DIR, those inside the configuration too."}

// seeAlso returns the pages of the manual but one.
func seeAlso(but string) []string {
	return slices.DeleteFunc([]string{"vernemq(8)", "vmq-admin(8)", "vmq-passwd(8)", "vernemq.conf(5)"},
		func(page string) bool { return strings.HasPrefix(page, but+"(") })
}

// programs describes the three programs, from the trees of their commands.
func programs() []docs.Program {
	return []docs.Program{daemonProgram(), adminProgram(), passwdProgram()}
}

func daemonProgram() docs.Program {
	d := docs.Program{
		Name: "vernemq", Section: 8, Summary: "MQTT broker: run it, compile and explain its configuration, examine its machine",
		Synopsis: []string{"[--root DIR] COMMAND [ARGUMENT...]"},
		Intro: []string{
			"vernemq is an MQTT broker for the edge that reads the configuration files of VerneMQ. It compiles them before anything starts, and tells every mistake with file, line and column.",
			"A broker that the system starts is run by systemd, as vernemq.service. It starts once the licence is accepted: vernemq chkconfig shows it and asks.",
		},
		Options: []docs.Option{rootOption, {Form: "--help", Doc: "Tells more about a command, behind it."}},
		SeeAlso: append(seeAlso("vernemq"), "systemctl(1)"),
	}
	for _, c := range commands() {
		d.Commands = append(d.Commands, docs.Command{Words: c.name, Args: c.args, Doc: c.doc, More: c.more})
		for _, sub := range behind(c.name) {
			d.Commands = append(d.Commands, docs.Command{Words: c.name + " " + sub.name, Args: sub.args, Doc: sub.doc, More: sub.more})
		}
	}
	d.Texts = []docs.Text{
		{Title: "Exit status", Terms: []docs.Option{
			{Form: "0", Doc: "Done."}, {Form: "1", Doc: "Failed."}, {Form: "2", Doc: "It could not be tried."},
			{Form: "78", Doc: "Not started, and not until somebody acts: the licence is not accepted, the configuration has errors, or the store is of another version."},
		}},
		{Title: "Files", Terms: []docs.Option{
			{Form: hostfs.MainConf, Doc: "The configuration; its last line includes the next."},
			{Form: hostfs.ConfDir + "/*.conf", Doc: "Files for your own settings."},
			{Form: hostfs.Defaults, Doc: "ACCEPT_EULA."},
			{Form: hostfs.DataDir, Doc: "What the broker keeps: the store, the compiled configuration, who accepted the licence."},
			{Form: hostfs.EULAText, Doc: "The licence."},
		}},
	}
	return d
}

func adminProgram() docs.Program {
	d := docs.Program{
		Name: "vmq-admin", Section: 8, Summary: "inspect and administer a running MQTT broker",
		Synopsis: []string{"[--root DIR] COMMAND SUBCOMMAND [KEY=VALUE...] [OPTION...]"},
		Intro: []string{
			"vmq-admin asks the broker that runs on this machine, over a unix socket. Root, the broker's own account and members of the group vernemq may use it.",
		},
		Options: []docs.Option{rootOption},
		Texts: []docs.Text{
			{Title: "Exit status", Terms: []docs.Option{{Form: "0", Doc: "Done."}, {Form: "1", Doc: "Not done."}}},
			{Title: "Files", Terms: []docs.Option{{Form: hostfs.AdminSocket, Doc: "The socket."}}},
		},
		SeeAlso: seeAlso("vmq-admin"),
	}
	for _, o := range admin.GlobalOptions() {
		d.Options = append(d.Options, docs.Option{Form: o[0], Doc: o[1]})
	}
	for _, c := range admin.NewTree(nil).Commands() {
		described := docs.Command{Words: strings.Join(c.Path, " "), Doc: c.Doc}
		for _, o := range c.Options() {
			described.Options = append(described.Options, docs.Option{Form: o[0], Doc: o[1]})
		}
		d.Commands = append(d.Commands, described)
	}
	return d
}

func passwdProgram() docs.Program {
	d := docs.Program{
		Name: "vmq-passwd", Section: 8, Summary: "edit password files of an MQTT broker",
		SeeAlso: seeAlso("vmq-passwd"), Options: []docs.Option{rootOption},
		Texts: []docs.Text{{Title: "Exit status", Terms: []docs.Option{{Form: "0", Doc: "Done."}, {Form: "1", Doc: "Not done."}}}},
	}
	usage, rest, _ := strings.Cut(passwdUsage, "\n\n")
	for line := range strings.Lines(usage) {
		_, form, _ := strings.Cut(line, "vmq-passwd ")
		d.Synopsis = append(d.Synopsis, strings.TrimSpace(form))
	}
	intro, flags, _ := strings.Cut(rest, "\n\n")
	d.Intro = []string{intro}
	for line := range strings.Lines(flags) {
		form, doc, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if strings.HasPrefix(form, "-") {
			d.Options = append(d.Options, docs.Option{Form: form, Doc: strings.TrimSpace(doc)})
		} else if n := len(d.Options); n > 0 {
			d.Options[n-1].Doc += " " + strings.TrimSpace(line)
		}
	}
	return d
}
