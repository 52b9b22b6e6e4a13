package admin

import (
	"context"
	"strconv"
	"strings"
)

// listenerShow is `listener show`: one row a listener.
func listenerShow(b Broker) *Command {
	return &Command{
		Path: []string{"listener", "show"},
		Doc:  "Shows the listeners with their state and their connections.",
		Flags: []FlagSpec{
			{Name: "tls", Short: "t", Doc: "Adds how each listener does TLS."},
			{Name: "mqtt", Short: "m", Doc: "Adds which protocol versions and anonymous clients each listener lets in."},
		},
		Run: func(ctx context.Context, r *Request) (Result, error) {
			_, tls := r.Flag("tls")
			_, mqtt := r.Flag("mqtt")
			columns := []string{"type", "status", "address", "port", "mountpoint", "max_conns", "active_conns", "all_conns"}
			if tls {
				columns = append(columns, "tls_version", "certfile", "cafile", "keyfile", "require_certificate",
					"use_identity_as_username", "psk_support", "pskfile")
			}
			if mqtt {
				columns = append(columns, "allowed_protocol_versions", "allow_anonymous_override")
			}
			var out [][]any
			for _, l := range b.Listeners() {
				// The port is text, as it always was.
				row := []any{l.Type, l.Status, l.Address, strconv.Itoa(l.Port), l.Mountpoint, connLimit(l.MaxConns), l.Active, l.All}
				if tls {
					row = append(row, tlsCells(l.TLS)...)
				}
				if mqtt {
					row = append(row, mqttCells(&l)...)
				}
				out = append(out, row)
			}
			return rows(columns, out), nil
		},
	}
}

func connLimit(n int) any {
	if n == Unlimited {
		return "infinity"
	}
	return n
}

func tlsCells(t *TLSInfo) []any {
	if t == nil {
		return make([]any, 8)
	}
	return []any{given(t.Version), given(t.CertFile), given(t.CAFile), given(t.KeyFile), t.RequireCertificate, t.UseIdentityAsUsername, t.PSK,
		given(t.PSKFile)}
}

func mqttCells(l *ListenerInfo) []any {
	if l.ProtocolVersions == nil {
		return make([]any, 2)
	}
	var versions []string
	for _, v := range l.ProtocolVersions {
		versions = append(versions, strconv.Itoa(v))
	}
	return []any{strings.Join(versions, ","), l.AllowAnonymous}
}

// given returns an option that may not be set as a cell.
func given(s string) any {
	if s == "" {
		return Undefined
	}
	return s
}
