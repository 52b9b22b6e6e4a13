package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/migrate"
	"vernemq/appliance/probe"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// maxOld is the largest configuration that is rewritten, in bytes.
const maxOld = 4 << 20

// newName is how messages call a new configuration that goes to standard output.
const newName = "new vernemq.conf"

// licenceToCome is what every rewritten configuration needs: an acceptance is not carried over, the terms are others.
const licenceToCome = `The licence is not carried over: nothing starts before it is accepted, with "vernemq chkconfig" on a terminal.
`

// migrate rewrites an old configuration.
func (p *program) migrate(args []string) int {
	var from *string
	output := ""
	file, ok := p.parseOne("config migrate", args, "file", func(f *flag.FlagSet) {
		from = oneOf(f, "from", "", string(migrate.VerneMQ), string(migrate.Mosquitto))
		f.StringVar(&output, "output", "", "")
	})
	if !ok {
		return exitCannot
	}
	s, err := schema.Load()
	if err != nil {
		return p.cannot("config migrate", err)
	}
	text, err := source.Host(p.root).ReadFile(file, maxOld)
	if err != nil {
		return p.cannot("config migrate", fmt.Errorf("read %s: %w", file, err))
	}
	format := migrate.Format(*from)
	if format == "" {
		if format, ok = migrate.Detect(text); !ok {
			return p.cannot("config migrate", fmt.Errorf("%s does not show what it was written for: add --from=vernemq or --from=mosquitto", file))
		}
		fmt.Fprintf(p.stderr, "%s is taken for a configuration of %s\n", file, format)
	}
	convert := migrate.FromVerneMQ
	if format == migrate.Mosquitto {
		convert = migrate.FromMosquitto
	}
	now, findings := convert(s, file, text)
	if err := findings.WriteText(p.stderr, report.Note); err != nil {
		return p.cannot("config migrate", err)
	}
	if err := p.putNew(output, now); err != nil {
		return p.cannot("config migrate", err)
	}
	left := p.checkNew(s, output, file, now)
	if err := left.WriteText(p.stderr, report.Error); err != nil {
		return p.cannot("config migrate", err)
	}
	if n := left.Count(report.Warning); n > 0 {
		fmt.Fprintf(p.stderr, "compiling the new configuration gives %d warnings: see vernemq config check\n", n)
	}
	fmt.Fprint(p.stderr, licenceToCome)
	if findings.Fatal(false) || left.Fatal(false) {
		return exitFailed
	}
	return exitOK
}

// putNew writes the new configuration, to standard output if no file is named. A file that exists is left alone. A file that root writes gets its
// directory's group: in /etc/vernemq that is the service's, which has to read it.
func (p *program) putNew(output string, text []byte) error {
	if output == "" {
		_, err := p.stdout.Write(text)
		return err
	}
	f, err := os.OpenFile(p.root.Path(output), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return fmt.Errorf("write the new configuration: %w", err)
	}
	_, err = f.Write(text)
	if _, gid, ok := hostfs.Owner(filepath.Dir(f.Name())); ok && os.Geteuid() == 0 {
		err = errors.Join(err, f.Chown(-1, gid))
	}
	return errors.Join(err, f.Close())
}

// checkNew compiles the new configuration where it will stand, or beside the old one.
func (p *program) checkNew(s *schema.Schema, output, old string, text []byte) *report.Report {
	name := output
	if name == "" {
		name = path.Join(path.Dir(old), newName)
	}
	if output == "" && !path.IsAbs(old) {
		name = path.Join(hostfs.EtcDir, newName) // relative includes are looked for where vernemq.conf will be
	}
	files := source.Fallback(source.Texts{name: string(text)}, written{source.Host(p.root)})
	_, findings := compile.Compile(compile.Input{Schema: s, FS: files, Main: name, Compiler: "vernemq " + version,
		Host: probe.This().Facts()})
	return findings
}
