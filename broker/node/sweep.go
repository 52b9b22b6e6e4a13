package node

import "time"

// sweepEvery is how often expired retained messages are looked for if the operator does not say.
const sweepEvery = 10 * time.Minute

// sweepRetained removes retained messages whose time is over, until stop is closed. It rests between its steps: nobody waits for it.
func (n *Node) sweepRetained(base time.Time, stop <-chan struct{}) {
	const rest = 5 * time.Millisecond
	timer := time.NewTimer(0)
	defer timer.Stop()
	wait := func(d time.Duration) bool {
		timer.Reset(d)
		select {
		case <-stop:
			return false
		case <-timer.C:
			return true
		}
	}
	for {
		every := sweepEvery
		if d := n.options.Load().ExpireRetained; d > 0 {
			every = d
		}
		if !wait(every) {
			return
		}
		if removed := n.exchange.SweepRetained(int64(time.Since(base)), func() bool { return wait(rest) }); removed > 0 {
			n.params.Log.Debug("expired retained messages removed", "messages", removed)
		}
	}
}
