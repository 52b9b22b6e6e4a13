package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"vernemq/appliance/container"
	"vernemq/appliance/doctor"
	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/appliance/reconfigure"
	"vernemq/appliance/report"
	"vernemq/appliance/service"
	"vernemq/appliance/source"
	"vernemq/broker/config"
)

const (
	drainTime = 30 * time.Second // for telling the clients and publishing wills
	graceTime = 2 * time.Second  // for a broker that does not heed the end of drainTime
)

// foreground runs the broker until it is told to stop: licence, configuration, limits, start, wait, drain. It tells the service manager why when it
// does not start.
func (p *program) foreground(args []string) int {
	var layers layerFlags
	if !p.parse("foreground", args, layers.addStart) {
		return exitCannot
	}
	if u, other, err := p.account(layers.user); err != nil {
		return p.failed(err)
	} else if other {
		return p.failed(p.become(u, args))
	}
	log := slog.New(slog.NewTextHandler(p.stdout, nil))
	if h, ok := service.Journal(); ok {
		log, p.stderr = slog.New(h), service.Prefixed(p.stderr)
	}
	inherited := service.Sockets()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)

	facts := probe.This().Facts()
	files := reconfigure.NewSnapshot(p.files())
	result, findings, err := p.compileFrom(files, layers, nil, facts)
	if err != nil {
		return p.failed(err)
	}
	licence, refused, err := p.admit(result, findings, report.Warning)
	if err != nil {
		return p.failed(err)
	}
	if refused != nil {
		_ = service.Failed(refused.why, nil)
		return refused.status
	}
	pid, err := acquirePID(p.root.Path(hostfs.PIDFile))
	if errors.Is(err, errRunning) {
		fmt.Fprintf(p.stderr, "Node is already running! Another broker uses %s; stop it, or give this one a --root of its own.\n",
			p.root.Path(hostfs.PIDFile))
		_ = service.Failed("another broker uses "+p.root.Path(hostfs.PIDFile), nil)
		return exitFailed
	}
	if err != nil {
		return p.failed(err)
	}
	defer pid.release()

	if !licence.Recorded() {
		if err := eula.Save(p.root, time.Now(), "accept_eula = yes, "+licence.From.String()); err != nil {
			return p.failed(err)
		}
	}
	compiled, err := result.Save(p.root, time.Now())
	if err != nil {
		return p.failed(err)
	}
	options, err := config.Load(p.root.Path(plan.CurrentFile), p.root.Path)
	if err != nil {
		return p.failed(err)
	}
	p.selfCheck(result)
	s := &serving{program: p, layers: layers, facts: facts, files: files, plan: result, compiled: compiled, inherited: inherited, signals: signals,
		log: log}
	return s.run(options)
}

// failed says what kept the broker from being tried, here and to the service manager.
func (p *program) failed(err error) int {
	_ = service.Failed(err.Error(), err)
	return p.cannot("foreground", err)
}

// loading tells the log and the service manager how far the store has been read, and asks the latter for more time, once a second.
func loading(log *slog.Logger) func(done, total int64) {
	last := time.Now()
	return func(done, total int64) {
		if now := time.Now(); now.Sub(last) >= time.Second && total > 0 {
			last = now
			log.Info("reading the store", "percent", done*100/total, "bytes", done)
			_ = service.Loading(fmt.Sprintf("reading the store: %d %%", done*100/total))
		}
	}
}

// drain stops the broker. A second signal, or a broker that takes too long, ends the waiting.
func (p *program) drain(stop func(context.Context) error, signals <-chan os.Signal) int {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- stop(ctx) }()
	late := time.After(drainTime + graceTime)
	for {
		select {
		case err := <-done:
			if err != nil {
				fmt.Fprintf(p.stderr, "vernemq foreground: not all was drained: %v\n", err)
				return exitFailed
			}
			fmt.Fprintln(p.stdout, "stopped")
			return exitOK
		case s := <-signals:
			if s == syscall.SIGHUP {
				continue // there is nothing left to reload
			}
			fmt.Fprintf(p.stderr, "vernemq foreground: %v again, stopping at once\n", s)
		case <-late:
			fmt.Fprintf(p.stderr, "vernemq foreground: not stopped within %v, giving up\n", drainTime)
		}
		return exitFailed
	}
}

// selfCheck raises the limit of open files and prints what is too low for the configuration.
func (p *program) selfCheck(result *plan.Plan) {
	if _, _, err := probe.RaiseNoFile(); err != nil {
		fmt.Fprintf(p.stderr, "warning: %v\n", err)
	}
	for _, l := range probe.This().Check(doctor.Need(result)) {
		fmt.Fprintf(p.stdout, "limit too low: %s\n", l)
	}
}

// announce prints what an operator wants to know first.
func (p *program) announce(o *config.Options, listening [][3]string, compiled string, facts probe.Facts) {
	fmt.Fprintf(p.stdout, "vernemq %s, node %s\n", version, o.NodeName)
	for _, l := range listening {
		fmt.Fprintf(p.stdout, "  listening      %s %s on %s\n", l[0], l[1], l[2])
	}
	if len(listening) == 0 {
		fmt.Fprintln(p.stdout, "  listening      nowhere")
	}
	conf := p.root.Path(hostfs.MainConf)
	if local, _, _ := container.Local(source.Host(p.root), nil); local != "" && inContainer() {
		conf = p.root.Path(local)
	}
	if _, err := os.Stat(conf); err != nil {
		conf = "built in (there is no " + conf + ")"
	}
	fmt.Fprintf(p.stdout, "  configuration  %s\n  compiled       %s\n  data           %s\n  log            standard output\n",
		conf, p.root.Path(compiled), p.root.Path(hostfs.DataDir))
	fmt.Fprintf(p.stdout, "  machine        %d cores, %d MB of memory, %d MB of it available\n",
		facts.Cores, facts.MemoryTotal>>20, facts.MemoryAvailable>>20)
	anonymous := "refused"
	if o.AllowAnonymous {
		anonymous = "let in (allow_anonymous = on)"
	} else {
		for _, l := range o.Listeners {
			if l.AllowAnonymous {
				anonymous = "let in on some listeners (allow_anonymous_override = on)"
			}
		}
	}
	fmt.Fprintf(p.stdout, "  anonymous      %s\n", anonymous)
}
