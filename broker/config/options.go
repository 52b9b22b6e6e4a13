// Package config holds what the broker is told: Options, loaded from the compiled runtime configuration and from nothing else, immutable
// once built, shared behind one atomic pointer. It knows no operator's file and no layer; every field names its key in a conf tag, and a
// test holds fields and schema rows against each other.
package config

import "time"

// Options is one immutable snapshot of the configuration. Fields with a conf tag come from the key of that name; durations are converted
// from the key's unit. Do not modify a snapshot that was published with Store.
type Options struct {
	NodeName string `conf:"nodename"`
	Shards   int    `conf:"shards"` // event loops; 0: the cores it may use

	MemoryLimit     int64 `conf:"memory_limit"`      // bytes; 0: not known, -1: none
	MemoryHighWater int64 `conf:"memory_high_water"` // bytes of live memory; 0: not known, -1: none

	// Admission.
	AllowAnonymous     bool          `conf:"allow_anonymous"`
	MaxClientIDSize    int           `conf:"max_client_id_size"` // bytes
	ConnectTimeout     time.Duration `conf:"mqtt_connect_timeout"`
	MaxMessageSize     int           `conf:"max_message_size"` // bytes of a packet's remaining length; 0: the protocol's limit
	MaxMessageRate     int           `conf:"max_message_rate"` // publishes a second of one client; 0: no limit
	TopicMaxDepth      int           `conf:"topic_max_depth"`  // levels
	DisconnectUnauthV3 bool          `conf:"disconnect_on_unauthorized_publish_v3"`

	// Sessions.
	RetryInterval         time.Duration `conf:"retry_interval"`               // MQTT 3.x only
	MaxInflight           int           `conf:"max_inflight_messages"`        // MQTT 3.x; 0: no limit
	PersistentExpiration  time.Duration `conf:"persistent_client_expiration"` // 0: never
	MaxLastWillDelay      time.Duration `conf:"max_last_will_delay"`          // -1: as the client asks
	ReceiveMaxClient      int           `conf:"receive_max_client"`
	ReceiveMaxBroker      int           `conf:"receive_max_broker"`
	TopicAliasMaxClient   int           `conf:"topic_alias_max_client"`
	TopicAliasMaxBroker   int           `conf:"topic_alias_max_broker"`
	UpgradeOutgoingQoS    bool          `conf:"upgrade_outgoing_qos"`
	SuppressLWTTakeover   bool          `conf:"suppress_lwt_on_session_takeover"`
	AllowMultipleSessions bool          `conf:"allow_multiple_sessions"`
	CheckPayloadFormat    bool          `conf:"check_payload_format"`         // of MQTT 5 publishes and wills
	MaxSubscriptions      int           `conf:"max_subscriptions_per_client"` // 0: no limit

	// Queues.
	MaxOnlineMessages  int    `conf:"max_online_messages"`  // -1: no limit
	MaxOfflineMessages int    `conf:"max_offline_messages"` // -1: no limit
	MaxQueueBytes      int64  `conf:"max_queue_bytes"`      // topic, properties and payload of what waits for one session; 0: no limit
	QueueType          string `conf:"queue_type"`           // fifo or lifo
	QueueFullAction    string `conf:"queue_full_action"`    // drop or refuse
	QueueDeliverMode   string `conf:"queue_deliver_mode"`   // fanout or balance, for clients that are connected several times
	SharedPolicy       string `conf:"shared_subscription_policy"`

	// Retained messages.
	MaxRetainedMessages int           `conf:"max_retained_messages"` // 0: no limit
	MaxRetainedBytes    int64         `conf:"max_retained_bytes"`    // as retain.Store.Bytes counts; 0: no limit
	ExpireRetained      time.Duration `conf:"expire_retain_cache"`   // between two sweeps for retained messages whose time is over; 0: the broker's choice

	// Store.
	StoreDir          string        `conf:"store.dir"`        // already under the root
	StoreDurability   string        `conf:"store.durability"` // ack, interval or none
	StoreSyncInterval time.Duration `conf:"store.sync_interval"`
	StoreMaxSize      int64         `conf:"store.max_size"` // bytes; 0: no limit
	StoreSegmentSize  int           `conf:"store.segment_size"`
	StoreCompactRate  int64         `conf:"store.compact_rate"` // bytes a second; 0: never

	// HTTP interface.
	MinAPIKeyLength int           `conf:"min_apikey_length"`      // characters; asked of new keys
	MaxAPIKeyLife   time.Duration `conf:"max_apikey_expiry_days"` // of new keys; 0: for ever

	Listeners []Listener
}

// Backlog is how many connections may wait to be accepted, per socket; the kernel cuts it to net.core.somaxconn.
const Backlog = 4096

// Listener is one listening address with its options after inheritance (global < protocol < named).
type Listener struct {
	Protocol string // tcp, ssl, ws, wss, http, https, vmq, vmqs
	Name     string
	Address  string // host:port, or unix:/path (already under the root)

	MaxConnections   int           `conf:"max_connections"` // -1: no limit
	Acceptors        int           `conf:"nr_of_acceptors"`
	MaxLifetime      time.Duration `conf:"max_connection_lifetime"` // 0: none
	MaxConnectRate   int           `conf:"max_connection_rate"`     // clients let in in one second; 0: any number
	Mountpoint       string        `conf:"mountpoint"`              // "" is the default one
	ProtocolVersions []int         `conf:"allowed_protocol_versions"`
	AllowAnonymous   bool          `conf:"allow_anonymous_override"`
	BufferSizes      []int         `conf:"buffer_sizes"` // kernel send, kernel receive, user buffer in bytes; empty: the system's
}
