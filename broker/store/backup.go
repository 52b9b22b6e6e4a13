package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vernemq/broker/store/wallog"
)

// Backup copies the store to a new directory while it is in use. The copy is a store: to restore it, put it in the place of the old one while no
// broker runs. It has everything that was written before Backup was called, and what came after up to some moment, without gaps.
func (s *Durable) Backup(to string) (err error) {
	if names, err := os.ReadDir(to); err == nil && len(names) > 0 {
		return fmt.Errorf("%s is not empty: a backup needs a directory of its own", to)
	}
	s.mu.Lock()
	if s.closed || s.dead != nil {
		err := s.unusable()
		s.mu.Unlock()
		return err
	}
	s.holds++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.holds--
		s.mu.Unlock()
		s.kickTidy()
	}()
	if err := s.flushed(); err != nil {
		return err
	}
	s.mu.Lock() // a drop that was asked for before is done now, or with the next batch: then it waits no longer
	for s.dropWanted && !s.closed {
		s.changed.Wait()
	}
	s.mu.Unlock()
	files := wallog.OS{}
	dir := filepath.Join(to, filepath.Base(s.log.Dir()))
	if err := files.Mkdir(dir); err != nil {
		return err
	}
	for _, seg := range s.log.Segments() {
		if err := copyFile(filepath.Join(s.log.Dir(), seg.Name()), filepath.Join(dir, seg.Name()), seg.Bytes); err != nil {
			return fmt.Errorf("backing up: %w", err)
		}
	}
	return errors.Join(files.SyncDir(dir), writeVersion(files, to, int(s.raised.Load()))) // behind what was copied, which may have raised it
}

// copyFile copies the first size bytes of a file.
func copyFile(from, to string, size int64) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyN(out, in, size)
	return errors.Join(err, out.Sync(), out.Close())
}
