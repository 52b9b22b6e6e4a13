package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// programs makes a directory for each of two architectures, with a program that is a text.
func programs(t *testing.T) map[string]string {
	t.Helper()
	dirs := map[string]string{}
	for _, arch := range []string{"arm64", "amd64"} {
		dirs[arch] = t.TempDir()
		for _, name := range []string{"vernemq", "sbom.spdx.json", "copyright"} {
			if err := os.WriteFile(filepath.Join(dirs[arch], name), []byte(name+" for "+arch), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dirs
}

// build makes an archive and returns its name.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	args := []string{"-o", filepath.Join(dir, "image.tar"), "-version", "1.2.3~git4", "-revision", "abc"}
	for arch, program := range programs(t) {
		args = append(args, arch+"="+program)
	}
	if err := run(args); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "image.tar")
}

func TestReproducible(t *testing.T) {
	a, err := os.ReadFile(build(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(build(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("two archives of the same inputs differ")
	}
	for _, want := range []string{"oci-layout", `"org.opencontainers.image.ref.name": "1.2.3-git4"`, "2023-11-14T22:13:20Z", `"RepoTags":["vernemq:1.2.3-git4-arm64"]`} {
		if !bytes.Contains(a, []byte(want)) {
			t.Errorf("the archive has no %s", want)
		}
	}
}

// The image has the user, directories and links that VerneMQ's users rely on, and the program of its own architecture.
func TestImage(t *testing.T) {
	index, err := makeIndex(os.DirFS("../.."), programs(t), identity{version: "1.2.3", created: time.Unix(1700000000, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 2 {
		t.Fatalf("%d images", len(manifest.Manifests))
	}
	for _, m := range manifest.Manifests {
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		checkImage(t, image, m.Platform.Architecture)
	}
}

func checkImage(t *testing.T, image v1.Image, arch string) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Architecture != arch || config.Config.User != "10000:10000" || !slices.Equal(config.Config.Cmd, []string{"start_vernemq"}) ||
		config.Config.StopSignal != "SIGTERM" || !slices.Contains(config.Config.Env, "VERNEMQ_CONTAINER=1") {
		t.Errorf("%s: configuration %+v", arch, config)
	}
	files := contents(t, image)
	for volume := range config.Config.Volumes {
		h := files[strings.TrimPrefix(volume, "/")+"/"].header
		if h == nil || h.Mode != open || h.Uid != userID {
			t.Errorf("%s: volume %s is %+v", arch, volume, h)
		}
	}
	for name, target := range map[string]string{"etc/vernemq": "/vernemq/etc", "var/lib/vernemq": "/vernemq/data", "var/log/vernemq": "/vernemq/log",
		"usr/sbin/start_vernemq": "vernemq", "usr/sbin/vmq-admin": "vernemq", "vernemq/bin/vernemq": "/usr/sbin/vernemq"} {
		if h := files[name].header; h == nil || h.Linkname != target {
			t.Errorf("%s: %s is %+v, no link to %s", arch, name, h, target)
		}
	}
	for name, want := range map[string]string{"usr/sbin/vernemq": "vernemq for " + arch, "vernemq/etc/vernemq.conf": "accept_eula = no",
		"usr/share/vernemq/sbom.spdx.json": "sbom.spdx.json for " + arch,
		"usr/share/doc/vernemq/copyright":  "copyright for " + arch, "vernemq/etc/vmq.acl": "topic #", "etc/passwd": "vernemq:x:10000:10000:", "etc/ssl/certs/ca-certificates.crt": "-----BEGIN CERTIFICATE-----", "usr/share/vernemq/EULA.md": "Terms of use"} {
		if f := files[name]; f.header == nil || !strings.Contains(f.text, want) {
			t.Errorf("%s: %s has no %q", arch, name, want)
		}
	}
}

// packed is a file of a layer.
type packed struct {
	header *tar.Header
	text   string
}

// contents returns the files of all layers. No file may lie in two of them, or in a directory that is not there.
func contents(t *testing.T, image v1.Image) map[string]packed {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]packed{}
	for _, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for in := tar.NewReader(r); ; {
			h, err := in.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			if _, twice := files[h.Name]; twice {
				t.Errorf("%s is there twice", h.Name)
			}
			if i := strings.LastIndexByte(strings.TrimSuffix(h.Name, "/"), '/'); i >= 0 && files[h.Name[:i+1]].header == nil {
				t.Errorf("%s comes before its directory", h.Name)
			}
			files[h.Name] = packed{h, string(text)}
		}
	}
	return files
}

func TestUsage(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1")
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"nothing":            {},
		"no architecture":    {"-o", dir + "/x", "-version", "1"},
		"no version":         {"-o", dir + "/x", "amd64=" + dir},
		"no directory":       {"-o", dir + "/x", "-version", "1", "amd64"},
		"program is missing": {"-o", dir + "/x", "-version", "1", "amd64=" + dir},
		"no repository":      {"-o", dir + "/x", "-version", "1", "-top", dir, "amd64=" + dir},
	} {
		if err := run(args); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	t.Setenv("SOURCE_DATE_EPOCH", "now")
	if err := run([]string{"-o", dir + "/x", "-version", "1", "amd64=" + dir}); err == nil {
		t.Error("a time that is no number is taken")
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
