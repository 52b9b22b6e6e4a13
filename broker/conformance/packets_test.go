package conformance_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"vernemq/broker/mqtt"
)

// show writes a packet of the broker as a line. It fails the test for a packet that is not well-formed or that a server may not send.
func show(t *testing.T, f []byte, v mqtt.Version, reasons bool) string {
	t.Helper()
	hd, ok, err := mqtt.ReadHeader(f, 0, v)
	if err != nil || !ok {
		t.Fatalf("the broker sent % x: %v", f, err)
	}
	body := f[hd.Size:]
	var s string
	var props mqtt.Properties
	switch hd.Type {
	case mqtt.TypeConnack:
		var p mqtt.Connack
		err = p.Decode(body, v)
		s, props = fmt.Sprintf("CONNACK 0x%02X", body[1]), p.Props
		if p.SessionPresent {
			s += " present"
		}
	case mqtt.TypePublish:
		var p mqtt.Publish
		err = p.Decode(hd.Flags, body, v)
		s, props = fmt.Sprintf("PUBLISH %s %s qos=%d", p.Topic, p.Payload, p.QoS), p.Props
		if p.QoS > 0 {
			s += fmt.Sprintf(" id=%d", p.PacketID)
		}
		if p.Dup {
			s += " dup"
		}
		if p.Retain {
			s += " retain"
		}
	case mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubrel, mqtt.TypePubcomp:
		var p mqtt.Ack
		err = p.Decode(hd.Type, body, v)
		s, props = fmt.Sprintf("%s id=%d", hd.Type, p.PacketID), p.Props
		if p.Code != 0 {
			s += fmt.Sprintf(" 0x%02X", byte(p.Code))
		}
	case mqtt.TypeSuback:
		var p mqtt.Suback
		err = p.Decode(body, v)
		s, props = fmt.Sprintf("SUBACK id=%d % x", p.PacketID, codes(p.Codes)), p.Props
	case mqtt.TypeUnsuback:
		var p mqtt.Unsuback
		err = p.Decode(body, v)
		s, props = strings.TrimSpace(fmt.Sprintf("UNSUBACK id=%d % x", p.PacketID, codes(p.Codes))), p.Props
	case mqtt.TypePingresp:
		s = "PINGRESP"
	case mqtt.TypeDisconnect:
		var p mqtt.Disconnect
		err = p.Decode(body, v)
		if err == nil {
			err = p.Props.CheckSender(mqtt.TypeDisconnect, false)
		}
		s, props = disconnected(p.Code), p.Props
		if !v.Is5() {
			t.Fatal("the broker sent a DISCONNECT before MQTT 5")
		}
	case mqtt.TypeAuth:
		var p mqtt.Auth
		err = p.Decode(body, v)
		s, props = fmt.Sprintf("AUTH 0x%02X", byte(p.Code)), p.Props
	default:
		t.Fatalf("the broker sent a %s", hd.Type)
	}
	if err != nil {
		t.Fatalf("the broker sent % x: %v", f, err)
	}
	return s + showProps(props, reasons)
}

func disconnected(c mqtt.Code) string { return fmt.Sprintf("DISCONNECT 0x%02X", byte(c)) }

func codes(cs []mqtt.Code) (b []byte) {
	for _, c := range cs {
		b = append(b, byte(c))
	}
	return b
}

// showProps writes properties in their order; reason strings only if they are asked for.
func showProps(p mqtt.Properties, reasons bool) string {
	var out strings.Builder
	p.Each(func(id mqtt.PropID, value []byte) bool {
		name := strings.ReplaceAll(id.String(), " ", "")
		switch id {
		case mqtt.PropReasonString:
			if reasons {
				fmt.Fprintf(&out, " %s=%s", name, value[2:])
			}
		case mqtt.PropUserProperty:
			n := binary.BigEndian.Uint16(value)
			fmt.Fprintf(&out, " %s=%s:%s", name, value[2:2+n], value[4+n:])
		case mqtt.PropSubscriptionID:
			n, _ := binary.Uvarint(value)
			fmt.Fprintf(&out, " %s=%d", name, n)
		default:
			if n, ok := p.Uint(id); ok {
				fmt.Fprintf(&out, " %s=%d", name, n)
			} else {
				fmt.Fprintf(&out, " %s=%s", name, value[2:])
			}
		}
		return true
	})
	return out.String()
}

// subscribe sends a SUBSCRIBE and returns at once.
func (c *client) subscribe(id uint16, filter string, opts mqtt.SubOptions, more ...string) {
	c.Helper()
	p := mqtt.Subscribe{PacketID: id}
	for _, f := range append([]string{filter}, more...) {
		p.Add([]byte(f), opts)
	}
	c.send(p.Append(nil, c.v))
}

// sub subscribes and wants it granted.
func (c *client) sub(filter string, opts mqtt.SubOptions) {
	c.Helper()
	c.subscribe(100, filter, opts)
	c.want(fmt.Sprintf("SUBACK id=100 %02x", opts.QoS()))
}

func (c *client) unsubscribe(id uint16, filters ...string) {
	c.Helper()
	p := mqtt.Unsubscribe{PacketID: id}
	for _, f := range filters {
		p.Add([]byte(f))
	}
	c.send(p.Append(nil, c.v))
}

// message is a PUBLISH to be sent; mods add properties.
func message(topic, payload string, qos byte, id uint16, mods ...func(*mqtt.Publish)) *mqtt.Publish {
	p := &mqtt.Publish{Topic: []byte(topic), Payload: []byte(payload), QoS: qos, PacketID: id}
	for _, m := range mods {
		m(p)
	}
	return p
}

func retain(p *mqtt.Publish) { p.Retain = true }
func dup(p *mqtt.Publish)    { p.Dup = true }

func with(id mqtt.PropID, v uint32) func(*mqtt.Publish) {
	return func(p *mqtt.Publish) { p.Props.AddUint(id, v) }
}

// pub publishes and returns at once.
func (c *client) pub(topic, payload string, qos byte, id uint16, mods ...func(*mqtt.Publish)) {
	c.Helper()
	c.send(message(topic, payload, qos, id, mods...).Append(nil, c.v))
}

// deliver publishes and completes the exchange.
func (c *client) deliver(topic, payload string, qos byte, mods ...func(*mqtt.Publish)) {
	c.Helper()
	c.pub(topic, payload, qos, 200, mods...)
	switch qos {
	case 0:
		c.quiet()
	case 1:
		c.acked("PUBACK id=200")
	case 2:
		c.acked("PUBREC id=200")
		c.ack(mqtt.TypePubrel, 200, 0)
		c.want("PUBCOMP id=200")
	}
}

// acked wants an acknowledgement that accepts, whether anybody matched or not.
func (c *client) acked(line string) {
	c.Helper()
	if got := c.next(); got != line && got != line+" 0x10" {
		c.Fatalf("received %s, want %s", got, line)
	}
}

func (c *client) ack(typ mqtt.Type, id uint16, code mqtt.Code) {
	c.Helper()
	c.send((&mqtt.Ack{Type: typ, PacketID: id, Code: code}).Append(nil, c.v))
}
