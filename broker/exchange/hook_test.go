package exchange_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
)

// asked is a provider that answers publishes and subscribes by what they say, and remembers what it is told.
type asked struct {
	later []func() // answers to be given
	told  []string
}

func (a *asked) Name() string { return "asked" }

func (a *asked) AuthOnPublish(p *hook.Publish, answer func(hook.Verdict)) hook.Verdict {
	what := string(p.Payload)
	decide := func() hook.Verdict {
		switch {
		case strings.Contains(what, "refuse"):
			return hook.Refuse
		case strings.Contains(what, "quota"):
			p.Code = mqtt.CodeQuotaExceeded
			return hook.Refuse
		case strings.Contains(what, "change"):
			qos, retain := byte(1), true
			p.SetTopic, p.SetPayload, p.SetQoS, p.SetRetain = []byte("changed"), []byte("other"), &qos, &retain
		}
		return hook.OK
	}
	if strings.Contains(what, "later") {
		a.later = append(a.later, func() { answer(decide()) })
		return hook.Pending
	}
	return decide()
}

func (a *asked) AuthOnSubscribe(s *hook.Subscribe, answer func(hook.Verdict)) hook.Verdict {
	for i := range s.Topics {
		switch s.Topics[i].Filter {
		case "forbidden":
			s.Topics[i].Code = mqtt.CodeNotAuthorized
		case "rewritten":
			s.Topics[i].Filter = "changed"
		case "wrong":
			s.Topics[i].Filter = "a/#/b"
		}
	}
	switch s.Topics[0].Filter {
	case "fewer":
		s.Topics = s.Topics[:1]
	case "more":
		s.Topics = append(s.Topics, hook.Topic{Filter: "changed", Opts: 1})
	}
	if s.Topics[0].Filter == "later" {
		a.later = append(a.later, func() { answer(hook.OK) })
		return hook.Pending
	}
	return hook.OK
}

func (a *asked) Observe(p hook.Point, e *hook.Event) {
	line := fmt.Sprintf("%d %s", p, e.Client.ID.ClientID)
	if e.Publish != nil {
		line += fmt.Sprintf(" %s %s qos%d", e.Publish.Topic, e.Publish.Payload, e.Publish.QoS)
	}
	if e.Reason != "" {
		line += " " + e.Reason
	}
	a.told = append(a.told, line)
}

// dialog is a world with a provider and two clients.
type dialog struct {
	*world
	t    *testing.T
	a    *asked
	p, s *client
}

func newDialog(t *testing.T, shards int, v mqtt.Version) *dialog {
	a := &asked{}
	d := &dialog{world: newWorld(t, shards, defaults(), a), t: t, a: a}
	d.p, d.s = d.open("p", v), d.open("s", v)
	return d
}

func (d *dialog) open(name string, v mqtt.Version) *client {
	c, err := d.connect(name, &mqtt.Connect{Version: v, ClientID: []byte(name), CleanStart: true})
	if err != nil {
		d.t.Fatal(err)
	}
	c.frames()
	return c
}

func (d *dialog) subscribe(filters ...string) {
	sub := mqtt.Subscribe{PacketID: 1}
	for _, f := range filters {
		sub.Add([]byte(f), 2)
	}
	d.s.send(sub.Append(nil, d.s.version))
}

func (d *dialog) publish(payload string, qos byte, id uint16) {
	d.p.send((&mqtt.Publish{Topic: []byte("t"), Payload: []byte(payload), QoS: qos, PacketID: id}).Append(nil, d.p.version))
}

func (d *dialog) want(c *client, lines ...string) {
	d.t.Helper()
	var got []string
	for _, f := range c.frames() {
		got = append(got, show(f, c.version))
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		d.t.Errorf("%s received (-want +got):\n%s", c.name, diff)
	}
}

func (d *dialog) answer() {
	for len(d.a.later) > 0 {
		f := d.a.later[0]
		d.a.later = d.a.later[1:]
		f()
		d.run()
	}
}

func eachWorld(t *testing.T, f func(t *testing.T, shards int)) {
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) { f(t, n) })
	}
}

// TestPublishVerdicts: what a refused and a changed publish comes to, with the versions' answers.
func TestPublishVerdicts(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		d := newDialog(t, shards, mqtt.V5)
		d.subscribe("t", "changed")
		d.want(d.s, "SUBACK id=1 0202")
		d.publish("fine", 1, 1)
		d.publish("refuse", 1, 2)
		d.publish("quota", 2, 3)
		d.publish("quota", 2, 3) // the first exchange ended with its PUBREC
		d.publish("change", 0, 0)
		d.publish("change", 2, 4)
		d.want(d.p, "PUBACK id=1", "PUBACK id=2 0x87", "PUBREC id=3 0x97", "PUBREC id=3 0x97", "PUBREC id=4")
		d.want(d.s, `PUBLISH "t" "fine" qos=1 id=1`, `PUBLISH "changed" "other" qos=1 id=2`, `PUBLISH "changed" "other" qos=1 id=3`)
		d.subscribe("changed")
		d.want(d.s, "SUBACK id=1 02", `PUBLISH "changed" "other" qos=1 id=4 retain`)

		d = newDialog(t, shards, mqtt.V311)
		d.publish("refuse", 1, 1)
		d.want(d.p)
		if !d.p.closed {
			t.Error("a 3.1.1 client whose publish was refused is still connected: it has no way to know")
		}
		d = newDialog(t, shards, mqtt.V31)
		d.publish("refuse", 1, 1)
		d.want(d.p, "PUBACK id=1")

		o := defaults()
		o.DisconnectUnauthV3 = true
		d = &dialog{world: newWorld(t, shards, o, &asked{}), t: t}
		d.p = d.open("p", mqtt.V31)
		d.publish("refuse", 1, 1)
		d.want(d.p)
		if !d.p.closed {
			t.Error("disconnect_on_unauthorized_publish_v3: a 3.1 client whose publish was refused is still connected")
		}
	})
}

// TestLateAnswers: while a provider thinks, the connection waits, so that order is kept; others go on. Bytes are copied meanwhile.
func TestLateAnswers(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		d := newDialog(t, shards, mqtt.V5)
		d.subscribe("later", "t")
		d.s.send(mqtt.AppendPingreq(nil))
		d.want(d.s)
		d.answer()
		d.want(d.s, "SUBACK id=1 0202", "PINGRESP")
		d.publish("one later", 1, 1)
		d.publish("two", 1, 2)
		d.publish("three later", 2, 3)
		d.s.send(mqtt.AppendPingreq(nil))
		d.want(d.p)
		d.want(d.s, "PINGRESP")
		d.answer()
		d.want(d.p, "PUBACK id=1", "PUBACK id=2", "PUBREC id=3")
		d.want(d.s, `PUBLISH "t" "one later" qos=1 id=1`, `PUBLISH "t" "two" qos=1 id=2`, `PUBLISH "t" "three later" qos=2 id=3`)

		// Who is gone when the answer comes gets none, and publishes nothing.
		d.publish("four later", 1, 4)
		d.p.lose()
		again := d.open("p", mqtt.V5)
		d.answer()
		d.want(again)
		d.want(d.s)

		old := newDialog(t, shards, mqtt.V311)
		old.publish("refuse later", 1, 1)
		old.answer()
		if !old.p.closed {
			t.Error("a 3.1.1 client whose publish was refused later is still connected")
		}
	})
}

// TestSubscribeVerdicts: entries may be refused and changed one by one; a change that makes no valid filter is refused.
func TestSubscribeVerdicts(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		d := newDialog(t, shards, mqtt.V5)
		d.subscribe("forbidden", "rewritten", "wrong")
		d.want(d.s, "SUBACK id=1 87028F")
		d.publish("change", 1, 1)
		d.want(d.s, `PUBLISH "changed" "other" qos=1 id=1`)
	})
}

// TestSubscribeCount: whatever a provider makes of the filters, there is one code for each that the client asked for [MQTT-3.8.4-6].
func TestSubscribeCount(t *testing.T) {
	eachWorld(t, func(t *testing.T, shards int) {
		for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
			d := newDialog(t, shards, v)
			d.subscribe("fewer", "dropped", "too")
			d.want(d.s, map[mqtt.Version]string{mqtt.V311: "SUBACK id=1 028080", mqtt.V5: "SUBACK id=1 028787"}[v])
			d.subscribe("more")
			d.want(d.s, "SUBACK id=1 02")
			d.p.send((&mqtt.Publish{Topic: []byte("changed"), Payload: []byte("x")}).Append(nil, v))
			d.want(d.s, `PUBLISH "changed" "x" qos=0`)
			d.p.send((&mqtt.Publish{Topic: []byte("dropped"), Payload: []byte("x")}).Append(nil, v))
			d.want(d.s)
		}
	})
}

// TestObserved: what observers are told of a message that is delivered, kept, dropped.
func TestObserved(t *testing.T) {
	o := defaults()
	o.MaxOfflineMessages = 1
	a := &asked{}
	d := &dialog{world: newWorld(t, 1, o, a), t: t, a: a}
	d.p = d.open("p", mqtt.V5)
	c := &mqtt.Connect{Version: mqtt.V5, ClientID: []byte("s")}
	c.Props.AddUint(mqtt.PropSessionExpiry, 100)
	var err error
	if d.s, err = d.connect("s", c); err != nil {
		t.Fatal(err)
	}
	d.subscribe("t")
	a.told = nil
	d.publish("one", 1, 1)
	d.s.lose()
	d.publish("two", 1, 2)
	d.publish("three", 1, 3)
	want := []string{
		fmt.Sprintf("%d s t one qos1", hook.OnDeliver), fmt.Sprintf("%d p t one qos1", hook.OnPublish), fmt.Sprintf("%d s", hook.OnClientOffline),
		fmt.Sprintf("%d s t two qos1", hook.OnOfflineMessage), fmt.Sprintf("%d p t two qos1", hook.OnPublish),
		fmt.Sprintf("%d s t three qos1", hook.OnOfflineMessage), fmt.Sprintf("%d s t three qos1 queue_full", hook.OnMessageDrop),
		fmt.Sprintf("%d p t three qos1", hook.OnPublish),
	}
	if diff := cmp.Diff(want, a.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// A backlog of large fan-outs stops publishers whose provider answers later as it does any others, and all go on when it is small again.
func TestParkedAfterAnswer(t *testing.T) {
	const receivers, publishers, most = 520, 20, 16 // entries that are more than one turn's, messages that are more than a backlog
	a := &asked{}
	d := &dialog{world: newWorld(t, 1, defaults(), a), t: t, a: a}
	for i := range receivers {
		d.s = d.open(fmt.Sprintf("s%d", i), mqtt.V311)
		d.subscribe("t")
		d.s.frames()
	}
	var ps []*client
	for i := range publishers {
		d.p = d.open(fmt.Sprintf("p%d", i), mqtt.V311)
		d.publish("later", 1, 1)
		ps = append(ps, d.p)
	}
	for _, f := range a.later {
		f()
	}
	l := d.loops[0]
	l.begin()
	for ; len(l.post) > 0; l.post = l.post[1:] {
		l.post[0]()
	}
	stopped := 0
	for _, p := range ps {
		if p.parked {
			stopped++
		}
	}
	if stopped != publishers-most {
		t.Errorf("%d of %d publishers wait, want all behind the first %d", stopped, publishers, most)
	}
	d.run()
	for _, p := range ps {
		if p.parked {
			t.Errorf("%s waits for ever", p.name)
		}
		d.want(p, "PUBACK id=1")
	}
	if n := len(d.s.frames()); n != publishers {
		t.Errorf("a subscriber has %d messages, want %d", n, publishers)
	}
}
