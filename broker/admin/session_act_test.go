package admin_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/admin"
	"vernemq/broker/admin/admintest"
)

// TestSessionActs: what command lines make of sessions. The broker has dev-1 (alice) and 5 connected, and mp/dev-2 absent.
func TestSessionActs(t *testing.T) {
	none := "{Cleanup:false Reference: Moved:false}"
	for _, c := range []struct {
		line, out string
		exit      int
		did       []string
	}{
		{"disconnect client-id=dev-1", "Done\n", 0, []string{`disconnect "" "dev-1" ` + none}},
		{"disconnect client-id=nobody", "Done\n", 0, []string{`disconnect "" "nobody" ` + none}},
		{`disconnect --cleanup -m mp client-id=dev-2`, "Done\n", 0, []string{`disconnect "mp" "dev-2" {Cleanup:true Reference: Moved:false}`}},
		{`disconnect client-id=a"b -c`, "Done\n", 0, []string{`disconnect "" "a\"b" {Cleanup:true Reference: Moved:false}`}},
		{"disconnect client-id=dev-1 --server-reference=other:1883", "Done\n", 0, []string{`disconnect "" "dev-1" {Cleanup:false Reference:other:1883 Moved:false}`}},
		{"disconnect client-id=dev-1 --server-reference=other --moved", "Done\n", 0, []string{`disconnect "" "dev-1" {Cleanup:false Reference:other Moved:true}`}},
		{"disconnect client-id=dev-1 --moved", "--moved needs --server-reference=HOST\n", 1, nil},
		{"disconnect clients client-ids=dev-1,5,x -c", "Done\n", 0, []string{`disconnect "" "dev-1" {Cleanup:true Reference: Moved:false}`,
			`disconnect "" "5" {Cleanup:true Reference: Moved:false}`, `disconnect "" "x" {Cleanup:true Reference: Moved:false}`}},
		{"disconnect batch count=1", "Done\n", 0, []string{`disconnect "" "dev-1" ` + none}},
		{"disconnect batch count=infinity", "Done\n", 0, []string{`disconnect "" "dev-1" ` + none, `disconnect "" "5" ` + none}},
		{"disconnect batch count=5 -f x,dev-1", "Done\n", 0, []string{`disconnect "" "5" ` + none}},
		{"disconnect batch count=5 --node=VerneMQ@127.0.0.1,other --user=alice", "Done\n", 0, []string{`disconnect "" "dev-1" ` + none}},
		{"disconnect batch count=5 --client_id=~^dev --protocol=4 --server-reference=b", "Done\n", 0,
			[]string{`disconnect "" "dev-1" {Cleanup:false Reference:b Moved:false}`}},
		{"disconnect batch count=5 --node=other", "Done\n", 0, nil},
		{"disconnect batch count=5 -m mp", "Done\n", 0, nil}, // nobody is connected there
		{"unsubscribe client-id=dev-1 topic=sensors/#", "Done\n", 0, []string{`unsubscribe "" "dev-1" "sensors/#" false`}},
		{"unsubscribe topic=$share/g/jobs client-id=dev-2 -p -m mp", "Done\n", 0, []string{`unsubscribe "mp" "dev-2" "$share/g/jobs" true`}},
		{"unsubscribe client-id=dev-1 topic=other", "Not successful: no such subscription\n", 0, []string{`unsubscribe "" "dev-1" "other" false`}},
		{"reauthorize username=alice client-id=dev-1", "Unchanged\n", 0, []string{`reauthorize "" "dev-1" "alice"`}},
		{"reauthorize client-id=dev-2 username=nobody --mountpoint=mp", "Done\n", 0, []string{`reauthorize "mp" "dev-2" "nobody"`}},
	} {
		b := admintest.New()
		var out, errs strings.Builder
		exit := admin.NewTree(b).Execute(context.Background(), strings.Fields("session "+c.line), admin.Options{}, &out, &errs)
		if exit != c.exit || out.String() != c.out || errs.Len() > 0 {
			t.Errorf("%s: exit %d, %q, %q", c.line, exit, out.String(), errs.String())
		}
		if diff := cmp.Diff(c.did, b.Did()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.line, diff)
		}
	}
	for _, line := range []string{"disconnect", "disconnect clients", "disconnect batch", "disconnect batch count=0", "disconnect batch count=1 --protocol=x",
		"disconnect client-id=x --server-reference= ", "unsubscribe client-id=x", "reauthorize client-id=x"} {
		b := admintest.New()
		var out strings.Builder
		if exit := admin.NewTree(b).Execute(context.Background(), strings.Fields("session "+line), admin.Options{}, &out, &out); exit != 1 || b.Did() != nil {
			t.Errorf("%s: exit %d, %s", line, exit, out.String())
		}
	}
}
