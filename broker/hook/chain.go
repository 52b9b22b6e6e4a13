package hook

// Provider is a backend that takes part in hooks. What it takes part in is found by the optional interfaces below.
type Provider interface {
	// Name is the plugin name of VerneMQ, e.g. "vmq_passwd".
	Name() string
}

// The optional interfaces of a provider. Each runs on a shard, or on the goroutine in which a provider before it answered, and must not block:
// one that has to wait returns Pending, keeps the request, and calls answer exactly once, from any goroutine. Informing hooks return nothing.
type (
	// RegisterAuth is asked before a client is let in.
	RegisterAuth interface {
		AuthOnRegister(r *Register, answer func(Verdict)) Verdict
	}
	// PublishAuth is asked before a message is routed, the last will included.
	PublishAuth interface {
		AuthOnPublish(p *Publish, answer func(Verdict)) Verdict
	}
	// SubscribeAuth is asked once for a whole SUBSCRIBE.
	SubscribeAuth interface {
		AuthOnSubscribe(s *Subscribe, answer func(Verdict)) Verdict
	}
	// UnsubscribeChanger is asked once for a whole UNSUBSCRIBE. OK ends the chain, with the filters as they are then; every other verdict passes.
	UnsubscribeChanger interface {
		OnUnsubscribe(u *Unsubscribe, answer func(Verdict)) Verdict
	}
	// Deliverer may change topic, payload and properties of a message right before it is written for one client, when it is sent for the first
	// time. OK ends the chain. It must answer at once: a delivery waits for nobody. Fields it sets must not be changed afterwards.
	Deliverer interface {
		OnDeliver(p *Publish) Verdict
	}
	// EnhancedAuth is asked for each step of an MQTT 5 enhanced authentication; one that does not know the method says Next.
	EnhancedAuth interface {
		OnAuth(a *Auth, answer func(Verdict)) Verdict
	}
	// Observer is told what happened. Slices and pointers are valid during the call only.
	Observer interface {
		Observe(p Point, e *Event)
	}
)

// Event is what an Observer is told; which fields are set depends on the point.
type Event struct {
	Client  *Client
	Publish *Publish // OnPublish, OnDeliver, OnOfflineMessage, OnMessageDrop
	Topics  []Topic  // OnSubscribe, OnUnsubscribe, OnTopicUnsubscribed (nil: all topics)
	Reason  string   // OnMessageDrop: queue_full, expired, max_packet_size_exceeded
}

// Chains is the compiled set of providers, immutable.
type Chains struct {
	register  []RegisterAuth
	publish   []PublishAuth
	subscribe []SubscribeAuth
	unsub     []UnsubscribeChanger
	deliver   []Deliverer
	auth      []EnhancedAuth
	observers []Observer
}

// NewChains compiles the providers in their order.
func NewChains(providers ...Provider) *Chains {
	c := &Chains{}
	for _, p := range providers {
		if x, ok := p.(RegisterAuth); ok {
			c.register = append(c.register, x)
		}
		if x, ok := p.(PublishAuth); ok {
			c.publish = append(c.publish, x)
		}
		if x, ok := p.(SubscribeAuth); ok {
			c.subscribe = append(c.subscribe, x)
		}
		if x, ok := p.(UnsubscribeChanger); ok {
			c.unsub = append(c.unsub, x)
		}
		if x, ok := p.(Deliverer); ok {
			c.deliver = append(c.deliver, x)
		}
		if x, ok := p.(EnhancedAuth); ok {
			c.auth = append(c.auth, x)
		}
		if x, ok := p.(Observer); ok {
			c.observers = append(c.observers, x)
		}
	}
	return c
}

// Publishes reports whether anybody wants to be asked about publishes: the one length check of the hot path.
func (c *Chains) Publishes() bool { return len(c.publish) > 0 }

// Subscribes reports whether anybody wants to be asked about subscriptions.
func (c *Chains) Subscribes() bool { return len(c.subscribe) > 0 }

// Unsubscribes reports whether anybody wants to change what is unsubscribed.
func (c *Chains) Unsubscribes() bool { return len(c.unsub) > 0 }

// Delivers reports whether anybody wants to change deliveries.
func (c *Chains) Delivers() bool { return len(c.deliver) > 0 }

// AskDeliver runs the chain of OnDeliver: true if a provider answered OK.
func (c *Chains) AskDeliver(p *Publish) bool {
	for _, d := range c.deliver {
		if d.OnDeliver(p) == OK {
			return true
		}
	}
	return false
}

// AskUnsubscribe runs the chain of OnUnsubscribe: OK, or Pending and done is called once, on some goroutine. There is no other verdict.
func (c *Chains) AskUnsubscribe(u *Unsubscribe, done func()) Verdict {
	v := ask(len(c.unsub), OK, func(i int, answer func(Verdict)) Verdict {
		pass := func(v Verdict) Verdict {
			if v == Refuse {
				return Next
			}
			return v
		}
		return pass(c.unsub[i].OnUnsubscribe(u, func(v Verdict) { answer(pass(v)) }))
	}, func(Verdict) { done() })
	if v == Pending {
		return v
	}
	return OK
}

// Observed reports whether anybody wants to be told anything.
func (c *Chains) Observed() bool { return len(c.observers) > 0 }

// Observe tells every observer.
func (c *Chains) Observe(p Point, e *Event) {
	for _, o := range c.observers {
		o.Observe(p, e)
	}
}

// AskRegister runs the authentication chain. The verdict is OK, Refuse or Pending; when Pending, done is called once, on some goroutine.
// An empty or exhausted chain refuses.
func (c *Chains) AskRegister(r *Register, done func(Verdict)) Verdict {
	return ask(len(c.register), Refuse, func(i int, answer func(Verdict)) Verdict { return c.register[i].AuthOnRegister(r, answer) }, done)
}

// AskPublish runs the authorisation chain of a publish. An empty chain allows, an exhausted one refuses.
func (c *Chains) AskPublish(p *Publish, done func(Verdict)) Verdict {
	return ask(len(c.publish), OK, func(i int, answer func(Verdict)) Verdict { return c.publish[i].AuthOnPublish(p, answer) }, done)
}

// AskSubscribe runs the authorisation chain of a subscribe. An empty chain allows, an exhausted one refuses.
func (c *Chains) AskSubscribe(s *Subscribe, done func(Verdict)) Verdict {
	return ask(len(c.subscribe), OK, func(i int, answer func(Verdict)) Verdict { return c.subscribe[i].AuthOnSubscribe(s, answer) }, done)
}

// ask is the conditional rule: one provider after another until one gives a verdict.
func ask(n int, empty Verdict, call func(int, func(Verdict)) Verdict, done func(Verdict)) Verdict {
	if n == 0 {
		return empty
	}
	return askFrom(0, n, call, done)
}

func askFrom(i, n int, call func(int, func(Verdict)) Verdict, done func(Verdict)) Verdict {
	for ; i < n; i++ {
		next := i + 1
		switch v := call(i, func(v Verdict) {
			if v == Next {
				v = askFrom(next, n, call, done)
			}
			if v != Pending {
				done(v)
			}
		}); v {
		case Next:
		default:
			return v
		}
	}
	return Refuse
}
