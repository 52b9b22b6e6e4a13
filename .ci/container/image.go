package main

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// identity says which program an image holds.
type identity struct {
	version, revision string
	created           time.Time
}

// tag is the version as a tag, in which ~ and + cannot stand.
func (id identity) tag() string { return strings.NewReplacer("~", "-", "+", "-").Replace(id.version) }

// labels describe the image by the names of the OCI image specification.
func (id identity) labels() map[string]string {
	l := map[string]string{
		"org.opencontainers.image.title":       "vernemq",
		"org.opencontainers.image.description": "MQTT broker, compatible with VerneMQ",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     id.version,
		"org.opencontainers.image.created":     id.created.Format(time.RFC3339),
	}
	if id.revision != "" {
		l["org.opencontainers.image.revision"] = id.revision
	}
	return l
}

// User and group of the process, as in VerneMQ's image.
const (
	userID = 10000
	user   = "10000:10000" // in digits: a cluster that wants to see a user other than root cannot look names up
)

// config is what the image says of how it is run. The keys of the environment are the operator's to override; the address is there because
// the shipped configuration listens on loopback, which nobody outside of a container reaches.
func config(created time.Time, labels map[string]string) v1.Config {
	set := func(names ...string) map[string]struct{} {
		m := map[string]struct{}{}
		for _, n := range names {
			m[n] = struct{}{}
		}
		return m
	}
	return v1.Config{
		User:       user,
		WorkingDir: "/vernemq",
		Cmd:        []string{"start_vernemq"},
		Env: []string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/vernemq/bin",
			"VERNEMQ_CONTAINER=1",
			"DOCKER_VERNEMQ_LISTENER__TCP__DEFAULT=0.0.0.0:1883",
		},
		ExposedPorts: set("1883/tcp", "8883/tcp", "8080/tcp", "8888/tcp", "44053/tcp"),
		Volumes:      set("/vernemq/etc", "/vernemq/data", "/vernemq/log", "/run/vernemq"),
		StopSignal:   "SIGTERM",
		Healthcheck: &v1.HealthConfig{
			Test: []string{"CMD", "vernemq", "ping"}, Interval: 30 * time.Second, Timeout: 5 * time.Second, StartPeriod: 15 * time.Second, Retries: 3,
		},
		Labels: labels,
	}
}

// makeImage makes the image of one architecture: a layer with the files that all of them share, and one with the program, which lies in dir.
func makeImage(shared v1.Layer, arch, dir string, id identity) (v1.Image, error) {
	files, err := programFiles(dir)
	if err != nil {
		return nil, err
	}
	program, err := layer(files, id.created)
	if err != nil {
		return nil, err
	}
	at := v1.Time{Time: id.created}
	image, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), &v1.ConfigFile{
		Architecture: arch, OS: "linux", Variant: variant(arch), Created: at, Config: config(id.created, id.labels()),
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(image,
		mutate.Addendum{Layer: shared, History: v1.History{Created: at, CreatedBy: "files", Comment: "configuration, certificates, directories"}},
		mutate.Addendum{Layer: program, History: v1.History{Created: at, CreatedBy: "program", Comment: "vernemq " + id.version}})
}

func variant(arch string) string {
	if arch == "arm64" {
		return "v8"
	}
	return ""
}

// makeIndex makes the images of all architectures, and the index over them. top is the repository; programs names for each architecture the directory
// of its program.
func makeIndex(top fs.FS, programs map[string]string, id identity) (v1.ImageIndex, error) {
	files, err := sharedFiles(top)
	if err != nil {
		return nil, err
	}
	shared, err := layer(files, id.created)
	if err != nil {
		return nil, err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range slices.Sorted(maps.Keys(programs)) {
		image, err := makeImage(shared, arch, programs[arch], id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch, Variant: variant(arch)}},
		})
	}
	return mutate.Annotations(index, id.labels()).(v1.ImageIndex), nil
}
