package node

import (
	"context"
	"encoding/binary"
	"net"
	"strconv"
	"strings"

	"vernemq/broker/admin"
	"vernemq/broker/auth/apikey"
	"vernemq/broker/metric"
	"vernemq/broker/msg"
	"vernemq/broker/session"
	"vernemq/broker/shard"
	"vernemq/broker/store"
)

// brokerView is what the admin commands see of a node.
type brokerView struct{ n *Node }

var _ admin.Broker = brokerView{}

func (v brokerView) NodeName() string          { return v.n.options.Load().NodeName }
func (v brokerView) Version() string           { return v.n.params.Version }
func (v brokerView) Metrics() *metric.Registry { return v.n.metrics }

// Reconfigurer implements admin.Broker.
func (v brokerView) Reconfigurer() admin.Reconfigurer { return v.n.reconf }

// APIKeys implements admin.Broker.
func (v brokerView) APIKeys() *apikey.Keys { return v.n.apiKeys }

// Store implements admin.Broker.
func (v brokerView) Store() admin.Store {
	if st, ok := v.n.store.(*store.Durable); ok {
		return st
	}
	return nil
}

// chunk is how many sessions one call on a loop collects: some microseconds of its turn.
const chunk = 128

// EachSession collects sessions in chunks on their loops and visits them here.
func (v brokerView) EachSession(ctx context.Context, need admin.Need, exact *msg.SubscriberID, f func(*admin.SessionInfo) bool) error {
	if exact != nil {
		var found []*admin.SessionInfo
		v.with(*exact, func(s *shard.Shard, sess *session.Session) {
			found = append(found, describe(sess, s, need))
			if sess.Several != nil {
				for _, other := range sess.Several.Others {
					found = append(found, describe(other, s, need))
				}
			}
		})
		for _, info := range found {
			v.fetch(info)
			if !f(info) {
				break
			}
		}
		return ctx.Err()
	}
	for i := range v.n.group.Len() {
		for from := 0; from >= 0; {
			if err := ctx.Err(); err != nil {
				return err
			}
			batch, next := collect(v.n.group.Shard(i), from, need)
			from = next
			for _, info := range batch {
				v.fetch(info)
				if !f(info) {
					return nil
				}
			}
		}
	}
	return nil
}

// fetch reads the messages back that only the store holds. It runs on the caller's goroutine, never on a loop.
func (v brokerView) fetch(info *admin.SessionInfo) {
	var refs []store.MessageRef
	var at []int
	for i := range info.Messages {
		if x := &info.Messages[i]; x.Topic == "" {
			refs, at = append(refs, store.MessageRef(binary.BigEndian.Uint64(x.Ref))), append(at, i)
		}
	}
	if len(refs) == 0 {
		return
	}
	done := make(chan []*msg.Message, 1)
	v.n.store.ReadMessages(refs, func(ms []*msg.Message) { done <- ms })
	for i, m := range <-done {
		if m != nil {
			info.Messages[at[i]].Topic, info.Messages[at[i]].Payload = string(m.Topic), m.Payload
		}
	}
}

func collect(s *shard.Shard, from int, need admin.Need) (batch []*admin.SessionInfo, next int) {
	s.Do(func() {
		next = s.Home().Each(from, func(sess *session.Session) bool {
			batch = append(batch, describe(sess, s, need))
			return len(batch) < chunk
		})
	})
	return batch, next
}

// describe copies what is wanted of a session. It runs on the session's loop.
func describe(s *session.Session, on *shard.Shard, need admin.Need) *admin.SessionInfo {
	info := &admin.SessionInfo{ID: s.ID, Shard: on.ID(), Slot: s.Slot}
	if need&admin.NeedQueue != 0 {
		info.CleanSession, info.QueueStartedAt = !s.Persistent(), s.Created
		info.Connections, info.DeliverMode = s.Connections(), on.Home().T.Opts.QueueDeliverMode
		switch {
		case s.Online():
			info.State, info.OnlineMessages = admin.StateOnline, s.Waiting()
		case s.Will != nil:
			info.State, info.OfflineMessages = admin.StateWaitForOffline, s.Waiting()+s.Inflight()
		default:
			info.State, info.OfflineMessages = admin.StateOffline, s.Waiting()+s.Inflight()
		}
	}
	if need&admin.NeedSession != 0 && s.Online() {
		level := byte(s.Version)
		if s.Bridge {
			level |= 0x80
		}
		info.Client = &admin.ClientInfo{User: s.Username, HasUser: s.HasUser, Peer: s.Peer, Protocol: level, WaitingAcks: s.Inflight(), StartedAt: s.Started}
	}
	if need&admin.NeedSubscriptions != 0 {
		for _, sub := range s.Subs.All() {
			info.Subscriptions = append(info.Subscriptions, admin.SubscriptionInfo{Topic: sub.Filter, QoS: sub.Opts.QoS(),
				RetainAsPublished: sub.Opts.RetainAsPublished(), NoLocal: sub.Opts.NoLocal()})
		}
	}
	if need&admin.NeedMessages != 0 {
		s.EachMessage(func(ref uint64, m *msg.Message, qos byte, dup bool) {
			x := admin.MessageInfo{Ref: binary.BigEndian.AppendUint64(nil, ref), QoS: qos, Dup: dup}
			if m != nil {
				x.Topic, x.Payload = string(m.Topic), m.Payload
			}
			info.Messages = append(info.Messages, x)
		})
	}
	return info
}

// kindNames are VerneMQ's names of the listener types.
var kindNames = map[string]string{"tcp": "mqtt", "ssl": "mqtts", "ws": "mqttws", "wss": "mqttwss", "vmq": "vmq", "vmqs": "vmqs", "http": "http", "https": "https"}

// Listeners implements admin.Broker.
func (v brokerView) Listeners() []admin.ListenerInfo {
	var out []admin.ListenerInfo
	for _, l := range v.n.listeners.List() {
		info := admin.ListenerInfo{Type: kindNames[l.Config.Protocol], Status: "running", Mountpoint: l.Config.Mountpoint, MaxConns: l.Config.MaxConnections,
			Active: int(l.Active), All: uint64(l.Total), ProtocolVersions: l.Config.ProtocolVersions, AllowAnonymous: l.Config.AllowAnonymous}
		if l.Suspended {
			info.Status = "suspended"
		}
		if path, ok := strings.CutPrefix(l.Address, "unix:"); ok {
			info.Address = "local:" + path
		} else if host, port, err := net.SplitHostPort(l.Address); err == nil {
			info.Address = host
			info.Port, _ = strconv.Atoi(port)
		}
		out = append(out, info)
	}
	return out
}
