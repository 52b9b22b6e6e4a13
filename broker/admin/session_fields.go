package admin

import (
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strconv"
)

// kind is the type of a field's values.
type kind uint8

const (
	textKind kind = iota
	intKind
	boolKind
)

func (k kind) hint() string { return [...]string{"TEXT", "N", "true|false"}[k] }

// field is one field of session show. The value of a cell is nil where the row has none.
type field struct {
	name string
	kind kind
	need Need
	doc  string
	get  func(*sessionRow) any
}

// sessionRow is what one row is made of: a session, and one of its subscriptions and messages where fields of them are asked for.
type sessionRow struct {
	node    string
	session *SessionInfo
	sub     *SubscriptionInfo
	message *MessageInfo
}

// each sets the row to each combination of a subscription and a message; a session without any has one row.
func (r *sessionRow) each(need Need) iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		subs, messages := r.session.Subscriptions, r.session.Messages
		if need&NeedSubscriptions == 0 {
			subs = nil
		}
		if need&NeedMessages == 0 {
			messages = nil
		}
		for i := range max(1, len(subs)) {
			r.sub = at(subs, i)
			for j := range max(1, len(messages)) {
				r.message = at(messages, j)
				if !yield(struct{}{}) {
					return
				}
			}
		}
	}
}

func at[T any](s []T, i int) *T {
	if i < len(s) {
		return &s[i]
	}
	return nil
}

// sessionFields are the fields of session show, in the order of the help text.
var sessionFields = []field{
	{"node", textKind, 0, "The node that holds the session.", func(r *sessionRow) any { return r.node }},
	{"mountpoint", textKind, 0, "The mountpoint; empty for the default one.", func(r *sessionRow) any { return r.session.ID.Mountpoint }},
	{"client_id", textKind, 0, "The client identifier.", func(r *sessionRow) any { return r.session.ID.ClientID }},
	{"queue_pid", textKind, 0, "Where the queue lives: shard and slot.", func(r *sessionRow) any { return place(r.session) }},
	{"queue_size", intKind, NeedQueue, "Messages that wait.",
		func(r *sessionRow) any { return r.session.OnlineMessages + r.session.OfflineMessages }},
	{"session_pid", textKind, NeedQueue | NeedSession, "Where the session lives, if a client is connected: shard and slot.",
		ofClient(func(r *sessionRow, _ *ClientInfo) any { return place(r.session) })},
	{"is_offline", boolKind, NeedQueue, "No client is connected.", func(r *sessionRow) any { return r.session.State == StateOffline }},
	{"is_online", boolKind, NeedQueue, "A client is connected.", func(r *sessionRow) any { return r.session.State != StateOffline }},
	{"statename", textKind, NeedQueue, "State of the queue: online, offline, wait_for_offline or drain.",
		func(r *sessionRow) any { return r.session.State }},
	{"deliver_mode", textKind, NeedQueue, "How messages are spread over the connections of a client that has several: fanout or balance.",
		func(r *sessionRow) any { return r.session.DeliverMode }},
	{"offline_messages", intKind, NeedQueue, "Messages stored for a client that is not connected.",
		func(r *sessionRow) any { return r.session.OfflineMessages }},
	{"online_messages", intKind, NeedQueue, "Messages that wait for the connected client.",
		func(r *sessionRow) any { return r.session.OnlineMessages }},
	{"num_sessions", intKind, NeedQueue, "Connections of the client; more than 1 only with allow_multiple_sessions.",
		func(r *sessionRow) any { return r.session.Connections }},
	{"clean_session", boolKind, NeedQueue, "The session is dropped when the client disconnects.",
		func(r *sessionRow) any { return r.session.CleanSession }},
	{"is_plugin", boolKind, NeedQueue, "The subscriber is part of the broker, such as a bridge.",
		func(r *sessionRow) any { return r.session.Plugin }},
	{"queue_started_at", intKind, NeedQueue, "When the queue was created, in milliseconds since 1970.",
		func(r *sessionRow) any { return r.session.QueueStartedAt }},
	{"user", textKind, NeedSession, "The user name.", ofClient(func(_ *sessionRow, c *ClientInfo) any {
		if !c.HasUser {
			return Undefined
		}
		return c.User
	})},
	{"peer_host", textKind, NeedSession, "The client's address.", ofClient(func(_ *sessionRow, c *ClientInfo) any {
		if !c.Peer.IsValid() {
			return Undefined
		}
		return c.Peer.Addr().Unmap().String()
	})},
	{"peer_port", intKind, NeedSession, "The client's port.", ofClient(func(_ *sessionRow, c *ClientInfo) any { return int(c.Peer.Port()) })},
	{"protocol", intKind, NeedSession, "The protocol level: 3 (MQTT 3.1), 4 (3.1.1), 5 (5.0); 131 and 132 for bridges.",
		ofClient(func(_ *sessionRow, c *ClientInfo) any { return int(c.Protocol) })},
	{"waiting_acks", intKind, NeedSession, "Messages sent to the client and not acknowledged yet.",
		ofClient(func(_ *sessionRow, c *ClientInfo) any { return c.WaitingAcks })},
	{"session_started_at", intKind, NeedSession, "When the client connected, in milliseconds since 1970.",
		ofClient(func(_ *sessionRow, c *ClientInfo) any { return c.StartedAt })},
	{"topic", textKind, NeedSubscriptions, "The filter of a subscription.",
		ofSubscription(func(s *SubscriptionInfo) any { return s.Topic })},
	{"qos", intKind, NeedSubscriptions, "The quality of service of a subscription.",
		ofSubscription(func(s *SubscriptionInfo) any { return int(s.QoS) })},
	{"rap", boolKind, NeedSubscriptions, "Retain as published, of a subscription.",
		ofSubscription(func(s *SubscriptionInfo) any { return s.RetainAsPublished })},
	{"no_local", boolKind, NeedSubscriptions, "No local, of a subscription.",
		ofSubscription(func(s *SubscriptionInfo) any { return s.NoLocal })},
	{"msg_ref", textKind, NeedMessages, "The identifier of a message that waits.",
		ofMessage(func(m *MessageInfo) any { return base64.StdEncoding.EncodeToString(m.Ref) })},
	{"msg_qos", intKind, NeedMessages, "The quality of service of a message that waits.",
		ofMessage(func(m *MessageInfo) any { return int(m.QoS) })},
	{"routing_key", textKind, NeedMessages, "The topic of a message that waits.", ofMessage(func(m *MessageInfo) any { return m.Topic })},
	{"dup", boolKind, NeedMessages, "A message that waits was sent before.", ofMessage(func(m *MessageInfo) any { return m.Dup })},
	{"payload", textKind, NeedMessages, "The payload of a message that waits.", ofMessage(func(m *MessageInfo) any { return m.Payload })},
}

func ofClient(get func(*sessionRow, *ClientInfo) any) func(*sessionRow) any {
	return func(r *sessionRow) any {
		if r.session.Client == nil {
			return nil
		}
		return get(r, r.session.Client)
	}
}

func ofSubscription(get func(*SubscriptionInfo) any) func(*sessionRow) any {
	return func(r *sessionRow) any {
		if r.sub == nil {
			return nil
		}
		return get(r.sub)
	}
}

func ofMessage(get func(*MessageInfo) any) func(*sessionRow) any {
	return func(r *sessionRow) any {
		if r.message == nil {
			return nil
		}
		return get(r.message)
	}
}

// place names where a session lives, in the form scripts expect of a process identifier.
func place(s *SessionInfo) string { return fmt.Sprintf("<0.%d.%d>", s.Shard, s.Slot) }

func findField(name string) *field {
	for i := range sessionFields {
		if sessionFields[i].name == name {
			return &sessionFields[i]
		}
	}
	return nil
}

// check returns an error if the field cannot be compared with the value of f.
func (fd *field) check(f Flag) error {
	_, err := newCondition(fd, f)
	return err
}

// condition is a filter on one field: equality, or a regular expression.
type condition struct {
	field  *field
	text   string
	regexp *regexp.Regexp
}

// newCondition reads the value of a field's flag. A value behind =~ is a regular expression, every other has to be one of the field's type:
// the type decides how it is read, so a topic may look like a number.
func newCondition(fd *field, f Flag) (condition, error) {
	if pattern, ok := regexpOf(f); ok {
		re, err := regexp.Compile(pattern)
		return condition{field: fd, regexp: re}, err
	}
	c := condition{field: fd, text: f.Value}
	switch fd.kind {
	case intKind:
		n, err := strconv.ParseInt(f.Value, 10, 64)
		if err != nil {
			return c, errors.New("an integer")
		}
		c.text = strconv.FormatInt(n, 10)
	case boolKind:
		if f.Value != "true" && f.Value != "false" {
			return c, errors.New("true or false")
		}
	}
	return c, nil
}

func regexpOf(f Flag) (pattern string, ok bool) {
	if !f.Joined || len(f.Value) == 0 || f.Value[0] != '~' {
		return "", false
	}
	return f.Value[1:], true
}

// match reports whether the row's field is as asked for. What a row does not have matches nothing.
func (c *condition) match(r *sessionRow) bool {
	v := c.field.get(r)
	if v == nil {
		return false
	}
	if c.regexp != nil {
		return c.regexp.MatchString(cellText(v))
	}
	if b, ok := v.([]byte); ok && string(b) == c.text {
		return true
	}
	return cellText(v) == c.text
}
