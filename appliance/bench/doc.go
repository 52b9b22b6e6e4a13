// Package bench generates load for an MQTT broker and measures what comes back: the engine of vernemq bench. It owns connections by the thousand,
// what they send, the check of what they receive, and the figures. It knows the wire through broker/mqtt and nothing of any broker's inside, so
// that brokers can be compared; what a broker costs it reads from /proc.
//
// The generator has to be cheaper than what it measures. Each thread runs one event loop over an epoll set of its own; a connection is a struct,
// not a goroutine; frames are encoded once and patched for each message. The path of a message, none of which allocates:
//
//	pump or pace    a publisher has credit, or its next message is due
//	build           copy of the template; packet identifier, sequence number, time and checksum put in
//	send            one write for the batch
//	readable        one read into the loop's buffer, packets decoded in place
//	arrived         checksum, order, latency; acknowledgements gather for one write
//
// Two ways of driving. Without a rate each publisher keeps a window of messages under way, end to end, and the figure is throughput. With a rate
// messages have a time at which they are due, fixed beforehand; latency counts from then, whatever kept the message from being sent (a full
// window, a full socket, a late generator). A broker that stops for a second therefore shows that second in all the messages it delayed, not in
// one: what is called the correction for coordinated omission.
package bench
