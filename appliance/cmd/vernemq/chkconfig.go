package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/report"
)

// chkconfig checks the configuration. On a terminal it asks to accept the licence first, if that is open.
func (p *program) chkconfig(args []string) int {
	var layers layerFlags
	strict, format := false, "text"
	if !p.parse("chkconfig", args, func(f *flag.FlagSet) {
		layers.add(f)
		f.BoolVar(&strict, "strict", false, "")
		f.StringVar(&format, "format", format, "")
	}) {
		return exitFailed
	}
	if format != "text" && format != "json" {
		fmt.Fprintf(p.stderr, "vernemq chkconfig: --format is text or json, not %q\n", format)
		return exitFailed
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("chkconfig", err)
	}
	accepted, from := eula.Accepted(result)
	if tty := p.terminal(); !accepted && format == "text" && tty != nil {
		switch yes, err := eula.Ask(p.stdin, tty); {
		case err != nil:
			return p.cannot("chkconfig", err)
		case !yes:
			fmt.Fprintln(p.stderr, "Product license not accepted. Stopping.")
			return eula.ExitStatus
		}
		if err := eula.Accept(p.root); err != nil {
			return p.cannot("chkconfig", err)
		}
		fmt.Fprintf(p.stdout, "accept_eula = yes is written to %s\n", hostfs.MainConf)
		if result, findings, err = p.compile(layers); err != nil {
			return p.cannot("chkconfig", err)
		}
		accepted, from = eula.Accepted(result)
	}
	if format == "json" {
		err = findings.WriteJSON(p.stdout, strict)
	} else {
		err = findings.WriteText(p.stderr, report.Note)
	}
	if err != nil {
		return p.cannot("chkconfig", err)
	}
	if !accepted {
		fmt.Fprintf(p.stderr, "The licence is not accepted (accept_eula, %s): nothing will start.\n", from)
	}
	if findings.Fatal(strict) {
		return exitFailed
	}
	if format == "text" {
		fmt.Fprintln(p.stdout, "config is OK")
	}
	return exitOK
}

// terminal returns where a person who can answer on standard input is asked; nil if there is none.
func (p *program) terminal() io.Writer {
	if in, ok := p.stdin.(*os.File); !ok || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil { // stays open: the program ends soon
		return tty
	}
	if out, ok := p.stdout.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		return out
	}
	return nil
}
