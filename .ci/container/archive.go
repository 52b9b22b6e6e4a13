package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// writeArchive writes index as an OCI archive, which podman, skopeo, crane, docker and containerd read.
func writeArchive(name string, index v1.ImageIndex, id identity) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(name), ".container.")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := l.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": id.tag(),              // read by skopeo and podman
		"io.containerd.image.name":          "vernemq:" + id.tag(), // read by containerd and docker
	})); err != nil {
		return err
	}
	if err := validateLayout(l); err != nil {
		return fmt.Errorf("the image is not valid: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".container.*.tar")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	defer f.Close()
	if err := pack(f, dir, id.created); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// validateLayout reads back what was written and checks every digest, size and media type in it.
func validateLayout(l layout.Path) error {
	index, err := l.ImageIndex()
	if err != nil {
		return err
	}
	return validate.Index(index)
}

// pack writes the files under dir, in the order of their names and all with the same time, owner and mode.
func pack(out io.Writer, dir string, at time.Time) error {
	w := tar.NewWriter(out)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		h := tar.Header{Name: name, ModTime: at, Format: tar.FormatUSTAR}
		if d.IsDir() {
			h.Typeflag, h.Name, h.Mode = tar.TypeDir, name+"/", 0o755
			return w.WriteHeader(&h)
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		h.Typeflag, h.Mode, h.Size = tar.TypeReg, 0o644, int64(len(text))
		if err := w.WriteHeader(&h); err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	if err != nil {
		return err
	}
	return w.Close()
}
