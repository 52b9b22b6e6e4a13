package apikey

import (
	"context"
	"sync"

	"vernemq/broker/store"
)

// waiting lets callers wait until the store has made something durable.
type waiting struct {
	failed func() error // why the store can write nothing at the moment, nil if it can

	mu    sync.Mutex
	upTo  store.Ticket
	err   error
	woken chan struct{} // closed when something changes; nil while nobody waits
}

// Durable implements store.Completer.
func (w *waiting) Durable(upTo store.Ticket, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.upTo, w.err = max(w.upTo, upTo), err
	if w.woken != nil {
		close(w.woken)
		w.woken = nil
	}
}

// wait returns when a ticket is complete, when the store cannot write, or when ctx is done.
func (w *waiting) wait(ctx context.Context, t store.Ticket) error {
	for {
		w.mu.Lock()
		if w.upTo >= t {
			w.mu.Unlock()
			return nil
		}
		err := w.err
		if w.woken == nil {
			w.woken = make(chan struct{})
		}
		woken := w.woken
		w.mu.Unlock()
		if err != nil && w.failed() != nil { // else it writes again and is about to say so
			return err
		}
		select {
		case <-woken:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
