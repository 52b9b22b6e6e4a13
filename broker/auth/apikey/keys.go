// Package apikey owns the API keys of this node: which there are, what each opens and until when, and whether somebody shows one. It refuses to know
// how a request carries a key, what a scope protects, and the keys themselves: of each it keeps, in memory and in the store, the SHA-256 and the first
// characters, by which people recognise it. A key is seen once, by whoever creates it.
//
// A plain hash is enough for keys that are made here: 190 random bits are not guessed. Whoever adds keys of their own chooses how well they hold.
package apikey

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"vernemq/broker/config"
	"vernemq/broker/store"
)

// Bounds of what is kept.
const (
	MaxKeys   = 1000 // in all scopes, expired ones too
	MaxLength = 1024 // characters of a key; min_apikey_length asks for no more
)

// How keys are made and shown.
const (
	madeLength    = 32 // characters of a key that is made here, unless min_apikey_length asks for more
	shownMost     = 6  // characters of a key that are kept for people, of short ones
	shownFraction = 4  // only so large a part
	alphabet      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Ellipsis ends the beginning of a key where people see it.
const Ellipsis = "…"

// DefaultScope is the scope of a key that is given none.
const DefaultScope = "mgmt"

// Scopes returns what a key can open: the modules of the HTTP interface.
func Scopes() []string { return []string{"status", "mgmt", "metrics", "health", "api2", "httppub"} }

// Refusal is an error that says why something cannot be done as it was asked for, and what to do instead. It holds no key.
type Refusal string

func (r Refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// Store is what Keys needs of a store.Store.
type Store interface {
	Notify(c store.Completer)
	PutAPIKey(k store.APIKey) store.Ticket
	DeleteAPIKey(digest [32]byte, scope string) store.Ticket
	Full() error
	Load(f store.Loader) error
}

// Clock is the wall clock. ClockSet reports whether it is known to be right: until then no key expires.
type Clock struct {
	Now      func() time.Time
	ClockSet func() bool
}

// saneYear is the first year that a clock can be right in: keys are not given an end by a clock that was never set.
const saneYear = 2025

// Key is a key as people see it.
type Key struct {
	Beginning string // ends in Ellipsis
	Scope     string
	Expires   time.Time // UTC; zero: never
	Expired   bool
}

// Keys holds the keys. It is safe for concurrent use. Changes are made one after the other and return when they are durable; Check waits for nobody.
type Keys struct {
	store   Store
	options *config.Live
	clock   Clock
	turn    chan struct{} // holds one token while somebody changes the keys
	durable *waiting
	keys    atomic.Pointer[[]store.APIKey] // sorted; never changed in place
}

// Open returns the keys that a store holds. It registers with the store, as store.Store.Notify says.
func Open(st Store, options *config.Live, clock Clock) (*Keys, error) {
	k := &Keys{store: st, options: options, clock: clock, turn: make(chan struct{}, 1), durable: &waiting{failed: st.Full}}
	var all []store.APIKey
	if err := st.Load(store.Loader{APIKey: func(key store.APIKey) { all = append(all, key) }}); err != nil {
		return nil, fmt.Errorf("API keys: %w", err)
	}
	slices.SortFunc(all, order)
	k.keys.Store(&all)
	st.Notify(k.durable)
	return k, nil
}

func order(a, b store.APIKey) int {
	return cmp.Or(strings.Compare(a.Scope, b.Scope), strings.Compare(a.Beginning, b.Beginning), slices.Compare(a.Digest[:], b.Digest[:]))
}

// Check reports whether a key opens a scope at this moment. How long it takes tells nothing about the keys there are but their number.
func (k *Keys) Check(key, scope string) bool {
	if key == "" || len(key) > MaxLength {
		return false
	}
	digest := sha256.Sum256([]byte(key))
	found := 0
	for _, have := range *k.keys.Load() {
		same := subtle.ConstantTimeCompare(have.Digest[:], digest[:])
		if have.Scope != scope || k.expired(have) {
			same = 0
		}
		found |= same
	}
	return found == 1
}

func (k *Keys) expired(key store.APIKey) bool {
	return key.Expires != 0 && k.clock.ClockSet() && k.clock.Now().Unix() >= key.Expires
}

// List returns the keys of a scope, or of all with an empty one, by scope and beginning.
func (k *Keys) List(scope string) (list []Key) {
	for _, have := range *k.keys.Load() {
		if scope != "" && scope != have.Scope {
			continue
		}
		shown := Key{Beginning: have.Beginning + Ellipsis, Scope: have.Scope, Expired: k.expired(have)}
		if have.Expires != 0 {
			shown.Expires = time.Unix(have.Expires, 0).UTC()
		}
		list = append(list, shown)
	}
	return list
}

// Create makes a key for a scope, which expires at some time, zero for never, and returns it once it is durable. Nobody can see it again.
func (k *Keys) Create(ctx context.Context, scope string, expires time.Time) (key string, err error) {
	key = random(max(madeLength, k.options.Load().MinAPIKeyLength))
	return key, k.Add(ctx, key, scope, expires)
}

// random returns a key of so many characters.
func random(length int) string {
	const even = 256 / len(alphabet) * len(alphabet) // bytes below it fall on each character equally often
	key := make([]byte, 0, length)
	for bytes := make([]byte, 64); ; {
		_, _ = rand.Read(bytes) // never fails
		for _, b := range bytes {
			if len(key) == length {
				return string(key)
			}
			if int(b) < even {
				key = append(key, alphabet[int(b)%len(alphabet)])
			}
		}
	}
}

// Add takes over a key that was made elsewhere, as Create does.
func (k *Keys) Add(ctx context.Context, key, scope string, expires time.Time) error {
	o := k.options.Load()
	switch n := len(key); {
	case !slices.Contains(Scopes(), scope):
		return refuse("There is no scope %q: one of %s", clip(scope), strings.Join(Scopes(), ", "))
	case n < o.MinAPIKeyLength:
		return refuse("The key is too short: it has %d characters, and min_apikey_length asks for %d", n, o.MinAPIKeyLength)
	case n == 0 || n > MaxLength:
		return refuse("The key has %d characters: want 1 to %d", n, MaxLength)
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return refuse("The key has a character that HTTP clients cannot send: want letters, digits and signs of ASCII, without blanks")
	}
	until, err := k.until(expires, o.MaxAPIKeyLife)
	if err != nil {
		return err
	}
	return k.change(ctx, func(keys []store.APIKey) error {
		add := store.APIKey{Digest: sha256.Sum256([]byte(key)), Scope: scope, Beginning: key[:min(shownMost, len(key)/shownFraction)], Expires: until}
		switch {
		case slices.ContainsFunc(keys, func(x store.APIKey) bool { return same(x, add) }):
			return refuse("The key is there already, in scope %s: delete it first to give it another end", scope)
		case len(keys) >= MaxKeys:
			return refuse("There are %d keys, and more than %d are not kept: delete some", len(keys), MaxKeys)
		}
		if err := k.store.Full(); err != nil {
			return fmt.Errorf("the key was not stored: %w", err)
		}
		ticket := k.store.PutAPIKey(add)
		if err := k.durable.wait(ctx, ticket); err != nil {
			k.store.DeleteAPIKey(add.Digest, add.Scope) // nobody was told that it holds
			return fmt.Errorf("the key was not stored: %w", err)
		}
		at, _ := slices.BinarySearchFunc(keys, add, order)
		k.publish(slices.Insert(slices.Clone(keys), at, add))
		return nil
	})
}

// until is when a key expires that is to expire at some time, zero for never: if keys may not live for ever, as late as may be.
func (k *Keys) until(expires time.Time, most time.Duration) (int64, error) {
	if expires.IsZero() && most == 0 {
		return 0, nil
	}
	now := k.clock.Now()
	if now.Year() < saneYear && !k.clock.ClockSet() {
		return 0, refuse("The clock of this machine is not set, it says %s: keys that expire can be made once it is", now.UTC().Format(time.DateOnly))
	}
	latest := now.Add(most)
	switch {
	case expires.IsZero():
		expires = latest
	case !expires.After(now):
		return 0, refuse("The key would have expired already: it is %s", now.UTC().Format(time.RFC3339))
	case most != 0 && expires.After(latest):
		return 0, refuse("The key would live too long: max_apikey_expiry_days allows %d days, until %s", most/(24*time.Hour), latest.UTC().Format(time.RFC3339))
	}
	return expires.Unix(), nil
}

// Delete takes a key of a scope away: the whole key, or its beginning as List shows it, with or without the Ellipsis, if only one key begins so. It
// opens nothing from then on, and when Delete has returned without error it never will.
func (k *Keys) Delete(ctx context.Context, key, scope string) error {
	return k.change(ctx, func(keys []store.APIKey) error {
		at, err := find(keys, key, scope)
		if err != nil {
			return err
		}
		gone := keys[at]
		k.publish(slices.Delete(slices.Clone(keys), at, at+1))
		if err := k.durable.wait(ctx, k.store.DeleteAPIKey(gone.Digest, gone.Scope)); err != nil {
			return fmt.Errorf("the key opens nothing any more, and will again if the broker ends before this is stored: %w", err)
		}
		return nil
	})
}

// find returns the place of the one key that is meant.
func find(keys []store.APIKey, key, scope string) (int, error) {
	whole := store.APIKey{Digest: sha256.Sum256([]byte(key)), Scope: scope}
	if i := slices.IndexFunc(keys, func(x store.APIKey) bool { return same(x, whole) }); i >= 0 {
		return i, nil
	}
	beginning, listed := strings.CutSuffix(key, Ellipsis)
	found, elsewhere, count := -1, "", 0
	for i, x := range keys {
		meant := x.Beginning == beginning && (beginning != "" || listed)
		switch {
		case x.Scope == scope && meant:
			found = i
			count++
		case meant || x.Digest == whole.Digest:
			elsewhere = x.Scope
		}
	}
	switch {
	case count > 1:
		return 0, refuse("%d keys of scope %s begin so: give the whole key", count, scope)
	case count == 1:
		return found, nil
	case elsewhere != "":
		return 0, refuse("There is no such key in scope %s, but one in scope %s", scope, elsewhere)
	}
	return 0, refuse("There is no such key in scope %s", clip(scope))
}

func same(a, b store.APIKey) bool { return a.Digest == b.Digest && a.Scope == b.Scope }

// clip keeps a text that somebody gave from filling the answer.
func clip(s string) string { return s[:min(len(s), 40)] }

// change runs f when it is its turn, with the keys there are.
func (k *Keys) change(ctx context.Context, f func(keys []store.APIKey) error) error {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
		return f(*k.keys.Load())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (k *Keys) publish(keys []store.APIKey) { k.keys.Store(&keys) }
