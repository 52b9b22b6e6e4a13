package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// testProgram builds a program of this module.
func testProgram(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "vernemq")
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "vernemq/appliance/cmd/vernemq")
	c.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

func TestBill(t *testing.T) {
	binary, dir := testProgram(t), t.TempDir()
	spdx, copyright := filepath.Join(dir, "spdx"), filepath.Join(dir, "copyright")
	if err := run(binary, "1.2.3", time.Unix(1e9, 0).UTC(), spdx, copyright); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(spdx)
	if err != nil {
		t.Fatal(err)
	}
	var doc spdxDocument
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Name != "vernemq-1.2.3-arm64" || doc.Creation.Created != "2001-09-09T01:46:40Z" {
		t.Errorf("named %s, created %s", doc.Name, doc.Creation.Created)
	}
	list, err := os.ReadFile(copyright)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, p := range doc.Packages {
		found[p.Name] = p.Declared
		if p.Name != "vernemq" && p.Name != "std" && !strings.Contains(string(list), p.Name+" "+p.Version+": "+p.Declared) {
			t.Errorf("%s is not in the copyright file", p.Name)
		}
	}
	for name, licence := range map[string]string{
		"vernemq": "Apache-2.0", "std": "BSD-3-Clause", "github.com/pelletier/go-toml/v2": "MIT", "golang.org/x/sys": "BSD-3-Clause",
	} {
		if found[name] != licence {
			t.Errorf("%s: licence %q, want %s", name, found[name], licence)
		}
	}
	if len(doc.Relationships) != len(doc.Packages) {
		t.Errorf("%d relationships of %d packages", len(doc.Relationships), len(doc.Packages))
	}
	for _, words := range []string{"Permission is hereby granted", "Copyright 2009 The Go Authors", "Its notice:"} {
		if !strings.Contains(string(list), words) {
			t.Errorf("the copyright file lacks %q", words)
		}
	}
}

// What cannot be told is an error and no guess.
func TestUnknown(t *testing.T) {
	binary := testProgram(t)
	dir := t.TempDir()
	if _, err := read(binary, func(string) (string, error) { return dir, nil }); err == nil || !strings.Contains(err.Error(), "has no licence") {
		t.Errorf("without a licence: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("Do what you like, on Sundays."), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := read(binary, func(string) (string, error) { return dir, nil }); err == nil || !strings.Contains(err.Error(), "none of those known") {
		t.Errorf("with a strange licence: %v", err)
	}
	if _, err := read(binary, func(string) (string, error) { return "", errors.New("away") }); err == nil {
		t.Error("without a source")
	}
	if _, err := read(filepath.Join(dir, "LICENSE"), moduleDir); err == nil {
		t.Error("of what is no program")
	}
}

func TestRecognise(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n  Version 2.0, January 2004":                                   "Apache-2.0",
		"Permission is hereby granted, free of charge, to any\nperson obtaining a copy": "MIT",
		"Redistribution and use in source and binary forms":                             "BSD-2-Clause",
		"Redistribution and use in source and binary forms ... Neither the name of X":   "BSD-3-Clause",
		"GNU General Public License":                                                    "",
		"":                                                                              "",
	} {
		got, err := recognise(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
