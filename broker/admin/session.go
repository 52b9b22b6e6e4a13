package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"vernemq/broker/msg"
)

// defaultLimit is how many rows session show writes unless it is told.
const defaultLimit = 100

// sessionShow is `session show`: a query over the sessions. A flag a field: alone it selects the column, with a value it filters the rows.
func sessionShow(b Broker) *Command {
	flags := []FlagSpec{
		{Name: "limit", Value: Required, Hint: "N", Doc: "Shows at most so many rows; infinity: all. Default: 100.", Check: checkLimit},
		{Name: "rowtimeout", Value: Required, Hint: "MS", Check: checkMillis,
			Doc: "Accepted for older scripts and without effect: no row is left out because it took long."},
	}
	for i := range sessionFields {
		f := &sessionFields[i]
		flags = append(flags, FlagSpec{Name: f.name, Value: Optional, Hint: f.kind.hint(), Doc: f.doc, Repeat: true, Check: f.check})
	}
	return &Command{
		Path: []string{"session", "show"},
		Doc: "Shows the sessions of this node, one row a session.\n" +
			"A field's option alone shows its column. With a value it shows only rows that have this value: --client_id=ID; with =~ rows that " +
			"match a regular expression: --client_id=~^dev. All conditions must hold. Without a column asked for, client_id, is_online, " +
			"mountpoint, peer_host, peer_port and user are shown. Fields of subscriptions and of stored messages make one row for each of them.",
		Flags: flags,
		Run: func(ctx context.Context, r *Request) (Result, error) {
			q, err := newQuery(r)
			if err != nil {
				return nil, err
			}
			return q.table(ctx, b), nil
		},
	}
}

// query is what a session show asks for.
type query struct {
	columns []*field
	conds   []condition
	need    Need
	exact   *msg.SubscriberID
	limit   int // Unlimited: none
	more    bool

	// Subscriptions and messages cost: where they are wanted, cheaper conditions choose the sessions first.
	narrow     []condition
	narrowNeed Need
}

// costly are the groups of fields that are read only for sessions that fulfil all other conditions.
const costly = NeedSubscriptions | NeedMessages

func newQuery(r *Request) (*query, error) {
	q := &query{limit: defaultLimit}
	if f, ok := r.Flag("limit"); ok {
		q.limit = parseLimit(f.Value)
	}
	selected := map[string]*field{}
	equal := map[string]string{}
	for _, f := range r.Flags {
		fd := findField(f.Name)
		if fd == nil {
			continue // limit, rowtimeout
		}
		q.need |= fd.need
		if !f.Set {
			selected[fd.name] = fd
			continue
		}
		c, err := newCondition(fd, f)
		if err != nil {
			return nil, err
		}
		q.conds = append(q.conds, c)
		if c.regexp == nil {
			equal[fd.name] = f.Value
		}
	}
	if len(selected) == 0 {
		for _, name := range []string{"client_id", "is_online", "mountpoint", "peer_host", "peer_port", "user"} {
			selected[name] = findField(name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(selected)) {
		q.columns = append(q.columns, selected[name])
		q.need |= selected[name].need
	}
	client, named := equal["client_id"]
	if mountpoint, ok := equal["mountpoint"]; ok && named {
		q.exact = &msg.SubscriberID{Mountpoint: mountpoint, ClientID: client}
	}
	for _, c := range q.conds {
		if q.need&costly != 0 && c.field.need&costly == 0 {
			q.narrow = append(q.narrow, c)
			q.narrowNeed |= c.field.need
		}
	}
	return q, nil
}

// table returns the rows that the query finds, visited while they are written.
func (q *query) table(ctx context.Context, b Broker) Table {
	t := Table{Note: func() string {
		if !q.more {
			return ""
		}
		return fmt.Sprintf("Shown are the first %d rows, there are more: use --limit=N or --limit=infinity.", q.limit)
	}}
	for _, f := range q.columns {
		t.Columns = append(t.Columns, f.name)
	}
	t.Rows = func(yield func([]any) bool) error {
		n := 0
		cells := make([]any, len(q.columns))
		row := sessionRow{node: b.NodeName()}
		stopped := false
		err := q.visit(ctx, b, func(s *SessionInfo) bool {
			row.session = s
			for range row.each(q.need) {
				if !match(q.conds, &row) {
					continue
				}
				if n == q.limit {
					q.more, stopped = true, true
					return false
				}
				n++
				for i, f := range q.columns {
					cells[i] = f.get(&row)
				}
				if !yield(cells) {
					stopped = true
					return false
				}
			}
			return ctx.Err() == nil
		})
		if stopped {
			return nil
		}
		return err
	}
	return t
}

// visit shows f, with all that the query needs, the sessions that may have rows.
func (q *query) visit(ctx context.Context, b Broker, f func(*SessionInfo) bool) error {
	if q.exact != nil || len(q.narrow) == 0 {
		return b.EachSession(ctx, q.need, q.exact, f)
	}
	row := sessionRow{node: b.NodeName()}
	var inner error
	err := b.EachSession(ctx, q.narrowNeed, nil, func(s *SessionInfo) bool {
		row.session = s
		if !match(q.narrow, &row) {
			return true
		}
		more := true
		id := s.ID
		inner = b.EachSession(ctx, q.need, &id, func(s *SessionInfo) bool {
			more = f(s)
			return more
		})
		return more && inner == nil
	})
	if inner != nil {
		return inner
	}
	return err
}

// match reports whether a row fulfils all conditions.
func match(conds []condition, row *sessionRow) bool {
	for i := range conds {
		if !conds[i].match(row) {
			return false
		}
	}
	return true
}

func checkLimit(f Flag) error {
	if parseLimit(f.Value) == 0 {
		return errors.New("a number of rows from 1, or infinity")
	}
	return nil
}

// parseLimit returns the value of --limit, 0 if it is none.
func parseLimit(v string) int {
	if v == "infinity" {
		return Unlimited
	}
	n, err := strconv.Atoi(v)
	if err != nil && errors.Is(err, strconv.ErrRange) && v[0] != '-' {
		return Unlimited // people write huge numbers to say "all"
	}
	return max(0, n)
}

func checkMillis(f Flag) error {
	if n, err := strconv.ParseUint(f.Value, 10, 63); err != nil || n == 0 {
		return errors.New("milliseconds")
	}
	return nil
}
