package exchange

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"

	"vernemq/broker/hook"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/session"
	"vernemq/broker/topic"
)

// Rules are what a listener demands of its clients.
type Rules struct {
	Listener       string // its name, for hooks
	Mountpoint     string
	Versions       []int // allowed protocol levels: 3, 4, 5, and 131, 132 for bridges
	AllowAnonymous bool
}

func (r *Rules) allows(v mqtt.Version, bridge bool) bool {
	level := int(v)
	if bridge {
		level |= 0x80
	}
	return slices.Contains(r.Versions, level)
}

// The reasons to refuse a CONNECT, beside those of the codec and of hooks.
var (
	errVersion   = &mqtt.Error{Code: mqtt.CodeUnsupportedProtocolVersion, Text: "this listener does not allow the protocol version"}
	errClientID  = &mqtt.Error{Code: mqtt.CodeClientIdentifierNotValid, Text: "client identifier is empty or longer than max_client_id_size"}
	errRefused3  = &mqtt.Error{Code: mqtt.CodeNotAuthorized, Text: "not authorised"}
	errRefused5  = &mqtt.Error{Code: mqtt.CodeBadUserNameOrPassword, Text: "not authorised"}
	errWill      = &mqtt.Error{Code: mqtt.CodeNotAuthorized, Text: "the last will is not authorised"}
	errWillTopic = &mqtt.Error{Code: mqtt.CodeTopicNameInvalid, Text: "the last will's topic is not a valid topic name"}
)

// Check holds a decoded CONNECT against the listener's rules and the options and returns its own copy of it.
func (x *Exchange) Check(p *mqtt.Connect, r *Rules, peer netip.AddrPort) (*session.Connect, error) {
	o := x.options.Load()
	if !r.allows(p.Version, p.Bridge) {
		return nil, errVersion
	}
	c := session.ParseConnect(p, r.Mountpoint, peer, MaxExpiry(o.PersistentExpiration))
	switch {
	case len(p.ClientID) > o.MaxClientIDSize:
		return nil, errClientID
	case len(p.ClientID) == 0 && (p.Version == mqtt.V31 || p.Version == mqtt.V311 && !p.CleanStart):
		return nil, errClientID // [MQTT-3.1.3-8]
	case len(p.ClientID) == 0:
		var b [21]byte
		_, _ = rand.Read(b[:]) // never fails
		c.ID.ClientID, c.AssignedID = "anon-"+base64.RawURLEncoding.EncodeToString(b[:]), true
	}
	if p.HasWill {
		if err := topic.ValidName(p.Will.Topic, o.TopicMaxDepth); err != nil {
			if errors.Is(err, topic.ErrTooDeep) {
				x.Metrics.Shared().Inc(metric.MqttTopicDepthError + session.V5(p.Version))
			}
			return nil, errWillTopic
		}
		if p.Will.Topic[0] == '$' { // the broker's own namespace, as for a PUBLISH
			return nil, errWill
		}
		if o.CheckPayloadFormat && !wellFormed(p.Will.Props, p.Will.Payload) {
			return nil, errPayloadFormat
		}
	}
	return c, nil
}

// admit asks who may say whether the client is let in, and whether its will may be published. pending true: done will be called, once and on
// some goroutine; otherwise err says it. Modifiers of a provider are applied to c.
func (x *Exchange) admit(c *session.Connect, r *Rules, done func(error)) (pending bool, err error) {
	if x.options.Load().AllowAnonymous || r.AllowAnonymous {
		return x.authoriseWill(c, done)
	}
	refused := errRefused3
	if c.Version.Is5() {
		refused = errRefused5
	}
	q := &hook.Register{Client: c.Client(), Password: c.Password, CleanStart: c.CleanStart, Listener: r.Listener, Anonymous: !c.HasUser, Props: c.Props}
	finish := func(v hook.Verdict, done func(error)) (bool, error) {
		clear(c.Password)
		c.Password = nil
		if v != hook.OK {
			if code := fit(q.Code, mqtt.TypeConnack, refused.Code); code != refused.Code || q.Reason != "" {
				return false, &Refusal{Code: code, Reason: q.Reason, ServerReference: q.ServerReference}
			}
			return false, refused
		}
		c.Apply(q)
		if w := c.Will; w != nil && c.Version.Is5() {
			if err := c.Options.Set().MayPublish(w.Msg.QoS, w.Msg.Retain); err != nil { // [MQTT-3.2.2-12] [MQTT-3.2.2-13]
				return false, err
			}
		}
		return x.authoriseWill(c, done)
	}
	v := x.hooks.AskRegister(q, func(v hook.Verdict) {
		if pending, err := finish(v, done); !pending {
			done(err)
		}
	})
	if v == hook.Pending {
		return true, nil
	}
	return finish(v, done)
}

// authoriseWill asks for the last will as for a publish.
func (x *Exchange) authoriseWill(c *session.Connect, done func(error)) (pending bool, err error) {
	if c.Will == nil || !x.hooks.Publishes() {
		return false, nil
	}
	m := c.Will.Msg
	q := &hook.Publish{Client: c.Client(), Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain, Props: mqtt.PropertiesOf(m.Props)}
	finish := func(v hook.Verdict) error {
		if judge(q, v) != hook.OK {
			return errWill
		}
		modify(m, q)
		c.Will.Msg = m.Own()
		if q.SetProps != nil {
			c.Will.Expiry, c.Will.HasExp = q.SetProps.Uint(mqtt.PropMessageExpiry)
			c.Will.Delay, _ = q.SetProps.Uint(mqtt.PropWillDelay)
		}
		return nil
	}
	v := x.hooks.AskPublish(q, func(v hook.Verdict) { done(finish(v)) })
	if v == hook.Pending {
		return true, nil
	}
	return false, finish(v)
}
