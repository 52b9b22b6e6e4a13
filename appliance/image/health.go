package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// What a broker has to do to be called well.
const (
	healthTime  = 4 * time.Minute // from the start of the judgement
	healthEvery = time.Second
	healthRuns  = 5 // in a row
	healthRound = 5 * time.Second
)

// Health waits until the broker is well: the service manager has seen its readiness and messages go through it, several times in a row. A trial is then
// committed, or given up by a restart; a committed system goes on in any case, and installs an update that waits for it.
func (s *System) Health(ctx context.Context) error {
	status, err := LoadStatus(s.Root)
	if err != nil {
		return fmt.Errorf("what the boot has found: %w", err)
	}
	begin, reason := time.Now(), s.wait(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // a restart that somebody else wants is no verdict
	case reason == nil:
		status.Broker = "ready, a message went through it"
		s.say("the broker is ready and a message went through it, %.1f s after it was asked first", time.Since(begin).Seconds())
	case status.Licence:
		status.Broker = "not well: " + reason.Error()
		s.say("the broker is NOT well: %v", reason)
	}
	if s.Booted.Trial {
		if reason != nil {
			return s.giveUp(reason)
		}
		if err := s.commit(&status); err != nil {
			return s.giveUp(err)
		}
	}
	if err := status.publish(s.Root, s.Parts); err != nil {
		s.say("status: %v", err)
	}
	return s.installWaiting(&status)
}

// Guard gives a trial up that nobody has judged after the time limit: the judge itself may be among what does not start. It does nothing on a committed
// system.
func (s *System) Guard(ctx context.Context, limit time.Duration) error {
	if !s.Booted.Trial {
		return nil
	}
	if err := s.Host.Pause(ctx, limit); err != nil {
		return err
	}
	if status, err := LoadStatus(s.Root); err == nil && !status.Trial {
		return nil
	}
	return s.giveUp(fmt.Errorf("after %v it was still not judged", limit))
}

// wait returns nil when the broker is well, else why it is not.
func (s *System) wait(ctx context.Context) (reason error) {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	for well := 0; well < healthRuns; {
		active, state := s.Host.BrokerActive(ctx)
		if active {
			round, done := context.WithTimeout(ctx, healthRound)
			reason = s.Host.RoundTrip(round)
			done()
		} else {
			reason = fmt.Errorf("%w: %s", errUnhealthy, state)
		}
		well++
		if reason != nil {
			well = 0
			if state == "failed" || state == "inactive" { // it was started before this service, and nothing will start it again
				return reason
			}
		}
		if err := s.Host.Pause(ctx, healthEvery); err != nil {
			return errors.Join(reason, err)
		}
	}
	return nil
}

// giveUp leaves the reason for the system from before, and goes back to it.
func (s *System) giveUp(reason error) error {
	s.say("the update is NOT committed: %v; restarting into the system from before", reason)
	return errors.Join(s.note(reasonFile, reason.Error()), s.Host.Reboot())
}

// commit makes the system that runs the one that boots.
func (s *System) commit(status *Status) error {
	err := s.Parts.With(PartESP, true, func(esp string) error {
		entries, err := Entries(esp)
		if err != nil {
			return err
		}
		remove, write, err := Commit(entries, s.Booted)
		if err != nil {
			return err
		}
		return writeEntries(s.Media, esp, remove, write)
	})
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	status.Trial, status.Update = false, status.Version+" is installed"
	s.Booted.Trial = false
	s.say("update to %s: committed", status.Version)
	return errors.Join(s.note(outcomeFile, status.Update), s.note(reasonFile, ""))
}

// installWaiting installs the first update that lies on the configuration partition or in the data partition's directory for updates, and restarts. A
// file that was installed is deleted, for its room; one that was refused gets another name. Both are known again if that could not be done.
func (s *System) installWaiting(status *Status) error {
	var problems error
	try := func(dir string) (done bool) {
		names, err := filepath.Glob(filepath.Join(dir, "*"+updateSuffix))
		if err != nil {
			problems = errors.Join(problems, err)
			return false
		}
		slices.Sort(names)
		for _, name := range names {
			if s.tried(name) {
				continue
			}
			refused := s.Update(name)
			problems = errors.Join(problems, s.remember(name))
			if refused == nil {
				err = os.Remove(name)
			} else {
				err = os.Rename(name, name+refusedMark)
			}
			if err != nil && !errors.Is(err, errReadOnly) {
				problems = errors.Join(problems, err)
			}
			if refused == nil {
				return true
			}
			outcome := fmt.Sprintf("%s was refused: %v", filepath.Base(name), refused)
			s.say("%s", outcome)
			status.Update = outcome
			problems = errors.Join(problems, s.note(outcomeFile, outcome))
		}
		return false
	}
	done := false
	err := s.Parts.With(PartConfig, true, func(dir string) error { done = try(dir); return nil })
	if errors.Is(err, errReadOnly) {
		err = s.Parts.With(PartConfig, false, func(dir string) error { done = try(dir); return nil })
	}
	problems = errors.Join(problems, err)
	if !done {
		done = try(s.Root.Path(updateDir))
	}
	if done {
		return errors.Join(problems, s.Host.Reboot())
	}
	return errors.Join(problems, status.publish(s.Root, s.Parts))
}

// mark identifies a file by name, size and time: enough to know one again that could not be renamed.
func mark(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", filepath.Base(name), info.Size(), info.ModTime().Unix())
}

func (s *System) tried(name string) bool {
	m := mark(name)
	return m == "" || slices.Contains(strings.Split(s.noted(triedFile), "\n"), m)
}

// remember keeps the last few.
func (s *System) remember(name string) error {
	const most = 20
	list := append(strings.Split(s.noted(triedFile), "\n"), mark(name))
	return s.note(triedFile, strings.TrimSpace(strings.Join(list[max(len(list)-most, 0):], "\n")))
}
