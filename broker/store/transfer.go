package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"vernemq/broker/msg"
)

// item is one line of an export: exactly one of its members is set.
type item struct {
	Format  int            `json:"vernemq_store_export,omitempty"`
	Session *Session       `json:"session,omitempty"`
	Inbound *Inbound       `json:"inbound,omitempty"`
	Message *exportMessage `json:"message,omitempty"`
	Retain  *exportMessage `json:"retained,omitempty"`
	APIKey  *exportAPIKey  `json:"api_key,omitempty"`
	End     *int           `json:"end,omitempty"` // number of lines before it, so that a cut-off export is noticed
}

type exportMessage struct {
	Mountpoint string
	Topic      []byte
	Payload    []byte
	Props      []byte `json:",omitempty"`
	QoS        byte
	Retain     bool
	Left       int64 `json:",omitempty"` // nanoseconds until it expires; 0 never
	To         []exportDelivery
}

type exportDelivery struct {
	Recipient
	State AckKind
}

type exportAPIKey struct {
	Digest    []byte // SHA-256 of the key
	Scope     string
	Beginning string
	Expires   int64 `json:",omitempty"` // unix seconds; 0 never
}

const exportFormat = 1

// Export writes all that the store holds as lines of JSON, which any version of the broker can import. It may run while the broker does; what
// changes meanwhile may be in it or not.
func (s *Durable) Export(w io.Writer) error {
	enc, lines := json.NewEncoder(w), 0
	var err error
	put := func(x item) {
		if err == nil {
			err = enc.Encode(x)
			lines++
		}
	}
	put(item{Format: exportFormat})
	var last *exportMessage
	lastRef := MessageRef(0)
	flush := func() {
		if last != nil {
			put(item{Message: last})
			last = nil
		}
	}
	e := s.Load(Loader{
		Session: func(r *Session) { put(item{Session: r}) },
		Inbound: func(in Inbound) { put(item{Inbound: &in}) },
		Message: func(ref MessageRef, m *msg.Message, r Recipient, state AckKind) {
			if ref != lastRef {
				flush()
				last, lastRef = s.export(m), ref
			}
			last.To = append(last.To, exportDelivery{r, state})
		},
		Retained: func(_ string, m *msg.Message) {
			flush()
			put(item{Retain: s.export(m)})
		},
		APIKey: func(k APIKey) {
			flush()
			put(item{APIKey: &exportAPIKey{k.Digest[:], k.Scope, k.Beginning, k.Expires}})
		},
	})
	flush()
	put(item{End: &lines})
	return errors.Join(e, err)
}

func (s *Durable) export(m *msg.Message) *exportMessage {
	x := &exportMessage{Mountpoint: m.Mountpoint, Topic: m.Topic, Payload: m.Payload, Props: m.Props, QoS: m.QoS, Retain: m.Retain}
	if m.Deadline != 0 {
		x.Left = max(m.Deadline-s.cfg.Now(), 1)
	}
	return x
}

// Import reads an export into the store, which has to be empty, and returns when it is durable.
func (s *Durable) Import(r io.Reader) error {
	if x := s.Stats(); x.Sessions+x.StoredMessages+x.StoredRetained+x.StoredAPIKeys > 0 {
		return errors.New("the store is not empty: import into a new directory")
	}
	dec := json.NewDecoder(r)
	keys := map[SessionKey]SessionKey{}
	for line := 0; ; line++ {
		var x item
		if err := dec.Decode(&x); err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the export was cut off: its last line is missing")
			}
			return fmt.Errorf("line %d: %w", line+1, err)
		}
		switch {
		case line == 0:
			if x.Format != exportFormat {
				return fmt.Errorf("this is no export, or one of another format (%d, not %d)", x.Format, exportFormat)
			}
		case x.End != nil:
			if *x.End != line {
				return fmt.Errorf("the export should have %d lines before its end, and has %d: some are missing", *x.End, line)
			}
			return s.flushed()
		default:
			if err := s.take(&x, keys); err != nil {
				return fmt.Errorf("line %d: %w", line+1, err)
			}
			if err := s.breathe(); err != nil {
				return err
			}
		}
	}
}

// breathe waits while much waits for the disk.
func (s *Durable) breathe() error {
	s.mu.Lock()
	much := int64(s.pending.Bytes()) > s.cfg.MaxPending/2
	s.mu.Unlock()
	if much {
		return s.written()
	}
	return nil
}

// take stores what one line of an export says. keys are the sessions' keys here by those in the export.
func (s *Durable) take(x *item, keys map[SessionKey]SessionKey) error {
	switch {
	case x.Session != nil:
		rec := *x.Session
		old := rec.Key
		rec.Key = 0
		k, _ := s.PutSession(&rec)
		keys[old] = k
		for _, sub := range rec.Subscriptions {
			s.PutSubscription(k, sub)
		}
	case x.Inbound != nil:
		s.PutMessage(&msg.Message{}, Inbound{keys[x.Inbound.Session], x.Inbound.PacketID}, nil)
	case x.Message != nil:
		to := make([]Recipient, len(x.Message.To))
		for i, r := range x.Message.To {
			to[i] = r.Recipient
			to[i].Session = keys[r.Session]
		}
		ref, _ := s.PutMessage(s.imported(x.Message), Inbound{}, to)
		if ref == 0 {
			return s.Health()
		}
		for i, r := range x.Message.To {
			if r.State == Received {
				s.PutAck(Ack{Kind: Received, Session: to[i].Session, Message: ref, PacketID: r.PacketID})
			}
		}
	case x.Retain != nil:
		s.PutRetained(x.Retain.Mountpoint, s.imported(x.Retain))
	case x.APIKey != nil:
		k := APIKey{Scope: x.APIKey.Scope, Beginning: x.APIKey.Beginning, Expires: x.APIKey.Expires}
		if copy(k.Digest[:], x.APIKey.Digest) != len(k.Digest) || len(x.APIKey.Digest) != len(k.Digest) {
			return fmt.Errorf("an API key with a digest of %d bytes, not %d", len(x.APIKey.Digest), len(k.Digest))
		}
		s.PutAPIKey(k)
	default:
		return errors.New("it says nothing that this version knows")
	}
	return nil
}

func (s *Durable) imported(x *exportMessage) *msg.Message {
	if len(x.Topic) > 1<<16-1 {
		x.Topic = x.Topic[:1<<16-1]
	}
	m := msg.New(x.Mountpoint, x.Topic, x.Payload, x.Props, x.QoS&3, x.Retain)
	if x.Left != 0 {
		m.Deadline = s.cfg.Now() + x.Left
	}
	return m
}
