package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/term"

	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
)

// chkconfig checks the configuration. On a terminal it asks to accept the licence first, if that is open. It writes nothing but the acceptance.
func (p *program) chkconfig(args []string) int {
	var layers layerFlags
	strict, format := false, (*string)(nil)
	if !p.parse("chkconfig", args, func(f *flag.FlagSet) {
		layers.add(f)
		f.BoolVar(&strict, "strict", false, "")
		format = oneOf(f, "format", "text", "json")
	}) {
		return exitCannot
	}
	acceptNow := layers.acceptEULA
	layers.acceptEULA = false // what counts is what stands in the files
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("chkconfig", err)
	}
	state, err := p.licence(result)
	if err != nil {
		return p.cannot("chkconfig", err)
	}
	how, ask := "vernemq chkconfig --accept-eula", (*eula.Screen)(nil)
	if !acceptNow && *format == "text" && !state.Accepted {
		how, ask = "an answer to vernemq chkconfig", p.screen()
	}
	if ask != nil {
		if state.Changed {
			fmt.Fprint(ask.Out, "The terms have changed since they were accepted.\n\n")
		}
		yes, err := eula.Ask(*ask)
		if err != nil {
			return p.cannot("chkconfig", err)
		}
		if !yes {
			fmt.Fprintln(p.stderr, "Product license not accepted. Stopping.")
			return eula.ExitStatus
		}
	}
	if ask != nil || acceptNow && !(state.Accepted && state.Recorded()) {
		if _, findings, state, err = p.accept(layers, state, how); err != nil {
			return p.cannot("chkconfig", err)
		}
	}
	if *format == "json" {
		err = findings.WriteJSON(p.stdout, strict)
	} else {
		err = findings.WriteText(p.stderr, report.Note)
	}
	if err != nil {
		return p.cannot("chkconfig", err)
	}
	switch {
	case state.Changed:
		fmt.Fprint(p.stderr, state.Refusal())
	case !state.Accepted && denied(findings):
		fmt.Fprintf(p.stderr, "Whether the licence is accepted is not known: %s.\n", runWithSudo)
	case !state.Accepted:
		fmt.Fprintf(p.stderr, "The licence is not accepted (accept_eula, %s): nothing will start.\n", state.From)
	}
	if findings.Fatal(strict) {
		return exitFailed
	}
	if *format == "text" {
		fmt.Fprintln(p.stdout, "config is OK")
	}
	return exitOK
}

// licence is eula.Check for somebody who may not read the record, which must not keep from checking the configuration.
func (p *program) licence(result *plan.Plan) (eula.State, error) {
	state, err := eula.Check(p.root, result)
	if errors.Is(err, fs.ErrPermission) {
		fmt.Fprintf(p.stderr, "vernemq chkconfig: %v: whether the accepted licence is this one is not known; %s\n", err, runWithSudo)
		state.Accepted = state.Configured
		return state, nil
	}
	return state, err
}

// accept writes that the licence is accepted, and compiles again.
func (p *program) accept(layers layerFlags, state eula.State, how string) (*plan.Plan, *report.Report, eula.State, error) {
	if !state.Configured {
		if err := eula.Accept(p.root); err != nil {
			return nil, nil, state, err
		}
		fmt.Fprintf(p.stdout, "accept_eula = yes is written to %s\n", hostfs.MainConf)
	}
	if err := eula.Save(p.root, time.Now(), how); err != nil {
		return nil, nil, state, err
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return nil, nil, state, err
	}
	state, err = eula.Check(p.root, result)
	return result, findings, state, err
}

// screen returns the terminal of a person who can answer on standard input; nil if there is none.
func (p *program) screen() *eula.Screen {
	in, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	var out io.Writer
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil { // stays open: the program ends soon
		out = tty
	} else if stdout, ok := p.stdout.(*os.File); ok && term.IsTerminal(int(stdout.Fd())) {
		out = stdout
	} else {
		return nil
	}
	s := &eula.Screen{In: p.stdin, Out: out, Pager: os.Getenv("PAGER")}
	if cols, rows, err := term.GetSize(int(in.Fd())); err == nil {
		s.Cols, s.Rows = cols, rows
	}
	return s
}
