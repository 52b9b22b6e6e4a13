// Package node turns Options into a running broker: build order, drain, stop. It knows every part of the broker and does the work of none.
package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"vernemq/broker/admin"
	"vernemq/broker/auth/apikey"
	"vernemq/broker/config"
	"vernemq/broker/exchange"
	"vernemq/broker/hook"
	"vernemq/broker/listener"
	"vernemq/broker/metric"
	"vernemq/broker/msg"
	"vernemq/broker/shard"
	"vernemq/broker/store"
)

// Params is what Start needs beside the options.
type Params struct {
	Options     *config.Options
	AdminSocket string // host path of the admin socket; empty: none
	Version     string
	Log         *slog.Logger
	Store       store.Store             // nil: the one the options say, or a new one in memory if they name no directory
	Progress    func(done, total int64) // told while the store is read, in bytes; may be nil
	Providers   []hook.Provider         // in their order

	Inherited    []listener.Inherited           // listening sockets the process was started with; the node owns them from now on
	Keeper       listener.Keeper                // keeps listening sockets for a successor; may be nil
	Reconfigurer func(*Node) admin.Reconfigurer // what the admin commands change the configuration with; may be nil
}

// Node is a running broker. Its methods are safe for concurrent use.
type Node struct {
	params    Params
	options   *config.Live
	metrics   *metric.Registry
	store     store.Store
	apiKeys   *apikey.Keys
	exchange  *exchange.Exchange
	group     *shard.Group
	listeners *listener.Manager
	reconf    admin.Reconfigurer
	reloading sync.Mutex

	restoreGC     func()
	storeStop     chan struct{}
	storeUsers    sync.WaitGroup // who storeStop ends
	restoreLimit  func()
	stopGuard     func()
	adminListener *admin.Listener
	adminDone     chan struct{}
	adminCancel   context.CancelFunc

	stopping sync.Once
	stopErr  error
}

// Start builds and starts a broker. When it returns without error, all listeners accept and the admin socket answers.
func Start(ctx context.Context, p Params) (_ *Node, err error) {
	if p.Log == nil {
		p.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	base := time.Now()
	loaded, restoreGC := keepMemory()
	restoreLimit := limitMemory(p.Options.MemoryLimit)
	defer func() {
		if err != nil {
			restoreGC()
			restoreLimit()
		}
	}()
	if p.Store == nil {
		st, err := openStore(&p, base)
		if err != nil {
			return nil, err
		}
		p.Store = st
	}
	shards := shardCount(p.Options)
	// Two more than the loops: goroutines never wait for a shard, nor a shard for them.
	if want := shards + 2; runtime.GOMAXPROCS(0) < want {
		runtime.GOMAXPROCS(want)
	}
	n := &Node{params: p, options: config.NewLive(p.Options), metrics: metric.NewRegistry(shards), store: p.Store, restoreGC: restoreGC, restoreLimit: restoreLimit}
	n.exchange = exchange.New(shards, n.options, p.Store, hook.NewChains(p.Providers...), n.metrics)
	n.exchange.Log = p.Log
	group, err := shard.NewGroup(shards, n.exchange, base, p.Log)
	if err != nil {
		_ = p.Store.Close()
		return nil, fmt.Errorf("event loops: %w", err)
	}
	n.group = group
	sessions, deliveries, err := n.exchange.Restore(func(id msg.SubscriberID) *exchange.Home { return group.Shard(group.ShardOf(id)).Home() }, away)
	if err == nil {
		n.apiKeys, err = apikey.Open(p.Store, n.options, apikey.Clock{Now: time.Now, ClockSet: clockSet})
	}
	group.Start()
	if err != nil {
		group.Close()
		_ = p.Store.Close()
		return nil, fmt.Errorf("store: %w", err)
	}
	if sessions > 0 {
		p.Log.Info("restored from the store", "sessions", sessions, "waiting", deliveries, "retained", n.exchange.Retain.Count())
	}
	n.listeners = listener.NewManager(group, n.options, p.Keeper, p.Log)
	n.listeners.Inherit(p.Inherited, p.Options.Listeners)
	n.gauges()
	n.storeGauges()
	n.storeStop = make(chan struct{})
	n.storeUsers.Go(func() { n.watchStore(n.storeStop) })
	n.storeUsers.Go(func() { n.sweepRetained(base, n.storeStop) })
	loaded()
	n.stopGuard = n.guardMemory(highWater(p.Options.MemoryHighWater))
	if err := n.open(ctx); err != nil {
		n.listeners.StopAll()
		return nil, errors.Join(err, n.end())
	}
	return n, nil
}

// open opens the listeners and the admin socket.
func (n *Node) open(ctx context.Context) error {
	var errs []error
	for _, l := range n.params.Options.Listeners {
		if !listener.Serves(l.Protocol) {
			n.params.Log.Warn("listener is not started: this version does not serve its protocol", "listener", "listener."+l.Protocol+"."+l.Name)
			continue
		}
		if err := n.listeners.Start(l); err != nil {
			errs = append(errs, err)
		}
	}
	if n.params.Reconfigurer != nil {
		n.reconf = n.params.Reconfigurer(n)
	}
	if n.params.AdminSocket != "" {
		errs = append(errs, n.openAdmin(ctx))
	}
	return errors.Join(errs...)
}

func (n *Node) openAdmin(ctx context.Context) error {
	l, err := admin.Listen(n.params.AdminSocket)
	if err != nil {
		return fmt.Errorf("admin socket: %w", err)
	}
	ctx, n.adminCancel = context.WithCancel(context.WithoutCancel(ctx))
	n.adminListener, n.adminDone = l, make(chan struct{})
	go func() {
		defer close(n.adminDone)
		if err := admin.Serve(ctx, l, admin.NewTree(brokerView{n})); err != nil {
			n.params.Log.Error("admin socket failed", "error", err)
		}
	}()
	return nil
}

func (n *Node) closeAdmin() {
	if n.adminListener == nil {
		return
	}
	n.adminCancel()
	_ = n.adminListener.Close()
	<-n.adminDone
	n.adminListener = nil
}

// cores is how many this process may use: of the machine, its affinity mask and its container's quota the least. Read before GOMAXPROCS is set.
var cores = runtime.GOMAXPROCS(0)

// shardCount returns the number of event loops for the options: the configured one, or the cores this process may use.
func shardCount(o *config.Options) int {
	if o.Shards > 0 {
		return min(o.Shards, 64)
	}
	return min(cores, 64)
}

// gauges registers what is read off the running parts.
func (n *Node) gauges() {
	n.metrics.Gauge(metric.QueueProcesses, func() uint64 {
		sum := 0
		n.group.Each(func(s *shard.Shard) { sum += s.Home().Sessions() })
		return uint64(sum)
	})
	n.metrics.Gauge(metric.OverloadStage, func() uint64 { return uint64(n.exchange.Pressure()) })
	n.metrics.Gauge(metric.ActiveMqttConnections, func() uint64 {
		return uint64(n.listeners.Active())
	})
}

// Listening tells where the broker listens: protocol, name and address of each listener, with the real port where 0 was asked for.
func (n *Node) Listening() [][3]string {
	var out [][3]string
	for _, l := range n.listeners.List() {
		out = append(out, [3]string{l.Config.Protocol, l.Config.Name, l.Address})
	}
	return out
}

// Metrics returns the registry the broker counts in.
func (n *Node) Metrics() *metric.Registry { return n.metrics }

// Stop ends the broker in order: the listeners close (connections in their queues are still taken), clients are told and wills published, the
// loops end, the store is closed. ctx bounds how long the clients have; what is left then is cut. Who calls it again waits for the end and is told
// the same.
func (n *Node) Stop(ctx context.Context) error {
	n.stopping.Do(func() {
		n.listeners.StopAll()
		n.stopErr = errors.Join(n.group.Drain(ctx), n.end())
	})
	return n.stopErr
}

// end ends all but the listeners, what asks the loops before the loops themselves.
func (n *Node) end() error {
	n.closeAdmin()
	n.stopGuard()
	n.group.Close()
	close(n.storeStop)
	n.storeUsers.Wait()
	n.restoreGC()
	n.restoreLimit()
	return n.store.Close()
}
