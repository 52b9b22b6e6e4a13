package node

import (
	"vernemq/broker/admin"
	"vernemq/broker/exchange"
	"vernemq/broker/msg"
)

// ShardOf tells on which event loop the session of a client in the default mountpoint lives.
func (n *Node) ShardOf(clientID string) int {
	return n.group.ShardOf(msg.SubscriberID{ClientID: clientID})
}

// Press puts a stage of a shortage of memory in force.
func (n *Node) Press(p exchange.Pressure) { n.group.Press(p) }

// View is the broker as commands see it.
func (n *Node) View() admin.Broker { return brokerView{n} }

// OnLoop runs f on an event loop and does not wait for it.
func (n *Node) OnLoop(i int, f func()) { n.group.Shard(i).Post(f) }

// Retained tells how many retained messages there are.
func (n *Node) Retained() int { return n.exchange.Retain.Count() }
