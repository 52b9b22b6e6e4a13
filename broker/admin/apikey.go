package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vernemq/broker/auth/apikey"
)

// expiresForms are how the end of a key may be given: the first in the broker's local time.
var expiresForms = []string{"2006-01-02T15:04:05", time.RFC3339}

func scopeArg(doc string, words ...string) ArgSpec {
	words = append(apikey.Scopes(), words...)
	return ArgSpec{Name: "scope", Hint: "SCOPE", Doc: doc + ": " + strings.Join(words, ", ") + ".", Check: func(scope string) error {
		if !slices.Contains(words, scope) {
			return fmt.Errorf("one of %s", strings.Join(words, ", "))
		}
		return nil
	}}
}

var expiresArg = ArgSpec{Name: "expires", Hint: "TIME", Doc: "When the key expires: yyyy-mm-ddThh:mm:ss in the broker's local time, or with Z or +hh:mm behind it. " +
	"Default: never, or as late as max_apikey_expiry_days allows.", Check: func(text string) error {
	_, err := parseExpires(text)
	return err
}}

// parseExpires reads the end of a key; empty is never, the zero time.
func parseExpires(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range expiresForms {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("want yyyy-mm-ddThh:mm:ss, such as 2030-12-31T23:59:59")
}

const defaultScopeDoc = "What it opens, by default " + apikey.DefaultScope

// scopeOf returns the scope that is asked for.
func scopeOf(r *Request) string {
	if s, ok := r.Args["scope"]; ok {
		return s
	}
	return apikey.DefaultScope
}

// refusal makes of a request that makes no sense what is told as such.
func refusal(err error) error {
	var refused apikey.Refusal
	if errors.As(err, &refused) {
		return &Error{refused.Error()}
	}
	return err
}

// apiKeyCreate is `api-key create`: a key that nobody has seen before.
func apiKeyCreate(b Broker) *Command {
	return &Command{
		Path: []string{"api-key", "create"},
		Doc: "Makes an API key and shows it, this once.\nThe broker keeps only what it recognises the key by. The key holds when it is shown, and through every restart. It expires by the " +
			"clock of the machine, once that is known to be right.",
		Args: []ArgSpec{scopeArg(defaultScopeDoc), expiresArg},
		Run: func(ctx context.Context, r *Request) (Result, error) {
			expires, err := parseExpires(r.Args["expires"])
			if err != nil {
				return nil, err
			}
			key, err := b.APIKeys().Create(ctx, scopeOf(r), expires)
			if err != nil {
				return nil, refusal(err)
			}
			return Text(key), nil
		},
	}
}

// apiKeyAdd is `api-key add`: a key from elsewhere.
func apiKeyAdd(b Broker) *Command {
	return &Command{
		Path: []string{"api-key", "add"},
		Doc: "Takes over an API key that was made elsewhere.\nIt can be had once for each scope. min_apikey_length says how long it has to be. Who else is on this machine can see a command line while it runs: " +
			"api-key create needs no key on it.",
		Args: []ArgSpec{{Name: "key", Hint: "KEY", Doc: "The key: ASCII without blanks.", Required: true}, scopeArg(defaultScopeDoc), expiresArg},
		Run: func(ctx context.Context, r *Request) (Result, error) {
			expires, err := parseExpires(r.Args["expires"])
			if err != nil {
				return nil, err
			}
			if err := b.APIKeys().Add(ctx, r.Args["key"], scopeOf(r), expires); err != nil {
				return nil, refusal(err)
			}
			return Text("ok"), nil
		},
	}
}

// apiKeyDelete is `api-key delete`.
func apiKeyDelete(b Broker) *Command {
	return &Command{
		Path: []string{"api-key", "delete"},
		Doc:  "Takes an API key away; it opens nothing from then on.",
		Args: []ArgSpec{{Name: "key", Hint: "KEY", Doc: "The whole key, or its beginning as api-key show tells it if only one key of the scope begins so.", Required: true},
			scopeArg(defaultScopeDoc)},
		Run: func(ctx context.Context, r *Request) (Result, error) {
			if err := b.APIKeys().Delete(ctx, r.Args["key"], scopeOf(r)); err != nil {
				return nil, refusal(err)
			}
			return Text("ok"), nil
		},
	}
}

// apiKeyShow is `api-key show`.
func apiKeyShow(b Broker) *Command {
	return &Command{
		Path: []string{"api-key", "show"},
		Doc:  "Shows which API keys there are, each by its beginning.",
		Args: []ArgSpec{scopeArg("Only keys of this scope, by default all", "all")},
		Run: func(_ context.Context, r *Request) (Result, error) {
			scope := r.Args["scope"]
			if scope == "all" {
				scope = ""
			}
			var cells [][]any
			for _, k := range b.APIKeys().List(scope) {
				expires := "never"
				if !k.Expires.IsZero() {
					expires = k.Expires.Format(time.DateTime)
				}
				cells = append(cells, []any{k.Beginning, k.Scope, expires, k.Expired})
			}
			return rows([]string{"Key", "Scope", "Expires (UTC)", "has expired"}, cells), nil
		},
	}
}
