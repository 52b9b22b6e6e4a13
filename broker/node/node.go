// Package node turns Options into a running broker: build order, reload, drain, stop.
package node

import (
	"context"
	"log/slog"

	"vernemq/broker/config"
)

// Params is what Start needs beside the options.
type Params struct {
	Options     *config.Options
	AdminSocket string // host path of the admin socket; empty: none
	Version     string
	Log         *slog.Logger
}

// Node is a running broker.
type Node struct{}

// Start builds and starts a broker. When it returns, all listeners accept.
func Start(ctx context.Context, p Params) (*Node, error) { return &Node{}, nil }

// Listening tells where the broker listens, one "protocol name address" triple a listener, with the real port where 0 was asked for.
func (n *Node) Listening() [][3]string { return nil }

// Stop closes the listeners, tells the clients, publishes wills as specified and ends the shards; ctx bounds how long it may take.
func (n *Node) Stop(ctx context.Context) error { return nil }
