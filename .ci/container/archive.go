package main

import (
	"archive/tar"
	"encoding/json"
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
		"org.opencontainers.image.ref.name": id.tag(),                                // read by skopeo and podman
		"io.containerd.image.name":          "docker.io/library/vernemq:" + id.tag(), // read by containerd, docker and podman
	})); err != nil {
		return err
	}
	if err := writeDocker(filepath.Join(dir, "manifest.json"), index, id); err != nil {
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

// dockerImage is one image of an archive in docker's own format.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// writeDocker writes the table of contents that docker reads where its store knows no images of several architectures: one image for each, with
// the architecture behind the tag. The files it names are those of the OCI layout.
func writeDocker(name string, index v1.ImageIndex, id identity) error {
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	blob := func(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
	var images []dockerImage
	for _, m := range manifest.Manifests {
		image, err := index.Image(m.Digest)
		if err != nil {
			return err
		}
		of, err := image.Manifest()
		if err != nil {
			return err
		}
		entry := dockerImage{Config: blob(of.Config.Digest), RepoTags: []string{"vernemq:" + id.tag() + "-" + m.Platform.Architecture}}
		for _, l := range of.Layers {
			entry.Layers = append(entry.Layers, blob(l.Digest))
		}
		images = append(images, entry)
	}
	text, err := json.Marshal(images)
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o600)
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
