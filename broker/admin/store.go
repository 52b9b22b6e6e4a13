package admin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"vernemq/broker/store"
)

// Store is the durable store as commands see it. Its methods are safe for concurrent use.
type Store interface {
	Stats() store.Stats
	// Health returns why messages are refused at the moment, nil if they are not.
	Health() error
	// Backup copies the store to a new directory while it is in use; it may take long.
	Backup(dir string) error
	// Compact writes what is still needed of sparse files again, whatever the threshold; it may take long.
	Compact() error
}

var errNoStore = errors.New("this broker keeps its sessions in memory: there is no store")

// storeShow is `store show`: what the durable store holds and how it does.
func storeShow(b Broker) *Command {
	return &Command{
		Path: []string{"store", "show"},
		Doc:  "Shows what the durable store holds, its size on disk, and whether it takes messages.",
		Run: func(context.Context, *Request) (Result, error) {
			s := b.Store()
			if s == nil {
				return nil, errNoStore
			}
			state := "ok"
			if err := s.Health(); err != nil {
				state = err.Error()
			}
			x := s.Stats()
			if state == "ok" && x.Damage != "" {
				state = x.Damage
			}
			return rows([]string{"Status", "Value"}, [][]any{
				{"state", state},
				{"sessions", x.Sessions},
				{"messages", x.StoredMessages},
				{"deliveries", x.Waiting},
				{"retained", x.StoredRetained},
				{"api_keys", x.StoredAPIKeys},
				{"bytes", x.DiskBytes},
				{"live_bytes", x.LiveBytes},
				{"segments", x.Segments},
				{"pending_bytes", x.PendingBytes},
				{"records", x.Records},
				{"syncs", x.Syncs},
				{"refused", x.Refused},
				{"failures", x.Failures},
				{"unreadable", x.Unreadable},
				{"cut_bytes", x.CutBytes},
				{"compacted_bytes", x.CompactedBytes},
				{"write_amplification", fmt.Sprintf("%.2f", x.WriteAmplification())},
			}), nil
		},
	}
}

// storeBackup is `store backup`: a copy of the store while it is in use.
func storeBackup(b Broker) *Command {
	return &Command{
		Path: []string{"store", "backup"},
		Doc:  "Copies the store to a new directory on the broker's machine, while it is in use. The copy is a store itself.",
		Args: []ArgSpec{{Name: "dir", Hint: "DIR", Doc: "Absolute path of the directory; it must not exist or be empty.", Required: true,
			Check: func(dir string) error {
				if !filepath.IsAbs(dir) {
					return errors.New("want an absolute path")
				}
				return nil
			}}},
		Run: storeRun(b, func(s Store, r *Request) error { return s.Backup(r.Args["dir"]) }),
	}
}

// storeCompact is `store compact`: give space back now.
func storeCompact(b Broker) *Command {
	return &Command{
		Path: []string{"store", "compact"},
		Doc:  "Gives space of the store back to the disk now, instead of when it is worth it.",
		Run:  storeRun(b, func(s Store, _ *Request) error { return s.Compact() }),
	}
}

// storeRun runs what may take long, and lets a client that goes away go.
func storeRun(b Broker, f func(Store, *Request) error) func(context.Context, *Request) (Result, error) {
	return func(ctx context.Context, r *Request) (Result, error) {
		s := b.Store()
		if s == nil {
			return nil, errNoStore
		}
		done := make(chan error, 1)
		go func() { done <- f(s, r) }()
		select {
		case err := <-done:
			if err != nil {
				return nil, err
			}
			return Text("Done"), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
