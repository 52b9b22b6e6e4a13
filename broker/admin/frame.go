package admin

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// protocolVersion is the v of the requests this package sends and understands.
const protocolVersion = 1

// maxFrame is the largest frame, without its length, in bytes.
const maxFrame = 1 << 20

// chunk is how much output the broker gathers into one frame, in bytes. Escaped as JSON it stays far below maxFrame.
const chunk = 32 << 10

// errFrameSize says that the other side does not speak this protocol.
var errFrameSize = fmt.Errorf("a frame is empty or longer than %d bytes", maxFrame)

// request is the frame of the client.
type request struct {
	V       int      `json:"v"`
	Argv    []string `json:"argv"`
	Format  string   `json:"format,omitempty"`
	TTY     bool     `json:"tty,omitempty"`
	Columns int      `json:"columns,omitempty"`
}

// response is a frame of the broker: output, or the end.
type response struct {
	Stream string `json:"stream,omitempty"` // stdout or stderr
	Data   string `json:"data,omitempty"`
	Exit   *int   `json:"exit,omitempty"`
}

// The streams of a response.
const (
	streamStdout = "stdout"
	streamStderr = "stderr"
)

// writeFrame writes v as one frame with a single Write.
func writeFrame(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(body) > maxFrame {
		return errFrameSize
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	_, err = w.Write(append(frame, body...))
	return err
}

// readFrame reads one frame into v. It returns io.EOF only between frames. Memory grows with bytes received, not with bytes announced.
func readFrame(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size == 0 || size > maxFrame {
		return errFrameSize
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(size)))
	if err != nil {
		return err
	}
	if len(body) < int(size) {
		return io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("a frame is not the JSON object it should be: %w", err)
	}
	return nil
}

// frameWriter is an output stream of a command. Text is cut into frames between characters.
type frameWriter struct {
	stream string
	send   func(response) error
	rest   []byte // the bytes of a character that is not complete yet
}

func (w *frameWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		take := min(len(p), chunk)
		b := append(w.rest, p[:take]...)
		p = p[take:]
		cut := completeRunes(b)
		w.rest = append([]byte(nil), b[cut:]...)
		if cut == 0 {
			continue
		}
		if err := w.send(response{Stream: w.stream, Data: string(b[:cut])}); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// close sends what is left.
func (w *frameWriter) close() error {
	if len(w.rest) == 0 {
		return nil
	}
	data := string(w.rest)
	w.rest = nil
	return w.send(response{Stream: w.stream, Data: data})
}

// completeRunes returns the length of b without a character at its end of which bytes are missing.
func completeRunes(b []byte) int {
	for i := 1; i <= min(utf8.UTFMax, len(b)); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return len(b) - i
			}
			break
		}
	}
	return len(b)
}

// errVersion says that client and broker are of different releases.
var errVersion = errors.New("the broker and vmq-admin speak different versions of the admin protocol: use the vmq-admin of the running release")
