package session

import "vernemq/broker/queue"

// reasonOverload is what observers are told of a message that was dropped because memory is short.
const reasonOverload = "overload"

// Shed drops what waits at QoS 0: its client does not keep up, and memory is short. It returns how many messages that were.
func (s *Session) Shed(t *Turn) (n int) {
	if s.q == nil || s.q.QoS0() == 0 {
		return 0
	}
	s.q.Filter(func(it *queue.Item) bool { return it.QoS > 0 }, func(it queue.Item) {
		n++
		s.release(t, &it, 0)
		s.tellDropped(t, &it, reasonOverload)
	})
	return n
}

// Holds returns about how many bytes of memory the session's connection takes: what waits for it, but for what is in the store only, and what
// was made ready for its socket. A message that waits for several sessions counts for each.
func (s *Session) Holds() int64 {
	var n int64
	if s.q != nil {
		n = s.q.Bytes()
		if s.Key != 0 && s.q.Len() > warm {
			n = n / int64(s.q.Len()) * warm
		}
	}
	if s.Out != nil {
		n += int64(cap(s.Out.Buf))
	}
	return n
}
