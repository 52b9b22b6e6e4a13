package admin

import (
	"context"
	"errors"
	"slices"
	"strings"

	"vernemq/broker/msg"
)

// The options that all ways to disconnect have.
var (
	cleanupFlag    = FlagSpec{Name: "cleanup", Short: "c", Doc: "Ends the sessions, too: subscriptions and waiting messages are gone."}
	mountpointFlag = FlagSpec{Name: "mountpoint", Short: "m", Value: Required, Hint: "MOUNTPOINT", Doc: "The mountpoint of the clients. Default: the empty one."}
	referenceFlag  = FlagSpec{Name: "server-reference", Value: Required, Hint: "HOST[:PORT]", Check: checkReference,
		Doc: "Tells MQTT 5 clients where to go instead (reason code 0x9C); several, separated by blanks, are allowed. Others are disconnected only."}
	movedFlag = FlagSpec{Name: "moved", Doc: "With --server-reference: for good (reason code 0x9D)."}

	goodbyeFlags = []FlagSpec{cleanupFlag, mountpointFlag, referenceFlag, movedFlag}
)

func checkReference(f Flag) error {
	if strings.TrimSpace(f.Value) == "" || len(f.Value) > 65535 || strings.ContainsFunc(f.Value, func(r rune) bool { return r < ' ' }) {
		return errors.New("the name or address of a server, optionally with a port")
	}
	return nil
}

// goodbye reads the options that all ways to disconnect have.
func goodbye(r *Request) (g Goodbye, err error) {
	_, g.Cleanup = r.Flag("cleanup")
	_, g.Moved = r.Flag("moved")
	ref, ok := r.Flag("server-reference")
	g.Reference = ref.Value
	if g.Moved && !ok {
		return g, &Error{"--moved needs --server-reference=HOST"}
	}
	return g, nil
}

func (r *Request) subscriber() msg.SubscriberID {
	m, _ := r.Flag("mountpoint")
	return msg.SubscriberID{Mountpoint: m.Value, ClientID: r.Args["client-id"]}
}

// disconnecting is the Run of a command that ends the connections of those whom choose names.
func disconnecting(b Broker, choose func(context.Context, *Request) ([]msg.SubscriberID, error)) func(context.Context, *Request) (Result, error) {
	return func(ctx context.Context, r *Request) (Result, error) {
		g, err := goodbye(r)
		if err != nil {
			return nil, err
		}
		ids, err := choose(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			b.Disconnect(id, g)
		}
		return Text("Done"), nil
	}
}

// sessionDisconnect is `session disconnect`: one client, by its identifier.
func sessionDisconnect(b Broker) *Command {
	return &Command{
		Path: []string{"session", "disconnect"},
		Doc: "Ends the connection of a client.\n" +
			"An MQTT 5 client is told that it was an administrative action, or where to go instead. Its last will is published. The answer is Done whether " +
			"there is such a client or not.",
		Args:  []ArgSpec{{Name: "client-id", Hint: "ID", Doc: "The client identifier.", Required: true}},
		Flags: goodbyeFlags,
		Run: disconnecting(b, func(_ context.Context, r *Request) ([]msg.SubscriberID, error) {
			return []msg.SubscriberID{r.subscriber()}, nil
		}),
	}
}

// sessionDisconnectClients is `session disconnect clients`: several, by their identifiers.
func sessionDisconnectClients(b Broker) *Command {
	return &Command{
		Path:  []string{"session", "disconnect", "clients"},
		Doc:   "Ends the connections of several clients, as session disconnect does.",
		Args:  []ArgSpec{{Name: "client-ids", Hint: "ID,ID...", Doc: "The client identifiers.", Required: true}},
		Flags: goodbyeFlags,
		Run: disconnecting(b, func(_ context.Context, r *Request) (ids []msg.SubscriberID, err error) {
			id := r.subscriber()
			for id.ClientID = range strings.SplitSeq(r.Args["client-ids"], ",") {
				ids = append(ids, id)
			}
			return ids, nil
		}),
	}
}

// sessionDisconnectBatch is `session disconnect batch`: so many of the connected clients that fulfil conditions.
func sessionDisconnectBatch(b Broker) *Command {
	flags := append(slices.Clone(goodbyeFlags),
		FlagSpec{Name: "filter-client-ids", Short: "f", Value: Required, Hint: "ID,ID...", Doc: "Client identifiers that stay connected."},
		FlagSpec{Name: "node", Short: "n", Value: Required, Hint: "NODE,NODE...", Doc: "Only clients of these nodes."})
	for i := range sessionFields {
		f := &sessionFields[i]
		if f.need&costly != 0 || f.name == "mountpoint" || f.name == "node" {
			continue
		}
		flags = append(flags, FlagSpec{Name: f.name, Value: Required, Hint: f.kind.hint(), Repeat: true, Check: f.check,
			Doc: "Only sessions with this value, as in session show. " + f.doc})
	}
	return &Command{
		Path: []string{"session", "disconnect", "batch"},
		Doc: "Ends the connections of a number of clients, as session disconnect does.\n" +
			"They are connected clients of the mountpoint that fulfil all conditions, in no particular order; fewer if there are not so many.",
		Args:  []ArgSpec{{Name: "count", Hint: "N", Doc: "How many, or infinity.", Required: true, Check: checkCount}},
		Flags: flags,
		Run:   disconnecting(b, func(ctx context.Context, r *Request) ([]msg.SubscriberID, error) { return batch(ctx, b, r) }),
	}
}

// batch chooses the clients of a session disconnect batch.
func batch(ctx context.Context, b Broker, r *Request) (ids []msg.SubscriberID, err error) {
	count := parseLimit(r.Args["count"])
	if n, ok := r.Flag("node"); ok && !slices.Contains(strings.Split(n.Value, ","), b.NodeName()) {
		return nil, nil
	}
	var conds []condition
	need := NeedSession
	for _, f := range r.Flags {
		if fd := findField(f.Name); fd != nil && fd.name != "mountpoint" && fd.name != "node" {
			c, err := newCondition(fd, f)
			if err != nil {
				return nil, err
			}
			conds = append(conds, c)
			need |= fd.need
		}
	}
	mountpoint := r.subscriber().Mountpoint
	stay, _ := r.Flag("filter-client-ids")
	keep := strings.Split(stay.Value, ",")
	row := sessionRow{node: b.NodeName()}
	err = b.EachSession(ctx, need, nil, func(s *SessionInfo) bool {
		row.session = s
		if s.Client != nil && s.ID.Mountpoint == mountpoint && !slices.Contains(keep, s.ID.ClientID) && match(conds, &row) {
			ids = append(ids, s.ID)
		}
		return len(ids) != count
	})
	return ids, err
}

func checkCount(v string) error {
	if parseLimit(v) == 0 {
		return errors.New("a number from 1, or infinity")
	}
	return nil
}

// sessionUnsubscribe is `session unsubscribe`.
func sessionUnsubscribe(b Broker) *Command {
	return &Command{
		Path: []string{"session", "unsubscribe"},
		Doc:  "Takes a subscription of a client away. The client is not told.",
		Args: []ArgSpec{{Name: "client-id", Hint: "ID", Doc: "The client identifier.", Required: true},
			{Name: "topic", Hint: "FILTER", Doc: "The filter as it was subscribed, with $share prefix.", Required: true}},
		Flags: []FlagSpec{{Name: "plugin", Short: "p", Doc: "Runs the hook on_topic_unsubscribed."}, mountpointFlag},
		Run: func(_ context.Context, r *Request) (Result, error) {
			_, tell := r.Flag("plugin")
			if !b.Unsubscribe(r.subscriber(), r.Args["topic"], tell) {
				return Alert{Text("Not successful: no such subscription")}, nil
			}
			return Text("Done"), nil
		},
	}
}

// sessionReauthorize is `session reauthorize`.
func sessionReauthorize(b Broker) *Command {
	return &Command{
		Path: []string{"session", "reauthorize"},
		Doc: "Asks again whether a client may have its subscriptions, and takes away those it may not.\n" +
			"The answer is Unchanged if it may have all of them.",
		Args: []ArgSpec{{Name: "username", Hint: "USER", Doc: "The user name to ask for.", Required: true},
			{Name: "client-id", Hint: "ID", Doc: "The client identifier.", Required: true}},
		Flags: []FlagSpec{mountpointFlag},
		Run: func(ctx context.Context, r *Request) (Result, error) {
			n, err := b.Reauthorize(ctx, r.subscriber(), r.Args["username"])
			switch {
			case err != nil:
				return nil, err
			case n == 0:
				return Text("Unchanged"), nil
			}
			return Text("Done"), nil
		},
	}
}
