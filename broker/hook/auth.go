package hook

import "vernemq/broker/mqtt"

// Auth is the question of OnAuth: one step of an enhanced authentication, which MQTT 5 has beside user name and password. It begins with a
// CONNECT or, on a living connection, with an AUTH that asks for re-authentication, and goes on for as many steps as the provider wants. The
// provider that answers the first step is asked for all that follow. AuthOnRegister is asked after the last step of a CONNECT, as for every client.
type Auth struct {
	Client Client // as the client says it is; before the end of a login nothing of that is verified
	Method string
	Data   []byte // what the client sent with this step, may be nil; valid until the answer
	Again  bool   // re-authentication of a client that is connected
	State  any    // the provider's own, kept from step to step

	// The answer, beside the verdict. OK alone ends the exchange, OK with Continue asks the client for another step.
	Continue    bool
	SetData     []byte  // for the client; kept until it is sent
	SetUsername *string // who it was, at the end of a login; AuthOnRegister is asked with that name

	Code   mqtt.Code // reason when refused; 0 means "not authorized"
	Reason string    // reason string, optional

	by EnhancedAuth // who answered the first step
}

// NewAuth begins an exchange.
func NewAuth(c Client, method string, again bool) *Auth {
	return &Auth{Client: c, Method: method, Again: again}
}

// Next makes a of the next step, with what the client answered.
func (a *Auth) Next(data []byte) {
	a.Data, a.Continue, a.SetData, a.SetUsername, a.Code, a.Reason = data, false, nil, nil, 0, ""
}

// AskAuth asks for one step: the chain for the first, the provider that answered it for all others. The verdict is OK, Refuse or Pending; when
// Pending, done is called once, on some goroutine. A method that nobody knows is refused with CodeBadAuthenticationMethod.
func (c *Chains) AskAuth(a *Auth, done func(Verdict)) Verdict {
	settle := func(v Verdict) Verdict {
		switch {
		case v == Next: // of the provider that answered before: it changed its mind
			return Refuse
		case v == Refuse && a.by == nil:
			a.Code = mqtt.CodeBadAuthenticationMethod
		}
		return v
	}
	later := func(v Verdict) { done(settle(v)) }
	if a.by != nil {
		return settle(a.by.OnAuth(a, later))
	}
	return settle(ask(len(c.auth), Refuse, func(i int, answer func(Verdict)) Verdict {
		p := c.auth[i]
		a.by = p
		v := p.OnAuth(a, func(v Verdict) {
			if v == Next {
				a.by = nil
			}
			answer(v)
		})
		if v == Next {
			a.by = nil
		}
		return v
	}, later))
}
