package service

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/coreos/go-systemd/v22/journal"
)

// Journal returns a handler that logs by the journal's native protocol, and true, if standard error is connected to the journal. The native protocol
// was chosen over priority prefixes because every attribute of a line becomes a field to search for (journalctl VERNEMQ_CLIENT_ID=x), and
// because a text of several lines stays one entry.
func Journal() (slog.Handler, bool) {
	if is, err := journal.StderrIsJournalStream(); err != nil || !is || !journal.Enabled() {
		return nil, false
	}
	return &journalHandler{send: journal.Send}, true
}

// journalHandler is a slog.Handler. Attributes of With and groups are handed on as they come.
type journalHandler struct {
	send  func(message string, p journal.Priority, fields map[string]string) error
	attrs []slog.Attr
	group string // names of open groups, each with a dot behind it
}

// Enabled implements slog.Handler.
func (*journalHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// WithAttrs implements slog.Handler.
func (h *journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = append([]slog.Attr(nil), h.attrs...)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		next.attrs = append(next.attrs, a)
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *journalHandler) WithGroup(name string) slog.Handler {
	next := *h
	if name != "" {
		next.group = h.group + name + "."
	}
	return &next
}

// Handle implements slog.Handler. The message has the attributes in it too, for those who only read.
func (h *journalHandler) Handle(_ context.Context, r slog.Record) error {
	fields := map[string]string{"SYSLOG_IDENTIFIER": User}
	text := strings.Builder{}
	text.WriteString(r.Message)
	add := func(a slog.Attr) {
		value := a.Value.Resolve().String()
		fields[fieldName(a.Key)] = value
		if value == "" || strings.ContainsAny(value, " \"=\n") {
			value = fmt.Sprintf("%q", value)
		}
		text.WriteString(" " + a.Key + "=" + value)
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(func(a slog.Attr) bool {
		a.Key = h.group + a.Key
		add(a)
		return true
	})
	return h.send(text.String(), priority(r.Level), fields)
}

// fieldName makes a name that the journal takes: capitals, digits and underscores, under a prefix of ours.
func fieldName(key string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, key)
	return "VERNEMQ_" + name[:min(len(name), 50)]
}

func priority(l slog.Level) journal.Priority {
	switch {
	case l >= slog.LevelError:
		return journal.PriErr
	case l >= slog.LevelWarn:
		return journal.PriWarning
	case l >= slog.LevelInfo:
		return journal.PriInfo
	default:
		return journal.PriDebug
	}
}

// Prefixed returns a writer of texts for people that begins each line with its priority, as the journal reads them from standard error: <3> an error, <4> a
// warning, <5> a note. A line that begins with a blank belongs to the one before it. It is safe for concurrent use.
func Prefixed(w io.Writer) io.Writer { return &prefixed{w: w, last: "<3>"} }

type prefixed struct {
	mu   sync.Mutex
	w    io.Writer
	mid  bool // of a line
	last string
}

// Write implements io.Writer.
func (p *prefixed) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		if !p.mid {
			switch {
			case line[0] == ' ' || line[0] == '\t':
			case bytes.Contains(line, []byte("warning: ")):
				p.last = "<4>"
			case bytes.Contains(line, []byte("note: ")):
				p.last = "<5>"
			default:
				p.last = "<3>"
			}
			out.WriteString(p.last)
		}
		out.Write(line)
		p.mid = line[len(line)-1] != '\n'
	}
	if _, err := p.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}
