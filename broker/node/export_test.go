package node

import "vernemq/broker/msg"

// ShardOf tells on which event loop the session of a client in the default mountpoint lives.
func (n *Node) ShardOf(clientID string) int {
	return n.group.ShardOf(msg.SubscriberID{ClientID: clientID})
}
