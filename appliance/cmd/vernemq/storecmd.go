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
	"slices"

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
All but backup and compact need a broker that does not run. For root they run as the user whom the store belongs to.
Exit status: 0 done, 1 damage or an error, 2 it could not be tried: there is no store, or a broker uses it.
`

var storeVerbs = []string{"verify", "repair", "dump", "compact", "export", "import", "backup"}

// store is vernemq store.
func (p *program) store(args []string) int {
	dir := ""
	words, ok := p.parseWords("store", args, func(f *flag.FlagSet) { f.StringVar(&dir, "dir", "", "") })
	if !ok {
		return exitCannot
	}
	if len(words) == 0 {
		p.misused("store", errors.New("want "+choice(storeVerbs)))
		return exitCannot
	}
	verb, rest := words[0], words[1:]
	if !slices.Contains(storeVerbs, verb) {
		p.misused("store", fmt.Errorf("there is no store %s", verb))
		return exitCannot
	}
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
	if _, err := os.Stat(dir); err != nil && verb != "import" {
		return p.cannot("store "+verb, err)
	}
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
		return p.storeOnline("compact", configured, nil, func() error { return opened(dir, (*store.Durable).Compact) })
	case "export":
		err = p.storeExport(dir, rest)
	case "import":
		err = p.storeImport(dir, rest)
	case "backup":
		return p.storeBackup(dir, rest[0], configured)
	}
	if err != nil {
		return p.storeFailed(verb, err)
	}
	return exitOK
}

func (p *program) storeFailed(verb string, err error) int {
	fmt.Fprintf(p.stderr, "vernemq store %s: %v\n", verb, err)
	switch {
	case errors.Is(err, store.ErrLocked) && (verb == "verify" || verb == "dump" || verb == "export"):
		fmt.Fprintln(p.stderr, "  to look at the store of a running broker: vernemq store backup TO, then vernemq store --dir TO "+verb)
	case errors.Is(err, store.ErrNone):
		fmt.Fprintln(p.stderr, "  the broker makes it when it starts, vernemq store import from an export")
	}
	if errors.Is(err, store.ErrLocked) || errors.Is(err, store.ErrNone) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return exitCannot
	}
	return exitFailed
}

// opened calls f with the store open, which must exist.
func opened(dir string, f func(*store.Durable) error) error {
	if err := asOwner(dir); err != nil {
		return err
	}
	s, err := store.Open(store.Config{Dir: dir, Existing: true})
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
	fmt.Fprintf(p.stdout, "%s: %d sessions, %d messages for %d deliveries, %d retained, %d API keys; %d records in %d segments, %d bytes\n", p.root.Inside(dir),
		r.Sessions, r.Messages, r.Deliveries, r.Retained, r.APIKeys, r.Records, r.Segments, r.Bytes)
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
	if err := asOwner(dir); err != nil {
		return err
	}
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
	out := p.stdout
	end := func() error { return nil }
	if len(file) > 0 { // opened before the store, while this is still root
		f, err := os.OpenFile(p.root.Path(file[0]), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600) // other people's messages
		if err != nil {
			return err
		}
		out, end = f, func() error { return errors.Join(f.Sync(), f.Close()) }
	}
	err := opened(dir, func(s *store.Durable) error {
		w := bufio.NewWriter(out)
		if err := errors.Join(s.Export(w), w.Flush()); err != nil {
			return err
		}
		if n := s.Stats().Unreadable; n > 0 || s.Degraded() != nil {
			return errors.Join(errors.New("the export has what could be read, and something is missing"), unreadable(n), s.Degraded())
		}
		return nil
	})
	return errors.Join(err, end())
}

func unreadable(n int64) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d messages could not be read back: vernemq store verify tells more", n)
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
	if err := asOwner(dir); err != nil {
		return err
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
	return p.storeOnline("backup", configured, []string{"dir=" + to}, func() error {
		if err := ownedAs(dir, to); err != nil {
			return err
		}
		return opened(dir, func(s *store.Durable) error { return s.Backup(to) })
	})
}

// storeOnline lets a running broker do it, if the store is the configured one and there is a broker, and else does it with offline.
func (p *program) storeOnline(verb string, configured bool, args []string, offline func() error) int {
	if c, err := admin.Dial(p.root.Path(hostfs.AdminSocket)); configured && err == nil {
		defer c.Close()
		exit, err := c.Run(context.Background(), append([]string{"store", verb}, args...), admin.Options{}, io.Discard, p.stderr)
		if err != nil {
			return p.storeFailed(verb, err)
		}
		if exit != exitOK && verb == "backup" {
			fmt.Fprintln(p.stderr, "  the running broker writes the copy, as its own user; its service may write below "+hostfs.DataDir+" only")
		}
		return exit
	}
	if err := offline(); err != nil {
		return p.storeFailed(verb, err)
	}
	return exitOK
}

// asOwner makes root the user whom a store belongs to, for good: files that root leaves in it are files that the broker cannot open. A store that is to be
// made belongs to the owner of the directory above it.
func asOwner(dir string) error {
	uid, gid, ok := storeOwner(dir)
	if !ok || uid == 0 || os.Geteuid() != 0 {
		return nil
	}
	if err := setIDs(uid, []int{gid}); err != nil {
		return fmt.Errorf("becoming the owner of %s, user %d: %w", dir, uid, err)
	}
	return nil
}

func storeOwner(dir string) (uid, gid int, ok bool) {
	if uid, gid, ok = hostfs.Owner(dir); !ok {
		uid, gid, ok = hostfs.Owner(filepath.Dir(dir))
	}
	return uid, gid, ok
}

// ownedAs makes a directory that root cannot write to once it is the owner of the store.
func ownedAs(dir, made string) error {
	uid, gid, ok := storeOwner(dir)
	if !ok || uid == 0 || os.Geteuid() != 0 {
		return nil
	}
	if err := os.Mkdir(made, 0o700); errors.Is(err, fs.ErrExist) {
		return nil // it is as it was made, by whoever that was
	} else if err != nil {
		return err
	}
	return os.Lchown(made, uid, gid)
}
