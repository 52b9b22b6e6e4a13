package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Client is a connection to the admin socket of a broker. It carries one command.
type Client struct{ c net.Conn }

// Dial connects to the admin socket at path. An error means that no broker answers there, or not to this user (fs.ErrPermission).
func Dial(path string) (*Client, error) {
	c, err := dial(path)
	if err != nil {
		return nil, err
	}
	return &Client{c}, nil
}

// Close ends the connection and with it the command.
func (c *Client) Close() error { return c.c.Close() }

// Run has the broker execute argv, writes its output and returns its exit code. It closes the connection. When ctx is done, the command is
// cancelled and Run returns the reason. An error of a writer ends the command, too.
func (c *Client) Run(ctx context.Context, argv []string, opts Options, stdout, stderr io.Writer) (exit int, err error) {
	defer c.c.Close()
	stop := context.AfterFunc(ctx, func() { c.c.Close() })
	defer stop()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}()
	c.c.SetWriteDeadline(time.Now().Add(frameTimeout))
	// A broker that refuses does so before it reads: its answer counts, not that the request could not be sent.
	sendErr := writeFrame(c.c, request{V: protocolVersion, Argv: argv, Format: opts.Format, TTY: opts.TTY, Columns: opts.Columns})
	if errors.Is(sendErr, errFrameSize) {
		return exitFailed, errors.New("the command line is too long")
	}
	for {
		var r response
		if err := readFrame(c.c, &r); err != nil {
			if sendErr != nil {
				return exitFailed, fmt.Errorf("send the command: %w", sendErr)
			}
			return exitFailed, fmt.Errorf("the broker broke off its answer: %w", err)
		}
		if r.Exit != nil {
			return *r.Exit, nil
		}
		w := stdout
		if r.Stream == streamStderr {
			w = stderr
		}
		if _, err := io.WriteString(w, r.Data); err != nil {
			return exitFailed, err
		}
	}
}
