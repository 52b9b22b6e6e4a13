package node_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vernemq/broker/admin"
)

// ask has a broker that runs in a process of its own do a command, as vmq-admin does.
func ask(t *testing.T, dir, line string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := admin.Dial(filepath.Join(dir, "run", "admin.sock"))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	exit, err := c.Run(ctx, strings.Fields(line), admin.Options{}, &out, &out)
	if err != nil || exit != 0 {
		t.Fatalf("%s: exit %d, %v: %s", line, exit, err, &out)
	}
	return strings.TrimSpace(out.String())
}

// TestAPIKeysSurvive: what api-key create and delete have answered holds, though the broker is killed in the next moment, again and again.
func TestAPIKeysSurvive(t *testing.T) {
	dir, err := os.MkdirTemp("", "keys") // short: the path of a socket has a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &crash{t: t, dir: dir}
	shown := "Key,Scope,Expires (UTC),has expired"
	var rows []string
	for round := range 4 {
		c.start()
		if round > 0 {
			if got := ask(t, dir, "api-key show --format=csv"); got != shown+"\r\n"+strings.Join(rows, "\r\n") {
				t.Errorf("round %d: %q, want %q", round, got, rows)
			}
		}
		kept := ask(t, dir, "api-key create scope=metrics expires=2999-12-31T00:00:00Z")
		gone := ask(t, dir, "api-key create")
		rows = append(rows, kept[:6]+"…,metrics,2999-12-31 00:00:00,false")
		slices.Sort(rows)
		ask(t, dir, "api-key delete key="+gone)
		c.kill()
	}
}
