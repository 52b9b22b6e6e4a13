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
	"vernemq/appliance/eula"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/plan"
	"vernemq/appliance/probe"
	"vernemq/appliance/report"
	"vernemq/appliance/service"
	"vernemq/appliance/source"
	"vernemq/broker/config"
	"vernemq/broker/node"
)

const (
	drainTime = 30 * time.Second // for telling the clients and publishing wills
	graceTime = 2 * time.Second  // for a broker that does not heed the end of drainTime
	backlog   = 4096             // of the listening sockets
)

// foreground runs the broker until it is told to stop: licence, configuration, limits, start, wait, drain.
func (p *program) foreground(args []string) int {
	var layers layerFlags
	if !p.parse("foreground", args, layers.add) {
		return exitFailed
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	result, findings, err := p.compile(layers)
	if err != nil {
		return p.cannot("foreground", err)
	}
	licence, err := eula.Check(p.root, result)
	if err != nil {
		return p.cannot("foreground", err)
	}
	if !licence.Accepted {
		fmt.Fprint(p.stderr, licence.Refusal())
		return eula.ExitStatus
	}
	if err := findings.WriteText(p.stderr, report.Warning); err != nil {
		return p.cannot("foreground", err)
	}
	if findings.Fatal(false) {
		return exitConfig
	}
	pid, err := acquirePID(p.root.Path(hostfs.PIDFile))
	if errors.Is(err, errRunning) {
		fmt.Fprintf(p.stderr, "Node is already running! Another broker uses %s; stop it, or give this one a --root of its own.\n",
			p.root.Path(hostfs.PIDFile))
		return exitFailed
	}
	if err != nil {
		return p.cannot("foreground", err)
	}
	defer pid.release()

	if !licence.Recorded() {
		if err := eula.Save(p.root, time.Now(), "accept_eula = yes, "+licence.From.String()); err != nil {
			return p.cannot("foreground", err)
		}
	}
	compiled, err := result.Save(p.root, time.Now())
	if err != nil {
		return p.cannot("foreground", err)
	}
	options, err := config.Load(p.root.Path(plan.CurrentFile), p.root.Path)
	if err != nil {
		return p.cannot("foreground", err)
	}
	p.selfCheck(options)
	return p.serve(options, compiled, probe.This().Facts(), signals)
}

// serve runs the broker with its options until a signal comes. facts are of before: the broker changes how many threads run Go code.
func (p *program) serve(options *config.Options, compiled string, facts probe.Facts, signals <-chan os.Signal) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n, err := node.Start(ctx, node.Params{
		Options: options, AdminSocket: p.root.Path(hostfs.AdminSocket), Version: version, Log: slog.New(slog.NewTextHandler(p.stdout, nil)),
		Progress: loading(time.Now()),
	})
	if err != nil {
		fmt.Fprintf(p.stderr, "vernemq foreground: the broker cannot start: %v\n", err)
		return exitFailed
	}
	p.announce(options, n.Listening(), compiled, facts)
	if err := service.Ready(fmt.Sprintf("%d listeners", len(n.Listening()))); err != nil {
		fmt.Fprintf(p.stderr, "vernemq foreground: %v\n", err)
	}
	tellParent()

	fmt.Fprintf(p.stdout, "stopping: %v\n", <-signals)
	_ = service.Stopping("draining")
	return p.drain(n.Stop, signals)
}

// loading tells the service manager how far the store has been read, and asks it for more time, once a second.
func loading(last time.Time) func(done, total int64) {
	return func(done, total int64) {
		if now := time.Now(); now.Sub(last) >= time.Second && total > 0 {
			last = now
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
	select {
	case err := <-done:
		if err != nil {
			fmt.Fprintf(p.stderr, "vernemq foreground: not all was drained: %v\n", err)
			return exitFailed
		}
		fmt.Fprintln(p.stdout, "stopped")
		return exitOK
	case s := <-signals:
		fmt.Fprintf(p.stderr, "vernemq foreground: %v again, stopping at once\n", s)
	case <-time.After(drainTime + graceTime):
		fmt.Fprintf(p.stderr, "vernemq foreground: not stopped within %v, giving up\n", drainTime)
	}
	return exitFailed
}

// selfCheck raises the limit of open files and prints what is too low for the configuration.
func (p *program) selfCheck(o *config.Options) {
	if _, _, err := probe.RaiseNoFile(); err != nil {
		fmt.Fprintf(p.stderr, "warning: %v\n", err)
	}
	need := probe.Need{Backlog: backlog}
	for _, l := range o.Listeners {
		if l.MaxConnections < 0 {
			need.Connections = -1
		} else if need.Connections >= 0 {
			need.Connections += int64(l.MaxConnections)
		}
		if len(l.BufferSizes) == 3 {
			need.SendBuffer = max(need.SendBuffer, int64(l.BufferSizes[0]))
			need.ReceiveBuffer = max(need.ReceiveBuffer, int64(l.BufferSizes[1]))
		}
	}
	for _, l := range probe.This().Check(need) {
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
