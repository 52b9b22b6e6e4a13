package admin

import (
	"context"
	"net/netip"

	"vernemq/broker/auth/apikey"
	"vernemq/broker/metric"
	"vernemq/broker/msg"
)

// Broker is what commands ask of the broker. All methods are safe for concurrent use; none but EachSession may take longer than a moment.
type Broker interface {
	// NodeName returns the node's name, such as VerneMQ@127.0.0.1.
	NodeName() string
	// Version returns the product's version.
	Version() string
	// EachSession visits sessions, connected or not, until f returns false or ctx is done (then it returns ctx.Err()). The fields of need are
	// filled in, those of the base always. If exact is set, at most that subscriber is visited. f runs on the caller's goroutine, never on
	// a shard, and may call EachSession itself; the SessionInfo and what it points to are valid during the call only. Sessions that come or
	// go meanwhile may be missed.
	EachSession(ctx context.Context, need Need, exact *msg.SubscriberID, f func(*SessionInfo) bool) error
	// Listeners returns the listeners in the order of their configuration.
	Listeners() []ListenerInfo
	// Metrics returns the registry that the broker counts in.
	Metrics() *metric.Registry
	// Disconnect ends the connection of a session as g says; false if there is no such session.
	Disconnect(id msg.SubscriberID, g Goodbye) bool
	// Unsubscribe takes a subscription away; false if there is none. tell: the hook on_topic_unsubscribed runs.
	Unsubscribe(id msg.SubscriberID, filter string, tell bool) bool
	// Reauthorize asks again for each subscription of a session whether a user may have it, takes away what is refused, and returns how many
	// are not what they were. It returns ctx.Err() if that comes first.
	Reauthorize(ctx context.Context, id msg.SubscriberID, user string) (changed int, err error)
	// Store returns the durable store, nil if everything is kept in memory.
	Store() Store
	// APIKeys returns the keys of the HTTP interface.
	APIKeys() *apikey.Keys
	// Reconfigurer returns what changes the configuration, nil if nothing can.
	Reconfigurer() Reconfigurer
}

// Need says which groups of fields of a SessionInfo are wanted, so that cheap questions stay cheap.
type Need uint8

// The groups. The base needs no bit.
const (
	NeedQueue         Need = 1 << iota // state and counts of the queue
	NeedSession                        // the connected client
	NeedSubscriptions                  // SessionInfo.Subscriptions
	NeedMessages                       // SessionInfo.Messages, read back from the store where necessary
)

// The states of a session's queue.
const (
	StateOnline         = "online"           // a client is connected
	StateOffline        = "offline"          // nobody is connected
	StateWaitForOffline = "wait_for_offline" // the connection ended, its last will is due
)

// SessionInfo is what is known of one session.
type SessionInfo struct {
	// Base.
	ID    msg.SubscriberID
	Shard int    // where it lives
	Slot  uint32 // its place there

	// Queue: NeedQueue.
	State           string // one of the State constants
	Connections     int    // of the client; above 1 only with allow_multiple_sessions, where each has an entry of its own
	DeliverMode     string // fanout or balance, among these connections
	OfflineMessages int    // waiting for a client that is not connected
	OnlineMessages  int    // waiting for the connected client
	CleanSession    bool   // dropped when the client disconnects
	Plugin          bool   // an internal subscriber, such as a bridge
	QueueStartedAt  int64  // when it was created, unix milliseconds

	// Session: NeedSession. Nil while no client is connected.
	Client *ClientInfo

	Subscriptions []SubscriptionInfo // NeedSubscriptions
	Messages      []MessageInfo      // NeedMessages: those that wait, oldest first
}

// ClientInfo is what is known of a connected client.
type ClientInfo struct {
	User        string
	HasUser     bool // false: anonymous
	Peer        netip.AddrPort
	Protocol    byte  // protocol level as in CONNECT: 3, 4, 5, 131, 132
	WaitingAcks int   // messages in flight to the client
	StartedAt   int64 // when it connected, unix milliseconds
}

// SubscriptionInfo is one subscription of a session.
type SubscriptionInfo struct {
	Topic             string // the filter, with $share prefix
	QoS               byte
	RetainAsPublished bool
	NoLocal           bool
}

// MessageInfo is one message that waits for a session.
type MessageInfo struct {
	Ref     []byte // identifies the message in the store
	QoS     byte
	Topic   string
	Dup     bool
	Payload []byte
}

// Goodbye is how a connection is ended by command. MQTT 5 clients are told.
type Goodbye struct {
	Cleanup   bool   // the session ends, too: its subscriptions and what waits for it
	Reference string // where the client should go instead; empty: nowhere
	Moved     bool   // for good
}

// Unlimited is the value of a limit that does not exist.
const Unlimited = -1

// ListenerInfo is one listener with its counts.
type ListenerInfo struct {
	Type       string // mqtt, mqtts, mqttws, mqttwss, vmq, vmqs, http, https
	Status     string // running or suspended
	Address    string // IP address, or a path behind "local:"
	Port       int
	Mountpoint string
	MaxConns   int    // Unlimited: infinity
	Active     int    // connections open now
	All        uint64 // connections accepted since the start

	ProtocolVersions []int    // levels that are let in; nil where no MQTT is spoken
	AllowAnonymous   bool     // the listener's own override
	TLS              *TLSInfo // nil without TLS
}

// TLSInfo is how a listener does TLS. Empty texts are options that are not set.
type TLSInfo struct {
	Version               string
	CertFile              string
	CAFile                string
	KeyFile               string
	PSKFile               string
	RequireCertificate    bool
	UseIdentityAsUsername bool
	PSK                   bool
}
