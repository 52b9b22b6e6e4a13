package migrate

import "vernemq/appliance/report"

// option says what becomes of an option of mosquitto.conf. Exactly one of to and why is set.
type option struct {
	to       func(c *call) []setting // the settings it becomes; c may report
	why      string                  // why it becomes none
	severity report.Severity         // of why: Error if what it did is missed, Note if nothing is lost
}

// setting is one line of the new file.
type setting struct{ key, value string }

// The ways to carry an option over. of names the key from the value: a fixed one, or one of the listener or bridge the line belongs to.
func as(key string, convert func(c *call) (string, bool)) option {
	return option{to: func(c *call) []setting {
		if v, ok := convert(c); ok {
			return []setting{{key, v}}
		}
		return nil
	}}
}

func onListener(name string, convert func(c *call) (string, bool)) option {
	return option{to: func(c *call) []setting {
		if v, ok := convert(c); ok {
			return []setting{{c.listener.key() + "." + name, v}}
		}
		return nil
	}}
}

func onBridge(name string, convert func(c *call) (string, bool)) option {
	return option{to: func(c *call) []setting {
		if c.bridge == nil {
			c.lost("this option belongs to a bridge, and no connection stands above it", "")
			return nil
		}
		if v, ok := convert(c); ok {
			return []setting{{c.bridge.key() + "." + name, v}}
		}
		return nil
	}}
}

// but adds a warning to an option that is carried over and does not mean quite the same.
func but(o option, warning string) option {
	inner := o.to
	o.to = func(c *call) []setting {
		c.changed(warning)
		return inner(c)
	}
	return o
}

func needless(why string) option { return option{why: why, severity: report.Note} }
func missing(why string) option  { return option{why: why, severity: report.Warning} }
func lacking(why string) option  { return option{why: why, severity: report.Error} }

// options are the options of mosquitto up to 2.0, with those of 2.1 that are known. Filled by init: the handlers refer to it.
var options map[string]option

func init() {
	const (
		files   = "everything is stored under the data directory as it happens"
		service = "that is the service manager's business"
		tlsCore = "the TLS library is part of the program"
		noProof = "mosquitto's plugins cannot be loaded: see plugins.vmq_webhooks and plugins.vmq_diversity for logins of your own"
	)
	options = map[string]option{
		// Who may connect, and what he may do.
		"allow_anonymous": {to: allowAnonymous}, "password_file": {to: onceForAll("vmq_passwd.password_file", "plugins.vmq_passwd",
			"the file is read, but hashes that begin with $7$ are not known: set those passwords anew with vmq-passwd")},
		"acl_file": {to: onceForAll("vmq_acl.acl_file", "plugins.vmq_acl",
			"the file is read, but there is no deny and no readwrite, lines above the first user hold for everybody, and patterns know %m too")},
		"psk_file":                       lacking("pre-shared keys are not available: use certificates"),
		"per_listener_settings":          {to: perListener},
		"plugin":                         lacking(noProof),
		"global_plugin":                  lacking(noProof),
		"plugin_load":                    lacking(noProof),
		"plugin_use":                     lacking(noProof),
		"auth_plugin":                    lacking(noProof),
		"auth_plugin_deny_special_chars": needless("names with + or # never match a rule of an access list as wildcards"),
		"clientid_prefixes":              lacking("client identifiers cannot be restricted by a prefix: use an access list with %c, or a webhook"),
		"allow_zero_length_clientid":     {to: zeroLength},
		"auto_id_prefix":                 missing("identifiers that the broker chooses have no prefix"),
		"check_retain_source":            missing("the right to a retained message is checked when it is published"),

		// Messages and sessions.
		"max_inflight_messages":        as("max_inflight_messages", number),
		"max_queued_messages":          {to: queued},
		"max_inflight_bytes":           missing("messages in flight are counted, not their bytes: see max_inflight_messages"),
		"max_queued_bytes":             missing("messages in a queue are counted, not their bytes: see max_offline_messages"),
		"memory_limit":                 missing("memory is bounded by what is counted: queues, connections and message sizes"),
		"message_size_limit":           as("max_message_size", number),
		"max_packet_size":              but(as("max_message_size", number), "max_message_size limits the payload, not the whole packet"),
		"max_keepalive":                missing("a keep alive of any length is accepted"),
		"global_max_clients":           missing("connections are limited for each listener: see listener.max_connections"),
		"global_max_connections":       missing("connections are limited for each listener: see listener.max_connections"),
		"persistent_client_expiration": as("persistent_client_expiration", text),
		"queue_qos0_messages":          missing("messages of QoS 0 are not kept for clients that are away"),
		"retain_available":             {to: mustBe("true", "retained messages cannot be switched off")},
		"upgrade_outgoing_qos":         as("upgrade_outgoing_qos", onOff),
		"allow_duplicate_messages":     needless("each subscription that matches gets its copy"),
		"retry_interval":               as("retry_interval", number),
		"store_clean_interval":         needless("there is nothing to clean"),
		"set_tcp_nodelay":              needless("it is always so: see tcp_listen_options"),
		"sys_interval":                 {to: sysInterval},
		"max_topic_alias":              but(as("topic_alias_max_client", number), "topic_alias_max_client holds for all listeners"),
		"max_topic_alias_broker":       but(as("topic_alias_max_broker", number), "topic_alias_max_broker holds for all listeners"),
		"packet_buffer_size":           needless("buffers grow with what arrives"),

		// Files and logs.
		"persistence":          {to: better("true", "sessions that are to persist are always stored; to keep nothing, let clients ask for clean sessions")},
		"persistence_file":     needless(files),
		"persistence_location": needless(files + "; what mosquitto stored cannot be read"),
		"autosave_interval":    needless(files),
		"autosave_on_changes":  needless(files),
		"pid_file":             needless(service),
		"user":                 needless(service),
		"log_dest":             {to: logDest},
		"log_type":             {to: logType},
		"log_facility":         {to: logFacility},
		"log_timestamp":        needless("every record has its time"),
		"log_timestamp_format": needless("times have the form of RFC 3339"),
		"connection_messages":  needless("connections are counted and traced: see vmq-admin trace"),
		"websockets_log_level": needless("there is one level for everything: see log.console.level"),
		"include_dir":          {to: includeDir},

		// Listeners.
		"listener":                        {to: listenerLine},
		"port":                            {to: defaultLine},
		"bind_address":                    {to: defaultLine},
		"protocol":                        {to: protocolLine},
		"socket_domain":                   {to: func(*call) []setting { return nil }},
		"bind_interface":                  lacking("a listener is bound to an address: write that of the interface"),
		"max_connections":                 onListener("max_connections", connections),
		"mount_point":                     but(onListener("mountpoint", mountpoint), "listeners of another mountpoint see nothing of this one, not even under its name"),
		"max_qos":                         {to: mustBe("2", "the highest QoS cannot be limited")},
		"accept_protocol_versions":        onListener("allowed_protocol_versions", text),
		"http_dir":                        missing("no files are served"),
		"websockets_headers_size":         needless("headers are limited by max_header_value_length"),
		"websockets_origin":               lacking("the origin of a WebSocket is not checked: put a proxy in front"),
		"enable_proxy_protocol":           onListener("proxy_protocol", oneFlag),
		"proxy_protocol_v2_require_tls":   lacking("whether a proxy used TLS is not checked"),
		"use_username_as_clientid":        lacking("the client identifier cannot be replaced: use a webhook that sets client_id"),
		"cafile":                          onListener("cafile", text),
		"capath":                          lacking("write the certificates of the directory into one file and name it by cafile"),
		"certfile":                        onListener("certfile", text),
		"keyfile":                         onListener("keyfile", text),
		"crlfile":                         onListener("crlfile", text),
		"dhparamfile":                     needless("key exchange uses elliptic curves"),
		"ciphers":                         onListener("ciphers", text),
		"ciphers_tls1.3":                  needless("the suites of TLS 1.3 are all good and not chosen one by one"),
		"require_certificate":             onListener("require_certificate", onOff),
		"use_identity_as_username":        onListener("use_identity_as_username", onOff),
		"use_subject_as_username":         lacking("only the common name of a certificate can be the user name: see use_identity_as_username"),
		"disable_client_cert_date_checks": {to: mustBe("false", "dates of certificates are always checked")},
		"tls_version":                     onListener("tls_version", tlsVersion),
		"tls_engine":                      needless(tlsCore),
		"tls_engine_kpass_sha1":           needless(tlsCore),
		"tls_keyform":                     needless(tlsCore),
		"psk_hint":                        lacking("pre-shared keys are not available: use certificates"),
		"bridge_attempt_unsubscribe":      needless("a bridge subscribes to what its lines name"),
		"bridge_bind_address":             missing("a bridge leaves by the address the routing table chooses"),
		"bridge_max_packet_size":          missing("what a bridge sends is limited by the other side"),
		"bridge_max_topic_alias":          missing("a bridge uses no topic aliases"),
		"bridge_receive_maximum":          missing("the other side says how many messages may be in flight"),
		"bridge_session_expiry_interval":  missing("see cleansession of the bridge"),
		"bridge_tcp_keepalive":            needless("a connection that hangs is noticed by its keep alive"),
		"bridge_tcp_user_timeout":         needless("a connection that hangs is noticed by its keep alive"),
		"bridge_reload_type":              needless("bridges are started anew by vmq-admin bridge start"),
		"bridge_require_ocsp":             lacking("the state of a certificate is not asked for"),
		"bridge_alpn":                     lacking("a bridge offers no application protocol"),
		"bridge_ciphers":                  needless("a bridge offers every suite that is good"),
		"bridge_ciphers_tls1.3":           needless("a bridge offers every suite that is good"),
		"bridge_tls_use_os_certs":         lacking("name the certificates: /etc/ssl/certs/ca-certificates.crt as cafile of the bridge"),
		"bridge_outgoing_retain":          {to: func(*call) []setting { return nil }},
		"connection":                      {to: func(*call) []setting { return nil }},
		"address":                         {to: bridgeAddress},
		"addresses":                       {to: bridgeAddress},
		"topic":                           {to: bridgeTopic},
		"bridge_protocol_version":         onBridge("mqtt_version", bridgeVersion),
		"bridge_cafile":                   onBridge("cafile", text),
		"bridge_capath":                   lacking("write the certificates of the directory into one file and name it by cafile of the bridge"),
		"bridge_certfile":                 onBridge("certfile", text),
		"bridge_keyfile":                  onBridge("keyfile", text),
		"bridge_insecure":                 onBridge("insecure", onOff),
		"bridge_identity":                 onBridge("identity", text),
		"bridge_psk":                      onBridge("psk", text),
		"bridge_tls_version":              onBridge("tls_version", text),
		"cleansession":                    onBridge("cleansession", onOff),
		"clean_session":                   onBridge("cleansession", onOff),
		"local_cleansession":              needless("the local side of a bridge keeps nothing: see max_outgoing_buffered_messages"),
		"clientid":                        onBridge("client_id", text),
		"remote_clientid":                 onBridge("client_id", text),
		"local_clientid":                  needless("the local side of a bridge is no client"),
		"local_username":                  needless("the local side of a bridge needs no login"),
		"local_password":                  needless("the local side of a bridge needs no login"),
		"username":                        onBridge("username", text),
		"remote_username":                 onBridge("username", text),
		"password":                        onBridge("password", text),
		"remote_password":                 onBridge("password", text),
		"keepalive_interval":              onBridge("keepalive_interval", number),
		"restart_timeout":                 onBridge("restart_timeout", firstNumber),
		"try_private":                     onBridge("try_private", onOff),
		"notifications":                   {to: better("false", "a bridge does not publish its state: see vmq-admin bridge show")},
		"notifications_local_only":        needless("a bridge does not publish its state"),
		"notification_topic":              needless("a bridge does not publish its state"),
		"round_robin":                     {to: better("false", "a bridge has one address")},
		"start_type":                      {to: mustBe("automatic", "a bridge is always connected")},
		"idle_timeout":                    needless("a bridge is always connected"),
		"threshold":                       needless("a bridge is always connected"),
	}
}
