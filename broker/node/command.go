package node

import (
	"context"

	"vernemq/broker/admin"
	"vernemq/broker/exchange"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/shard"
)

// with runs f on the loop of a session; false if there is no such session.
func (v brokerView) with(id msg.SubscriberID, f func(*shard.Shard, *session.Session)) (found bool) {
	s := v.n.group.Shard(v.n.group.ShardOf(id))
	s.Do(func() {
		if x := s.Home().Session(id); x != nil {
			found = true
			f(s, x)
		}
	})
	return found
}

// Disconnect implements admin.Broker.
func (v brokerView) Disconnect(id msg.SubscriberID, g admin.Goodbye) bool {
	return v.with(id, func(s *shard.Shard, x *session.Session) {
		s.Disconnect(x, exchange.Goodbye(g.Reference, g.Moved))
		if g.Cleanup {
			s.Home().Remove(x)
		}
	})
}

// Unsubscribe implements admin.Broker.
func (v brokerView) Unsubscribe(id msg.SubscriberID, filter string, tell bool) (done bool) {
	v.with(id, func(s *shard.Shard, x *session.Session) { done = s.Home().Unsubscribe(x, filter, tell) })
	return done
}

// Reauthorize implements admin.Broker.
func (v brokerView) Reauthorize(ctx context.Context, id msg.SubscriberID, user string) (changed int, err error) {
	answer := make(chan int, 1)
	found := v.with(id, func(s *shard.Shard, x *session.Session) {
		s.Home().Reauthorize(x, user, func(n int) { answer <- n })
	})
	if !found {
		return 0, nil
	}
	select {
	case n := <-answer:
		return n, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
