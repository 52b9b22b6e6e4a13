package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// file is a file, a directory or a link of the image.
type file struct {
	name  string // without a / in front; a directory has one at its end
	mode  int64
	owner int // user and group
	link  string
	text  []byte
}

// open is the mode of the directories the broker writes: whatever user the container is given can use them. What is mounted there brings its
// own mode.
const open = 0o777

// skeleton are the files without content of their own. The three links keep the paths of the packages.
var skeleton = []file{
	{name: "etc/", mode: 0o755},
	{name: "etc/group", mode: 0o644, text: []byte("root:x:0:\nvernemq:x:10000:\n")},
	{name: "etc/passwd", mode: 0o644,
		text: []byte("root:x:0:0:root:/:/sbin/nologin\nvernemq:x:10000:10000:MQTT broker:/vernemq:/sbin/nologin\n")},
	{name: "etc/ssl/", mode: 0o755},
	{name: "etc/ssl/certs/", mode: 0o755},
	{name: "etc/vernemq", link: "/vernemq/etc"},
	{name: "run/", mode: 0o755},
	{name: "run/vernemq/", mode: open, owner: userID},
	{name: "tmp/", mode: 0o1777},
	{name: "usr/", mode: 0o755},
	{name: "usr/sbin/", mode: 0o755},
	{name: "usr/share/", mode: 0o755},
	{name: "usr/share/doc/", mode: 0o755},
	{name: "usr/share/doc/vernemq/", mode: 0o755},
	{name: "usr/share/vernemq/", mode: 0o755},
	{name: "usr/share/vernemq/profiles/", mode: 0o755},
	{name: "var/", mode: 0o755},
	{name: "var/lib/", mode: 0o755},
	{name: "var/lib/vernemq", link: "/vernemq/data"},
	{name: "var/log/", mode: 0o755},
	{name: "var/log/vernemq", link: "/vernemq/log"},
	{name: "vernemq/", mode: 0o755, owner: userID},
	{name: "vernemq/bin/", mode: 0o755},
	{name: "vernemq/data/", mode: open, owner: userID},
	{name: "vernemq/etc/", mode: open, owner: userID},
	{name: "vernemq/etc/conf.d/", mode: open, owner: userID},
	{name: "vernemq/log/", mode: open, owner: userID},
}

// copied are the files taken from the repository: pattern, directory, owner.
var copied = []struct {
	pattern, dir string
	owner        int
}{
	{"packaging/EULA.md", "usr/share/vernemq", 0},
	{"conf.d/profiles/*.conf", "usr/share/vernemq/profiles", 0},
	{"packaging/vernemq.conf", "vernemq/etc", userID},
	{"packaging/vmq.acl", "vernemq/etc", userID},
	{"conf.d/*.conf", "vernemq/etc/conf.d", userID},
}

// sharedFiles returns what the images of all architectures have in common.
func sharedFiles(top fs.FS) ([]file, error) {
	roots, err := certificates()
	if err != nil {
		return nil, err
	}
	files := append(skeleton[:len(skeleton):len(skeleton)], file{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, text: roots})
	for _, c := range copied {
		names, err := fs.Glob(top, c.pattern)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("the repository has no %s", c.pattern)
		}
		for _, name := range names {
			text, err := fs.ReadFile(top, name)
			if err != nil {
				return nil, err
			}
			files = append(files, file{name: path.Join(c.dir, path.Base(name)), mode: 0o644, owner: c.owner, text: text})
		}
	}
	return files, nil
}

// certificates returns the authorities that TLS clients in the image trust, as PEM: Mozilla's list, of the version in go.sum. Those that Mozilla
// trusts under a condition that a file cannot express are left out.
func certificates() ([]byte, error) {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "# %s\n", certificate.Subject)
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// programFiles returns the program that lies in dir, under all its names, and the papers that belong to it: what it is made of, and under which
// licences. /vernemq/bin is where scripts made for VerneMQ's image look.
func programFiles(dir string) ([]file, error) {
	files := []file{
		{name: "usr/sbin/vernemq", mode: 0o755},
		{name: "usr/share/vernemq/sbom.spdx.json", mode: 0o644},
		{name: "usr/share/doc/vernemq/copyright", mode: 0o644},
	}
	for i := range files {
		var err error
		if files[i].text, err = os.ReadFile(filepath.Join(dir, path.Base(files[i].name))); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"start_vernemq", "vmq-admin", "vmq-passwd"} {
		files = append(files, file{name: "usr/sbin/" + name, link: "vernemq"})
	}
	for _, name := range []string{"vernemq", "vmq-admin", "vmq-passwd"} {
		files = append(files, file{name: "vernemq/bin/" + name, link: "/usr/sbin/" + name})
	}
	return files, nil
}

// layer packs files, all with the time created.
func layer(files []file, created time.Time) (v1.Layer, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, f := range files {
		h := tar.Header{Name: f.name, Mode: f.mode, Uid: f.owner, Gid: f.owner, ModTime: created, Size: int64(len(f.text)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		switch {
		case f.link != "":
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.link, 0o777
		case f.name[len(f.name)-1] == '/':
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(&h); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if _, err := w.Write(f.text); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(9))
}
