package session

import (
	"bytes"
	"net/netip"

	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/queue"
	"vernemq/broker/store"
)

// Connect is an accepted CONNECT on its way to its session: everything copied out of the packet.
type Connect struct {
	ID           msg.SubscriberID
	Username     string
	Password     []byte
	Peer         netip.AddrPort
	Will         *Will
	Expiry       uint32 // seconds, as asked for
	MaxPacket    uint32 // 0: no limit
	KeepAlive    uint16 // seconds, 0 none
	ReceiveMax   uint16
	AliasMax     uint16
	Version      mqtt.Version
	Bridge       bool
	CleanStart   bool
	HasUser      bool
	AssignedID   bool
	ProblemInfo  bool
	ExpiryCapped bool // Expiry is less than the client asked for
	KeepAliveSet bool // KeepAlive is the broker's, not what the client asked for
	ResponseInfo bool // the client asks for Response Information
	Responses    string
	User         [][2]string          // user properties of the CONNACK
	Options      *hook.SessionOptions // the session's own, nil: as configured
	Auth         *hook.Auth           // enhanced authentication, nil without
	Props        mqtt.Properties      // all of the packet's, for hooks

	persistent uint32 // seconds a session may last at most
}

// ParseConnect copies a decoded CONNECT. v3 sessions that are not clean never expire by themselves: persistent, in seconds, is the operator's
// persistent_client_expiration, or Never.
func ParseConnect(p *mqtt.Connect, mountpoint string, peer netip.AddrPort, persistent uint32) *Connect {
	c := &Connect{
		ID:   msg.SubscriberID{Mountpoint: mountpoint, ClientID: string(p.ClientID)},
		Peer: peer, Version: p.Version, Bridge: p.Bridge, CleanStart: p.CleanStart, KeepAlive: p.KeepAlive,
		HasUser: p.HasUsername, Username: string(p.Username), ReceiveMax: 65535, ProblemInfo: true, persistent: persistent,
	}
	if p.HasPassword {
		c.Password = append([]byte(nil), p.Password...)
	}
	if p.HasWill {
		c.Will = parseWill(p, mountpoint)
	}
	if !p.Version.Is5() {
		if !p.CleanStart {
			c.Expiry = persistent
		}
		return c
	}
	if v, ok := p.Props.Uint(mqtt.PropSessionExpiry); ok {
		c.Expiry = min(v, persistent)
		c.ExpiryCapped = c.Expiry != v
	}
	if v, ok := p.Props.Uint(mqtt.PropReceiveMaximum); ok {
		c.ReceiveMax = uint16(v)
	}
	if v, ok := p.Props.Uint(mqtt.PropMaximumPacketSize); ok {
		c.MaxPacket = v
	}
	if v, ok := p.Props.Uint(mqtt.PropTopicAliasMaximum); ok {
		c.AliasMax = uint16(v)
	}
	if v, ok := p.Props.Uint(mqtt.PropRequestProblemInfo); ok {
		c.ProblemInfo = v == 1
	}
	if v, ok := p.Props.Uint(mqtt.PropRequestResponseInfo); ok {
		c.ResponseInfo = v == 1
	}
	if method, ok := p.Props.Bytes(mqtt.PropAuthMethod); ok {
		c.Auth = hook.NewAuth(c.Client(), string(method), false)
		data, _ := p.Props.Bytes(mqtt.PropAuthData)
		c.Auth.Data = bytes.Clone(data)
	}
	c.Props = p.Props.Clone(0)
	return c
}

func parseWill(p *mqtt.Connect, mountpoint string) *Will {
	w := &Will{}
	var props []byte
	if p.Version.Is5() {
		if v, ok := p.Will.Props.Uint(mqtt.PropWillDelay); ok {
			w.Delay = v
		}
		w.Expiry, w.HasExp = p.Will.Props.Uint(mqtt.PropMessageExpiry)
		props = p.Will.Props.AppendForward(nil)
	}
	w.Msg = msg.New(mountpoint, p.Will.Topic, p.Will.Payload, props, p.Will.QoS, p.Will.Retain)
	return w
}

// Client returns what hooks are told of the client that wants in.
func (c *Connect) Client() hook.Client {
	return hook.Client{ID: c.ID, Username: c.Username, HasUser: c.HasUser, Peer: c.Peer, Version: c.Version}
}

// Fits reports whether the client takes packets of so many bytes [MQTT-3.1.2-24 of 5.0].
func (c *Connect) Fits(size int) bool { return c.MaxPacket == 0 || size <= int(c.MaxPacket) }

// Attach begins a connection of the session. What an earlier connection left open will be sent again by Pump.
func (s *Session) Attach(t *Turn, c *Connect, out *Output) {
	s.Epoch++
	s.Out, s.Username, s.HasUser, s.Peer, s.Version, s.Bridge = out, c.Username, c.HasUser, c.Peer, c.Version, c.Bridge
	s.Expiry, s.Will, s.Started, s.Clean = c.Expiry, c.Will, t.Wall*1000, c.CleanStart
	s.pending, s.counted, s.v5, s.opt = 0, 0, nil, c.Options
	t.Wheel.Stop(&s.Timer)
	if c.Version.Is5() {
		own := s.opt.Set()
		s.v5 = &v5State{maxPacket: c.MaxPacket, problemInfo: c.ProblemInfo, auth: c.Auth,
			aliasOutMax: min(int(c.AliasMax), hook.Or(own.TopicAliasMaxBroker, t.Opts.TopicAliasMaxBroker)),
			aliasInMax:  hook.Or(own.TopicAliasMaxClient, t.Opts.TopicAliasMaxClient), receiveMax: hook.Or(own.ReceiveMaxBroker, t.Opts.ReceiveMaxBroker),
			maxBody: hook.Or(own.MaxMessageSize, t.Opts.MaxMessageSize)}
		s.sendQuota = uint16(max(1, min(int(c.ReceiveMax), hook.Or(own.ReceiveMaxClient, t.Opts.ReceiveMaxClient))))
	} else {
		s.sendQuota = maxID
		if n := hook.Or(s.opt.Set().MaxInflight, t.Opts.MaxInflight); n > 0 && n < maxID {
			s.sendQuota = uint16(n)
		}
	}
	s.resendAt = -1
	if s.win != nil && s.win.n > 0 {
		s.resendAt = 0
		for f := range s.win.all() {
			f.flags &^= flightCounted
			switch f.state {
			case flightCommit: // never left: the same identifier serves, and it is durable before the CONNACK is
				f.state = flightSent
				f.flags |= flightUnsent
			case flightRelCommit:
				f.state = flightReleased
			}
		}
	}
	if s.Presence != nil {
		s.Presence.Online.Store(true)
	}
}

// Connack sends the CONNACK once ticket is durable. Until then nothing else is sent, and the session is Held.
func (s *Session) Connack(t *Turn, frame []byte, ticket store.Ticket) {
	if !t.Waits.need(ticket) {
		s.Send(t, frame)
		return
	}
	s.Out.Held = true
	t.Waits.add(wait{ticket: ticket, s: s, epoch: s.Epoch, kind: waitConnack, frame: frame})
}

// Held reports whether the CONNACK still waits for the store.
func (s *Session) Held() bool { return s.Out != nil && s.Out.Held }

// Detach ends the connection. QoS 0 deliveries that wait are dropped; everything else stays for the next connection, if the session lives on.
func (s *Session) Detach(t *Turn) {
	s.Epoch++
	s.Out.Held = false // a CONNACK that still waits is not sent any more
	s.Out = nil
	s.Offline = t.Now
	s.replays = nil
	s.v5 = nil
	t.Wheel.Stop(&s.Timer)
	if s.Presence != nil {
		s.Presence.Online.Store(false)
	}
	if s.q != nil {
		s.cool()
	}
	if s.q != nil && s.q.QoS0() > 0 {
		s.q.Filter(func(it *queue.Item) bool { return it.QoS > 0 }, func(it queue.Item) {
			t.Count.Inc(metric.QueueMessageUnhandled)
			s.release(t, &it, 0)
		})
	}
}

// Clear forgets everything that waits or is under way: the end of the session. The caller deletes the session's record, and with it what the
// store keeps for it.
func (s *Session) Clear(t *Turn) {
	s.forsake(t)
	s.q, s.win, s.in, s.replays, s.resendAt = nil, nil, nil, nil, -1
	t.Wheel.Stop(&s.Timer)
}

// SendDisconnect appends a DISCONNECT with a reason to an MQTT 5 client, and where to go instead, unless that is empty; others have no such
// packet from the server. What makes it larger than the client takes is left out.
func (s *Session) SendDisconnect(t *Turn, code mqtt.Code, text, reference string) {
	if s.Out == nil || s.v5 == nil || s.Out.Held { // nothing may come before the CONNACK
		return
	}
	d := mqtt.Disconnect{Code: code}
	size := func() int { return d.Size(s.Version) }
	if reference != "" {
		Optional(&d.Props, func() bool { return s.Fits(size()) }, func(p *mqtt.Properties) { p.AddBytes(mqtt.PropServerReference, []byte(reference)) })
	}
	s.Explain(&d.Props, size, text, nil) // [MQTT-3.14.2-3]
	t.Sink.Touch(s.Out)
	s.Out.Buf = d.Append(s.Out.Buf, s.Version)
	t.Count.Inc(metric.DisconnectSent(byte(code)))
}

// Apply takes over what an authentication hook changed.
func (c *Connect) Apply(q *hook.Register) {
	if q.SetID != nil {
		c.ID = *q.SetID
		if c.Will != nil {
			c.Will.Msg.Mountpoint = c.ID.Mountpoint
		}
	}
	if q.SetUsername != nil {
		c.Username, c.HasUser = *q.SetUsername, true
	}
	if q.SetCleanStart != nil {
		c.CleanStart = *q.SetCleanStart
		if !c.Version.Is5() { // one word for the beginning and the end of a session
			c.Expiry = c.persistent
			if c.CleanStart {
				c.Expiry = 0
			}
		}
	}
	if q.SetSessionExpiry != nil {
		c.ExpiryCapped = c.ExpiryCapped || c.Expiry != *q.SetSessionExpiry
		c.Expiry = *q.SetSessionExpiry
	}
	if q.SetKeepAlive != nil {
		c.KeepAlive, c.KeepAliveSet = *q.SetKeepAlive, true
	}
	c.Responses, c.User = q.SetResponseInfo, q.SetUser
	if q.SetOptions != (hook.SessionOptions{}) {
		o := q.SetOptions
		c.Options = &o
		if limit := hook.Or(o.MaxPacketSize, 0); limit > 0 && (c.MaxPacket == 0 || limit < c.MaxPacket) {
			c.MaxPacket = limit
		}
		c.ProblemInfo = hook.Or(o.RequestProblemInfo, c.ProblemInfo)
	}
}
