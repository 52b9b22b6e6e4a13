// Package mqtt is the wire codec of MQTT 3.1, 3.1.1 and 5.0: bytes in, values out, and back. It knows no connection, no session, no clock
// and no metric. Decoding is in place: slices of a decoded packet point into the buffer that was given and are valid as long as it is.
// Encoding appends to a buffer the caller owns. Every limit is an argument; every malformed form is an Error that carries the reason code
// which tells the peer.
//
// Reading takes two steps: ReadHeader says whether a whole packet is in the buffer, then the Decode of its type takes the body
//
//	h, ok, err := mqtt.ReadHeader(buf, maxBody, version)
//	if err != nil || !ok || len(buf) < h.Size+h.Body { ... }
//	body := buf[h.Size : h.Size+h.Body]
//
// so any way of cutting a stream into reads gives the same packets. A packet whose Decode failed holds nothing to rely on, but for the
// Version of a Connect. To keep a packet for longer than its buffer, copy the body and decode the copy.
//
// Encoding trusts its caller: values that came from a user or a hook are asked first (ValidTopicName, ValidString, Code.ValidIn; the Add
// methods of Properties ask themselves).
//
// The codec is the same in both directions. What only one side may say (a Subscription Identifier in a PUBLISH, a Server Reference in a
// DISCONNECT) is checked by Properties.CheckSender, which the side that knows calls. Topic filters are checked as strings only; where
// wildcards may stand is the business of package topic.
package mqtt
