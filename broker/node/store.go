package node

import (
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/broker/metric"
	"vernemq/broker/store"
)

// openStore opens the durable store, or one in memory if the options name no directory. base is when monotonic time begins.
func openStore(p *Params, base time.Time) (store.Store, error) {
	o := p.Options
	if o.StoreDir == "" {
		return store.NewMemory(), nil
	}
	rate := o.StoreCompactRate
	if rate == 0 {
		rate = -1 // the store's word for never
	}
	st, err := store.Open(store.Config{CompactRate: rate, Dir: o.StoreDir, Durability: store.Durability(o.StoreDurability), SyncInterval: o.StoreSyncInterval,
		MaxBytes: o.StoreMaxSize, SegmentBytes: o.StoreSegmentSize, Log: p.Log, Progress: p.Progress,
		Now: func() int64 { return int64(time.Since(base)) }, ClockSet: clockSet})
	if err != nil {
		return nil, fmt.Errorf("store.dir = %s: %w", o.StoreDir, err)
	}
	return st, nil
}

// clockAsked is when the kernel was asked last whether its clock is right, in seconds, times two; plus one if it is.
var clockAsked atomic.Int64

// clockSet reports whether the machine's clock is known to be right: a gateway without a clock of its own boots in the past. The kernel is asked
// at most once a second, for this is asked with every message that expires.
func clockSet() bool {
	now, asked := time.Now().Unix(), clockAsked.Load()
	if asked>>1 != now {
		var tx unix.Timex
		_, err := unix.Adjtimex(&tx) // only reads
		asked = now << 1
		if err == nil && tx.Status&unix.STA_UNSYNC == 0 {
			asked |= 1
		}
		clockAsked.Store(asked)
	}
	return asked&1 == 1
}

// away is how long ago a wall clock time was, in seconds; 0 while the clock is not known to be right, or was not at that time: sessions rather live
// too long than too short.
func away(since int64) int64 {
	if since == store.UnknownTime || !clockSet() {
		return 0
	}
	return max(time.Now().Unix()-since, 0)
}

// storeGauges registers what a durable store tells of itself.
func (n *Node) storeGauges() {
	st, ok := n.store.(*store.Durable)
	if !ok {
		return
	}
	for id, f := range map[metric.ID]func(store.Stats) int64{
		metric.StoreMessages:     func(s store.Stats) int64 { return int64(s.StoredMessages) },
		metric.StoreBytes:        func(s store.Stats) int64 { return s.DiskBytes },
		metric.StoreLiveBytes:    func(s store.Stats) int64 { return s.LiveBytes },
		metric.StoreMessageBytes: func(s store.Stats) int64 { return s.MessageBytes },
		metric.StoreWrittenBytes: func(s store.Stats) int64 { return s.LogBytes + s.DigestBytes },
		metric.StoreSyncs:        func(s store.Stats) int64 { return s.Syncs },
		metric.StoreRecords:      func(s store.Stats) int64 { return s.Records },
		metric.StoreFailures:     func(s store.Stats) int64 { return s.Failures },
		metric.StoreRefused:      func(s store.Stats) int64 { return s.Refused },
		metric.StoreUnreadable:   func(s store.Stats) int64 { return s.Unreadable },
		metric.StoreCutBytes:     func(s store.Stats) int64 { return s.CutBytes },
	} {
		n.metrics.Gauge(id, func() uint64 { return uint64(max(f(st.Stats()), 0)) })
	}
	n.metrics.Gauge(metric.StoreHealthy, func() uint64 {
		if st.Health() != nil || st.Stats().Damage != "" {
			return 0
		}
		return 1
	})
}

// watchStore logs when the store stops taking messages and when it takes them again, until stop is closed.
func (n *Node) watchStore(stop <-chan struct{}) {
	st, ok := n.store.(*store.Durable)
	if !ok {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		now := ""
		if err := st.Health(); err != nil {
			now = err.Error()
		}
		switch {
		case now == last:
		case now == "":
			n.params.Log.Info("the store takes messages again")
		default:
			n.params.Log.Error("the store takes no messages: QoS 1 and 2 publishes to persistent sessions are refused, QoS 0 goes on", "reason", now)
		}
		last = now
	}
}
