package main

import (
	"errors"
	"flag"
	"fmt"

	"vernemq/appliance/report"
)

// check checks files, each as if it were vernemq.conf.
func (p *program) check(args []string) int {
	strict, format := false, (*string)(nil)
	files, ok := p.parseWords("config check", args, func(f *flag.FlagSet) {
		f.BoolVar(&strict, "strict", false, "")
		format = oneOf(f, "format", "text", "json")
	})
	if !ok {
		return exitCannot
	}
	if len(files) == 0 {
		p.misused("config check", errors.New("a file is needed"))
		return exitCannot
	}
	all, bad := &report.Report{}, false
	for _, name := range files {
		_, findings, err := p.compileFile(name)
		if err != nil {
			return p.cannot("config check", err)
		}
		bad = bad || findings.Fatal(strict)
		if *format == "json" {
			all.Merge(findings)
			continue
		}
		if err := findings.WriteText(p.stderr, report.Note); err != nil {
			return p.cannot("config check", err)
		}
		if !findings.Fatal(strict) {
			fmt.Fprintf(p.stdout, "%s is OK\n", name)
		}
	}
	if *format == "json" {
		if err := all.WriteJSON(p.stdout, strict); err != nil {
			return p.cannot("config check", err)
		}
	}
	if bad {
		return exitFailed
	}
	return exitOK
}
