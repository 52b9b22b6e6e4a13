package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"vernemq/appliance/hostfs"
	"vernemq/broker/admin"
	"vernemq/broker/store"
)

const storeHelp = `  verify            read every byte and say what is damaged; nothing is changed
  repair            give up what is damaged, keep it aside, and make the store usable again
  dump              print the records, one a line
  compact           give space back to the disk
  export [FILE]     write everything as lines of JSON; standard output by default
  import [FILE]     read an export into an empty store; standard input by default
  backup TO         copy the store to the new directory TO; also while the broker runs, which then writes it
  --dir DIR         the store; the one the configuration names by default
All but backup need a broker that does not run.
Exit status: 0 done, 1 damage or an error, 2 it could not be tried.
`

// store is vernemq store.
func (p *program) store(args []string) int {
	dir := ""
	words, ok := p.parseWords("store", args, func(f *flag.FlagSet) { f.StringVar(&dir, "dir", "", "") })
	if !ok {
		return exitCannot
	}
	if len(words) == 0 {
		p.misused("store", errors.New("want verify, repair, dump, compact, export, import or backup"))
		return exitCannot
	}
	verb, rest := words[0], words[1:]
	if most := map[string]int{"export": 1, "import": 1, "backup": 1}[verb]; len(rest) > most || verb == "backup" && len(rest) == 0 {
		p.misused("store", fmt.Errorf("store %s: wrong number of arguments", verb))
		return exitCannot
	}
	configured := dir == ""
	if configured {
		result, _, err := p.compile(layerFlags{})
		if err != nil {
			return p.cannot("store", err)
		}
		v, found := result.Get("store.dir")
		if !found {
			return p.cannot("store", errors.New("the configuration names no store.dir"))
		}
		dir = fmt.Sprint(v.Value)
	}
	dir = p.root.Path(dir)
	var err error
	switch verb {
	case "verify":
		return p.storeVerify(dir)
	case "repair":
		err = p.storeRepair(dir)
	case "dump":
		w := bufio.NewWriter(p.stdout)
		err = errors.Join(store.Dump(dir, w), w.Flush())
	case "compact":
		err = opened(dir, (*store.Durable).Compact)
	case "export":
		err = p.storeExport(dir, rest)
	case "import":
		err = p.storeImport(dir, rest)
	case "backup":
		return p.storeBackup(dir, rest[0], configured)
	default:
		p.misused("store", fmt.Errorf("there is no store %s", verb))
		return exitCannot
	}
	if err != nil {
		return p.storeFailed(verb, err)
	}
	return exitOK
}

func (p *program) storeFailed(verb string, err error) int {
	fmt.Fprintf(p.stderr, "vernemq store %s: %v\n", verb, err)
	locked := errors.Is(err, store.ErrLocked)
	if locked && verb != "backup" {
		fmt.Fprintln(p.stderr, "  to look at the store of a running broker: vernemq store backup TO, then vernemq store --dir TO "+verb)
	}
	if locked || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return exitCannot
	}
	return exitFailed
}

// opened calls f with the store open, which must exist.
func opened(dir string, f func(*store.Durable) error) error {
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	s, err := store.Open(store.Config{Dir: dir})
	if err != nil {
		return err
	}
	return errors.Join(f(s), s.Close())
}

func (p *program) storeVerify(dir string) int {
	r, err := store.Verify(dir)
	if err != nil {
		return p.storeFailed("verify", err)
	}
	fmt.Fprintf(p.stdout, "%s: %d sessions, %d messages for %d deliveries, %d retained; %d records in %d segments, %d bytes\n", p.root.Inside(dir),
		r.Sessions, r.Messages, r.Deliveries, r.Retained, r.Records, r.Segments, r.Bytes)
	if r.TornBytes > 0 {
		fmt.Fprintf(p.stdout, "%d bytes at the end were left by a crash before they were promised to anybody; the next start cuts them off\n", r.TornBytes)
	}
	for _, d := range r.Damage {
		fmt.Fprintln(p.stdout, d.Error())
	}
	if len(r.Damage) > 0 {
		fmt.Fprintln(p.stdout, "the store is damaged: restore a backup, or give up what is lost with vernemq store repair")
		return exitFailed
	}
	fmt.Fprintln(p.stdout, "no damage")
	return exitOK
}

func (p *program) storeRepair(dir string) error {
	lost, err := store.Repair(dir)
	for _, d := range lost {
		fmt.Fprintln(p.stdout, "given up:", d.Error())
	}
	if err == nil && len(lost) == 0 {
		fmt.Fprintln(p.stdout, "no damage, nothing was changed")
	}
	return err
}

func (p *program) storeExport(dir string, file []string) error {
	return opened(dir, func(s *store.Durable) error {
		if len(file) == 0 {
			w := bufio.NewWriter(p.stdout)
			return errors.Join(s.Export(w), w.Flush())
		}
		f, err := os.OpenFile(p.root.Path(file[0]), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600) // other people's messages
		if err != nil {
			return err
		}
		w := bufio.NewWriter(f)
		return errors.Join(s.Export(w), w.Flush(), f.Sync(), f.Close())
	})
}

func (p *program) storeImport(dir string, file []string) error {
	r := p.stdin
	if len(file) > 0 {
		f, err := os.Open(p.root.Path(file[0]))
		if err != nil {
			return err
		}
		defer f.Close()
		r = f
	}
	s, err := store.Open(store.Config{Dir: dir})
	if err != nil {
		return err
	}
	return errors.Join(s.Import(bufio.NewReader(r)), s.Close())
}

// storeBackup lets a running broker make the copy, if the store is the configured one and there is a broker.
func (p *program) storeBackup(dir, to string, configured bool) int {
	to = p.root.Path(to)
	if abs, err := filepath.Abs(to); err == nil {
		to = abs
	}
	if c, err := admin.Dial(p.root.Path(hostfs.AdminSocket)); configured && err == nil {
		defer c.Close()
		exit, err := c.Run(context.Background(), []string{"store", "backup", "dir=" + to}, admin.Options{}, io.Discard, p.stderr)
		if err != nil {
			return p.storeFailed("backup", err)
		}
		if exit != exitOK {
			fmt.Fprintln(p.stderr, "  the running broker writes the copy, as its own user; its service may write below "+hostfs.DataDir+" only")
		}
		return exit
	}
	if err := opened(dir, func(s *store.Durable) error { return s.Backup(to) }); err != nil {
		return p.storeFailed("backup", err)
	}
	return exitOK
}
