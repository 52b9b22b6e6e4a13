package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"time"

	"vernemq/appliance/doctor"
	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
)

// doctor examines the machine and the configuration.
func (p *program) doctor(args []string) int {
	var layers layerFlags
	var format *string
	all, host := false, ""
	if !p.parse("doctor", args, func(f *flag.FlagSet) {
		layers.add(f)
		f.BoolVar(&all, "all", false, "")
		f.StringVar(&host, "host", "", "")
		format = oneOf(f, "format", "text", "json")
	}) {
		return exitCannot
	}
	if err := isHost(host); err != nil {
		return p.cannot("doctor", err)
	}
	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("doctor", err)
	}
	licence, err := eula.Check(p.root, result)
	if errors.Is(err, fs.ErrPermission) {
		licence.Accepted = licence.Configured
	} else if err != nil {
		return p.cannot("doctor", err)
	}
	pid, _, err := runningPID(p.root.Path(hostfs.PIDFile))
	hidden := errors.Is(err, fs.ErrPermission)
	if err != nil && !hidden {
		return p.cannot("doctor", fmt.Errorf("find out whether the broker runs: %w", err))
	}
	found := doctor.Examine(doctor.Input{Root: p.root, Host: doctor.This(host), Plan: result, Findings: findings, Licence: licence,
		Running: pid, Hidden: hidden, Now: time.Now()})
	if *format == "json" {
		err = doctor.WriteJSON(p.stdout, found)
	} else {
		err = doctor.WriteText(p.stdout, found, all)
	}
	if err != nil {
		return p.cannot("doctor", err)
	}
	if doctor.Count(found, doctor.Error) > 0 {
		return exitFailed
	}
	return exitOK
}

// isHost refuses a directory of --host that is none: nothing of a machine could be read there, and all would look well. "" is this machine.
func isHost(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", dir)
	}
	if err != nil {
		return fmt.Errorf("--host: %w", err)
	}
	return nil
}
