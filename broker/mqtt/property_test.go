package mqtt

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// propsOf lists the properties of each packet in the order of the packets' own chapters of the specification; type 0 is the will. The table
// in property.go is the same turned round.
var propsOf = map[Type][]PropID{
	TypeConnect:     {0x11, 0x21, 0x27, 0x22, 0x19, 0x17, 0x26, 0x15, 0x16},
	0:               {0x18, 0x01, 0x02, 0x03, 0x08, 0x09, 0x26},
	TypeConnack:     {0x11, 0x21, 0x24, 0x25, 0x27, 0x12, 0x22, 0x1F, 0x26, 0x28, 0x29, 0x2A, 0x13, 0x1A, 0x1C, 0x15, 0x16},
	TypePublish:     {0x01, 0x02, 0x23, 0x08, 0x09, 0x26, 0x0B, 0x03},
	TypePuback:      {0x1F, 0x26},
	TypePubrec:      {0x1F, 0x26},
	TypePubrel:      {0x1F, 0x26},
	TypePubcomp:     {0x1F, 0x26},
	TypeSubscribe:   {0x0B, 0x26},
	TypeSuback:      {0x1F, 0x26},
	TypeUnsubscribe: {0x26},
	TypeUnsuback:    {0x1F, 0x26},
	TypeDisconnect:  {0x11, 0x1F, 0x26, 0x1C},
	TypeAuth:        {0x15, 0x16, 0x1F, 0x26},
}

// valueOf holds for every property the encoded values to accept and to refuse.
var valueOf = map[PropID]struct{ good, bad []string }{
	PropPayloadFormat:        {[]string{"00", "01"}, []string{"02", "ff"}},
	PropMessageExpiry:        {[]string{"00000000", "ffffffff"}, nil},
	PropContentType:          {[]string{"0000", "0002 'ab'"}, []string{"0001 00", "0001 ff"}},
	PropResponseTopic:        {[]string{"0003 'a/b'"}, []string{"0000", "0001 '#'", "0003 'a/+'", "0001 00"}},
	PropCorrelationData:      {[]string{"0000", "0002 00ff"}, nil},
	PropSubscriptionID:       {[]string{"01", "8001", "ffffff7f"}, []string{"00", "8100", "ffffffff01"}},
	PropSessionExpiry:        {[]string{"00000000", "ffffffff"}, nil},
	PropAssignedClientID:     {[]string{"0001 'a'"}, []string{"0001 80"}},
	PropServerKeepAlive:      {[]string{"0000", "ffff"}, nil},
	PropAuthMethod:           {[]string{"0005 'PLAIN'"}, []string{"0001 80"}},
	PropAuthData:             {[]string{"0000", "0002 00ff"}, nil},
	PropRequestProblemInfo:   {[]string{"00", "01"}, []string{"02"}},
	PropWillDelay:            {[]string{"00000000", "ffffffff"}, nil},
	PropRequestResponseInfo:  {[]string{"00", "01"}, []string{"02"}},
	PropResponseInfo:         {[]string{"0001 'a'"}, []string{"0001 80"}},
	PropServerReference:      {[]string{"0001 'a'"}, []string{"0001 80"}},
	PropReasonString:         {[]string{"0000", "0003 e282ac"}, []string{"0002 'a' 00", "0003 eda080"}},
	PropReceiveMaximum:       {[]string{"0001", "ffff"}, []string{"0000"}},
	PropTopicAliasMaximum:    {[]string{"0000", "ffff"}, nil},
	PropTopicAlias:           {[]string{"0001", "ffff"}, []string{"0000"}},
	PropMaximumQoS:           {[]string{"00", "01"}, []string{"02"}},
	PropRetainAvailable:      {[]string{"00", "01"}, []string{"02"}},
	PropUserProperty:         {[]string{"0000 0000", "0001 'k' 0001 'v'"}, []string{"0001 ff 0000", "0000 0001 ff"}},
	PropMaximumPacketSize:    {[]string{"00000001", "ffffffff"}, []string{"00000000"}},
	PropWildcardSubAvailable: {[]string{"00", "01"}, []string{"02"}},
	PropSubIDAvailable:       {[]string{"00", "01"}, []string{"02"}},
	PropSharedSubAvailable:   {[]string{"00", "01"}, []string{"02"}},
}

// parseAs checks a block as that of a packet; type 0 is the will.
func parseAs(raw []byte, t Type) (Properties, error) {
	if t == 0 {
		return ParseWillProperties(raw)
	}
	return ParseProperties(raw, t)
}

// encoded is a property with its identifier; authentication data gets the method it needs.
func encoded(id PropID, value string) []byte {
	b := append([]byte{byte(id)}, wire(value)...)
	if id == PropAuthData {
		b = append(b, wire("15 0001 'm'")...)
	}
	return b
}

// TestEveryProperty puts every property, with every value, once and twice, into every packet.
func TestEveryProperty(t *testing.T) {
	for id := range PropID(255) {
		values, defined := valueOf[id]
		if known := id.row().enc != encNone; known != defined {
			t.Errorf("%v is in the table: %v, in the test: %v", id, known, defined)
			continue
		}
		for typ := range Type(16) {
			allowed := slices.Contains(propsOf[typ], id)
			for _, value := range values.good {
				raw := encoded(id, value)
				p, err := parseAs(raw, typ)
				if !allowed {
					if !errors.Is(err, ErrPropertyPlace) {
						t.Errorf("%v in %v: error is %v, want %v", id, typ, err, ErrPropertyPlace)
					}
					continue
				}
				if err != nil || !p.Has(id) {
					t.Errorf("%v = %s in %v: %v", id, value, typ, err)
				}
				_, err = parseAs(append(append([]byte{byte(id)}, wire(value)...), raw...), typ)
				if many := id == PropUserProperty || id == PropSubscriptionID && typ == TypePublish; many && err != nil {
					t.Errorf("%v twice in %v: %v", id, typ, err)
				} else if !many && !errors.Is(err, ErrPropertyTwice) {
					t.Errorf("%v twice in %v: error is %v, want %v", id, typ, err, ErrPropertyTwice)
				}
				for n := 1; n < 1+len(wire(value)); n++ {
					if _, err := parseAs(raw[:n], typ); CodeOf(err) != CodeMalformedPacket {
						t.Errorf("%v = %s in %v cut to %d bytes: error is %v", id, value, typ, n, err)
					}
				}
			}
			for _, value := range values.bad {
				if _, err := parseAs(encoded(id, value), typ); allowed && err == nil {
					t.Errorf("%v = %s in %v is accepted", id, value, typ)
				}
			}
		}
	}
}

func TestPropertyReader(t *testing.T) {
	raw := wire("23 0007 01 01 02 01020304 0b 05 0b c102 26 0001 'a' 0001 '1' 09 0003 000102 26 0001 'a' 0000 03 0000 26 0000 0001 '2'")
	p, err := ParseProperties(raw, TypePublish)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[PropID]uint32{PropTopicAlias: 7, PropPayloadFormat: 1, PropMessageExpiry: 0x01020304, PropSubscriptionID: 5} {
		if got, ok := p.Uint(id); !ok || got != want {
			t.Errorf("%v is %d, %v, want %d", id, got, ok, want)
		}
		if b, ok := p.Bytes(id); ok || b != nil {
			t.Errorf("%v as bytes is % x, want none", id, b)
		}
	}
	for id, want := range map[PropID]string{PropCorrelationData: "\x00\x01\x02", PropContentType: ""} {
		if got, ok := p.Bytes(id); !ok || string(got) != want {
			t.Errorf("%v is % x, %v, want % x", id, got, ok, want)
		}
		if n, ok := p.Uint(id); ok || n != 0 {
			t.Errorf("%v as a number is %d, want none", id, n)
		}
	}
	for _, id := range []PropID{PropResponseTopic, PropReasonString, PropReceiveMaximum, PropID(0), PropID(63), PropID(64), PropID(255)} {
		n, isUint := p.Uint(id)
		b, isBytes := p.Bytes(id)
		if p.Has(id) || isUint || isBytes || n != 0 || b != nil {
			t.Errorf("%v does not occur, but: %v, %d, % x", id, p.Has(id), n, b)
		}
	}

	var user [][2]string
	for k, v := range p.User() {
		user = append(user, [2]string{string(k), string(v)})
	}
	if diff := cmp.Diff([][2]string{{"a", "1"}, {"a", ""}, {"", "2"}}, user); diff != "" {
		t.Errorf("user properties (-want +got):\n%s", diff)
	}
	for k := range p.User() {
		if string(k) != "a" {
			t.Errorf("first user property is %q", k)
		}
		break
	}
	if diff := cmp.Diff([]uint32{5, 321}, slices.Collect(p.SubscriptionIDs())); diff != "" {
		t.Errorf("subscription identifiers (-want +got):\n%s", diff)
	}
	var again []byte
	p.Each(func(id PropID, value []byte) bool {
		again = append(append(again, byte(id)), value...)
		return true
	})
	if diff := cmp.Diff(raw, again); diff != "" {
		t.Errorf("each (-want +got):\n%s", diff)
	}
	calls := 0
	p.Each(func(PropID, []byte) bool { calls++; return calls < 3 })
	if calls != 3 {
		t.Errorf("Each went on to %d calls after false at the third", calls)
	}

	var none Properties
	for range none.User() {
		t.Error("an empty block has a user property")
	}
	for range none.SubscriptionIDs() {
		t.Error("an empty block has a subscription identifier")
	}
}

func TestAppendForward(t *testing.T) {
	for _, tt := range []struct {
		name string
		will bool
		wire string
		want string
	}{
		{"nothing", false, "", ""},
		{"all of it", false, "26 0001 'a' 0000 01 01 26 0001 'b' 0000", "26 0001 'a' 0000 01 01 26 0001 'b' 0000"},
		{"none of it", false, "23 0001 02 00000001 0b 01 0b 02", ""},
		{"some", false, "02 00000001 26 0001 'a' 0000 23 0001 03 0001 'c' 08 0001 'r' 0b 05 09 0001 00 26 0001 'b' 0000 01 00",
			"26 0001 'a' 0000 03 0001 'c' 08 0001 'r' 09 0001 00 26 0001 'b' 0000 01 00"},
		{"will", true, "18 00000005 01 01 02 00000001", "01 01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			typ := TypePublish
			if tt.will {
				typ = 0
			}
			p, err := parseAs(wire(tt.wire), typ)
			if err != nil {
				t.Fatal(err)
			}
			got := p.AppendForward([]byte("x"))
			if diff := cmp.Diff(append([]byte("x"), wire(tt.want)...), got); diff != "" {
				t.Errorf("forwarded (-want +got):\n%s", diff)
			}
			if q := PropertiesOf(got[1:]); q.set != p.set&forwarded || !q.Equal(Properties{raw: got[1:]}) {
				t.Errorf("taken again: set %b, % x, want %b, % x", q.set, q.raw, p.set&forwarded, got[1:])
			}
		})
	}
}

// TestPropertiesOfDamaged takes a block that a disk gave back wrong: what is whole before the damage stays.
func TestPropertiesOfDamaged(t *testing.T) {
	for _, tt := range []struct{ name, wire, want string }{
		{"cut", "01 01 03 0005 'ab'", "01 01"},
		{"unknown", "01 01 04 00 03 0000", "01 01"},
		{"from the start", "ff", ""},
	} {
		p := PropertiesOf(wire(tt.wire))
		if want := wire(tt.want); string(p.Raw()) != string(want) || p.Has(PropContentType) {
			t.Errorf("%s: % x is left, want % x", tt.name, p.Raw(), want)
		}
	}
}

func TestPropertyBuilder(t *testing.T) {
	long := make([]byte, maxField+1)
	for i := range long {
		long[i] = 'a'
	}
	var p Properties
	for _, tt := range []struct {
		name string
		ok   bool
		want bool
	}{
		{"number", p.AddUint(PropReceiveMaximum, 10), true},
		{"number again", p.AddUint(PropReceiveMaximum, 11), false},
		{"number below its range", p.AddUint(PropTopicAlias, 0), false},
		{"number above its range", p.AddUint(PropTopicAliasMaximum, 65536), false},
		{"number for a string", p.AddUint(PropReasonString, 1), false},
		{"number for nothing", p.AddUint(PropID(0x04), 1), false},
		{"subscription identifier", p.AddUint(PropSubscriptionID, 1), true},
		{"subscription identifier again", p.AddUint(PropSubscriptionID, MaxBody), true},
		{"subscription identifier too large", p.AddUint(PropSubscriptionID, MaxBody+1), false},
		{"string", p.AddBytes(PropReasonString, []byte("r")), true},
		{"string again", p.AddBytes(PropReasonString, []byte("r")), false},
		{"string not UTF-8", p.AddBytes(PropContentType, []byte{0xFF}), false},
		{"string too long", p.AddBytes(PropContentType, long), false},
		{"data too long", p.AddBytes(PropCorrelationData, long), false},
		{"data of full length", p.AddBytes(PropCorrelationData, long[1:]), true},
		{"topic with a wildcard", p.AddBytes(PropResponseTopic, []byte("#")), false},
		{"string for a number", p.AddBytes(PropMaximumQoS, []byte("1")), false},
		{"string for a pair", p.AddBytes(PropUserProperty, []byte("1")), false},
		{"string for nothing", p.AddBytes(PropID(0xFF), []byte("1")), false},
		{"pair", p.AddUser([]byte("k"), []byte("v")), true},
		{"pair again", p.AddUser([]byte("k"), nil), true},
		{"pair with a bad name", p.AddUser([]byte{0}, nil), false},
		{"pair with a bad value", p.AddUser(nil, long), false},
	} {
		if tt.ok != tt.want {
			t.Errorf("%s: added %v, want %v", tt.name, tt.ok, tt.want)
		}
	}
	want := append(wire("21 000a 0b 01 0b ffffff7f 1f 0001 'r' 09 ffff"), long[1:]...)
	want = append(want, wire("26 0001 'k' 0001 'v' 26 0001 'k' 0000")...)
	if string(p.Raw()) != string(want) {
		t.Errorf("built %d bytes, want %d", p.Len(), len(want))
	}
	if q := PropertiesOf(p.Raw()); q.set != p.set&allProps {
		t.Errorf("set is %b, want %b", p.set&allProps, q.set)
	}
	p.Reset()
	if p.Len() != 0 || p.Has(PropReceiveMaximum) || cap(p.raw) == 0 || !p.AddUint(PropReceiveMaximum, 12) {
		t.Error("after Reset the block is not empty, lost its memory or cannot be built again")
	}
}

// TestBuilderKeepsOutOfReadBuffer adds to blocks that point into a buffer: nothing of the buffer may change.
func TestBuilderKeepsOutOfReadBuffer(t *testing.T) {
	buf := wire("30 0e 0001 'a' 08 23 0007 03 0002 'ct' 'pq' 30 03 0001 'b'")
	before := string(buf)
	var p Publish
	if err := readPublish(&p, buf, V5); err != nil {
		t.Fatal(err)
	}
	added := p.Props
	added.AddUser([]byte("k"), []byte("v"))
	reset := p.Props
	reset.Reset()
	reset.AddUint(PropMessageExpiry, 1<<32-1)
	of := PropertiesOf(p.Props.Raw()[:3])
	of.AddUint(PropMessageExpiry, 1<<32-1)
	clone := p.Props.Clone(8)
	clone.Reset()
	clone.AddUint(PropPayloadFormat, 1)
	if string(buf) != before {
		t.Errorf("the read buffer changed (-want +got):\n- % x\n+ % x", before, buf)
	}
	if empty := (Properties{}).Clone(0); empty.Raw() != nil {
		t.Error("the clone of an empty block has bytes")
	}
	if n := testing.AllocsPerRun(10, func() { c := p.Props.Clone(16); c.AddUint(PropMessageExpiry, 1) }); n > 1 {
		t.Errorf("a clone with room and an Add take %v allocations, want 1", n)
	}
}

func TestCheckSender(t *testing.T) {
	for _, tt := range []struct {
		name           string
		typ            Type
		p              Properties
		client, server error
	}{
		{"empty", TypePublish, Properties{}, nil, nil},
		{"publish", TypePublish, props(PropTopicAlias, 1, PropContentType, "x"), nil, nil},
		{"publish with subscription identifier", TypePublish, props(PropTopicAlias, 1, PropSubscriptionID, 1), ErrPropertySender, nil},
		{"subscribe with subscription identifier", TypeSubscribe, props(PropSubscriptionID, 1), nil, nil},
		{"disconnect with expiry", TypeDisconnect, props(PropSessionExpiry, 1), nil, ErrPropertySender},
		{"disconnect with reference", TypeDisconnect, props(PropServerReference, "x"), ErrPropertySender, nil},
		{"connack with reference", TypeConnack, props(PropServerReference, "x", PropSessionExpiry, 1), nil, nil},
	} {
		if err := tt.p.CheckSender(tt.typ, true); !errors.Is(err, tt.client) {
			t.Errorf("%s, from a client: %v, want %v", tt.name, err, tt.client)
		}
		if err := tt.p.CheckSender(tt.typ, false); !errors.Is(err, tt.server) {
			t.Errorf("%s, from a server: %v, want %v", tt.name, err, tt.server)
		}
	}
}
