package store

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"vernemq/broker/msg"
	"vernemq/broker/store/wallog"
)

// maxTries is how often a record is looked for that compaction moves away meanwhile: it does so about once in the life of a segment.
const maxTries = 100

// wanted is a message that is being read back.
type wanted struct {
	to    int // where it goes in the result
	place wallog.Place
}

// ReadMessages implements Store. Messages whose records lie side by side are read at once.
func (s *Durable) ReadMessages(refs []MessageRef, done func([]*msg.Message)) {
	refs = slices.Clone(refs)
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.reading.Add(1)
	}
	s.mu.Unlock()
	if closed {
		go done(make([]*msg.Message, len(refs)))
		return
	}
	go func() {
		defer s.reading.Done()
		s.readers <- struct{}{}
		out := s.read(refs)
		<-s.readers
		done(out)
	}()
}

// read returns the messages of refs; one that is gone, or cannot be read, is nil.
func (s *Durable) read(refs []MessageRef) []*msg.Message {
	out := make([]*msg.Message, len(refs))
	todo := make([]wanted, len(refs))
	for i := range todo {
		todo[i].to = i
	}
	var places []wallog.Place
	for tries := 1; len(todo) > 0; tries++ {
		todo = s.locate(refs, todo, out)
		slices.SortFunc(todo, func(a, b wanted) int { return comparePlaces(a.place, b.place) })
		places = places[:0]
		for _, w := range todo {
			places = append(places, w.place)
		}
		var again []wanted
		s.log.Read(places, func(i int, r wallog.Record, err error) {
			w := todo[i]
			if err == nil {
				out[w.to], err = s.build(r.Payload)
			}
			switch {
			case errors.Is(err, wallog.ErrGone) && tries < maxTries: // compaction has moved it meanwhile
				again = append(again, w)
			case err != nil:
				s.unreadable(r.Place, err)
			default:
				out[w.to].Ref = uint64(refs[w.to])
			}
		})
		todo = again
	}
	return out
}

// locate finds out where the messages lie and drops those that are gone; those that are still in memory are built at once.
func (s *Durable) locate(refs []MessageRef, todo []wanted, out []*msg.Message) []wanted {
	rest := todo[:0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range todo {
		i := s.x.message(refs[w.to])
		if i == 0 {
			continue
		}
		m := s.x.messages.at(i)
		if m.place.Segment != 0 {
			rest = append(rest, wanted{w.to, m.place})
			continue
		}
		if payload, ok := s.gathered(m.origin); ok {
			if b, err := s.build(payload); err == nil {
				b.Ref = uint64(refs[w.to])
				out[w.to] = b
			}
		}
	}
	return rest
}

// gathered returns the payload of a record that is not written yet. The lock is held.
func (s *Durable) gathered(seq uint64) ([]byte, bool) {
	for _, b := range []*batch{s.pending, s.writing} {
		if b != nil && seq >= b.first && seq-b.first < uint64(b.Len()) {
			_, p := b.Record(int(seq - b.first))
			return p, true
		}
	}
	return nil, false
}

// build makes a message of its record.
func (s *Durable) build(payload []byte) (*msg.Message, error) {
	var e envelope
	d := decoder{b: payload}
	c := d.message(&e)
	return s.whole(&c, d.err)
}

// unreadable reports a stored message that cannot be read back: it is lost.
func (s *Durable) unreadable(p wallog.Place, err error) {
	s.mu.Lock()
	s.stats.Unreadable++
	s.mu.Unlock()
	s.cfg.Log.Error("store: a message cannot be read back; \"vernemq store verify\" tells more", "segment", p.Segment, "offset", p.Off, "error", err)
}

func comparePlaces(a, b wallog.Place) int {
	return cmp.Or(cmp.Compare(a.Segment, b.Segment), cmp.Compare(a.Off, b.Off))
}

// loadChunk is how many messages are read at once while loading.
const loadChunk = 256

// Load implements Store. Messages come by age, and those of one message in the order of its recipients.
func (s *Durable) Load(f Loader) error {
	if f.Session != nil || f.Inbound != nil {
		s.loadSessions(f)
	}
	if f.Message != nil || f.Waiting != nil {
		var refs []MessageRef
		for chunk := range slices.Chunk(s.byAge(), loadChunk) {
			refs = refs[:0]
			for _, m := range chunk {
				refs = append(refs, MessageRef(uint64(m.gen)<<32|uint64(m.slot)))
			}
			s.loadMessages(f, refs)
		}
	}
	if err := s.loadRetained(f); err != nil {
		return err
	}
	s.loadAPIKeys(f)
	return nil
}

func (s *Durable) loadSessions(f Loader) {
	s.mu.Lock()
	keys := slices.Collect(maps.Keys(s.x.sessions))
	s.mu.Unlock()
	slices.Sort(keys)
	for _, k := range keys {
		rec, inbound, ok := s.session(k)
		if !ok {
			continue
		}
		f.session(&rec)
		for _, id := range inbound {
			f.inbound(Inbound{Session: k, PacketID: id})
		}
	}
}

// session returns a copy of a session and its incoming exchanges.
func (s *Durable) session(k SessionKey) (rec Session, inbound []uint16, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.x.sessions[k]
	if x == nil {
		return rec, nil, false
	}
	rec = x.rec
	for i := range x.subs {
		rec.Subscriptions = append(rec.Subscriptions, x.subs[i].Subscription)
	}
	slices.SortFunc(rec.Subscriptions, byFilter)
	return rec, slices.Sorted(maps.Keys(x.inbound)), true
}

func byFilter(a, b Subscription) int { return strings.Compare(a.Filter, b.Filter) }

// aged is a message among others of other age: what sorting them needs, and a reference.
type aged struct {
	origin    uint64
	slot, gen uint32
}

// byAge returns all messages, eldest first.
func (s *Durable) byAge() []aged {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]aged, 0, s.x.messages.used())
	for i := uint32(1); i < s.x.messages.next; i++ {
		if m := s.x.messages.at(i); m.head != 0 {
			all = append(all, aged{m.origin, i, m.gen})
		}
	}
	slices.SortFunc(all, func(a, b aged) int { return cmp.Compare(a.origin, b.origin) })
	return all
}

func (s *Durable) loadMessages(f Loader, refs []MessageRef) {
	var ms []*msg.Message
	if f.Waiting == nil {
		ms = s.read(refs)
	}
	var to []delivered
	for i, ref := range refs {
		s.mu.Lock()
		size := 0
		to = to[:0]
		if n := s.x.message(ref); n != 0 {
			to = s.x.recipients(to, n)
			size = int(s.x.messages.at(n).place.Size)
		}
		s.mu.Unlock()
		for _, d := range to {
			if f.Waiting != nil {
				f.Waiting(ref, size, d.Recipient, d.state)
			} else if ms[i] != nil {
				f.Message(ref, ms[i], d.Recipient, d.state)
			}
		}
	}
}

func (s *Durable) loadRetained(f Loader) error {
	if f.Retained == nil {
		return nil
	}
	s.mu.Lock()
	type named struct {
		k     name
		place wallog.Place
	}
	all := make([]named, 0, len(s.x.retained))
	for k, r := range s.x.retained {
		all = append(all, named{k, r.place})
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b named) int { return comparePlaces(a.place, b.place) })
	for len(all) > 0 {
		n := min(loadChunk, len(all))
		for _, x := range all[:n] {
			m, err := s.retainedMessage(x.k)
			if err != nil {
				s.unreadable(x.place, err)
			} else if m != nil {
				f.Retained(m.Mountpoint, m)
			}
		}
		all = all[n:]
	}
	return nil
}

// retainedMessage reads a retained message; nil if there is none.
func (s *Durable) retainedMessage(k name) (*msg.Message, error) {
	for tries := 1; ; tries++ {
		s.mu.Lock()
		r, ok := s.x.retained[k]
		if !ok {
			s.mu.Unlock()
			return nil, nil
		}
		if r.place.Segment == 0 {
			p, ok := s.gathered(r.at)
			m, err := (*msg.Message)(nil), error(nil)
			if ok {
				m, err = s.buildRetained(p)
			}
			s.mu.Unlock()
			return m, err
		}
		s.mu.Unlock()
		var m *msg.Message
		var err error
		s.log.Read([]wallog.Place{r.place}, func(_ int, rec wallog.Record, e error) {
			if err = e; e == nil {
				m, err = s.buildRetained(rec.Payload)
			}
		})
		if !errors.Is(err, wallog.ErrGone) || tries == maxTries {
			return m, err
		}
	}
}

func (s *Durable) buildRetained(payload []byte) (*msg.Message, error) {
	d := decoder{b: payload}
	_, c := d.retained()
	return s.whole(&c, d.err)
}

// whole makes a message of what was read, unless that failed.
func (s *Durable) whole(c *body, err error) (*msg.Message, error) {
	if err != nil {
		return nil, err
	}
	m := msg.New(c.mountpoint, c.topic, c.payload, c.props, c.flags&3, c.flags&flagRetain != 0)
	m.Deadline = s.deadline(c)
	return m, nil
}
