// Package admin owns the command tree behind vmq-admin and the HTTP API: which commands exist, how their words are read, how results are
// written, and the socket over which vmq-admin reaches the broker. It refuses to know how the broker does what it is asked: that is behind
// the interface Broker, which node implements.
//
// # Commands
//
// One file a noun (node.go, session.go, …), one Command value a command. Help, error texts and suggestions come from the tree. To add a
// command: write the value, add it to the noun's list, add a script to testdata.
//
// # The socket
//
// A unix stream socket, mode 0660, in a directory of mode 0750. The broker serves root, its own user and the members of the socket's group,
// as the kernel names the peer. One connection carries one command.
//
// Both directions send frames: four bytes of length (big endian), then that many bytes of one JSON object. A frame has at most 1 MiB.
// Unknown members are ignored.
//
//	client: {"v":1, "argv":["session","show"], "format":"", "tty":true, "columns":120}
//	broker: {"stream":"stdout", "data":"…"}     any number, also with "stderr"
//	broker: {"exit":0}                          last
//
// v is the version of this protocol; the broker answers another one with a text on stderr and exit 1. argv is the command line behind the
// program's name. format is human, json or csv, where argv has no --format; empty means human. tty says that stdout is a terminal and
// columns how wide it is, 0 unknown. Once the request is sent, the client sends nothing more; when it closes the connection, the command
// is cancelled.
package admin
