package admin_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/admin"
	"vernemq/broker/admin/admintest"
	"vernemq/broker/msg"
)

// recorder writes down how a broker is asked for sessions.
type recorder struct {
	admintest.Broker
	calls []string
}

func (r *recorder) EachSession(ctx context.Context, need admin.Need, exact *msg.SubscriberID, f func(*admin.SessionInfo) bool) error {
	groups := ""
	for i, name := range []string{"queue", "session", "subscriptions", "messages"} {
		if need&(1<<i) != 0 {
			groups += " " + name
		}
	}
	who := "all"
	if exact != nil {
		who = fmt.Sprintf("%q %q", exact.Mountpoint, exact.ClientID)
	}
	r.calls = append(r.calls, who+":"+groups)
	return r.Broker.EachSession(ctx, need, exact, f)
}

// TestSessionShowAsksForLittle: what costs is asked for only where it is needed, and of those sessions that come into question.
func TestSessionShowAsksForLittle(t *testing.T) {
	tests := []struct {
		flags string
		want  []string
	}{
		{"", []string{"all: queue session"}},
		{"--client_id --mountpoint", []string{"all:"}},
		{"--client_id --is_online=true", []string{"all: queue"}},
		{"--client_id=dev-1 --mountpoint=", []string{`"" "dev-1": queue session`}},
		{"--client_id=~dev-1 --mountpoint=", []string{"all: queue session"}},
		{"--topic --mountpoint=mp --client_id=dev-2", []string{`"mp" "dev-2": subscriptions`}},
		{"--topic --client_id=dev-1", []string{"all:", `"" "dev-1": subscriptions`}},
		{"--payload --client_id=~dev --is_online=false", []string{"all: queue", `"mp" "dev-2": queue messages`}},
		{"--client_id --topic=~jobs", []string{"all: subscriptions"}},
		{"--client_id --topic=~. --user=nobody", []string{"all: session"}},
		{"--topic --client_id=~. --limit=1", []string{"all:", `"" "dev-1": subscriptions`}},
	}
	for _, tt := range tests {
		t.Run(tt.flags, func(t *testing.T) {
			r := &recorder{Broker: *admintest.New()}
			argv := append([]string{"session", "show"}, strings.Fields(tt.flags)...)
			var stderr strings.Builder
			if exit := admin.NewTree(r).Execute(t.Context(), argv, admin.Options{}, io.Discard, &stderr); exit != 0 {
				t.Fatalf("exit %d: %s", exit, stderr.String())
			}
			if diff := cmp.Diff(tt.want, r.calls); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSessionShowReportsFailures: a broker that cannot answer is an error, not a short list.
func TestSessionShowReportsFailures(t *testing.T) {
	for _, flags := range []string{"--client_id", "--topic --client_id=dev-2", "--topic --client_id=dev-2 --mountpoint=mp"} {
		b := admintest.New()
		b.Visit = func(_ context.Context, s *admin.SessionInfo) error {
			if s.ID.ClientID == "dev-2" {
				return fmt.Errorf("shard %d is gone", s.Shard)
			}
			return nil
		}
		var stderr strings.Builder
		argv := append([]string{"session", "show"}, strings.Fields(flags)...)
		exit := admin.NewTree(b).Execute(t.Context(), argv, admin.Options{}, io.Discard, &stderr)
		if want := "The command failed: shard 1 is gone\n"; exit != 1 || stderr.String() != want {
			t.Errorf("%s: exit %d, stderr %q; want 1, %q", flags, exit, stderr.String(), want)
		}
	}
}

// TestSessionShowOfMany: the limit ends the visit, and a hundred thousand sessions are no burden.
func TestSessionShowOfMany(t *testing.T) {
	const n = 100000
	visited := 0
	b := admintest.New()
	b.Sessions = make([]admin.SessionInfo, n)
	for i := range b.Sessions {
		b.Sessions[i] = admin.SessionInfo{ID: msg.SubscriberID{ClientID: fmt.Sprint(i)}, State: admin.StateOffline}
	}
	b.Visit = func(context.Context, *admin.SessionInfo) error { visited++; return nil }
	tree := admin.NewTree(b)
	for _, tt := range []struct {
		flags         string
		rows, visited int
	}{
		{"--client_id", 100, 101},
		{"--client_id --limit=5", 5, 6},
		{"--client_id --limit=infinity", n, n},
		{"--client_id --client_id=~^[1-9]0000$", 9, n},
	} {
		visited = 0
		var out strings.Builder
		argv := append([]string{"session", "show", "--format=csv"}, strings.Fields(tt.flags)...)
		if exit := tree.Execute(t.Context(), argv, admin.Options{}, &out, io.Discard); exit != 0 {
			t.Fatalf("exit %d", exit)
		}
		if rows := strings.Count(out.String(), "\r\n") - 1; rows != tt.rows || visited != tt.visited {
			t.Errorf("%s: %d rows of %d sessions visited, want %d of %d", tt.flags, rows, visited, tt.rows, tt.visited)
		}
	}
}
