package admin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestFrameRoundTrip(t *testing.T) {
	zero := 0
	var b bytes.Buffer
	req := request{V: 1, Argv: []string{"session", "show", "--user=\u00e4\n"}, Format: "json", TTY: true, Columns: 80}
	resp := response{Stream: streamStdout, Data: "a\x00<b>\u2028"}
	for _, v := range []any{req, resp, response{Exit: &zero}} {
		if err := writeFrame(&b, v); err != nil {
			t.Fatal(err)
		}
	}
	r := iotest.OneByteReader(&b)
	var gotReq request
	var gotResp, gotExit response
	for _, v := range []any{&gotReq, &gotResp, &gotExit} {
		if err := readFrame(r, v); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(req, gotReq); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(resp, gotResp); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
	if gotExit.Exit == nil || *gotExit.Exit != 0 {
		t.Errorf("exit is %v, want 0", gotExit.Exit)
	}
	if err := readFrame(r, &gotResp); err != io.EOF {
		t.Errorf("behind the last frame: %v, want EOF", err)
	}
}

func TestReadFrameErrors(t *testing.T) {
	frame := func(size uint32, body string) string {
		return string(binary.BigEndian.AppendUint32(nil, size)) + body
	}
	tests := []struct {
		name, in string
		want     error // nil: any
	}{
		{"nothing", "", io.EOF},
		{"half a length", "\x00\x00", io.ErrUnexpectedEOF},
		{"half a body", frame(10, `{"v":1`), io.ErrUnexpectedEOF},
		{"no body", frame(10, ""), io.ErrUnexpectedEOF},
		{"empty", frame(0, ""), errFrameSize},
		{"too long", frame(maxFrame+1, ""), errFrameSize},
		{"HTTP", "GET / HTTP/1.1\r\n", errFrameSize},
		{"no JSON", frame(4, "abcd"), nil},
		{"another type", frame(2, "[]"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r request
			err := readFrame(strings.NewReader(tt.in), &r)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestWriteFrameTooLong(t *testing.T) {
	var b bytes.Buffer
	if err := writeFrame(&b, request{Argv: []string{strings.Repeat("x", maxFrame)}}); err != errFrameSize || b.Len() > 0 {
		t.Errorf("got %v and %d bytes, want %v and none", err, b.Len(), errFrameSize)
	}
}

// TestFrameWriter: output arrives whole whatever the writes, and no character is torn apart.
func TestFrameWriter(t *testing.T) {
	text := strings.Repeat("ä€😀x", 20000)
	for _, size := range []int{1, 3, 7, chunk - 1, chunk, chunk + 1, len(text)} {
		var got strings.Builder
		frames := 0
		w := &frameWriter{stream: streamStdout, send: func(r response) error {
			frames++
			if strings.ToValidUTF8(r.Data, "") != r.Data || len(r.Data) > chunk+3 {
				t.Fatalf("writes of %d: a frame of %d bytes with half a character", size, len(r.Data))
			}
			got.WriteString(r.Data)
			return nil
		}}
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if _, err := io.WriteString(w, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		if got.String() != text {
			t.Errorf("writes of %d: the text changed", size)
		}
	}
}

// TestFrameWriterKeepsBadBytes: bytes that are no characters are sent on, too.
func TestFrameWriterKeepsBadBytes(t *testing.T) {
	var got string
	w := &frameWriter{send: func(r response) error { got += r.Data; return nil }}
	for _, b := range []byte("a\xff\x80\x80\x80\x80\xe2\x82") {
		w.Write([]byte{b})
	}
	w.close()
	if want := "a\xff\x80\x80\x80\x80\xe2\x82"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPeerAllowed(t *testing.T) {
	const own, gid = 107, 110
	tests := []struct {
		name string
		peer peer
		want bool
	}{
		{"root", peer{uid: 0}, true},
		{"the broker's user", peer{uid: own}, true},
		{"primary group", peer{uid: 1000, groups: []uint32{gid}}, true},
		{"supplementary group", peer{uid: 1000, groups: []uint32{4, gid, 1000}}, true},
		{"stranger", peer{uid: 1000, groups: []uint32{1000}}, false},
		{"group number of the broker's user", peer{uid: 1000, groups: []uint32{own}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.peer.allowed(own, gid); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzReadFrame(f *testing.F) {
	var b bytes.Buffer
	writeFrame(&b, request{V: 1, Argv: []string{"node", "status"}})
	f.Add(b.Bytes())
	f.Add([]byte("\x00\x10\x00\x00{"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var a, b request
		r := bytes.NewReader(in)
		err := readFrame(r, &a)
		if errB := readFrame(iotest.OneByteReader(bytes.NewReader(in)), &b); (err == nil) != (errB == nil) {
			t.Fatalf("in pieces %v, at once %v", errB, err)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("pieces give another request (-want +got):\n%s", diff)
		}
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := writeFrame(&out, a); err != nil && err != errFrameSize {
			t.Fatal(err)
		} else if err == nil {
			var c request
			if err := readFrame(&out, &c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a, c); diff != "" {
				t.Fatalf("the round trip changed it (-want +got):\n%s", diff)
			}
		}
	})
}
