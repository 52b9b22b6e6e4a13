package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Boot is the first service of the root: it settles the boot entries, fulfils a factory reset, and puts the configuration partition in force. What goes
// wrong with one of them does not keep the others from being done; the error says what was not done.
func (s *System) Boot() error {
	var problems error
	failed := func(what string, err error) {
		if err != nil {
			s.say("%s: %v", what, err)
			problems = errors.Join(problems, fmt.Errorf("%s: %w", what, err))
		}
	}
	found, err := s.settle()
	failed("boot entries", err)
	status := Status{Version: found.Version, Slot: s.Booted.Slot, Trial: s.Booted.Trial, Other: s.other(found), Broker: "starting",
		NoData: s.exists(NoData)}

	var config bundle
	shell, request := false, ""
	err = s.Parts.With(PartConfig, false, func(dir string) error {
		_, noShell := os.Lstat(filepath.Join(dir, confShell))
		shell = noShell == nil
		var err error
		if request, err = resetRequest(s.Root, dir); err != nil {
			return err
		}
		config, err = readBundle(dir)
		return err
	})
	if err != nil {
		config = nil
		failed("configuration partition", err)
		request, err = resetRequest(s.Root, "")
		failed("factory reset", err)
	}
	if request != "" {
		return errors.Join(problems, s.reset(request))
	}

	failed("configuration", s.configure(config, &status))
	name := "vernemq"
	if text, err := os.ReadFile(s.Root.Path("/etc/hostname")); err == nil {
		name = strings.TrimSpace(string(text))
	}
	failed("host name", s.Host.Hostname(name))

	status.Update = s.outcome(found)
	if !status.Licence {
		status.Broker = "not started: the licence is not accepted"
	}
	if shell {
		status.DebugShell = true
		failed("debug shell", put(s.Root, DebugShell, nil, 0o600, 0))
	}
	fmt.Fprintf(s.Out, "\n%s\n", status.Text())
	failed("status", status.publish(s.Root, s.Parts))
	return problems
}

// outcome says what became of the last update, and remembers it.
func (s *System) outcome(found Settling) string {
	text := s.noted(outcomeFile)
	switch {
	case found.Failed != nil:
		reason := s.noted(reasonFile)
		if reason == "" {
			reason = "it did not boot"
		}
		text = fmt.Sprintf("%s was tried and not committed: %s. This is the system from before", found.Failed.Version, reason)
	case found.Worn != nil:
		text = fmt.Sprintf("%s does not boot any more. This is the system from before", found.Worn.Version)
	case s.Booted.Trial:
		return fmt.Sprintf("%s is on trial", found.Version)
	default:
		return text
	}
	if err := s.note(outcomeFile, text); err != nil {
		s.say("%v", err)
	}
	return text
}

// reset empties the data partition, or makes it anew if it cannot be used, and restarts.
func (s *System) reset(request string) error {
	s.say("FACTORY RESET: the data partition is emptied")
	wipe := func() error { return empty(s.Root, request) }
	if s.exists(NoData) {
		wipe = func() error { return s.Host.MakeData(s.noted(NoData)) }
	}
	if err := wipe(); err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	if err := s.Parts.With(PartConfig, true, takeOff); err != nil {
		s.say("factory reset: the request cannot be taken off the partition: %v", err)
	}
	s.say("factory reset done, restarting")
	return s.Host.Reboot()
}
