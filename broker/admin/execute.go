package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Options is how a command's output is wanted.
type Options struct {
	Format  string // human, json or csv where the command line has no --format; empty: human
	TTY     bool   // stdout is a terminal
	Columns int    // its width, 0 unknown
}

// Exit codes of commands.
const (
	exitOK     = 0
	exitFailed = 1 // the command line was wrong, or the command failed
)

// Error is what a command's Run returns when what it was asked for makes no sense: it goes to stdout like a result, with exit code 1.
// Every other error is a failure of the broker and goes to stderr.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Execute runs the command line argv, which lies behind the program's name, and returns its exit code. It ends soon after ctx is done.
// A failed write ends the command, too. Execute does not panic: a command that does is reported on stderr.
func (t *Tree) Execute(ctx context.Context, argv []string, opts Options, stdout, stderr io.Writer) (exit int) {
	out, errOut := bufio.NewWriterSize(stdout, 32<<10), bufio.NewWriter(stderr)
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(errOut, "The command failed inside: %v\n", p)
			exit = exitFailed
		}
		err := out.Flush()
		if errOut.Flush() != nil || err != nil {
			exit = exitFailed
		}
	}()
	l := t.parse(argv)
	if l.format != "" {
		opts.Format = l.format
	}
	switch opts.Format {
	case "human", "json", "csv":
	case "":
		opts.Format = "human"
	default:
		fmt.Fprintf(errOut, "Invalid format %s! Defaulted to human-readable.\n", opts.Format)
		opts.Format = "human"
	}
	if l.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, l.limit, fmt.Errorf("it took longer than the %v of -rpctimeout", l.limit))
		defer cancel()
	}
	r, exit, err := t.run(ctx, l, opts)
	if err == nil {
		err = write(out, errOut, r, opts)
	}
	var wrong *Error
	if errors.As(err, &wrong) {
		exit = exitFailed
		err = write(out, errOut, Alert{Text(wrong.Text)}, opts)
	}
	if err != nil {
		exit = exitFailed
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		fmt.Fprintf(errOut, "The command failed: %s\n", printable(err.Error()))
	}
	return exit
}

// run does what the command line asks for.
func (t *Tree) run(ctx context.Context, l *line, opts Options) (Result, int, error) {
	switch {
	case l.help:
		return Text(t.usage(l.words, opts.Columns)), exitOK, nil
	case l.command == nil:
		return Alert{Text(t.unknown(l.words, opts.Columns))}, exitFailed, nil
	case len(l.errs) > 0:
		return nil, exitFailed, &Error{strings.Join(l.errs, "\n")}
	}
	l.request.Columns = opts.Columns
	r, err := l.command.Run(ctx, l.request)
	return r, exitOK, err
}

// write writes r in the format asked for.
func write(out, errOut *bufio.Writer, r Result, opts Options) error {
	switch opts.Format {
	case "json":
		if err := writeJSON(out, r, opts); err != nil {
			return err
		}
		if opts.TTY {
			return out.WriteByte('\n')
		}
		return nil
	case "csv":
		return writeCSV(out, errOut, r, opts)
	}
	if err := writeHuman(out, r, opts); err != nil {
		return err
	}
	if t, ok := r.(Table); ok && opts.TTY && t.Note != nil {
		if note := t.Note(); note != "" {
			fmt.Fprintln(errOut, note)
		}
	}
	return nil
}
