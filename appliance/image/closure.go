package image

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// CheckRoot walks the root of an image that is being built and returns which programs and libraries lack a library: whatever needs one that is not in
// the tree would fail when somebody starts it.
func CheckRoot(dir string) error {
	have, needs := map[string]bool{}, map[string][]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		have[d.Name()] = true
		if !d.Type().IsRegular() {
			return nil
		}
		list, err := needed(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, library := range list {
			needs[library] = append(needs[library], name)
		}
		return nil
	})
	for _, library := range slices.Sorted(maps.Keys(needs)) {
		if !have[library] {
			err = errors.Join(err, fmt.Errorf("%s is not there, and needed by %v", library, needs[library]))
		}
	}
	return err
}

// needed lists the libraries a file wants; none if it is no program or library.
func needed(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var begin [4]byte
	if _, err := f.ReadAt(begin[:], 0); err != nil || string(begin[:]) != elf.ELFMAG {
		return nil, nil
	}
	e, err := elf.NewFile(f)
	if err != nil {
		return nil, err
	}
	if e.Type != elf.ET_EXEC && e.Type != elf.ET_DYN { // a kernel module
		return nil, nil
	}
	return e.ImportedLibraries()
}
