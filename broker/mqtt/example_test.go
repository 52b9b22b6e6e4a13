package mqtt_test

import (
	"fmt"

	"vernemq/broker/mqtt"
)

// Two packets that came in one read, the second of them not whole yet.
func ExampleReadHeader() {
	buf := (&mqtt.Publish{Topic: []byte("door/1"), Payload: []byte("open")}).Append(nil, mqtt.V311)
	buf = append(buf, 0x30, 0x20, 0x00)

	for {
		h, ok, err := mqtt.ReadHeader(buf, 1024, mqtt.V311)
		if err != nil {
			fmt.Println("disconnect:", err, "with", mqtt.CodeOf(err))
			return
		}
		if !ok || len(buf) < h.Size+h.Body {
			fmt.Println("waiting for", h.Size+h.Body-len(buf), "bytes of a", h.Type)
			return
		}
		body := buf[h.Size : h.Size+h.Body]
		var p mqtt.Publish
		if err := p.Decode(h.Flags, body, mqtt.V311); err != nil {
			fmt.Println("disconnect:", err, "with", mqtt.CodeOf(err))
			return
		}
		fmt.Printf("%s: %s\n", p.Topic, p.Payload)
		buf = buf[h.Size+h.Body:]
	}
	// Output:
	// door/1: open
	// waiting for 31 bytes of a PUBLISH
}

// A broker hands a message on to an MQTT 5 subscriber: the properties all receivers get, and those that are this one's.
func ExamplePublish_AppendWith() {
	var in mqtt.Properties
	in.AddUint(mqtt.PropTopicAlias, 4)
	in.AddBytes(mqtt.PropContentType, []byte("text/plain"))
	shared := mqtt.PropertiesOf(in.AppendForward(nil))

	var own mqtt.Properties
	own.AddUint(mqtt.PropSubscriptionID, 12)
	out := mqtt.Publish{Topic: []byte("door/1"), Payload: []byte("open"), Props: shared}
	buf := out.AppendWith(nil, mqtt.V5, own.Raw())

	var got mqtt.Publish
	err := got.Decode(0, buf[2:], mqtt.V5)
	ct, _ := got.Props.Bytes(mqtt.PropContentType)
	id, _ := got.Props.Uint(mqtt.PropSubscriptionID)
	fmt.Println(err, string(ct), id, got.Props.Has(mqtt.PropTopicAlias), len(buf) == out.Size(mqtt.V5, own.Len()))
	// Output: <nil> text/plain 12 false true
}
