package service

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/journal"
	"github.com/google/go-cmp/cmp"
)

// Every attribute is a field of its own, and part of the message.
func TestJournalHandler(t *testing.T) {
	var message string
	var prio journal.Priority
	var fields map[string]string
	h := &journalHandler{send: func(m string, p journal.Priority, f map[string]string) error {
		message, prio, fields = m, p, f
		return nil
	}}
	log := slog.New(h).With("node", "a b").WithGroup("store")
	log.Warn("full", "client-id", "x=1", "error", errors.New("no space"), "n", 3, "empty", "")
	if want := `full node="a b" store.client-id="x=1" store.error="no space" store.n=3 store.empty=""`; message != want {
		t.Errorf("message %s, want %s", message, want)
	}
	if prio != journal.PriWarning {
		t.Errorf("priority %d", prio)
	}
	want := map[string]string{"SYSLOG_IDENTIFIER": "vernemq", "VERNEMQ_NODE": "a b", "VERNEMQ_STORE_CLIENT_ID": "x=1", "VERNEMQ_STORE_ERROR": "no space",
		"VERNEMQ_STORE_N": "3", "VERNEMQ_STORE_EMPTY": ""}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	message = ""
	if log.Debug("quiet"); message != "" {
		t.Error("debug messages are sent")
	}
	for level, want := range map[slog.Level]journal.Priority{slog.LevelDebug: journal.PriDebug, slog.LevelInfo: journal.PriInfo, slog.LevelError: journal.PriErr} {
		if got := priority(level); got != want {
			t.Errorf("%v: priority %d, want %d", level, got, want)
		}
	}
	if got := fieldName("ä"); got != "VERNEMQ__" {
		t.Errorf("field name %q", got)
	}
	if got := fieldName(strings.Repeat("ä", 60)); len(got) > 64 || strings.Trim(got, "VERNMQ_") != "" {
		t.Errorf("field name %q", got)
	}
}

// Lines have their priority, however they are cut into writes.
func TestPrefixed(t *testing.T) {
	var out strings.Builder
	w := Prefixed(&out)
	for _, part := range []string{"a.conf:1:1: warn", "x\na.conf:1:1: warning: old\n    text\n  hint: new\n", "note: x\n", "vernemq foreground: can", "not start\n\n"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	want := "<3>a.conf:1:1: warnx\n<4>a.conf:1:1: warning: old\n<4>    text\n<4>  hint: new\n<5>note: x\n<3>vernemq foreground: cannot start\n<3>\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Without the journal there is no handler for it.
func TestNoJournal(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "")
	if _, ok := Journal(); ok {
		t.Error("a handler without a journal")
	}
}
