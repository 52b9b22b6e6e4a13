package session

import (
	"time"

	"vernemq/broker/hook"
)

// Options are the session's own, given by a provider: never nil, not to be changed.
func (s *Session) Options() *hook.SessionOptions { return s.opt.Set() }

// MaxMessageRate is how many messages the client may publish in a second; 0: any number.
func (s *Session) MaxMessageRate(t *Turn) int {
	if s.opt == nil {
		return t.Opts.MaxMessageRate
	}
	return hook.Or(s.opt.MaxMessageRate, t.Opts.MaxMessageRate)
}

// qosOf is the QoS at which a message goes to a subscription, of what it was published with and what the subscription was granted.
func (s *Session) qosOf(t *Turn, published, granted byte) byte {
	if hook.Or(s.opt.Set().UpgradeQoS, t.Opts.UpgradeOutgoingQoS) {
		return granted
	}
	return min(published, granted)
}

// MaxLifetime is how long the connection may last on a listener that allows so much; 0: for ever.
func (s *Session) MaxLifetime(listener time.Duration) time.Duration {
	own := hook.Or(s.opt.Set().MaxLifetime, 0)
	if own <= 0 || listener > 0 && listener < own {
		return listener
	}
	return own
}
