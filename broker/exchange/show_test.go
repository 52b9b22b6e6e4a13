package exchange_test

import (
	"fmt"
	"strings"

	"vernemq/broker/mqtt"
)

// show tells what a packet says, as one line. A packet that does not decode is shown with the reason.
func show(frame []byte, v mqtt.Version) string {
	hd, _, err := mqtt.ReadHeader(frame, 0, v)
	if err != nil {
		return fmt.Sprintf("% x (%v)", frame, err)
	}
	b := frame[hd.Size:]
	var line strings.Builder
	line.WriteString(hd.Type.String())
	code := func(c mqtt.Code) {
		if v.Is5() && c != 0 {
			fmt.Fprintf(&line, " 0x%02X", byte(c))
		}
	}
	switch hd.Type {
	case mqtt.TypeConnack:
		var p mqtt.Connack
		if err = p.Decode(b, v); err == nil {
			code(p.Code)
			if p.SessionPresent {
				line.WriteString(" present")
			}
			showProps(&line, p.Props)
		}
	case mqtt.TypePublish:
		var p mqtt.Publish
		if err = p.Decode(hd.Flags, b, v); err == nil {
			showPublish(&line, &p)
		}
	case mqtt.TypePuback, mqtt.TypePubrec, mqtt.TypePubrel, mqtt.TypePubcomp:
		var p mqtt.Ack
		if err = p.Decode(hd.Type, b, v); err == nil {
			fmt.Fprintf(&line, " id=%d", p.PacketID)
			code(p.Code)
			showProps(&line, p.Props)
		}
	case mqtt.TypeSuback:
		var p mqtt.Suback
		if err = p.Decode(b, v); err == nil {
			fmt.Fprintf(&line, " id=%d %02X", p.PacketID, p.Codes)
			showProps(&line, p.Props)
		}
	case mqtt.TypeUnsuback:
		var p mqtt.Unsuback
		if err = p.Decode(b, v); err == nil {
			fmt.Fprintf(&line, " id=%d", p.PacketID)
			if v.Is5() {
				fmt.Fprintf(&line, " %02X", p.Codes)
			}
			showProps(&line, p.Props)
		}
	case mqtt.TypeDisconnect:
		var p mqtt.Disconnect
		if err = p.Decode(b, v); err == nil {
			code(p.Code)
			showProps(&line, p.Props)
		}
	}
	if err != nil {
		fmt.Fprintf(&line, " % x (%v)", frame, err)
	}
	return line.String()
}

func showPublish(line *strings.Builder, p *mqtt.Publish) {
	payload := fmt.Sprintf("%q", p.Payload)
	if len(p.Payload) > 40 {
		payload = fmt.Sprintf("<%d bytes>", len(p.Payload))
	}
	fmt.Fprintf(line, " %q %s qos=%d", p.Topic, payload, p.QoS)
	if p.PacketID != 0 {
		fmt.Fprintf(line, " id=%d", p.PacketID)
	}
	if p.Dup {
		line.WriteString(" dup")
	}
	if p.Retain {
		line.WriteString(" retain")
	}
	showProps(line, p.Props)
}

func showProps(line *strings.Builder, p mqtt.Properties) {
	p.Each(func(id mqtt.PropID, value []byte) bool {
		name := strings.ReplaceAll(strings.ToLower(id.String()), " ", "-")
		switch id {
		case mqtt.PropAssignedClientID:
			fmt.Fprintf(line, " %s=%.5q", name, value[2:]) // the rest is random
		case mqtt.PropSubscriptionID:
			for n := range p.SubscriptionIDs() {
				fmt.Fprintf(line, " %s=%d", name, n)
			}
		default:
			if n, ok := p.Uint(id); ok {
				fmt.Fprintf(line, " %s=%d", name, n)
			} else if s, ok := p.Bytes(id); ok {
				fmt.Fprintf(line, " %s=%q", name, s)
			} else {
				fmt.Fprintf(line, " %s=%q", name, value)
			}
		}
		return true
	})
}
