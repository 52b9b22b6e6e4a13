package schema

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// vernemqKeys returns every key VerneMQ has or had, with its default: "-" for none, "”" for the empty text.
func vernemqKeys(t testing.TB) [][2]string {
	t.Helper()
	text, err := os.ReadFile("testdata/vernemq-keys.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var keys [][2]string
	for line := range strings.Lines(string(text)) {
		if name, dflt, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t"); ok {
			keys = append(keys, [2]string{name, dflt})
		}
	}
	if len(keys) != 673 {
		t.Fatalf("%d keys of VerneMQ, want 673", len(keys))
	}
	return keys
}

// concrete puts a name in the place of each wildcard.
func concrete(pattern string) string {
	words := SplitName(pattern)
	for i, w := range words {
		if isWild(w) {
			words[i] = "some"
		}
	}
	return JoinName(words)
}

func TestEveryVerneMQKeyIsKnown(t *testing.T) {
	s := load(t)
	for _, key := range vernemqKeys(t) {
		name := key[0]
		if prefix, ok := strings.CutSuffix(name, ".*"); ok {
			// The options of the older bridge names: those that existed then.
			for _, option := range []string{"cleansession", "client_id", "keepalive_interval", "password", "restart_timeout", "topic.1", "try_private", "username"} {
				if _, _, ok := s.ByAlias(concrete(prefix) + "." + option); !ok {
					t.Errorf("%s.%s is unknown", prefix, option)
				}
			}
			continue
		}
		if _, _, ok := s.Lookup(concrete(name)); ok {
			continue
		}
		if _, _, ok := s.ByAlias(concrete(name)); !ok {
			t.Errorf("%s is unknown", name)
		}
	}
}

// otherDefaults are the defaults that differ from VerneMQ's, and why.
var otherDefaults = map[string]string{
	"listener.vmq.$name":   "no listener appears by itself: the address is the sample",
	"listener.vmqs.$name":  "no listener appears by itself",
	"listener.http.$name":  "no listener appears by itself: the address is the sample",
	"listener.https.$name": "no listener appears by itself",

	"listener.http.$name.http_modules":        "the empty list, as VerneMQ writes []",
	"listener.https.$name.http_modules":       "the empty list, as VerneMQ writes []",
	"vmq_bridge.ssl.$name.pubrel_queue_ratio": "0 is written 0%",
	"vmq_bridge.tcp.$name.pubrel_queue_ratio": "0 is written 0%",
	"leveldb.maximum_memory":                  "unset is auto",
	"trade_consistency":                       "unset leaves the four keys it stands for alone",
	"leveldb.compression.algorithm":           "unset means snappy",
	"vmq_diversity.mongodb.database":          "unset is the empty text",
	"vmq_diversity.mongodb.login":             "unset is the empty text",
	"vmq_diversity.mongodb.password":          "unset is the empty text",
	"plugins.vmq_http_pub":                    "unset is off",
	"plugins.vmq_web_ui":                      "unset is off",
	"listener.tcp.$name.auth_plugins":         "unset is the empty list",
	"listener.ssl.$name.auth_plugins":         "unset is the empty list",
	"listener.ws.$name.auth_plugins":          "unset is the empty list",
	"listener.wss.$name.auth_plugins":         "unset is the empty list",
	"listener.tcp.$name.authz_plugins":        "unset is the empty list",
	"listener.ssl.$name.authz_plugins":        "unset is the empty list",
	"listener.ws.$name.authz_plugins":         "unset is the empty list",
	"listener.wss.$name.authz_plugins":        "unset is the empty list",
	"listener.tcp.buffer_sizes":               "unset is the empty list",
	"listener.ssl.buffer_sizes":               "unset is the empty list",
	"listener.vmq.$name.buffer_sizes":         "unset is the empty list",
	"listener.ssl.tls_handshake_timeout":      "-1 was 5000",
	"listener.wss.tls_handshake_timeout":      "-1 was 5000",
	"listener.https.tls_handshake_timeout":    "-1 was 5000",
	"listener.vmqs.tls_handshake_timeout":     "-1 was 5000",
}

func TestDefaultsAreVerneMQs(t *testing.T) {
	s := load(t)
	for _, key := range vernemqKeys(t) {
		name, want := key[0], key[1]
		k := s.Pattern(name)
		if k == nil || k.Effect == Ignored || k.Effect == Refused || otherDefaults[name] != "" {
			continue
		}
		if k.Inherit != "" && want == k.Inherit || strings.HasPrefix(name, "listener.") && !k.HasDefault() && inherited(s, name, want) {
			continue
		}
		switch want {
		case "-":
			if k.HasDefault() {
				t.Errorf("%s has the default %q, VerneMQ none", name, k.Default)
			}
			continue
		case "''":
			want = ""
		}
		if !k.HasDefault() {
			t.Errorf("%s has no default, VerneMQ %q", name, want)
			continue
		}
		theirs, _, err := k.Parse(want)
		if err != nil {
			t.Errorf("%s: VerneMQ's default: %v", name, err)
			continue
		}
		if ours, _, _ := k.Parse(k.Default); !reflect.DeepEqual(ours, theirs) {
			t.Errorf("%s has the default %v, VerneMQ %v", name, ours, theirs)
		}
	}
}

// inherited reports whether the level above gives an option the value that VerneMQ gave it at this one.
func inherited(s *Schema, name, want string) bool {
	words := SplitName(name)
	option := words[len(words)-1]
	for _, above := range []string{"listener." + words[1] + "." + option, "listener." + option} {
		if k := s.Pattern(above); k != nil && k.HasDefault() {
			return want == "-" || want == k.Default || want == "''" && k.EmptyIsSet
		}
	}
	return false
}

// Of the levels of a listener option only the topmost has a default: a default below would hide what is set above.
func TestOnlyTheTopLevelHasADefault(t *testing.T) {
	s := load(t)
	for _, k := range s.Keys() {
		words := SplitName(k.Name)
		if words[0] != "listener" || len(words) < 3 || !k.HasDefault() {
			continue
		}
		option := strings.Join(words[len(words)-1:], ".")
		if len(words) == 4 && s.Pattern("listener."+words[1]+"."+option) != nil || s.Pattern("listener."+option) != nil {
			t.Errorf("%s has a default below the top level", k.Name)
		}
	}
}

func TestRowsAreComplete(t *testing.T) {
	secret := regexp.MustCompile(`(password|passwd|_pwd|secret|cookie|api_key|token|psk)$|mgmt_api\.key$`)
	for _, k := range load(t).Keys() {
		if len(k.Doc) < 10 || !unicode.IsUpper([]rune(k.Doc)[0]) && !startsWithWord(k) || !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s: the doc is no sentence: %q", k.Name, k.Doc)
		}
		if strings.Contains(k.Doc+k.Hint+k.Default+k.Sample, "{}") {
			t.Errorf("%s: a {} is left", k.Name)
		}
		if k.Since == "" {
			t.Errorf("%s: since is missing", k.Name)
		}
		switch k.Effect {
		case Ignored, Refused, Fixed:
			if k.Hint == "" {
				t.Errorf("%s is %s without a hint", k.Name, k.Effect)
			}
		}
		if k.Effect == Fixed && (len(k.Words) != 1 || !k.HasDefault()) {
			t.Errorf("%s is fixed, so it needs its one word and default", k.Name)
		}
		if secret.MatchString(k.Name) && k.Type != Flag && !k.Secret {
			t.Errorf("%s looks like a secret and is not marked", k.Name)
		}
		if k.Visibility != Hidden && k.Wild() && len(strings.Fields(k.SampleName)) != strings.Count(k.Name, "$") {
			t.Errorf("%s stands in the default file, so it needs a name for each wildcard (sample_name)", k.Name)
		}
		if k.Min != nil && k.Max != nil && *k.Min > *k.Max {
			t.Errorf("%s: min is above max", k.Name)
		}
		for _, word := range k.Special {
			if !strings.Contains(k.Doc, k.Format(word)) && k.Effect != Ignored {
				t.Errorf("%s: the doc does not say what %s means", k.Name, k.Format(word))
			}
		}
		if k.Effect == Live && k.UnitLength() > 0 && k.Min != nil && *k.Min == 0 && !strings.Contains(k.Doc, "0 ") {
			t.Errorf("%s: the doc does not say what 0 means", k.Name)
		}
	}
}

// startsWithWord reports whether the doc begins with a value, such as "on delivers …".
func startsWithWord(k *Key) bool {
	first, _, _ := strings.Cut(k.Doc, " ")
	_, _, err := k.Parse(strings.TrimRight(first, ":,;"))
	return err == nil
}

// The keys that may be changed while the broker runs.
func TestRuntimeKeys(t *testing.T) {
	want := strings.Fields(`allow_anonymous allow_register_during_netsplit allow_publish_during_netsplit allow_subscribe_during_netsplit
		allow_unsubscribe_during_netsplit queue_type retry_interval max_client_id_size max_subscriptions_per_client persistent_client_expiration
		max_inflight_messages max_online_messages max_offline_messages override_max_online_messages max_message_rate max_message_size
		upgrade_outgoing_qos systree_enabled systree_interval graphite_enabled graphite_host graphite_port graphite_interval
		graphite_include_labels shared_subscription_policy remote_enqueue_timeout topic_alias_max_client topic_alias_max_broker
		max_last_will_delay receive_max_client receive_max_broker suppress_lwt_on_session_takeover coordinate_registrations
		mqtt_connect_timeout cluster_ready_rpc_timeout disconnect_on_unauthorized_publish_v3 subscriber_retain_mode
		vmq_acl.acl_file vmq_acl.acl_reload_interval vmq_passwd.password_file vmq_passwd.password_reload_interval vmq_diversity.keep_state
		vmq_webhooks.pool_max_connections vmq_webhooks.pool_timeout vmq_webhooks.cafile vmq_webhooks.certfile vmq_webhooks.keyfile
		vmq_webhooks.depth vmq_webhooks.verify_peer vmq_webhooks.tls_version`)
	if len(want) != 50 {
		t.Fatalf("%d names, want 50", len(want))
	}
	wanted := map[string]bool{"queue_full_action": true, "max_retained_messages": true, "max_retained_bytes": true, // and of our own
		"min_apikey_length": true, "max_apikey_expiry_days": true} // asked with each new key
	for _, name := range want {
		wanted[name] = true
	}
	// Beyond VerneMQ's: listeners come and go, and these options of theirs change without a new socket.
	option := regexp.MustCompile(`^listener\.((tcp|ssl|wss?|vmqs?|https?)\.)?(\$name\.)?(max_connections|max_connection_lifetime|max_connection_rate|mountpoint|allowed_protocol_versions|allow_anonymous_override)$`)
	for _, k := range load(t).Keys() {
		if k.Name == "listener.tcp.$name" || option.MatchString(k.Name) {
			wanted[k.Name] = true
		}
		if k.Runtime != wanted[k.Name] {
			t.Errorf("%s: runtime is %t, want %t", k.Name, k.Runtime, wanted[k.Name])
		}
		delete(wanted, k.Name)
	}
	for name := range wanted {
		t.Errorf("%s is no key", name)
	}
}
