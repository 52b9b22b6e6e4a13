// Package mqtt is the wire codec of MQTT 3.1, 3.1.1 and 5.0: bytes in, values out, and back. It knows no connection, no session, no clock
// and no metric. Decoding is in place: slices of a decoded packet point into the buffer that was given and are valid as long as it is.
// Encoding appends to a buffer the caller owns. Every limit is an argument; every malformed form is an Error that carries the reason code
// which tells the peer.
package mqtt
