package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/appliance/reconfigure"
	"vernemq/appliance/report"
	"vernemq/appliance/service"
	"vernemq/appliance/source"
	"vernemq/broker/admin"
	"vernemq/broker/config"
	"vernemq/broker/listener"
	"vernemq/broker/node"
	"vernemq/broker/store"
)

// statusEvery is how often the line of systemctl status is brought up to date.
const statusEvery = 10 * time.Second

// serving is a broker that runs in this process.
type serving struct {
	*program
	layers    layerFlags
	facts     probe.Facts // of before the start: the broker changes how many threads run Go code
	files     *reconfigure.Snapshot
	plan      *plan.Plan
	compiled  string
	inherited []service.Socket
	signals   chan os.Signal
	log       *slog.Logger

	node *node.Node
	last atomic.Pointer[string] // what came of the last reload, for the status line
}

// run starts the broker and serves until a signal ends it.
func (s *serving) run(options *config.Options) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var given []listener.Inherited
	for _, i := range s.inherited {
		given = append(given, listener.Inherited(i))
	}
	n, err := node.Start(ctx, node.Params{
		Options: options, AdminSocket: s.root.Path(hostfs.AdminSocket), Version: version, Log: s.log, Progress: loading(s.log),
		Inherited: given, Keeper: service.NewFDStore(s.inherited), Reconfigurer: s.reconfigurer,
	})
	if err != nil {
		fmt.Fprintf(s.stderr, "vernemq foreground: the broker cannot start: %v\n", err)
		_ = service.Failed("cannot start: "+err.Error(), err)
		if errors.Is(err, store.ErrVersion) {
			return exitConfig // whoever started it shall not try again: the store will be the same
		}
		return exitFailed
	}
	s.node = n
	s.announce(options, n.Listening(), s.compiled, s.facts)
	s.plan, s.compiled = nil, "" // large, and not wanted any more
	if err := service.Ready(s.status()); err != nil {
		fmt.Fprintf(s.stderr, "vernemq foreground: %v\n", err)
	}
	tellParent()
	why := s.wait()
	fmt.Fprintf(s.stdout, "stopping: %v\n", why)
	_ = service.Stopping(fmt.Sprintf("stopping: %d clients are told", n.Connections()))
	return s.drain(n.Stop, s.signals)
}

// wait serves signals, the watchdog and the status line until a signal says to stop, and returns that.
func (s *serving) wait() os.Signal {
	status := time.NewTicker(statusEvery)
	defer status.Stop()
	var beat <-chan time.Time
	if interval := service.Watchdog(); interval > 0 { // three chances before the manager loses patience
		t := time.NewTicker(interval / 3)
		defer t.Stop()
		beat = t.C
		_ = service.Alive("")
	}
	heart := s.node.Heartbeat()
	for {
		select {
		case sig := <-s.signals:
			if sig != syscall.SIGHUP {
				return sig
			}
			go s.hangup()
		case <-beat:
			if stalled := heart.Beat(); len(stalled) == 0 {
				_ = service.Alive("")
			} else { // a broker with a loop that stands still stands still: the manager shall see it
				s.log.Error("event loops make no progress; the watchdog is not fed", "loops", stalled)
				_ = service.Status(fmt.Sprintf("event loops %v make no progress", stalled))
			}
		case <-status.C:
			_ = service.Status(s.status())
		}
	}
}

// hangup reloads on SIGHUP; what came of it is logged.
func (s *serving) hangup() {
	_, _ = s.node.Reconfigurer().Reload(context.Background()) // reloaded tells the result
}

// reconfigurer is what changes the configuration of n.
func (s *serving) reconfigurer(n *node.Node) admin.Reconfigurer {
	return reconfigure.New(reconfigure.Params{
		Root: s.root, Broker: n, Files: s.program.files(), Started: s.files, Plan: s.plan,
		Compile: func(files source.FS, runTime []compile.Setting) (*plan.Plan, *report.Report, error) {
			return s.compileFrom(files, s.layers, runTime, s.facts)
		},
		Begin: func() { _ = service.Reloading("reading the configuration anew") },
		End:   func(o *admin.Outcome, err error) { s.reloaded(n, o, err) },
	})
}

// reloaded tells the service manager and the log what came of a reload.
func (s *serving) reloaded(n *node.Node, o *admin.Outcome, err error) {
	said := ""
	var wrong *admin.Error
	switch {
	case errors.As(err, &wrong):
		said = "the last reload was refused: the configuration has errors"
		s.log.Error("the configuration is not reloaded, the old one stays in force")
		fmt.Fprintln(s.stderr, wrong.Text)
	case err != nil:
		said = "the last reload failed: " + err.Error()
		s.log.Error("the configuration is not reloaded, the old one stays in force", "reason", err)
	default:
		var live, later []string
		for _, c := range o.Changes {
			if c.Live {
				live = append(live, c.Key)
			} else {
				later = append(later, c.Key)
			}
		}
		s.log.Info("the configuration is reloaded", "changed", strings.Join(live, " "), "restart_for", strings.Join(later, " "))
		fmt.Fprint(s.stderr, o.Findings)
		if later != nil {
			said = "waiting for a restart: " + strings.Join(later, ", ")
		}
	}
	s.last.Store(&said)
	_ = service.Ready(statusOf(n, said))
}

// status is the line of systemctl status.
func (s *serving) status() string {
	if said := s.last.Load(); said != nil {
		return statusOf(s.node, *said)
	}
	return statusOf(s.node, "")
}

// statusOf says where the broker listens, how many clients there are, and what somebody should know.
func statusOf(n *node.Node, said string) string {
	var on []string
	for _, l := range n.Listening() {
		on = append(on, l[0]+" "+l[2])
	}
	const shown = 4
	if more := len(on) - shown; more > 0 {
		on = append(on[:shown], fmt.Sprintf("%d more", more))
	}
	text := "listening on " + strings.Join(on, ", ")
	if on == nil {
		text = "listening nowhere"
	}
	text += fmt.Sprintf("; %d clients", n.Connections())
	if said != "" {
		text += "; " + said
	}
	return text
}
