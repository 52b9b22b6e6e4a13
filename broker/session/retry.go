package session

import (
	"time"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

// armRetry sees to it that unanswered exchanges of a 3.x client are sent again; MQTT 5 forbids that on a living connection [MQTT-4.4.0-1].
func (s *Session) armRetry(t *Turn) {
	if s.v5 == nil && s.retryInterval(t) > 0 && !s.Timer.Armed() {
		t.Wheel.Arm(&s.Timer, t.Now+int64(s.retryInterval(t)))
	}
}

// Retry sends exchanges again whose answer is overdue. It belongs to the session's timer while it is connected.
func (s *Session) Retry(t *Turn) {
	if s.win == nil || s.win.open == 0 || s.v5 != nil {
		return
	}
	interval := int64(s.retryInterval(t))
	if interval <= 0 { // the operator has taken it away meanwhile
		return
	}
	limit := seconds(interval)
	now := seconds(t.Now)
	end := s.win.n
	if s.resendAt >= 0 {
		end = int(s.resendAt)
	}
	for i := 0; i < end && i < s.win.n; i++ {
		f, id := s.win.at(i)
		if f.state != flightSent && f.state != flightReleased || now-f.sent < limit {
			continue
		}
		if !t.Sink.Room(s.Out) {
			break
		}
		if f.state == flightSent {
			s.transmit(t, f, id, true)
		} else {
			f.sent = now
			s.sendAck(t, mqtt.TypePubrel, id, mqtt.CodeSuccess)
		}
	}
	t.Wheel.Arm(&s.Timer, t.Now+interval)
}

func (s *Session) retryInterval(t *Turn) time.Duration {
	return hook.Or(s.opt.Set().RetryInterval, t.Opts.RetryInterval)
}
