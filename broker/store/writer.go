package store

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// keepBuffer is how much memory an empty batch may keep, in bytes.
const keepBuffer = 1 << 20

// write is the goroutine that owns the log: it takes the batch that has gathered, writes and syncs it, and tells who waited.
func (s *Durable) write() {
	defer s.stopped.Done()
	every := s.cfg.RetryEvery
	if s.cfg.Durability == DurableInterval {
		every = min(every, s.cfg.SyncInterval)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.wake:
		case <-tick.C:
			s.mu.Lock()
			s.syncWanted = s.syncWanted || s.cfg.Durability == DurableInterval && s.synced < s.seq
			s.mu.Unlock()
			s.checkSpace()
		case <-s.quit:
			s.flush(true)
			return
		}
		if !s.flush(false) {
			return
		}
	}
}

// flush writes until nothing is left to write. last: the store is being closed, everything is synced, and nothing waits for a broken disk. It
// reports false if the store was closed while the disk was out of order: then nothing may follow the batch that is missing.
func (s *Durable) flush(last bool) bool {
	for {
		s.mu.Lock()
		b, sync, drop := s.pending, s.syncWanted || last || s.cfg.Durability == DurableAck, s.dropWanted
		if !b.urgent && !s.syncWanted && !drop && !last && !s.tellWanted {
			s.mu.Unlock()
			return true
		}
		s.writing, s.pending = b, s.spare
		s.next++
		s.pending.ticket, s.pending.first = s.next, s.seq+1
		s.syncWanted, s.tellWanted = false, false
		s.mu.Unlock()

		if err := s.writeBatch(b, sync); err != nil && !s.persist(b, sync, err) {
			return false
		}
		var dropErr error
		if drop {
			dropErr = s.log.Drop()
		}
		s.committed(b, sync, drop, dropErr)
		if last {
			return true
		}
	}
}

func (s *Durable) writeBatch(b *batch, sync bool) error {
	if err := s.raise(b); err != nil {
		return err
	}
	if b.Len() > 0 {
		return s.log.Write(&b.Batch, sync)
	}
	if sync {
		return s.log.Sync()
	}
	return nil
}

// committed enters what a batch has brought, and tells.
func (s *Durable) committed(b *batch, sync, drop bool, dropErr error) {
	s.mu.Lock()
	for _, p := range b.placed {
		place := b.Places[p.record]
		if p.message == 0 {
			if k, ok := s.x.retained[p.name]; ok && k.at == b.first+uint64(p.record) {
				s.x.putRetained(p.name, k.at, place)
			}
			continue
		}
		if m := s.x.messages.at(p.message); m.gen == p.gen && m.head != 0 {
			s.x.place(p.message, place)
		}
	}
	s.stats.Batches++
	s.stats.Records += int64(b.Len())
	s.stats.LogBytes = s.log.BytesWritten()
	last := b.first + uint64(b.Len()) - 1
	if sync {
		s.stats.Syncs++
		s.synced = last
	}
	before := s.segments
	s.segments, s.usage = s.log.Usage()
	s.done = b.ticket
	if drop {
		s.dropWanted, s.dropErr = false, dropErr
		s.stats.Dropped++
	}
	clear(b.placed)
	b.placed, b.urgent = b.placed[:0], false
	b.Reset(keepBuffer)
	s.writing, s.spare = nil, b
	untidy := s.crowded() || s.segments != before
	if s.failing != nil {
		s.failing, s.awaited = nil, s.done
		s.cfg.Log.Info("store: the disk works again; acknowledging goes on")
	}
	t, cs := s.tell()
	s.changed.Broadcast()
	s.mu.Unlock()
	for _, c := range cs {
		c.Durable(t, nil)
	}
	if untidy {
		s.kickTidy()
	}
}

// persist tries to write a batch until the disk takes it: each time the log is closed, cut back to what is surely there, and opened. Meanwhile
// no ticket completes. It reports false if the store was closed before.
func (s *Durable) persist(b *batch, sync bool, err error) bool {
	wait := s.cfg.RetryEvery / 8
	for {
		s.fail(err)
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			s.ballast(false)
		}
		for range 2 { // at once, and once more after a while
			if err = s.log.Recover(); err == nil {
				if err = s.writeBatch(b, sync); err == nil {
					return true
				}
			}
			select {
			case <-s.quit:
				return false
			case <-time.After(wait):
			}
		}
		wait = min(2*wait, s.cfg.RetryEvery)
	}
}

// fail tells everybody that nothing is durable for now.
func (s *Durable) fail(err error) {
	err = fmt.Errorf("the store cannot write to %s; messages above QoS 0 are not acknowledged until it can: %w", s.cfg.Dir, err)
	s.mu.Lock()
	first := s.failing == nil
	s.failing = err
	s.stats.Failures++
	t, cs := s.done, s.completers
	s.told = t
	s.changed.Broadcast()
	s.mu.Unlock()
	if !first {
		return
	}
	s.cfg.Log.Error("store: a write failed", "error", err)
	for _, c := range cs {
		c.Durable(t, err)
	}
}

// lose gives the store up until it is opened again: so much was to be written while the disk was out of order that memory would not hold it.
// What was promised is on disk; what was not will not be. The lock is held.
func (s *Durable) lose() {
	s.dead = fmt.Errorf("more than %d MiB of records waited for a disk that takes none; nothing is acknowledged any more: mend the disk and restart the broker",
		2*s.cfg.MaxPending>>20)
	s.cfg.Log.Error("store: given up", "error", s.dead)
	s.changed.Broadcast()
}

// flushed waits until everything that was put before is synced.
func (s *Durable) flushed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for upTo := s.seq; s.synced < upTo; {
		if s.closed || s.dead != nil {
			return errEnd
		}
		s.syncWanted = true
		s.kick()
		s.changed.Wait()
	}
	return nil
}
