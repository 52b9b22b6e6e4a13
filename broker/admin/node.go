package admin

import (
	"context"

	"vernemq/broker/metric"
)

// nodeStatus is `node status`: the figures one looks at first.
func nodeStatus(b Broker) *Command {
	return &Command{
		Path: []string{"node", "status"},
		Doc:  "Shows how many sessions, messages, subscriptions and retained messages this node has.",
		Run: func(ctx context.Context, r *Request) (Result, error) {
			online, offline := 0, 0
			err := b.EachSession(ctx, NeedQueue, nil, func(s *SessionInfo) bool {
				if s.State == StateOffline {
					offline++
				} else {
					online++
				}
				return true
			})
			if err != nil {
				return nil, err
			}
			m := b.Metrics()
			return rows([]string{"Status", "Value"}, [][]any{
				{"num_online", online},
				{"num_offline", offline},
				{"msg_in", m.Value(metric.MqttPublishReceived) + m.Value(metric.MqttPublishReceived+1)},
				{"msg_out", m.Value(metric.MqttPublishSent) + m.Value(metric.MqttPublishSent+1)},
				{"queue_in", m.Value(metric.QueueMessageIn)},
				{"queue_out", m.Value(metric.QueueMessageOut)},
				{"queue_drop", m.Value(metric.QueueMessageDrop)},
				{"queue_unhandled", m.Value(metric.QueueMessageUnhandled)},
				{"num_subscriptions", m.Value(metric.RouterSubscriptions)},
				{"num_retained", m.Value(metric.RetainMessages)},
				{"matches_local", m.Value(metric.RouterMatchesLocal)},
				{"matches_remote", 0}, // of a node that stands alone
				{"version", b.Version()},
			}), nil
		},
	}
}
