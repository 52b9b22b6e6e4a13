package admin

import (
	"context"
	"net"
)

// What tests of the socket need of the inside.
var (
	WriteFrame = writeFrame
	ReadFrame  = readFrame
	MaxConns   = maxConns
)

type (
	Request1  = request
	Response1 = response
)

// ServeOne answers one command on c as Serve does, or refuses to for the reason denied.
func ServeOne(ctx context.Context, c net.Conn, t *Tree, denied error) { serveConn(ctx, c, t, denied) }

// Authorize asks whether the peer of c may use l.
func (l *Listener) Authorize(c *net.UnixConn) error { return l.authorize(c) }

// SetGroup sets the group that is served; call it before Serve.
func (l *Listener) SetGroup(gid uint32) { l.gid = gid }
