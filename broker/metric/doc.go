// Package metric owns every metric of the product: one catalogue, the counters that the broker's loops increment, and the reading of them
// all. It refuses to know what is counted where, and how values are exported.
//
// Counting is made for event loops. A shard has a block of its own, to which only its goroutine writes: an increment is a load and a store,
// no locked instruction, no shared cache line. Code that runs in many goroutines counts in the one shared block with atomic additions.
// Reading sums the blocks. Setting counters to zero moves a baseline that readers subtract, so writers need no lock.
//
// The samples of a metric have adjacent IDs. Where a metric has a sample for each protocol version, the one of MQTT 5.0 follows that of
// MQTT 3.1 and 3.1.1, so that a session keeps 0 or 1 and counts with
//
//	c.Inc(metric.MqttPublishReceived + v5)
//
// Where samples of MQTT 5.0 tell reason codes apart, a function such as PubackSent finds the one of a code.
package metric

//go:generate go test -run=TestGeneratedIDs -update .
