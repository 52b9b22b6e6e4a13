package store

// Stats is what a Durable can tell of itself. Sums are since it was opened.
type Stats struct {
	Sessions, Waiting int // sessions, deliveries that wait
	StoredMessages    int // messages that wait
	StoredRetained    int
	StoredAPIKeys     int
	LiveBytes         int64 // of what is on disk, about as much is needed
	DiskBytes         int64
	Segments          int
	PendingBytes      int64 // in memory, on the way to the disk

	Messages     int64 // taken
	Refused      int64
	MessageBytes int64 // topic, properties and payload of messages and retained messages
	Records      int64
	Batches      int64
	Syncs        int64 // batches that were synced
	Failures     int64 // writes and syncs that failed
	Unreadable   int64 // messages that could not be read back
	Dropped      int64 // segments

	LogBytes       int64 // written to the log
	DigestBytes    int64
	CompactedBytes int64 // of LogBytes, written again by compaction
	CutBytes       int64 // of a torn tail, cut off at the start

	Damage string // what compaction found damaged, empty if nothing; messages are taken all the same
}

// WriteAmplification is how many bytes are written to disk for each byte of the messages; 0 before there was any.
func (s Stats) WriteAmplification() float64 {
	if s.MessageBytes == 0 {
		return 0
	}
	return float64(s.LogBytes+s.DigestBytes) / float64(s.MessageBytes)
}

// Stats returns the figures.
func (s *Durable) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.stats
	r.Sessions, r.Waiting, r.StoredMessages, r.StoredRetained = len(s.x.sessions), s.x.waiting.used(), s.x.messages.used(), len(s.x.retained)
	r.StoredAPIKeys = len(s.x.apiKeys)
	if s.damage != nil {
		r.Damage = s.damage.Error()
	}
	r.LiveBytes, r.DiskBytes, r.Segments, r.PendingBytes = s.x.live, s.usage, s.segments, int64(s.pending.Bytes())
	return r
}
