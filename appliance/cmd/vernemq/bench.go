package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"vernemq/appliance/bench"
	"vernemq/broker/mqtt"
)

// benchHelp is what vernemq bench --help says beside the usage.
func benchHelp() string {
	var b strings.Builder
	b.WriteString("Modes:\n")
	for _, m := range bench.Modes() {
		fmt.Fprintf(&b, "  %-9s %s\n", m.Name, m.Doc)
	}
	b.WriteString(`  suite     the standard scenarios at a small size, as a table
  compare   A.json B.json: ratios of the medians of two files that --json wrote

The broker; nothing else is contacted:
  --addr HOST:PORT | unix:/PATH     or --host HOST --port PORT (1883)
  --user NAME  --password-file FILE the first line of FILE is the password
  --mqtt 3.1.1|5
  --pid PID[,PID]        the broker's processes on this machine: CPU time and memory are reported too

How much:
  --clients N            connections; pairs; publishers of fanin, subscribers of fanout
  --publishers N  --subscribers N
  --count N              retained messages, filters, messages for each absent session
  --qos 0|1|2  --size BYTES (64)
  --duration 3s  --warmup 300ms
  --rate N               messages a second of all publishers; latency counts from when a message was due
  --window N             without a rate: messages of a publisher under way end to end (48), -1 no limit
  --inflight N           unacknowledged messages of a publisher at QoS 1 and 2 (20)
  --batch N              without a rate: messages in one write
  --concurrency N        connections being opened at a time (64)
  --subscribe            idle: one subscription for each connection
  --persistent           pairs, fanin, fanout, wildcard: subscribers with persistent sessions, so that the broker keeps messages above QoS 0
  --leave                offline: the queues stay filled and the sessions stay; they are yours to delete
  --keepalive SECONDS    (0, none)
  --threads N            event loops of the generator (1)

What comes out:
  --json                 each result as a line of JSON
  --csv FILE             each result as a row of FILE, which may exist
  --name NAME            of the scenario in results
  --repeat N             so many runs
  --only REGEX           suite: the scenarios whose name it matches

Ctrl-C ends a run; what was measured until then is printed.
Exit status: 0 done, 1 messages were lost, repeated, out of order or corrupted beyond what the QoS allows, or a connection was lost; 2 it could not be tried.
`)
	return b.String()
}

// benchFlags are the flags of all modes.
type benchFlags struct {
	config                        bench.Config
	host, passwordFile, csv, only string
	port, repeat                  int
	json                          bool
}

func (b *benchFlags) declare(f *flag.FlagSet) {
	c := &b.config
	f.StringVar(&c.Addr, "addr", "", "")
	f.StringVar(&b.host, "host", "", "")
	f.IntVar(&b.port, "port", 0, "")
	f.StringVar(&c.User, "user", "", "")
	f.StringVar(&b.passwordFile, "password-file", "", "")
	f.IntVar(&c.QoS, "qos", 0, "")
	f.IntVar(&c.KeepAlive, "keepalive", 0, "")
	f.Float64Var(&c.Rate, "rate", 0, "")
	f.DurationVar(&c.Duration, "duration", 3*time.Second, "")
	f.DurationVar(&c.Warmup, "warmup", 300*time.Millisecond, "")
	f.BoolVar(&c.Subscribe, "subscribe", false, "")
	f.BoolVar(&c.Persistent, "persistent", false, "")
	f.BoolVar(&c.Leave, "leave", false, "")
	f.StringVar(&c.Label, "name", "", "")
	f.BoolVar(&b.json, "json", false, "")
	f.StringVar(&b.csv, "csv", "", "")
	f.StringVar(&b.only, "only", "", "")
	b.repeat = 1
	for name, to := range map[string]*int{"clients": &c.Clients, "publishers": &c.Publishers, "subscribers": &c.Subscribers, "count": &c.Count, "size": &c.Size,
		"window": &c.Window, "inflight": &c.Inflight, "batch": &c.Batch, "concurrency": &c.Concurrency, "threads": &c.Threads, "repeat": &b.repeat} {
		f.Func(name, "", func(text string) (err error) { // 0 means the default inside, so that nobody may give it
			if *to, err = strconv.Atoi(text); err != nil || *to == 0 {
				return fmt.Errorf("--%s needs a whole number other than 0", name)
			}
			return nil
		})
	}
	f.Func("mqtt", "", func(text string) error {
		switch text {
		case "3.1.1", "4":
			c.Version = mqtt.V311
		case "5", "5.0":
			c.Version = mqtt.V5
		default:
			return errors.New("--mqtt is 3.1.1 or 5")
		}
		return nil
	})
	f.Func("pid", "", func(text string) error {
		for word := range strings.SplitSeq(text, ",") {
			pid, err := strconv.Atoi(word)
			if err != nil || pid < 1 {
				return fmt.Errorf("%q is no process id", word)
			}
			c.PIDs = append(c.PIDs, pid)
		}
		return nil
	})
}

// complete puts together what several flags say.
func (b *benchFlags) complete() error {
	c := &b.config
	switch {
	case c.Addr != "" && (b.host != "" || b.port != 0):
		return errors.New("--addr and --host or --port: give one of them")
	case c.Addr == "" && b.host == "":
		return errors.New("which broker? --addr HOST:PORT or --addr unix:/PATH")
	case c.Addr == "":
		c.Addr = net.JoinHostPort(b.host, strconv.Itoa(cmp.Or(b.port, 1883)))
	}
	if b.repeat < 1 || b.repeat > 10_000 {
		return fmt.Errorf("--repeat %d is not in 1 to 10000", b.repeat)
	}
	if b.passwordFile != "" {
		text, err := os.ReadFile(b.passwordFile)
		if err != nil {
			return err
		}
		c.Password, _, _ = bytes.Cut(text, []byte("\n"))
		c.Password = bytes.TrimSuffix(c.Password, []byte("\r"))
	}
	return nil
}

// bench runs vernemq bench.
func (p *program) bench(args []string) int {
	var flags benchFlags
	words, ok := p.parseWords("bench", args, flags.declare)
	if !ok {
		return exitCannot
	}
	if len(words) == 0 {
		p.misused("bench", errors.New("which mode? "+choice(benchModes())))
		return exitCannot
	}
	mode, words := words[0], words[1:]
	if mode == "compare" {
		return p.benchCompare(words)
	}
	if len(words) > 0 {
		p.misused("bench", fmt.Errorf("unexpected %q", words[0]))
		return exitCannot
	}
	if !slices.Contains(benchModes(), mode) {
		p.misused("bench", fmt.Errorf("there is no mode %q: %s", mode, choice(benchModes())))
		return exitCannot
	}
	if err := flags.complete(); err != nil {
		p.misused("bench", err)
		return exitCannot
	}
	var todo []bench.Config
	if mode == "suite" {
		only, err := regexp.Compile(flags.only)
		if err != nil {
			p.misused("bench", err)
			return exitCannot
		}
		for _, s := range bench.Suite() {
			if only.MatchString(s.Name) {
				todo = append(todo, s.Config(flags.config))
			}
		}
	} else {
		flags.config.Mode = mode
		todo = []bench.Config{flags.config}
	}
	return p.benchAll(&flags, todo, mode == "suite")
}

func benchModes() (names []string) {
	for _, m := range bench.Modes() {
		names = append(names, m.Name)
	}
	return append(names, "suite", "compare")
}

// benchAll does the runs and prints their results.
func (p *program) benchAll(flags *benchFlags, todo []bench.Config, table bool) (status int) {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // a second signal ends the program at once
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), flags.config.Threads+1))
	var file *bench.CSV
	if flags.csv != "" {
		var err error
		if file, err = bench.OpenCSV(flags.csv); err != nil {
			return p.cannot("bench", err)
		}
		defer func() { _ = file.Close() }() // rows are written one by one, and that is where errors show
	}
	var results []*bench.Result
	for range flags.repeat {
		for _, c := range todo {
			progress := p.benchProgress(&c)
			r, err := bench.Run(ctx, c)
			progress()
			if errors.Is(err, bench.ErrInterrupted) && len(results) > 0 {
				break
			}
			if err != nil {
				return p.cannot("bench", err)
			}
			results = append(results, r)
			if len(r.Problems) > 0 {
				status = exitFailed
			}
			if file != nil {
				err = file.Add(r)
			}
			switch {
			case flags.json:
				err = errors.Join(err, r.WriteJSON(p.stdout))
			case !table:
				err = errors.Join(err, r.WriteText(p.stdout))
			}
			if err != nil {
				return p.cannot("bench", err)
			}
			if ctx.Err() != nil {
				break
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if table && !flags.json {
		if err := bench.WriteTable(p.stdout, results); err != nil {
			return p.cannot("bench", err)
		}
	}
	return status
}

// benchProgress shows on a terminal, each second, how far a run has come. The function it returns takes the line away.
func (p *program) benchProgress(c *bench.Config) (end func()) {
	f, ok := p.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	const clear = "\r\x1b[K"
	name := cmp.Or(c.Label, c.Mode)
	last := int64(0)
	c.Progress = func(now *bench.Progress) {
		fmt.Fprintf(f, "%s%s: %s, %d s, %d connected, %d delivered, %d/s", clear, name, now.Phase, int(now.Elapsed.Seconds()), now.Connected, now.Delivered,
			now.Delivered-last)
		last = now.Delivered
	}
	return func() { fmt.Fprint(f, clear) }
}

// benchCompare prints the ratios of two files of results.
func (p *program) benchCompare(names []string) int {
	if len(names) != 2 {
		p.misused("bench", errors.New("compare needs two files of results"))
		return exitCannot
	}
	var sets [2][]*bench.Result
	for i, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return p.cannot("bench", err)
		}
		sets[i], err = bench.ReadResults(f)
		f.Close()
		if err != nil {
			return p.cannot("bench", fmt.Errorf("%s: %w", name, err))
		}
	}
	list := bench.Compare(sets[0], sets[1])
	if len(list) == 0 {
		return p.cannot("bench", fmt.Errorf("%s and %s have no scenario in common", names[0], names[1]))
	}
	if err := bench.WriteComparison(p.stdout, list); err != nil {
		return p.cannot("bench", err)
	}
	return exitOK
}
