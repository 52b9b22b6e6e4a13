// Command bom writes the bill of materials of the program that a package holds: which modules are linked into it, in which version and under which
// licence, as SPDX 2.3 in JSON and as the text of Debian's copyright file. It reads what the Go tool wrote into the binary, of any architecture, and
// the licences from the modules' sources. It refuses to guess: a module without a licence that it recognises is an error.
package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// part is something that is linked into the program.
type part struct {
	module  string
	version string
	sum     string // as in go.sum; empty for the standard library
	licence string // as SPDX calls it
	text    string // of the licence
	notice  string // what has to be passed on besides; empty if nothing
}

// bill is what is told about one binary.
type bill struct {
	version string
	arch    string
	digest  string // SHA-256 of the binary in hexadecimal
	made    time.Time
	parts   []part
}

func main() {
	binary := flag.String("binary", "", "the program `FILE`")
	version := flag.String("version", "", "its `VERSION`")
	unix := flag.Int64("time", 0, "when it was made, in `SECONDS` since 1970")
	spdx := flag.String("spdx", "", "write SPDX to `FILE`")
	copyright := flag.String("copyright", "", "write the copyright file to `FILE`")
	flag.Parse()
	if err := run(*binary, *version, time.Unix(*unix, 0).UTC(), *spdx, *copyright); err != nil {
		fmt.Fprintf(os.Stderr, "bom: %v\n", err)
		os.Exit(1)
	}
}

func run(binary, version string, made time.Time, spdx, copyright string) error {
	b, err := read(binary, moduleDir)
	if err != nil {
		return err
	}
	b.version, b.made = version, made
	text, err := b.spdx()
	if err != nil {
		return err
	}
	if err := os.WriteFile(spdx, text, 0o644); err != nil {
		return err
	}
	return os.WriteFile(copyright, []byte(b.copyright()), 0o644)
}

// read takes the bill from a binary. dir returns where a module's source is.
func read(binary string, dir func(module string) (string, error)) (*bill, error) {
	data, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.Read(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	b := &bill{digest: hex.EncodeToString(digest[:])}
	for _, s := range info.Settings {
		if s.Key == "GOARCH" || s.Key == "GOARM" {
			b.arch += s.Value
		}
	}
	b.parts = []part{{module: "std", version: strings.TrimPrefix(info.GoVersion, "go")}}
	root, err := goRoot()
	if err != nil {
		return nil, err
	}
	if err := b.parts[0].licences(root); err != nil {
		return nil, err
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			return nil, fmt.Errorf("%s is replaced by %s: a release has no replacements", m.Path, m.Replace.Path)
		}
		where, err := dir(m.Path)
		if err != nil {
			return nil, err
		}
		p := part{module: m.Path, version: m.Version, sum: m.Sum}
		if err := p.licences(where); err != nil {
			return nil, err
		}
		b.parts = append(b.parts, p)
	}
	return b, nil
}

// goRoot returns where the Go release is that builds this; it holds the licence of the standard library.
func goRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// moduleDir asks the Go tool where the source of a module is.
func moduleDir(module string) (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("go list -m %s: %w", module, err)
	}
	dir := strings.TrimSpace(string(out))
	if dir == "" {
		return "", fmt.Errorf("the source of %s is not on this machine: run go mod download", module)
	}
	return dir, nil
}

// licences reads the licence and the notice in dir.
func (p *part) licences(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		name := strings.ToUpper(n.Name())
		stem := strings.TrimSuffix(name, filepath.Ext(name))
		isLicence := slices.Contains([]string{"LICENSE", "LICENCE", "COPYING"}, stem)
		if n.IsDir() || !isLicence && stem != "NOTICE" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, n.Name()))
		if err != nil {
			return err
		}
		if isLicence && p.text == "" {
			p.text = string(text)
		} else if stem == "NOTICE" {
			p.notice = string(text)
		}
	}
	if p.text == "" {
		return fmt.Errorf("%s %s has no licence in %s", p.module, p.version, dir)
	}
	if p.licence, err = recognise(p.text); err != nil {
		return fmt.Errorf("%s %s: %w", p.module, p.version, err)
	}
	return nil
}

// recognise names a licence by its words.
func recognise(text string) (string, error) {
	words := strings.ToLower(strings.Join(strings.Fields(text), " "))
	has := func(s string) bool { return strings.Contains(words, s) }
	switch {
	case has("apache license version 2.0"):
		return "Apache-2.0", nil
	case has("permission is hereby granted, free of charge, to any person obtaining a copy"):
		return "MIT", nil
	case has("redistribution and use in source and binary forms") && has("neither the name"):
		return "BSD-3-Clause", nil
	case has("redistribution and use in source and binary forms"):
		return "BSD-2-Clause", nil
	}
	return "", errors.New("its licence is none of those known here: teach recognise in packaging/bom, after reading it")
}
