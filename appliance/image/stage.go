package image

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Stage keeps an update that comes as a stream on the data partition until it is installed, and returns its host path. The caller removes it.
func (s *System) Stage(r io.Reader) (name string, err error) {
	dir := s.Root.Path(updateDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name = filepath.Join(dir, "incoming")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, io.LimitReader(r, maxPayload))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(name))
	}
	return name, nil
}
