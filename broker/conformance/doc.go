// Package conformance holds the broker to the letter of MQTT 3.1.1 and MQTT 5.0: every normative statement that binds a server has a test that
// names it. It owns the table of statements, statements.tsv, and clients that speak in bytes to a real broker over TCP. It refuses to know how
// the broker does anything.
//
// A test's name begins with the statements it shows, as in
//
//	statement(t, "MQTT-3.3.1-9@4 MQTT-3.3.1-12@5 a message to an established subscription has no RETAIN", …)
//
// An identifier stands for both versions of the protocol, with @4 for MQTT 3.1.1 alone and with @5 for MQTT 5.0 alone: the numbers of the two
// documents differ. The test runs once for each version that its identifiers name.
//
// The table says of each identifier in each version whom it binds (server, client, both), which tests show it, and, where no test does, why it
// does not apply. The tests' column is written by go test -update; the other columns are written by hand.
package conformance
