package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Bounds of the admin socket.
const (
	maxConns       = 32               // commands that run at once
	requestTimeout = 10 * time.Second // for the request to arrive
	frameTimeout   = 30 * time.Second // for the client to take a frame
	lastTimeout    = time.Second      // the same once the command is cancelled: a client that does not read must not hold up the end
)

// Serve answers commands on l until ctx is done or l is closed; then it closes l, cancels what runs and waits for it. The error is nil in
// both cases.
func Serve(ctx context.Context, l *Listener, t *Tree) error {
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx)) // with a reason that the client is told
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel(errors.New("the broker stops"))
	slots := make(chan struct{}, maxConns)
	for {
		c, err := l.AcceptUnix()
		switch {
		case err == nil:
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			l.Close()
			return nil
		default:
			// Out of descriptors, most likely. Others use them up too: wait a moment for one, instead of giving up the socket that would
			// tell what is wrong.
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		select {
		case slots <- struct{}{}:
			running.Go(func() {
				defer func() { <-slots }()
				serveConn(run, c, t, l.authorize(c))
			})
		default:
			// The frame fits into the socket's buffer: this does not wait.
			serveConn(run, c, t, fmt.Errorf("the broker is busy with %d other commands: try again later", maxConns))
		}
	}
}

// serveConn answers one command, or refuses to for the reason denied.
func serveConn(ctx context.Context, c net.Conn, t *Tree, denied error) {
	defer c.Close()
	if denied != nil {
		refuse(c, denied)
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		c.SetReadDeadline(time.Unix(1, 0))
		c.SetWriteDeadline(time.Now().Add(lastTimeout))
	})()
	c.SetReadDeadline(time.Now().Add(requestTimeout))
	var req request
	if err := readFrame(c, &req); err != nil {
		refuse(c, fmt.Errorf("the broker did not understand the request: %w", err))
		return
	}
	if req.V != protocolVersion {
		refuse(c, fmt.Errorf("%w (the broker has version %d, it was asked in version %d)", errVersion, protocolVersion, req.V))
		return
	}
	c.SetReadDeadline(time.Time{})
	if ctx.Err() != nil {
		return // the deadline just taken away was that of the end
	}
	var gone sync.WaitGroup
	gone.Go(func() { // the client sends nothing more: what can be read is its end
		_, _ = c.Read(make([]byte, 1))
		cancel(errors.New("the client is gone"))
	})
	send := func(r response) error {
		c.SetWriteDeadline(time.Now().Add(frameTimeout))
		if ctx.Err() != nil {
			c.SetWriteDeadline(time.Now().Add(lastTimeout))
		}
		err := writeFrame(c, r)
		if err != nil {
			cancel(err)
		}
		return err
	}
	stdout, stderr := &frameWriter{stream: streamStdout, send: send}, &frameWriter{stream: streamStderr, send: send}
	exit := t.Execute(ctx, req.Argv, Options{Format: req.Format, TTY: req.TTY, Columns: req.Columns}, stdout, stderr)
	if stdout.close() == nil && stderr.close() == nil {
		_ = send(response{Exit: &exit}) // a client that is gone has nobody to tell
	}
	cancel(nil)
	gone.Wait()
}

// refuse answers with a text on stderr and exit code 1.
func refuse(c net.Conn, err error) {
	exit := exitFailed
	c.SetWriteDeadline(time.Now().Add(frameTimeout))
	if writeFrame(c, response{Stream: streamStderr, Data: err.Error() + "\n"}) == nil {
		_ = writeFrame(c, response{Exit: &exit}) // a client that is gone has nobody to tell
	}
}
