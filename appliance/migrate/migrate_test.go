package migrate

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"vernemq/appliance/compile"
	"vernemq/appliance/hostfs"
	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

var update = flag.Bool("update", false, "rewrite golden files")

var converters = map[Format]func(*schema.Schema, string, []byte) ([]byte, *report.Report){VerneMQ: FromVerneMQ, Mosquitto: FromMosquitto}

func load(t testing.TB) *schema.Schema {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each old file gives the new file and the report beside it, is told by its content, and what comes out has no mistake in a line of its own.
func TestGolden(t *testing.T) {
	s := load(t)
	for format, convert := range converters {
		files, err := filepath.Glob(filepath.Join("testdata", string(format), "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files for %s: %v", format, err)
		}
		for _, file := range files {
			t.Run(string(format)+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				ar, err := txtar.ParseFile(file)
				if err != nil {
					t.Fatal(err)
				}
				old := ar.Files[0].Data
				if got, ok := Detect(old); !ok || got != format {
					t.Errorf("taken for %q, %v", got, ok)
				}
				text, findings := convert(s, "old.conf", old)
				var told bytes.Buffer
				if err := findings.WriteText(&told, report.Note); err != nil {
					t.Fatal(err)
				}
				compiles(t, s, text)
				got := []txtar.File{{Name: "want.conf", Data: text}, {Name: "want.report", Data: told.Bytes()}}
				if *update {
					ar.Files = append(ar.Files[:1], got...)
					if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				if diff := cmp.Diff(ar.Files[1:], got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", file, diff)
				}
			})
		}
	}
}

// compiles checks that no line of a new configuration has a mistake of its own; what includes and files of this machine are is another matter.
func compiles(t *testing.T, s *schema.Schema, text []byte) {
	t.Helper()
	assignments, problems := source.Parse("new.conf", text)
	for _, e := range problems.Entries {
		if e.Severity == report.Error {
			t.Errorf("%s: %s", e.Pos, e.Message)
		}
	}
	for i := range assignments {
		a := &assignments[i]
		k, _, ok := s.LookupWords(a.Key)
		switch {
		case !ok:
			t.Errorf("%s: %s is no key", a.KeyPos, a.Name())
		case k.Effect == schema.Refused || k.Effect == schema.Ignored:
			t.Errorf("%s: %s is %s", a.KeyPos, a.Name(), k.Effect)
		case !strings.Contains(a.Value, "$("):
			if _, _, err := k.Parse(a.Value); err != nil {
				t.Errorf("%s: %s: %v", a.KeyPos, a.Name(), err)
			}
		}
	}
}

// A whole configuration compiles without errors, not only its lines.
func TestCompilesAsAWhole(t *testing.T) {
	s := load(t)
	for _, c := range []struct {
		format Format
		text   string
	}{
		{VerneMQ, "accept_eula = yes\nlistener.tcp.default = 127.0.0.1:1883\nmessage_size_limit = 5\nplugin_dir = /x\nlog.sasl = off\n"},
		{Mosquitto, "listener 1883\nallow_anonymous false\nconnection c\naddress 10.0.0.1\ntopic # both 1\n"},
		{Mosquitto, ""},
	} {
		text, findings := converters[c.format](s, "old.conf", []byte(c.text))
		if findings.Fatal(false) {
			t.Errorf("%q: %v", c.text, findings.Entries)
		}
		_, left := compile.Compile(compile.Input{Schema: s, FS: source.Texts{hostfs.MainConf: string(text)}})
		for _, e := range left.Entries {
			if e.Severity == report.Error {
				t.Errorf("%q becomes\n%s\nwhich gives %s: %s", c.text, text, e.Pos, e.Message)
			}
		}
	}
}

func TestDetect(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Format
		ok   bool
	}{
		"empty":             {"", "", false},
		"comments":          {"# port 1883\n## x = y\n", "", false},
		"a key":             {"a.b=c\n", VerneMQ, true},
		"an option":         {"port 1883\n", Mosquitto, true},
		"word and sign":     {"password_file = /etc/x\n", VerneMQ, true},
		"sign in the value": {"remote_password a=b\nuser x\n", Mosquitto, true},
		"byte order mark":   {"\ufeffport 1883\n", Mosquitto, true},
		"the more":          {"port 1883\na = 1\nb = 2\n", VerneMQ, true},
		"undecided":         {"port 1883\na = 1\n", "", false},
		"neither":           {"hello world\n", "", false},
	} {
		got, ok := Detect([]byte(c.text))
		if got != c.want || ok != c.ok {
			t.Errorf("%s: %q, %v, want %q, %v", name, got, ok, c.want, c.ok)
		}
	}
}

// The table of options is complete in itself: each is carried over or says why not.
func TestOptions(t *testing.T) {
	for name, o := range options {
		if (o.to == nil) == (o.why == "") {
			t.Errorf("%s: exactly one of what it becomes and why it does not is wanted", name)
		}
	}
	for _, name := range []string{ // what mosquitto.conf(5) of 2.0 lists, but for prefixes
		"acl_file", "address", "addresses", "allow_anonymous", "allow_duplicate_messages", "allow_zero_length_clientid", "auth_plugin",
		"auth_plugin_deny_special_chars", "auto_id_prefix", "autosave_interval", "autosave_on_changes", "bind_address", "bind_interface", "bridge_alpn",
		"bridge_attempt_unsubscribe", "bridge_bind_address", "bridge_cafile", "bridge_capath", "bridge_certfile", "bridge_identity", "bridge_insecure",
		"bridge_keyfile", "bridge_max_packet_size", "bridge_outgoing_retain", "bridge_protocol_version", "bridge_psk", "bridge_require_ocsp",
		"bridge_tls_version", "cafile", "capath", "certfile", "check_retain_source", "ciphers", "ciphers_tls1.3", "cleansession", "clientid",
		"clientid_prefixes", "connection", "connection_messages", "crlfile", "dhparamfile", "http_dir", "idle_timeout", "include_dir",
		"keepalive_interval", "keyfile", "listener", "local_cleansession", "local_clientid", "local_password", "local_username", "log_dest",
		"log_facility", "log_timestamp", "log_timestamp_format", "log_type", "max_connections", "max_inflight_bytes", "max_inflight_messages",
		"max_keepalive", "max_packet_size", "max_qos", "max_queued_bytes", "max_queued_messages", "max_topic_alias", "memory_limit",
		"message_size_limit", "mount_point", "notification_topic", "notifications", "notifications_local_only", "password", "password_file",
		"per_listener_settings", "persistence", "persistence_file", "persistence_location", "persistent_client_expiration", "pid_file", "plugin", "port",
		"protocol", "psk_file", "psk_hint", "queue_qos0_messages", "remote_clientid", "remote_password", "remote_username", "require_certificate",
		"restart_timeout", "retain_available", "retry_interval", "round_robin", "set_tcp_nodelay", "socket_domain", "start_type", "store_clean_interval",
		"sys_interval", "threshold", "tls_engine", "tls_engine_kpass_sha1", "tls_keyform", "tls_version", "topic", "try_private", "upgrade_outgoing_qos",
		"use_identity_as_username", "use_subject_as_username", "use_username_as_clientid", "user", "username", "websockets_headers_size",
		"websockets_log_level",
	} {
		if _, ok := options[name]; !ok {
			t.Errorf("mosquitto's option %s is not in the table", name)
		}
	}
}

// No finding and no comment shows a secret of a mosquitto.conf or of a key that is left out.
func TestSecretsStayHidden(t *testing.T) {
	s := load(t)
	for format, text := range map[Format]string{
		Mosquitto: "connection c\nremote_password sesame\naddress 1.2.3.4\npassword sesame\nbridge_psk sesame!\nauth_opt_pass sesame\n",
		VerneMQ:   "vmq_web_ui.admin.user_pwd = sesame\nunheard.password = sesame\nmy secret is sesame\nlistener.ssl.x.keypasswd = sesame\n",
	} {
		_, findings := converters[format](s, "old.conf", []byte(text))
		var told bytes.Buffer
		if err := findings.WriteText(&told, report.Note); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(told.String(), "sesame") {
			t.Errorf("%s:\n%s", format, told.String())
		}
	}
}

func TestManyBadLines(t *testing.T) {
	s := load(t)
	for format, convert := range converters {
		text, findings := convert(s, "old.conf", []byte(strings.Repeat("gibberish here\n", 3000)))
		if n := len(findings.Entries); n > maxFindings+1 {
			t.Errorf("%s: %d findings", format, n)
		}
		compiles(t, s, text)
	}
}

func FuzzMigrate(f *testing.F) {
	for _, pattern := range []string{"testdata/vernemq/*.txtar", "testdata/mosquitto/*.txtar"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if ar, err := txtar.ParseFile(file); err == nil {
				f.Add(ar.Files[0].Data)
			}
		}
	}
	f.Add([]byte("\ufeffa = '''\r\nb\x00\r\n"))
	f.Add([]byte("topic\nconnection\nlistener\naddress ::\n"))
	s := load(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		Detect(text)
		for _, convert := range converters {
			out, _ := convert(s, "old.conf", text)
			compiles(t, s, out)
		}
	})
}
