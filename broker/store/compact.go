package store

import (
	"errors"
	"fmt"
	"time"

	"vernemq/broker/store/wallog"
)

const (
	// compactChunk is how many bytes of an old segment are gone through between two commits at least.
	compactChunk = 128 << 10
	// compactShare is how much of old segments is due for what was written since, when the disk is as full as it may get.
	compactShare = 4
	// reapChunk is how many deliveries of ended sessions are taken away at once.
	reapChunk = 1024
	// coldSegments is how many closed segments are too young for a digest: most never need one.
	coldSegments = 4
)

// crowding is how full the disk is with what nobody needs: below 0 there is nothing to do; from 1 on, at twice what is needed and one and a half
// segments, compaction no longer keeps to a budget: before the eldest segment can go, as much as that holds may be added. Between the two it goes the
// faster the more is written: a part of the log without anything to free may come first, and must be behind it before the limit is reached. The
// lock is held.
func (s *Durable) crowding() float64 {
	if s.segments <= 2 {
		return -1
	}
	low := s.x.live*7/5 + int64(s.cfg.SegmentBytes)
	high := 2*s.x.live + int64(s.cfg.SegmentBytes)*3/2
	if limit := s.limit(); s.cfg.MaxBytes > 0 && limit < high { // rather compact than refuse
		high = max(limit, s.x.live*11/10+int64(s.cfg.SegmentBytes))
		low = min(low, high*9/10)
	}
	return float64(s.usage-low) / float64(high-low)
}

// crowded reports whether there is something to compact. The lock is held.
func (s *Durable) crowded() bool { return s.crowding() > 0 }

func (s *Durable) kickTidy() {
	select {
	case s.tidy <- struct{}{}:
	default:
	}
}

// maintain is the goroutine that does what can wait: it takes the deliveries of ended sessions away, compacts old segments, and writes digests.
//
// Compaction takes the eldest segment, writes what of it is still needed again at the end of the log, and removes the file; one of which nothing is
// needed any more goes unread. With the eldest first
// nothing has to be remembered about what was deleted: whatever a deletion was about is older than the deletion. Its records go the way of all
// records, one chunk with each commit at most, so that acknowledgements never wait for more than that.
func (s *Durable) maintain() {
	defer s.stopped.Done()
	digested := uint64(0) // first sequence number of the last segment that has one
	for {
		select {
		case <-s.quit:
			return
		case <-s.tidy:
		}
		for s.reapSome() && !s.quitting() {
		}
		for s.compactable() && !s.quitting() {
			if err := s.compactEldest(); err != nil {
				s.compactionFailed(err)
				break
			}
		}
		s.compacted()
		digested = s.digests(digested)
	}
}

// compactionFailed notes that the eldest segment cannot be compacted. If it is damaged, compaction ends: a record that cannot be read may be one that is needed,
// and what is behind it cannot go before it. The store goes on, and grows. The segment's digest, which has hidden the damage from the start, is taken away:
// the next start finds the damage.
func (s *Durable) compactionFailed(err error) {
	if errors.Is(err, errEnd) {
		return
	}
	damaged := errors.Is(err, wallog.ErrDamaged)
	if seg, _, ok := s.log.Eldest(); ok && damaged {
		err = errors.Join(err, s.log.ForgetDigest(seg.First))
	}
	err = fmt.Errorf("old segments cannot be compacted: %w", err)
	s.mu.Lock()
	if damaged {
		s.damage = err
	}
	if s.compactTo != 0 {
		s.compactTo, s.compactErr = 0, err
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	text := "store: compaction failed"
	if damaged {
		text = "store: a segment is damaged and is no longer compacted; stop the broker, and put back a backup or run \"vernemq store repair\""
	}
	s.cfg.Log.Error(text, "error", err)
}

func (s *Durable) quitting() bool {
	select {
	case <-s.quit:
		return true
	default:
		return false
	}
}

func (s *Durable) reapSome() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.x.reap(reapChunk)
}

func (s *Durable) compactable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds > 0 || s.damage != nil || s.failing != nil || s.dead != nil || s.closed {
		return false
	}
	if s.cfg.CompactRate > 0 && (s.crowded() || s.barren()) {
		s.compacting = true
		return true
	}
	if eldest, _, ok := s.log.Eldest(); ok && eldest.ID <= s.compactTo {
		return true
	}
	if s.compactTo != 0 {
		s.compactTo = 0
		s.changed.Broadcast()
	}
	return false
}

// compacted ends a round of compaction: nobody waits for it any more.
func (s *Durable) compacted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.compacting = false
	if s.told != s.done {
		s.tellWanted = true
		s.kick()
	}
}

// Compact goes through all segments but the newest, whatever their share of what nobody needs, and returns when that is done.
func (s *Durable) Compact() error {
	segs := s.log.Segments()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.compactErr = s.damage; len(segs) > 1 && s.damage == nil {
		s.compactTo = segs[len(segs)-2].ID
	}
	s.kickTidy()
	for s.compactTo != 0 {
		if s.closed || s.dead != nil || s.failing != nil {
			s.compactTo = 0
			return s.unusable()
		}
		s.changed.Wait()
	}
	return s.compactErr
}

// compactEldest compacts the eldest segment.
func (s *Durable) compactEldest() error {
	seg, _, ok := s.log.Eldest()
	if !ok {
		return nil
	}
	if err := s.written(); err != nil { // then it is known where all its records are
		return err
	}
	s.mu.Lock()
	barren := s.barren()
	s.mu.Unlock()
	if !barren {
		if err := s.carryAll(seg); err != nil {
			return err
		}
	}
	if err := s.flushed(); err != nil {
		return err
	}
	return s.drop()
}

// barren reports whether the eldest segment can go without a look at it: nothing of it is needed. The lock is held.
func (s *Durable) barren() bool {
	seg, next, ok := s.log.Eldest()
	return ok && s.x.barren(seg.ID, seg.First, next-1)
}

// carryAll goes through a segment and writes again what of it is still needed.
func (s *Durable) carryAll(seg wallog.Segment) error {
	live := s.messagesIn(seg.ID)
	for off := int64(0); off < seg.Bytes; {
		begin := time.Now()
		end, err := s.log.Scan(seg.ID, off, s.chunk(), func(r *wallog.Record) error { return s.carry(r, live) })
		if err != nil {
			return err
		}
		if err := s.written(); err != nil {
			return err
		}
		s.pace(begin, end-off)
		off = end
	}
	return nil
}

// chunk is how much to go through before the next commit: as much as is due.
func (s *Durable) chunk() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.due()
	s.compactedAt = s.foreign()
	return min(max(due, compactChunk), int64(s.cfg.SegmentBytes))
}

// due is how many bytes to go through for what others have written since the last chunk was begun. The lock is held.
func (s *Durable) due() int64 {
	return int64(compactShare * max(s.crowding(), 0) * float64(s.foreign()-s.compactedAt))
}

// foreign is how many bytes were written to the log for others than compaction. The lock is held.
func (s *Durable) foreign() int64 { return s.stats.LogBytes - s.stats.CompactedBytes }

// pace keeps compaction to its budget: bytes a second, or as much as is due since the chunk was begun.
func (s *Durable) pace(begin time.Time, bytes int64) {
	if s.cfg.CompactRate < 0 {
		return
	}
	wait := time.Duration(bytes*int64(time.Second)/s.cfg.CompactRate) - time.Since(begin)
	if wait <= 0 {
		return
	}
	late := false
	timer := time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !late && !s.closed && !s.full && s.crowding() < 1 && bytes >= s.due() {
		s.changed.Wait()
	}
}

// written waits until the batch that is being filled is written.
func (s *Durable) written() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.next
	if s.pending.Len() == 0 {
		t--
	} else {
		s.urge()
	}
	for s.done < t {
		if s.closed || s.dead != nil {
			return errEnd
		}
		s.changed.Wait()
	}
	return nil
}

// drop has the writer remove the eldest segment.
func (s *Durable) drop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds > 0 {
		return nil // a backup began meanwhile; another time
	}
	before := s.stats.Dropped
	s.dropWanted = true
	s.kick()
	for s.stats.Dropped == before {
		if s.closed || s.dead != nil {
			return errEnd
		}
		s.changed.Wait()
	}
	return s.dropErr
}

// messagesIn returns the messages whose records lie in a segment, by offset.
func (s *Durable) messagesIn(segment uint32) map[uint32]uint32 {
	found := map[uint32]uint32{}
	for page := 0; ; page++ {
		s.mu.Lock()
		if page >= len(s.x.messages.page) {
			s.mu.Unlock()
			return found
		}
		for i := range s.x.messages.page[page] {
			if m := &s.x.messages.page[page][i]; m.head != 0 && m.place.Segment == segment {
				found[m.place.Off] = uint32(page*pageSize + i)
			}
		}
		s.mu.Unlock()
	}
}

// carry writes what of a record is still needed again.
func (s *Durable) carry(r *wallog.Record, live map[uint32]uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.dead != nil {
		return errEnd // what is needed can no longer be written: the segment has to stay
	}
	before := s.pending.Bytes()
	d := decoder{b: r.Payload}
	switch r.Type {
	case typeSession:
		if x := s.x.sessions[d.session().Key]; x != nil && x.at == r.Seq {
			x.at = s.carried(x.at, s.put(typeSession, func(b []byte) []byte { return appendSession(b, &x.rec) }))
		}
	case typeSubscription:
		k, sub := d.subscription()
		if x := s.x.sessions[k]; x != nil {
			if i := x.findSub(sub.Filter); i >= 0 && x.subs[i].at == r.Seq {
				at := s.put(typeSubscription, func(b []byte) []byte { return appendSubscription(b, k, x.subs[i].Subscription) })
				x.subs[i].at = s.carried(x.subs[i].at, at)
			}
		}
	case typeMessage:
		s.carryMessage(r, &d, live)
	case typeInbound:
		s.carryInbound(d.inbound(), r.Seq)
	case typeRetained:
		s.carryRetained(r, &d)
	case typeAPIKey:
		s.carryAPIKey(d.apiKey().id(), r.Seq)
	case typeRun:
		if r.Seq == s.runAt {
			s.runAt = s.carried(s.runAt, s.put(typeRun, func(b []byte) []byte { return appendRun(b, s.run, s.x.lastKey) }))
		}
	}
	s.stats.CompactedBytes += int64(max(s.pending.Bytes()-before, 0))
	return d.err
}

// carried notes that compaction has written a record again, under the number at, and returns that; 0 is that it could not, and the old one stays.
func (s *Durable) carried(old, at uint64) uint64 {
	if at == 0 {
		return old
	}
	s.x.stands(old, at)
	return at
}

func (s *Durable) carryInbound(in Inbound, seq uint64) {
	if x := s.x.sessions[in.Session]; x != nil && x.inbound[in.PacketID] == seq && seq != 0 {
		x.inbound[in.PacketID] = s.carried(seq, s.put(typeInbound, func(b []byte) []byte { return appendInbound(b, in) }))
	}
}

func (s *Durable) carryMessage(r *wallog.Record, d *decoder, live map[uint32]uint32) {
	var e envelope
	c := d.message(&e)
	if d.err != nil {
		return
	}
	if e.flags&flagInbound != 0 {
		s.carryInbound(e.inbound, r.Seq)
	}
	i, ok := live[r.Place.Off]
	if !ok {
		return
	}
	m := s.x.messages.at(i)
	if m.head == 0 || m.place != r.Place {
		return // it went meanwhile
	}
	e.flags = e.flags&^flagInbound | flagOrigin
	e.origin, e.inbound = m.origin, Inbound{}
	if e.to = s.x.recipients(e.to[:0], i); len(e.to) == 0 {
		return // they are being reaped
	}
	at := s.put(typeMessage, func(b []byte) []byte {
		b = appendEnvelope(b, &e)
		return append(s.appendDeadline(b, s.deadline(&c)), c.raw...)
	})
	if at != 0 {
		s.pending.placed = append(s.pending.placed, placing{record: s.pending.Len() - 1, message: i, gen: m.gen})
	}
}

func (s *Durable) carryRetained(r *wallog.Record, d *decoder) {
	stamp, c := d.retained()
	k := s.x.name(c.mountpoint, c.topic)
	old, ok := s.x.retained[k]
	if d.err != nil || !ok || old.at != r.Seq {
		return
	}
	at := s.put(typeRetained, func(b []byte) []byte {
		b = appendStamp(append(b, c.flags), stamp)
		b = appendString(appendString(b, c.mountpoint), c.topic)
		return append(s.appendDeadline(b, s.deadline(&c)), c.raw...)
	})
	if at == 0 {
		return
	}
	s.x.retained[k] = kept{s.carried(old.at, at), old.place} // until it is written it is read from where it was
	s.pending.placed = append(s.pending.placed, placing{record: s.pending.Len() - 1, name: k})
}

// digests writes the digests of segments that have become cold. from is where the last call came to.
func (s *Durable) digests(from uint64) uint64 {
	segs := s.log.Segments()
	for i := 0; i < len(segs)-1-coldSegments; i++ {
		if segs[i].First <= from || s.quitting() {
			continue
		}
		from = segs[i].First
		if s.log.HasDigest(from) {
			continue
		}
		n, err := s.log.WriteDigest(segs[i].ID)
		if err != nil && !errors.Is(err, wallog.ErrGone) {
			s.cfg.Log.Warn("store: no digest was written; the next start takes longer", "error", err)
		}
		s.mu.Lock()
		s.stats.DigestBytes += n
		s.mu.Unlock()
	}
	return from
}
