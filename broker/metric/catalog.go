package metric

// catalog is every metric of the product, in the order in which all exports list them. To add one: add its row here, run
// `go generate ./broker/metric` and increment the new constant where the thing happens.
//
// Names, label names and label values are VerneMQ's. Rows of functions that are not built yet are not here: a counter that is always zero
// tells an operator that nothing happens, not that nobody counts.
var catalog = []row{
	// Sockets.
	{name: "socket_open", kind: Counter, doc: "Client sockets accepted since the broker started."},
	{name: "socket_close", kind: Counter, doc: "Client sockets closed since the broker started."},
	{name: "socket_close_timeout", kind: Counter, doc: "Sockets closed because no CONNECT arrived within mqtt_connect_timeout."},
	{name: "socket_refused", kind: Counter, doc: "Client sockets refused because their listener had max_connections, or no file could be opened."},
	{name: "socket_error", kind: Counter, doc: "Sockets closed after a read or write failed."},
	{name: "bytes_received", kind: Counter, doc: "Bytes read from clients."},
	{name: "bytes_sent", kind: Counter, doc: "Bytes written to clients."},

	// Packets in.
	{name: "mqtt_connect_received", kind: Counter, series: bothVersions, doc: "CONNECT packets received."},
	{name: "mqtt_publish_received", kind: Counter, series: bothVersions, doc: "PUBLISH packets received."},
	{name: "mqtt_puback_received", kind: Counter, series: v4AndCodes, codes: codesPuback, doc: "PUBACK packets received."},
	{name: "mqtt_pubrec_received", kind: Counter, series: v4AndCodes, codes: codesPuback, doc: "PUBREC packets received."},
	{name: "mqtt_pubrel_received", kind: Counter, series: v4AndCodes, codes: codesPubrel, doc: "PUBREL packets received."},
	{name: "mqtt_pubcomp_received", kind: Counter, series: v4AndCodes, codes: codesPubrel, doc: "PUBCOMP packets received."},
	{name: "mqtt_subscribe_received", kind: Counter, series: bothVersions, doc: "SUBSCRIBE packets received."},
	{name: "mqtt_unsubscribe_received", kind: Counter, series: bothVersions, doc: "UNSUBSCRIBE packets received."},
	{name: "mqtt_pingreq_received", kind: Counter, series: bothVersions, doc: "PINGREQ packets received."},
	{name: "mqtt_disconnect_received", kind: Counter, series: v4AndCodes, codes: codesDisconnectReceived, doc: "DISCONNECT packets received."},
	{name: "mqtt_auth_received", kind: Counter, series: codesOnly, codes: codesAuth, doc: "AUTH packets received."},

	// Packets out.
	{name: "mqtt_connack_accepted_sent", kind: Counter, series: v4Only, sum: []ID{ConnackReturned(0)},
		doc: "CONNACK packets that accepted a client; older name of mqtt_connack_sent with return_code success."},
	{name: "mqtt_connack_unacceptable_protocol_sent", kind: Counter, series: v4Only, sum: []ID{ConnackReturned(1)},
		doc: "CONNACK packets that refused the protocol level; older name of mqtt_connack_sent with return_code unsupported_protocol_version."},
	{name: "mqtt_connack_identifier_rejected_sent", kind: Counter, series: v4Only, sum: []ID{ConnackReturned(2)},
		doc: "CONNACK packets that refused the client identifier; older name of mqtt_connack_sent with return_code client_identifier_not_valid."},
	{name: "mqtt_connack_server_unavailable_sent", kind: Counter, series: v4Only, sum: []ID{ConnackReturned(3)},
		doc: "CONNACK packets that refused for want of service; older name of mqtt_connack_sent with return_code server_unavailable."},
	{name: "mqtt_connack_bad_credentials_sent", kind: Counter, series: v4Only, sum: []ID{ConnackReturned(4)},
		doc: "CONNACK packets that refused the password; older name of mqtt_connack_sent with return_code bad_username_or_password."},
	{name: "mqtt_connack_not_authorized_sent", kind: Counter, series: v4Only, sum: []ID{ConnackReturned(5)},
		doc: "CONNACK packets that refused the client's rights; older name of mqtt_connack_sent with return_code not_authorized."},
	{name: "mqtt_connack_sent", kind: Counter, series: returnsAndCodes, codes: codesConnack, doc: "CONNACK packets sent."},
	{name: "mqtt_publish_sent", kind: Counter, series: bothVersions, doc: "PUBLISH packets sent."},
	{name: "mqtt_puback_sent", kind: Counter, series: v4AndCodes, codes: codesPuback, doc: "PUBACK packets sent."},
	{name: "mqtt_pubrec_sent", kind: Counter, series: v4AndCodes, codes: codesPuback, doc: "PUBREC packets sent."},
	{name: "mqtt_pubrel_sent", kind: Counter, series: v4AndCodes, codes: codesPubrel, doc: "PUBREL packets sent."},
	{name: "mqtt_pubcomp_sent", kind: Counter, series: v4AndCodes, codes: codesPubrel, doc: "PUBCOMP packets sent."},
	{name: "mqtt_suback_sent", kind: Counter, series: bothVersions, doc: "SUBACK packets sent."},
	{name: "mqtt_unsuback_sent", kind: Counter, series: bothVersions, doc: "UNSUBACK packets sent."},
	{name: "mqtt_pingresp_sent", kind: Counter, series: bothVersions, doc: "PINGRESP packets sent."},
	{name: "mqtt_disconnect_sent", kind: Counter, series: codesOnly, codes: codesDisconnectSent, doc: "DISCONNECT packets sent."},
	{name: "mqtt_auth_sent", kind: Counter, series: codesOnly, codes: codesAuth, doc: "AUTH packets sent."},

	// What went wrong.
	{name: "mqtt_publish_auth_error", kind: Counter, series: bothVersions, doc: "Publishes refused by authorisation."},
	{name: "mqtt_subscribe_auth_error", kind: Counter, series: bothVersions, doc: "Subscriptions refused by authorisation."},
	{name: "mqtt_invalid_msg_size_error", kind: Counter, series: bothVersions, doc: "Packets larger than max_message_size."},
	{name: "mqtt_puback_invalid_error", kind: Counter, series: bothVersions, doc: "PUBACK packets that match no message in flight."},
	{name: "mqtt_pubrec_invalid_error", kind: Counter, series: bothVersions, doc: "PUBREC packets that match no message in flight."},
	{name: "mqtt_pubcomp_invalid_error", kind: Counter, series: bothVersions, doc: "PUBCOMP packets that match no message in flight."},
	{name: "mqtt_topic_depth_error", kind: Counter, series: bothVersions, doc: "Topics, filters and wills with more levels than topic_max_depth."},
	{name: "mqtt_subscription_limit_error", kind: Counter, series: bothVersions, doc: "Subscriptions refused for max_subscriptions_per_client."},
	{name: "mqtt_connection_rate_error", kind: Counter, series: bothVersions, doc: "Clients refused for max_connection_rate."},
	{name: "mqtt_message_rate_paused", kind: Counter, series: bothVersions,
		doc: "Times that a client was not read for the rest of a second because it had published max_message_rate messages."},
	{name: "client_lifetime_expired", kind: Counter, series: bothVersions, doc: "Clients closed because their connection reached max_connection_lifetime."},
	{name: "client_keepalive_expired", kind: Counter, series: bothVersions,
		doc: "Clients closed because they were silent for longer than their keep alive."},

	// Queues and sessions.
	{name: "queue_setup", kind: Counter, doc: "Session queues created."},
	{name: "queue_teardown", kind: Counter, doc: "Session queues removed."},
	{name: "queue_message_drop", kind: Counter, doc: "Messages dropped because a queue was full."},
	{name: "queue_full_refused", kind: Counter, doc: "Messages not accepted from their publisher because a receiver's queue was full (queue_full_action = refuse)."},
	{name: "queue_message_expired", kind: Counter, doc: "Messages that expired while they waited."},
	{name: "queue_message_unhandled", kind: Counter, doc: "Messages dropped with their session, or QoS 0 messages for a client that was offline."},
	{name: "queue_message_in", kind: Counter, doc: "Messages for clients, whether they had to wait or not."},
	{name: "queue_message_out", kind: Counter, doc: "Messages of these that went to a client: those not counted here wait, or were dropped or expired."},
	{name: "client_expired", kind: Counter, doc: "Sessions removed because their expiry interval passed."},

	// Routing and retained messages.
	{name: "router_matches_local", kind: Counter, doc: "Deliveries that routing found for subscribers of this node."},
	{name: "router_subscriptions", kind: Gauge, doc: "Subscriptions in the routing table."},
	{name: "retain_messages", kind: Gauge, doc: "Retained messages held."},
	{name: "retain_memory", kind: Gauge, doc: "Bytes of retained messages held."},
	{name: "retain_refused", kind: Counter, doc: "Retained messages not kept because max_retained_messages or max_retained_bytes was reached."},
	{name: "queue_processes", kind: Gauge, doc: "Sessions that exist, connected or not."},
	{name: "active_mqtt_connections", kind: Gauge, doc: "Open MQTT connections over TCP."},
	{name: "total_active_connections", kind: Gauge, sum: []ID{ActiveMqttConnections}, doc: "Open MQTT connections, whatever the transport."},

	// Shortness of memory: see memory_high_water.
	{name: "overload_stage", kind: Gauge, doc: "0: enough memory; 1: QoS 0 is shed; 2: publishers are paused, too; 3: new clients are refused, too."},
	{name: "overload_qos0_dropped", kind: Counter, doc: "QoS 0 messages dropped for slow consumers because memory was short."},
	{name: "overload_publishers_paused", kind: Counter, doc: "Times that a publisher's input was paused because memory was short."},
	{name: "overload_connections_refused", kind: Counter, doc: "Clients refused because memory was short."},
	{name: "overload_consumers_closed", kind: Counter,
		doc: "Connections closed because memory was short and much waited for them."},

	// The durable store. Sums are since it was opened.
	{name: "store_messages", kind: Gauge, doc: "Messages in the store that wait for a session."},
	{name: "store_bytes", kind: Gauge, doc: "Bytes of the store on disk."},
	{name: "store_live_bytes", kind: Gauge, doc: "Bytes of the store on disk that are still needed."},
	{name: "store_message_bytes", kind: Counter, doc: "Bytes of the messages that were given to the store: topic, properties and payload."},
	{name: "store_written_bytes", kind: Counter, doc: "Bytes written to disk; divided by store_message_bytes it is the write amplification."},
	{name: "store_syncs", kind: Counter, doc: "Syncs of the store's files: each makes a batch of records durable."},
	{name: "store_records", kind: Counter, doc: "Records written; divided by store_syncs it is how many share one sync."},
	{name: "store_failures", kind: Counter, doc: "Writes and syncs that failed."},
	{name: "store_refused", kind: Counter, doc: "Messages that were not taken, because the disk failed, was full or store.max_size was reached."},
	{name: "store_unreadable", kind: Counter, doc: "Stored messages that could not be read back: they are lost, and vernemq store verify says why."},
	{name: "store_cut_bytes", kind: Counter, doc: "Bytes of a write that a crash had torn, cut off when the store was opened: nobody had been promised them."},
	{name: "store_healthy", kind: Gauge, doc: "1 while the store takes messages and is not known to be damaged, 0 otherwise."},

	// The process. Read at the moment of asking, not counted: see runtime.go.
	{name: "system_context_switches", kind: Counter, runtime: true, doc: "Context switches of the broker's threads."},
	{name: "system_gc_count", kind: Counter, runtime: true, doc: "Completed garbage collections."},
	{name: "system_words_reclaimed_by_gc", kind: Counter, runtime: true, doc: "Words of eight bytes freed by garbage collections."},
	{name: "system_run_queue", kind: Gauge, runtime: true, doc: "Goroutines that are ready to run and wait for a processor."},
	{name: "system_runtime", kind: Counter, runtime: true, doc: "Milliseconds of processor time used by all threads."},
	{name: "system_wallclock", kind: Counter, runtime: true, doc: "Milliseconds since the broker started."},
	{name: "system_process_count", kind: Gauge, runtime: true, doc: "Goroutines that exist."},
	{name: "system_utilization", kind: Gauge, runtime: true,
		doc: "Use of the processors the broker may use, in percent, between the last two readings that lie a second or more apart."},
	{name: "vm_memory_total", kind: Gauge, runtime: true, doc: "Bytes of memory obtained from the system and not given back."},
	{name: "vm_memory_processes", kind: Gauge, runtime: true, doc: "Bytes set aside for objects and stacks."},
	{name: "vm_memory_processes_used", kind: Gauge, runtime: true, doc: "Bytes of objects and stacks in use."},
	{name: "vm_memory_system", kind: Gauge, runtime: true, doc: "Bytes of memory that are neither objects nor stacks."},
}
