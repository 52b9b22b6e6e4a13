package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"vernemq/broker/msg"
)

// APIKey is a stored API key, or rather what one is recognised by: the key itself is nowhere.
type APIKey struct {
	Digest    [32]byte // SHA-256 of the key
	Scope     string   // what it opens; a key is stored once for each
	Beginning string   // of the key, for people
	Expires   int64    // wall clock, unix seconds; 0 never
}

// keyID names a stored API key.
type keyID struct {
	digest [32]byte
	scope  string
}

func (k APIKey) id() keyID { return keyID{k.Digest, k.Scope} }

// keptKey is an API key in the index.
type keptKey struct {
	APIKey
	stamp msg.Stamp
	at    uint64 // sequence number of its record
}

// apiKeyBytes is roughly the size on disk of an API key, but for its texts.
const apiKeyBytes = 64

func apiKeySize(k *APIKey) int64 { return apiKeyBytes + int64(len(k.Scope)+len(k.Beginning)) }

func appendAPIKey(b []byte, k *keptKey) []byte {
	b = appendStamp(b, k.stamp)
	b = append(b, k.Digest[:]...)
	b = appendString(b, k.Scope)
	b = appendString(b, k.Beginning)
	return binary.AppendVarint(b, k.Expires)
}

func (d *decoder) apiKey() (k keptKey) {
	k.stamp = d.stamp()
	k.Digest = d.digest()
	k.Scope, k.Beginning = string(d.bytes()), string(d.bytes())
	k.Expires = d.int()
	if len(d.b) > 0 {
		d.fail()
	}
	return k
}

func appendKeyID(b []byte, id keyID) []byte {
	return appendString(append(b, id.digest[:]...), id.scope)
}

func (d *decoder) keyID() (id keyID) {
	id.digest, id.scope = d.digest(), string(d.bytes())
	if len(d.b) > 0 {
		d.fail()
	}
	return id
}

func (d *decoder) digest() (x [32]byte) {
	if len(d.b) < len(x) {
		d.fail()
		return x
	}
	d.b = d.b[copy(x[:], d.b):]
	return x
}

func (x *index) putAPIKey(k *keptKey) {
	old, ok := x.apiKeys[k.id()]
	if ok {
		x.live -= apiKeySize(&old.APIKey)
	}
	x.stands(old.at, k.at)
	x.apiKeys[k.id()] = *k
	x.live += apiKeySize(&k.APIKey)
}

func (x *index) deleteAPIKey(id keyID) {
	if old, ok := x.apiKeys[id]; ok {
		x.live -= apiKeySize(&old.APIKey)
		x.stands(old.at, 0)
		delete(x.apiKeys, id)
	}
}

// PutAPIKey implements Store.
func (s *Durable) PutAPIKey(k APIKey) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := keptKey{APIKey: k, stamp: s.clock.stamp(s.cfg.Wall())}
	if kept.at = s.putAPIKey(&kept); kept.at != 0 {
		s.x.putAPIKey(&kept)
	}
	return s.ticket()
}

// putAPIKey adds the record of an API key to the batch. The lock is held.
func (s *Durable) putAPIKey(k *keptKey) uint64 {
	s.pending.version = max(s.pending.version, versionAPIKeys)
	return s.put(typeAPIKey, func(b []byte) []byte { return appendAPIKey(b, k) })
}

// DeleteAPIKey implements Store.
func (s *Durable) DeleteAPIKey(digest [32]byte, scope string) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := keyID{digest, scope}
	if _, ok := s.x.apiKeys[id]; ok {
		s.put(typeAPIKeyEnd, func(b []byte) []byte { return appendKeyID(b, id) })
		s.x.deleteAPIKey(id)
	}
	return s.ticket()
}

// carryAPIKey writes an API key's record again if it is the one in force. The lock is held.
func (s *Durable) carryAPIKey(id keyID, seq uint64) {
	k, ok := s.x.apiKeys[id]
	if !ok || k.at != seq {
		return
	}
	if at := s.putAPIKey(&k); at != 0 {
		k.at = at
		s.x.putAPIKey(&k)
	}
}

// loadAPIKeys tells the API keys by scope and digest.
func (s *Durable) loadAPIKeys(f Loader) {
	if f.APIKey == nil {
		return
	}
	s.mu.Lock()
	all := make([]APIKey, 0, len(s.x.apiKeys))
	for _, k := range s.x.apiKeys {
		all = append(all, k.APIKey)
	}
	s.mu.Unlock()
	tellAPIKeys(all, f.APIKey)
}

func tellAPIKeys(all []APIKey, f func(APIKey)) {
	slices.SortFunc(all, func(a, b APIKey) int {
		return cmp.Or(strings.Compare(a.Scope, b.Scope), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	for _, k := range all {
		f(k)
	}
}

// PutAPIKey implements Store.
func (s *Memory) PutAPIKey(k APIKey) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiKeys[k.id()] = k
	return s.ticket()
}

// DeleteAPIKey implements Store.
func (s *Memory) DeleteAPIKey(digest [32]byte, scope string) Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apiKeys, keyID{digest, scope})
	return s.ticket()
}

// loadAPIKeys tells the API keys by scope and digest. The lock is held.
func (s *Memory) loadAPIKeys(f Loader) {
	if f.APIKey != nil {
		tellAPIKeys(slices.Collect(maps.Values(s.apiKeys)), f.APIKey)
	}
}
