// Package admintest is a broker in memory for tests of what asks a broker: the admin commands, the HTTP API, the command line. It keeps the
// promises of admin.Broker and answers from the values it is given.
package admintest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"vernemq/broker/admin"
	"vernemq/broker/auth/apikey"
	"vernemq/broker/config"
	"vernemq/broker/metric"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

// Broker is an admin.Broker. Do not change its fields while commands run.
type Broker struct {
	Node     string
	Release  string
	Sessions []admin.SessionInfo
	Open     []admin.ListenerInfo
	Registry *metric.Registry
	Durable  admin.Store
	Keys     *apikey.Keys
	Reconf   admin.Reconfigurer
	// Visit, if set, is called before each session is shown; an error ends the listing.
	Visit func(ctx context.Context, s *admin.SessionInfo) error

	mu  sync.Mutex
	did []string
}

// Did returns what commands did, in their order, one line each.
func (b *Broker) Did() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.did)
}

func (b *Broker) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, fmt.Sprintf(format, args...))
}

var _ admin.Broker = (*Broker)(nil)

// NodeName returns b.Node.
func (b *Broker) NodeName() string { return b.Node }

// Version returns b.Release.
func (b *Broker) Version() string { return b.Release }

// Disconnect notes what it is asked for.
func (b *Broker) Disconnect(id msg.SubscriberID, g admin.Goodbye) bool {
	b.note("disconnect %q %q %+v", id.Mountpoint, id.ClientID, g)
	return b.find(id) != nil
}

// Unsubscribe notes what it is asked for.
func (b *Broker) Unsubscribe(id msg.SubscriberID, filter string, tell bool) bool {
	b.note("unsubscribe %q %q %q %v", id.Mountpoint, id.ClientID, filter, tell)
	s := b.find(id)
	return s != nil && slices.ContainsFunc(s.Subscriptions, func(x admin.SubscriptionInfo) bool { return x.Topic == filter })
}

// Reauthorize notes what it is asked for: a user called nobody may not have what the session subscribed to.
func (b *Broker) Reauthorize(_ context.Context, id msg.SubscriberID, user string) (changed int, err error) {
	b.note("reauthorize %q %q %q", id.Mountpoint, id.ClientID, user)
	if s := b.find(id); s != nil && user == "nobody" {
		return len(s.Subscriptions), nil
	}
	return 0, nil
}

func (b *Broker) find(id msg.SubscriberID) *admin.SessionInfo {
	for i := range b.Sessions {
		if b.Sessions[i].ID == id {
			return &b.Sessions[i]
		}
	}
	return nil
}

// Listeners returns b.Open.
func (b *Broker) Listeners() []admin.ListenerInfo { return b.Open }

// Metrics returns b.Registry.
func (b *Broker) Metrics() *metric.Registry { return b.Registry }

// Store returns b.Durable.
func (b *Broker) Store() admin.Store { return b.Durable }

// APIKeys returns b.Keys.
func (b *Broker) APIKeys() *apikey.Keys { return b.Keys }

// Reconfigurer returns b.Reconf.
func (b *Broker) Reconfigurer() admin.Reconfigurer { return b.Reconf }

// EachSession visits b.Sessions in their order. Groups that are not asked for are empty, so that a forgotten Need shows.
func (b *Broker) EachSession(ctx context.Context, need admin.Need, exact *msg.SubscriberID, f func(*admin.SessionInfo) bool) error {
	for _, s := range b.Sessions {
		if exact != nil && s.ID != *exact {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if b.Visit != nil {
			if err := b.Visit(ctx, &s); err != nil {
				return err
			}
		}
		if need&admin.NeedQueue == 0 {
			s = admin.SessionInfo{ID: s.ID, Shard: s.Shard, Slot: s.Slot, Client: s.Client, Subscriptions: s.Subscriptions, Messages: s.Messages}
		}
		if need&admin.NeedSession == 0 {
			s.Client = nil
		}
		if need&admin.NeedSubscriptions == 0 {
			s.Subscriptions = nil
		}
		if need&admin.NeedMessages == 0 {
			s.Messages = nil
		}
		if !f(&s) {
			return nil
		}
	}
	return nil
}

// Today is what the clock of the API keys says.
var Today = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// New returns a broker with one session of every sort, two listeners and a few counted events.
func New() *Broker {
	r := metric.NewRegistry(2)
	r.Shard(0).Add(metric.MqttPublishReceived, 7)
	r.Shard(1).Add(metric.MqttPublishReceived+1, 5)
	r.Shard(0).Add(metric.MqttPublishSent, 20)
	r.Shard(1).Add(metric.QueueMessageIn, 12)
	r.Shard(1).Add(metric.QueueMessageOut, 9)
	r.Shard(0).Inc(metric.QueueMessageDrop)
	r.Shard(0).Inc(metric.QueueMessageUnhandled)
	r.Shard(0).Add(metric.RouterMatchesLocal, 21)
	r.Shard(0).Inc(metric.ConnackReturned(5))
	r.Shard(1).Add(metric.ConnackSent(0), 2)
	r.Shared().Add(metric.SocketOpen, 3)
	r.Gauge(metric.RouterSubscriptions, func() uint64 { return 3 })
	r.Gauge(metric.RetainMessages, func() uint64 { return 4 })
	r.Gauge(metric.ActiveMqttConnections, func() uint64 { return 2 })
	keys, err := apikey.Open(store.NewMemory(), config.NewLive(&config.Options{MinAPIKeyLength: 8}), apikey.Clock{Now: func() time.Time { return Today }, ClockSet: func() bool { return true }})
	if err != nil {
		panic("BUG: a store in memory cannot be read: " + err.Error())
	}
	return &Broker{
		Keys: keys,
		Reconf: &Reconfigurer{
			Answer: admin.Outcome{Findings: "warning: of the compiler\n", Notes: []string{"A note."}, Changes: []admin.Change{
				{Key: "allow_anonymous", Live: true, Old: "off", New: "on", Origin: "/etc/vernemq/vernemq.conf:3"},
				{Key: "shards", Old: "2", New: "4", Origin: "/etc/vernemq/vernemq.conf:4"},
			}},
			Known: []admin.Value{
				{Key: "allow_anonymous", Text: "on", Origin: "/etc/vernemq/vernemq.conf:3", Change: "live"},
				{Key: "shards", Text: "2", Origin: "default", Change: "restart"},
			},
		},
		Node:     "VerneMQ@127.0.0.1",
		Release:  "1.2.3",
		Registry: r,
		Sessions: []admin.SessionInfo{
			{
				ID: msg.SubscriberID{ClientID: "dev-1"}, Shard: 0, Slot: 17,
				State: admin.StateOnline, Connections: 1, DeliverMode: "fanout", OnlineMessages: 2, CleanSession: true, QueueStartedAt: 1700000000000,
				Client: &admin.ClientInfo{User: "alice", HasUser: true, Peer: netip.MustParseAddrPort("192.0.2.7:51234"), Protocol: 4,
					WaitingAcks: 1, StartedAt: 1700000000001},
				Subscriptions: []admin.SubscriptionInfo{
					{Topic: "sensors/#", QoS: 1},
					{Topic: "5", QoS: 0, NoLocal: true, RetainAsPublished: true},
				},
			},
			{
				ID: msg.SubscriberID{ClientID: "5"}, Shard: 1, Slot: 3,
				State: admin.StateOnline, Connections: 1, DeliverMode: "fanout", QueueStartedAt: 1700000001000,
				Client: &admin.ClientInfo{Peer: netip.MustParseAddrPort("[2001:db8::1]:1025"), Protocol: 5, StartedAt: 1700000001000},
			},
			{
				ID: msg.SubscriberID{Mountpoint: "mp", ClientID: "dev-2"}, Shard: 1, Slot: 4,
				State: admin.StateOffline, DeliverMode: "fanout", OfflineMessages: 2, QueueStartedAt: 1600000000000,
				Subscriptions: []admin.SubscriptionInfo{{Topic: "$share/g/jobs", QoS: 2}},
				Messages: []admin.MessageInfo{
					{Ref: []byte{0, 0, 1}, QoS: 1, Topic: "jobs", Payload: []byte("on, \"now\"")},
					{Ref: []byte{0, 0, 2}, QoS: 2, Topic: "jobs", Dup: true, Payload: []byte{1, 2, 255}},
				},
			},
		},
		Open: []admin.ListenerInfo{
			{Type: "mqtt", Status: "running", Address: "127.0.0.1", Port: 1883, MaxConns: 10000, Active: 2, All: 3,
				ProtocolVersions: []int{3, 4, 131}},
			{Type: "https", Status: "suspended", Address: "0.0.0.0", Port: 8443, Mountpoint: "", MaxConns: admin.Unlimited,
				TLS: &admin.TLSInfo{CertFile: "/etc/vernemq/cert.pem", KeyFile: "/etc/vernemq/key.pem", RequireCertificate: true}},
		},
	}
}
