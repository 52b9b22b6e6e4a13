package node

import (
	"vernemq/broker/exchange"
	"vernemq/broker/msg"
)

// ShardOf tells on which event loop the session of a client in the default mountpoint lives.
func (n *Node) ShardOf(clientID string) int {
	return n.group.ShardOf(msg.SubscriberID{ClientID: clientID})
}

// Press puts a stage of a shortage of memory in force.
func (n *Node) Press(p exchange.Pressure) { n.group.Press(p) }
