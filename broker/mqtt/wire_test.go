package mqtt

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// packetOpts compare decoded packets: property blocks by their bytes, entries of a SUBSCRIBE by theirs.
var packetOpts = cmp.Options{cmpopts.EquateEmpty(), cmp.AllowUnexported(Subscribe{}, Unsubscribe{})}

// wire turns a packet as the tables write it into bytes: pairs of hex digits, and text in single quotes, separated by spaces.
func wire(s string) []byte {
	var b []byte
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '\'' {
			text, rest, ok := strings.Cut(s[1:], "'")
			if !ok {
				panic("quote without end: " + s)
			}
			b, s = append(b, text...), rest
			continue
		}
		word, rest, _ := strings.Cut(s, " ")
		x, err := hex.DecodeString(word)
		if err != nil {
			panic(fmt.Sprintf("%q: %v", word, err))
		}
		b, s = append(b, x...), rest
	}
	return b
}

// props builds a block from identifiers, each followed by its value: an int, a string, or two strings for a user property.
func props(args ...any) (p Properties) {
	for i := 0; i < len(args); i += 2 {
		id, ok := args[i].(PropID), false
		switch v := args[i+1].(type) {
		case int:
			ok = p.AddUint(id, uint32(v))
		case string:
			ok = p.AddBytes(id, []byte(v))
		case [2]string:
			ok = p.AddUser([]byte(v[0]), []byte(v[1]))
		}
		if !ok {
			panic(fmt.Sprintf("%v cannot be %v", id, args[i+1]))
		}
	}
	return p
}

// ping stands for the two packets without a body.
type ping struct{ Type Type }

// decodePacket decodes the first packet of b and tells its size, which is 0 while more bytes are needed.
func decodePacket(b []byte, maxBody int, v Version) (p any, size int, err error) {
	h, ok, err := ReadHeader(b, maxBody, v)
	if err != nil || !ok || len(b) < h.Size+h.Body {
		return nil, 0, err
	}
	p, size = newPacket(h.Type), h.Size+h.Body
	return p, size, decodeInto(p, h, b[h.Size:size], v)
}

func newPacket(t Type) any {
	return map[Type]any{
		TypeConnect: new(Connect), TypeConnack: new(Connack), TypePublish: new(Publish), TypePuback: new(Ack), TypePubrec: new(Ack),
		TypePubrel: new(Ack), TypePubcomp: new(Ack), TypeSubscribe: new(Subscribe), TypeSuback: new(Suback),
		TypeUnsubscribe: new(Unsubscribe), TypeUnsuback: new(Unsuback), TypePingreq: ping{TypePingreq}, TypePingresp: ping{TypePingresp},
		TypeDisconnect: new(Disconnect), TypeAuth: new(Auth),
	}[t]
}

// decodeInto decodes a body into a packet of its type, which may have held another one.
func decodeInto(p any, h Header, body []byte, v Version) error {
	switch p := p.(type) {
	case *Connect:
		return p.Decode(body)
	case *Publish:
		return p.Decode(h.Flags, body, v)
	case *Ack:
		return p.Decode(h.Type, body, v)
	case ping:
		return nil
	}
	return p.(interface{ Decode([]byte, Version) error }).Decode(body, v)
}

// appendPacket encodes what decodePacket gives, and tells the size that the packet says it will have.
func appendPacket(dst []byte, p any, v Version) (b []byte, size int) {
	switch p := p.(type) {
	case *Connect:
		return p.Append(dst), p.Size()
	case *Publish:
		return p.Append(dst, v), p.Size(v, 0)
	case ping:
		if p.Type == TypePingreq {
			return AppendPingreq(dst), 2
		}
		return AppendPingresp(dst), 2
	}
	e := p.(interface {
		Append([]byte, Version) []byte
		Size(Version) int
	})
	return e.Append(dst, v), e.Size(v)
}

// mustDecode decodes a whole packet, which has to be right.
func mustDecode(t *testing.T, in []byte, v Version) any {
	t.Helper()
	p, size, err := decodePacket(in, 0, v)
	if err != nil {
		t.Fatalf("decoding % x: %v", in, err)
	}
	if size != len(in) {
		t.Fatalf("decoding % x: size is %d, want %d", in, size, len(in))
	}
	return p
}
