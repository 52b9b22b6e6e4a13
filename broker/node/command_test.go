package node_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/admin"
	"vernemq/broker/hook"
	"vernemq/broker/mqtt"
	"vernemq/broker/node"
)

// strict allows everything but, once it is told to, the filters that begin with "secret", and makes "old" of what is to be "new". Asked for
// "later" it answers from elsewhere.
type strict struct{ on atomic.Bool }

func (*strict) Name() string { return "strict" }

func (s *strict) AuthOnSubscribe(q *hook.Subscribe, answer func(hook.Verdict)) hook.Verdict {
	if !s.on.Load() {
		return hook.OK
	}
	for i := range q.Topics {
		switch f := q.Topics[i].Filter; {
		case strings.HasPrefix(f, "secret") && q.Client.Username != "root":
			return hook.Refuse
		case f == "old":
			q.Topics[i].Filter = "new"
		case f == "lower":
			q.Topics[i].Opts = 0
		case f == "later":
			go answer(hook.OK)
			return hook.Pending
		}
	}
	return hook.OK
}

func command(t *testing.T, n *node.Node, line string) string {
	t.Helper()
	var out strings.Builder
	if exit := admin.NewTree(n.View()).Execute(context.Background(), strings.Fields(line), admin.Options{}, &out, &out); exit != 0 {
		t.Errorf("%s: exit %d", line, exit)
	}
	return strings.TrimSpace(out.String())
}

// TestSessionDisconnect: what clients are told, where they are sent, and what is left of their sessions.
func TestSessionDisconnect(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		n, addr := start(t, options(shards))
		keep := func(c *mqtt.Connect) {
			c.CleanStart = false
			if c.Version.Is5() {
				c.Props.AddUint(mqtt.PropSessionExpiry, 1000)
			}
		}
		w := connect(t, addr, "watcher", mqtt.V5)
		w.subscribe("will/#", 0)
		ended := func(p *peer) (code mqtt.Code, reference string) {
			t.Helper()
			f, err := p.frame()
			if err != nil {
				return 0, ""
			}
			hd, _, _ := mqtt.ReadHeader(f, 0, p.v)
			var d mqtt.Disconnect
			if err := d.Decode(f[hd.Size:], p.v); hd.Type != mqtt.TypeDisconnect || err != nil {
				t.Fatalf("%s % x: %v", hd.Type, f, err)
			}
			ref, _ := d.Props.Bytes(mqtt.PropServerReference)
			p.wantClosed()
			return d.Code, string(ref)
		}
		for _, c := range []struct {
			flags string
			code  mqtt.Code
			ref   string
		}{
			{"", mqtt.CodeAdministrativeAction, ""},
			{" --server-reference=b.example:1883", mqtt.CodeUseAnotherServer, "b.example:1883"},
			{" --server-reference=[2001:db8::1] --moved", mqtt.CodeServerMoved, "[2001:db8::1]"},
		} {
			p := connect(t, addr, "five", mqtt.V5, keep, func(c *mqtt.Connect) { c.HasWill, c.Will = true, mqtt.Will{Topic: []byte("will/five")} })
			old := connect(t, addr, "four", mqtt.V311, keep)
			command(t, n, "session disconnect clients client-ids=five,four"+c.flags)
			if code, ref := ended(p); code != c.code || ref != c.ref {
				t.Errorf("%s: disconnected with 0x%02X and %q", c.flags, byte(code), ref)
			}
			old.wantClosed()
			if topic, _ := w.message(); topic != "will/five" {
				t.Errorf("received %s, want the will", topic)
			}
		}

		p := connect(t, addr, "five", mqtt.V5, keep)
		p.subscribe("t", 1)
		command(t, n, "session disconnect batch count=infinity --client_id=~^f")
		p.wantClosed()
		if got := command(t, n, "session show --client_id --is_online --client_id=five --format=csv"); !strings.HasSuffix(got, "\nfive,false") {
			t.Errorf("after the disconnect: %q", got)
		}
		w.ping()
		command(t, n, "session disconnect client-id=five --cleanup")
		command(t, n, "session disconnect client-id=four -c")
		if got := command(t, n, "session show --client_id --format=csv"); got != "client_id\r\nwatcher" {
			t.Errorf("after the clean-up: %q", got)
		}
		command(t, n, "session disconnect client-id=watcher -c")
		w.wantClosed()
		if got := command(t, n, "session show --client_id"); got != "" {
			t.Errorf("a clean session is left: %q", got)
		}
	})
}

// TestShowSeveral: each connection of a client that has several is shown, also when it is asked for by name.
func TestShowSeveral(t *testing.T) {
	o := options(1)
	o.AllowMultipleSessions, o.QueueDeliverMode = true, "balance"
	n, addr := start(t, o)
	for range 2 {
		connect(t, addr, "twin", mqtt.V311)
	}
	for _, filter := range []string{"", " --client_id=twin"} {
		got := command(t, n, "session show --client_id --num_sessions --deliver_mode --format=csv"+filter)
		if want := "client_id,deliver_mode,num_sessions\r\ntwin,balance,2\r\ntwin,balance,2"; got != want {
			t.Errorf("session show%s:\n%s\nwant:\n%s", filter, got, want)
		}
	}
}

// TestSessionSubscriptions: subscriptions that are taken away by command, and asked for again.
func TestSessionSubscriptions(t *testing.T) {
	eachShards(t, func(t *testing.T, shards int) {
		p := &strict{}
		o := options(shards)
		n, err := node.Start(t.Context(), node.Params{Options: o, Version: "test", Providers: []hook.Provider{p}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stop(t, n) })
		s := connect(t, n.Listening()[0][2], "s", mqtt.V5)
		for _, f := range []string{"a", "secret/1", "old", "later", "lower", "secret/2", "gone"} {
			s.subscribe(f, 1)
		}
		want := func(filters ...string) {
			t.Helper()
			got := map[string]bool{}
			for _, f := range strings.Fields(command(t, n, "session show --topic --qos --format=csv"))[1:] {
				got[f] = true
			}
			w := map[string]bool{}
			for _, f := range filters {
				w[f] = true
			}
			if diff := cmp.Diff(w, got); diff != "" {
				t.Errorf("subscriptions (-want +got):\n%s", diff)
			}
		}
		for _, c := range [][2]string{
			{"session unsubscribe client-id=s topic=gone", "Done"},
			{"session unsubscribe client-id=s topic=gone", "Not successful: no such subscription"},
			{"session unsubscribe client-id=nobody topic=a", "Not successful: no such subscription"},
			{"session reauthorize username=any client-id=s", "Unchanged"},
			{"session reauthorize username=any client-id=nobody", "Unchanged"},
		} {
			if got := command(t, n, c[0]); got != c[1] {
				t.Errorf("%s: %q, want %q", c[0], got, c[1])
			}
		}
		want("1,a", "1,secret/1", "1,old", "1,later", "1,lower", "1,secret/2")
		p.on.Store(true)
		if got := command(t, n, "session reauthorize username=root client-id=s"); got != "Done" {
			t.Errorf("reauthorize: %q", got)
		}
		want("1,a", "1,secret/1", "1,new", "1,later", "0,lower", "1,secret/2")
		if got := command(t, n, "session reauthorize username=any client-id=s"); got != "Done" {
			t.Errorf("reauthorize: %q", got)
		}
		want("1,a", "1,new", "1,later", "0,lower")
		s.publish("secret/1", []byte("no"), 0, 0)
		s.publish("new", []byte("yes"), 0, 0)
		s.wantMessage("yes")
	})
}
