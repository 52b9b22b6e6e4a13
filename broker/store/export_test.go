package store

// Digest writes the digests that the next start would like to find.
func (s *Durable) Digest() { s.digests(0) }
