package config

import "sync/atomic"

// Live holds the snapshot in force. Load is one atomic read. The zero Live holds none.
type Live struct{ snapshot atomic.Pointer[Options] }

// NewLive returns a Live that holds o.
func NewLive(o *Options) *Live {
	l := &Live{}
	l.snapshot.Store(o)
	return l
}

// Load returns the snapshot in force; it must not be modified.
func (l *Live) Load() *Options { return l.snapshot.Load() }

// Swap puts o in force and returns what was in force before. o must not be modified afterwards.
func (l *Live) Swap(o *Options) *Options { return l.snapshot.Swap(o) }
