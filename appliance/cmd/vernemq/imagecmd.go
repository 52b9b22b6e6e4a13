package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"vernemq/appliance/image"
	"vernemq/appliance/plan"
	"vernemq/appliance/report"
	"vernemq/appliance/service"
)

// repartDir tells systemd-repart which partition may grow.
const repartDir = "/usr/lib/vernemq/repart"

// imageCommands are the words behind vernemq image: what an operator of an appliance uses, what its services call, what builds it.
func imageCommands() []command {
	return []command{
		{"status", "[--format=json]", "what this appliance runs, and what became of its configuration and its last update", helpJSON, (*program).imageStatus},
		{"update", "FILE [--no-reboot]", "install a signed update into the slot that does not run, restart, and try it once",
			"FILE may be - for standard input. An update that does not get the broker to deliver a message is given up by itself.\n" +
				"Exit status: 0 written, 1 refused or failed; nothing that runs was changed.\n", (*program).imageUpdate},
		{"reset", "--yes", "empty the data partition and restart: everything but the configuration partition is lost", "", (*program).imageReset},
		{"boot", "", "apply the configuration partition; the appliance's first service", "", (*program).imageBoot},
		{"health", "", "judge the broker, commit an update, install one that waits; a service of the appliance", "", (*program).imageHealth},
		{"guard", "[--after DURATION]", "give an update up that nobody has judged in time; a service of the appliance", "", (*program).imageGuard},
		{"grow", "", "make the data partition as large as the disk allows; a service of the appliance", "", (*program).imageGrow},
		{"key", "FILE | --public FILE", "make a key pair for signing updates, or print the public half of one",
			"The file holds the private key and is never overwritten. Who has it can replace what the appliances run.\n", (*program).imageKey},
		{"pack", "--key FILE --version V --arch A --cmdline C --linux FILE --initrd FILE --rootfs FILE --output FILE", "make a signed update",
			"", (*program).imagePack},
		{"verify", "--key FILE UPDATE", "check the signature and every byte of an update", "--key is the public key, image-key.pub of the image.\n", (*program).imageVerify},
		{"lay", "--key FILE --esp DIR --slot-file FILE UPDATE", "lay an update out as the first slot of a new disk", "", (*program).imageLay},
	}
}

// appliance returns the appliance this program runs on.
func (p *program) appliance() (*image.System, error) {
	cmdline, err := image.Cmdline()
	if err != nil {
		return nil, err
	}
	booted, ok := image.ParseBooted(cmdline)
	if !ok {
		return nil, errors.New("this machine was not booted from the appliance's image")
	}
	key, err := image.PublicKey(p.root.Path(image.KeyFile))
	if err != nil {
		return nil, err
	}
	gid := 0
	if g, err := user.LookupGroup(service.User); err == nil {
		gid, _ = strconv.Atoi(g.Gid) // the system's own file
	}
	return &image.System{
		Root: p.root, Parts: image.Mounted{}, Media: image.Disk{}, Booted: booted, Arch: runtime.GOARCH, Key: key, Host: image.Machine{},
		Compile: func() (*plan.Plan, *report.Report, error) { return p.compile(layerFlags{}) }, Out: p.stdout, GID: gid,
	}, nil
}

// onAppliance runs f, unless this is no appliance.
func (p *program) onAppliance(name string, f func(*image.System) error) int {
	s, err := p.appliance()
	if err != nil {
		return p.cannot("image "+name, err)
	}
	return p.imageDone(name, f(s))
}

// untilStopped is onAppliance for a service, which ends without a verdict when the machine stops.
func (p *program) untilStopped(name string, f func(*image.System, context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return p.onAppliance(name, func(s *image.System) error {
		if err := f(s, ctx); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
}

// imageDone tells an error, if there is one.
func (p *program) imageDone(name string, err error) int {
	if err != nil {
		fmt.Fprintf(p.stderr, "vernemq image %s: %v\n", name, err)
		return exitFailed
	}
	return exitOK
}

func (p *program) imageBoot(args []string) int {
	if !p.noArgs("image boot", args) {
		return exitCannot
	}
	return p.onAppliance("boot", (*image.System).Boot)
}

func (p *program) imageHealth(args []string) int {
	if !p.noArgs("image health", args) {
		return exitCannot
	}
	return p.untilStopped("health", (*image.System).Health)
}

func (p *program) imageGuard(args []string) int {
	limit := 10 * time.Minute
	if !p.parse("image guard", args, func(f *flag.FlagSet) { f.DurationVar(&limit, "after", limit, "") }) {
		return exitCannot
	}
	return p.untilStopped("guard", func(s *image.System, ctx context.Context) error { return s.Guard(ctx, limit) })
}

func (p *program) imageGrow(args []string) int {
	if !p.noArgs("image grow", args) {
		return exitCannot
	}
	return p.onAppliance("grow", func(s *image.System) error { return image.Grow(s.Parts, p.root.Path(repartDir)) })
}

func (p *program) imageStatus(args []string) int {
	var format *string
	if !p.parse("image status", args, func(f *flag.FlagSet) { format = oneOf(f, "format", "", "json") }) {
		return exitCannot
	}
	if *format == "json" {
		data, err := os.ReadFile(p.root.Path(image.StatusFile))
		if err != nil {
			return p.cannot("image status", err)
		}
		_, err = p.stdout.Write(data)
		return p.imageDone("status", err)
	}
	status, err := image.LoadStatus(p.root)
	if err != nil {
		return p.cannot("image status", err)
	}
	fmt.Fprint(p.stdout, status.Text())
	return exitOK
}

func (p *program) imageUpdate(args []string) int {
	stay := false
	file, ok := p.parseOne("image update", args, "file", func(f *flag.FlagSet) { f.BoolVar(&stay, "no-reboot", false, "") })
	if !ok {
		return exitCannot
	}
	return p.onAppliance("update", func(s *image.System) error {
		name := p.root.Path(file)
		if file == "-" {
			staged, err := s.Stage(p.stdin)
			if err != nil {
				return err
			}
			defer func() { _ = os.Remove(staged) }() // the next one takes its place
			name = staged
		}
		if err := s.Update(name); err != nil || stay {
			return err
		}
		return s.Host.Reboot()
	})
}

func (p *program) imageReset(args []string) int {
	yes := false
	if !p.parse("image reset", args, func(f *flag.FlagSet) { f.BoolVar(&yes, "yes", false, "") }) {
		return exitCannot
	}
	if !yes {
		p.misused("image reset", errors.New("everything on the data partition will be lost: say --yes"))
		return exitCannot
	}
	return p.onAppliance("reset", func(s *image.System) error { return errors.Join(s.RequestReset(), s.Host.Reboot()) })
}
