package shard

import (
	"sync/atomic"
	"time"

	"vernemq/broker/exchange"
)

// Rules are what a listener demands of its clients; see exchange.
type Rules = exchange.Rules

// Settings are what a listener's connections are held to. They are immutable: a listener gets others as a whole.
type Settings struct {
	Rules          Rules
	MaxConnections int64 // -1: no limit
	MaxLifetime    time.Duration
	MaxConnectRate int64 // CONNECT packets accepted in one second; 0: any number
	ConnectTimeout time.Duration
}

// Listener is the running side of a listener, shared by the shards that accept for it. Its methods are safe for concurrent use.
type Listener struct {
	settings atomic.Pointer[Settings]
	Active   atomic.Int64 // connections open now
	Total    atomic.Int64 // connections accepted since the start
	rateEnd  atomic.Int64 // monotonic nanoseconds of the end of the second that connects counts for
	connects atomic.Int64
	over     atomic.Int64 // connections above MaxConnections that are open to be told so
}

// mostOver is how many connections above its limit a listener takes to refuse them by the book; more are closed at once.
const mostOver = 64

// admit counts a new connection. over: it is one too many, and stays until it can be told; ok false: it cannot even stay for that.
func (l *Listener) admit() (over, ok bool) {
	if most := l.Settings().MaxConnections; l.Active.Add(1) <= most || most < 0 {
		return false, true
	}
	l.Active.Add(-1)
	if l.over.Add(1) <= mostOver {
		return true, true
	}
	l.over.Add(-1)
	return true, false
}

// mayConnect counts a CONNECT against MaxConnectRate. now is monotonic nanoseconds. Where two seconds meet, shards may disagree by a few.
func (l *Listener) mayConnect(now int64) bool {
	most := l.Settings().MaxConnectRate
	if most <= 0 {
		return true
	}
	if end := l.rateEnd.Load(); now >= end && l.rateEnd.CompareAndSwap(end, now+int64(time.Second)) {
		l.connects.Store(0)
	}
	return l.connects.Add(1) <= most
}

// release takes a connection out of the count.
func (l *Listener) release(over bool) {
	if over {
		l.over.Add(-1)
		return
	}
	l.Active.Add(-1)
}

// NewListener returns a listener with settings that are not modified any more.
func NewListener(s *Settings) *Listener {
	l := &Listener{}
	l.Set(s)
	return l
}

// Settings returns what is in force; it must not be modified.
func (l *Listener) Settings() *Settings { return l.settings.Load() }

// Set puts others in force, for connections that log in from now on. Those that are open keep their session and are held to the new lifetime.
func (l *Listener) Set(s *Settings) { l.settings.Store(s) }
