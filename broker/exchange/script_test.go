package exchange_test

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/config"
	"vernemq/broker/exchange"
	"vernemq/broker/metric"
	"vernemq/broker/mqtt"
	"vernemq/broker/msg"
	"vernemq/broker/store"
)

var update = flag.Bool("update", false, "rewrite the expected frames in testdata/*.txt")

// TestScripts runs the conversations in testdata. A line is a command; the indented lines below it are everything that clients received
// because of it. Each conversation is the same whatever the number of shards.
//
//	connect NAME [id=ID] [v=3|4|5] [clean=false] [expiry=S] [rm=N] [mps=N] [aliases=N] [will=TOPIC:PAYLOAD[:QOS[:retain]]] [willdelay=S] [willexpiry=S]
//	sub NAME FILTER[:QOS[:nl][:rap][:rh=N]]... [subid=N] [id=N]      unsub NAME FILTER... [id=N]
//	pub NAME TOPIC PAYLOAD [qos=N] [id=N] [dup] [retain] [alias=N] [expiry=S] [user=K=V] [times=N]   TOPIC - is none; PAYLOAD size=N fills
//	puback|pubrec|pubrel|pubcomp NAME ID [code=0xNN]      ping NAME      raw NAME HEX
//	disconnect NAME [code=0xNN] [expiry=S]      lose NAME      stuck NAME      read NAME      crowd N FILTER QOS
//	advance DURATION      options Field=VALUE...      hold      release [N]
//	count METRIC...      stored      session ID      pressure 0|1|2|3      crash [away=S]      full      room
//
// full makes the store full, room ends that; crash ends the broker as kill -9 does and starts it over its store, after so many seconds.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		for _, shards := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", strings.TrimSuffix(filepath.Base(file), ".txt"), shards), func(t *testing.T) {
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got := runScript(t, string(want), shards)
				if *update && shards == 1 {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
					t.Errorf("%s (-want +got):\n%s", file, diff)
				}
			})
		}
	}
}

type script struct {
	*world
	t       *testing.T
	out     strings.Builder
	names   map[string]*client
	crowd   []*client
	packet  uint16
	counted map[metric.ID]uint64
	done    store.Ticket
}

func runScript(t *testing.T, text string, shards int) string {
	s := &script{world: newWorld(t, shards, defaults()), t: t, names: map[string]*client{}, counted: map[metric.ID]uint64{}}
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&s.out, line)
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		do, ok := commands[f[0]]
		if !ok {
			t.Fatalf("line %d: no such command: %s", n+1, f[0])
		}
		do(s, parseArgs(f[1:]))
		if t.Failed() {
			t.Fatalf("line %d: %s", n+1, line)
		}
		s.report()
	}
	return s.out.String()
}

// report writes what the clients received since the last command, in the order in which they connected.
func (s *script) report() {
	s.reportCrowd()
	for _, c := range s.conns {
		for _, f := range c.frames() {
			s.say("%s < %s", c.name, show(f, c.version))
		}
		if c.closed && !c.told {
			c.told = true
			s.say("%s < closed", c.name)
		}
	}
}

func (s *script) say(format string, args ...any) { fmt.Fprintf(&s.out, "  "+format+"\n", args...) }

// args are the words of a command: in order, and those of the form key=value or known flags by key.
type args struct {
	words []string
	set   map[string]string
}

func parseArgs(f []string) args {
	a := args{set: map[string]string{}}
	for _, w := range f {
		k, v, ok := strings.Cut(w, "=")
		switch {
		case w == "dup" || w == "retain":
			a.set[w] = "true"
		case ok && !strings.ContainsAny(k, ":/"):
			a.set[k] = v
		default:
			a.words = append(a.words, w)
		}
	}
	return a
}

func (s *script) num(a args, key string, def int) int {
	v, ok := a.set[key]
	if !ok {
		return def
	}
	return s.atoi(v)
}

func (s *script) atoi(v string) int {
	n, err := strconv.ParseInt(v, 0, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return int(n)
}

func (s *script) client(a args) *client {
	c := s.names[a.words[0]]
	if c == nil {
		s.t.Fatalf("no such client: %s", a.words[0])
	}
	return c
}

// id is the packet identifier asked for, or the next free one.
func (s *script) id(a args) uint16 {
	s.packet++
	return uint16(s.num(a, "id", int(s.packet)))
}

var commands map[string]func(*script, args)

func init() {
	commands = map[string]func(*script, args){
		"connect": (*script).doConnect, "sub": (*script).doSub, "unsub": (*script).doUnsub, "pub": (*script).doPub,
		"disconnect": (*script).doDisconnect, "crowd": (*script).doCrowd, "options": (*script).doOptions, "release": (*script).doRelease,
		"count": (*script).doCount, "stored": (*script).doStored, "session": (*script).doSession,
		"ping":  func(s *script, a args) { s.client(a).send(mqtt.AppendPingreq(nil)) },
		"lose":  func(s *script, a args) { s.client(a).lose() },
		"stuck": func(s *script, a args) { s.client(a).stuck = true },
		"read":  func(s *script, a args) { s.client(a).read() },
		"hold":  func(s *script, a args) { s.mem.Hold() },
		"pressure": func(s *script, a args) {
			s.x.SetPressure(exchange.Pressure(s.atoi(a.words[0])))
			s.run()
			s.run()
		},
		"puback":  func(s *script, a args) { s.ack(mqtt.TypePuback, a) },
		"pubrec":  func(s *script, a args) { s.ack(mqtt.TypePubrec, a) },
		"pubrel":  func(s *script, a args) { s.ack(mqtt.TypePubrel, a) },
		"pubcomp": func(s *script, a args) { s.ack(mqtt.TypePubcomp, a) },
		"full":    func(s *script, _ args) { s.mem.Fill(errors.New("full")) },
		"room":    func(s *script, _ args) { s.mem.Fill(nil) },
		"crash": func(s *script, a args) {
			s.away = int64(s.num(a, "away", 0))
			s.crash(len(s.loops))
			s.counted = map[metric.ID]uint64{}
			s.run()
			s.advance(0)
		},
		"raw": func(s *script, a args) {
			b, err := hex.DecodeString(strings.Join(a.words[1:], ""))
			if err != nil {
				s.t.Fatal(err)
			}
			s.client(a).send(b)
		},
		"advance": func(s *script, a args) {
			d, err := time.ParseDuration(a.words[0])
			if err != nil {
				s.t.Fatal(err)
			}
			s.advance(d)
		},
	}
}

func (s *script) doConnect(a args) {
	name := a.words[0]
	id, ok := a.set["id"]
	if !ok {
		id = name
	}
	p := &mqtt.Connect{Version: mqtt.Version(s.num(a, "v", 5)), ClientID: []byte(id), CleanStart: a.set["clean"] != "false"}
	prop := func(key string, dst *mqtt.Properties, id mqtt.PropID) {
		if v, ok := a.set[key]; ok {
			dst.AddUint(id, uint32(s.atoi(v)))
		}
	}
	prop("expiry", &p.Props, mqtt.PropSessionExpiry)
	prop("rm", &p.Props, mqtt.PropReceiveMaximum)
	prop("mps", &p.Props, mqtt.PropMaximumPacketSize)
	prop("aliases", &p.Props, mqtt.PropTopicAliasMaximum)
	if will, ok := a.set["will"]; ok {
		w := append(strings.Split(will, ":"), "0", "")
		p.HasWill = true
		p.Will.Topic, p.Will.Payload, p.Will.QoS, p.Will.Retain = []byte(w[0]), []byte(w[1]), byte(s.atoi(w[2])), w[3] == "retain"
		prop("willdelay", &p.Will.Props, mqtt.PropWillDelay)
		prop("willexpiry", &p.Will.Props, mqtt.PropMessageExpiry)
	}
	c, err := s.connect(name, p)
	if err != nil {
		s.say("%s refused 0x%02X: %v", name, byte(mqtt.CodeOf(err)), err)
		return
	}
	s.names[name] = c
}

func (s *script) doSub(a args) {
	c := s.client(a)
	p := mqtt.Subscribe{PacketID: s.id(a)}
	if _, ok := a.set["subid"]; ok {
		p.Props.AddUint(mqtt.PropSubscriptionID, uint32(s.num(a, "subid", 0)))
	}
	for _, w := range a.words[1:] {
		parts := strings.Split(w, ":")
		var o mqtt.SubOptions
		for _, opt := range parts[1:] {
			switch opt {
			case "nl":
				o |= mqtt.SubNoLocal
			case "rap":
				o |= mqtt.SubRetainAsPublished
			case "rh1", "rh2":
				o = o.WithRetainHandling(opt[2] - '0')
			default:
				o |= mqtt.SubOptions(s.atoi(opt))
			}
		}
		p.Add([]byte(parts[0]), o)
	}
	c.send(p.Append(nil, c.version))
}

func (s *script) doUnsub(a args) {
	c := s.client(a)
	p := mqtt.Unsubscribe{PacketID: s.id(a)}
	for _, w := range a.words[1:] {
		p.Add([]byte(w))
	}
	c.send(p.Append(nil, c.version))
}

func (s *script) doPub(a args) {
	c := s.client(a)
	topic, payload := a.words[1], ""
	if len(a.words) > 2 {
		payload = a.words[2]
	}
	if topic == "-" {
		topic = ""
	}
	payload += strings.Repeat("x", s.num(a, "size", 0))
	p := mqtt.Publish{Topic: []byte(topic), QoS: byte(s.num(a, "qos", 0)), Retain: a.set["retain"] != "", Dup: a.set["dup"] != ""}
	for key, id := range map[string]mqtt.PropID{"alias": mqtt.PropTopicAlias, "expiry": mqtt.PropMessageExpiry} {
		if v, ok := a.set[key]; ok {
			p.Props.AddUint(id, uint32(s.atoi(v)))
		}
	}
	if kv, ok := a.set["user"]; ok {
		k, v, _ := strings.Cut(kv, ":")
		p.Props.AddUser([]byte(k), []byte(v))
	}
	var frames []byte
	for i := range s.num(a, "times", 1) {
		if p.QoS > 0 {
			p.PacketID = s.id(a)
		}
		p.Payload = []byte(payload)
		if _, many := a.set["times"]; many {
			p.Payload = fmt.Appendf(nil, "%s%d", payload, i)
		}
		frames = p.Append(frames, c.version)
	}
	c.send(frames)
}

func (s *script) ack(t mqtt.Type, a args) {
	c := s.client(a)
	p := mqtt.Ack{Type: t, PacketID: uint16(s.atoi(a.words[1])), Code: mqtt.Code(s.num(a, "code", 0))}
	c.send(p.Append(nil, c.version))
}

func (s *script) doDisconnect(a args) {
	c := s.client(a)
	p := mqtt.Disconnect{Code: mqtt.Code(s.num(a, "code", 0))}
	if _, ok := a.set["expiry"]; ok {
		p.Props.AddUint(mqtt.PropSessionExpiry, uint32(s.num(a, "expiry", 0)))
	}
	c.send(p.Append(nil, c.version))
}

// doCrowd connects many subscribers of one filter, who are reported on as one: see reportCrowd.
func (s *script) doCrowd(a args) {
	n, filter, qos := s.atoi(a.words[0]), a.words[1], a.words[2]
	for i := range n {
		name := fmt.Sprintf("%s-%d", filter, i)
		s.doConnect(parseArgs([]string{name, "v=4"}))
		s.doSub(parseArgs([]string{name, filter + ":" + qos, "id=1"}))
		s.crowd = append(s.crowd, s.names[name])
	}
}

// reportCrowd tells what the crowd received: how many members received what, in which order.
func (s *script) reportCrowd() {
	seen := map[string]int{}
	for _, c := range s.crowd {
		var lines []string
		for _, f := range c.frames() {
			lines = append(lines, show(f, c.version))
		}
		if len(lines) > 0 {
			seen[strings.Join(lines, ", ")]++
		}
	}
	var lines []string
	for line, n := range seen {
		lines = append(lines, fmt.Sprintf("%d of the crowd < %s", n, line))
	}
	sort.Strings(lines)
	for _, l := range lines {
		s.say("%s", l)
	}
}

func (s *script) doOptions(a args) {
	o := *s.live.Load()
	for k, v := range a.set {
		f := reflect.ValueOf(&o).Elem().FieldByName(k)
		switch {
		case !f.IsValid():
			s.t.Fatalf("no such option: %s", k)
		case f.Type() == reflect.TypeFor[time.Duration]():
			d, err := time.ParseDuration(v)
			if err != nil {
				s.t.Fatal(err)
			}
			f.SetInt(int64(d))
		case f.CanInt():
			f.SetInt(int64(s.atoi(v)))
		case f.Kind() == reflect.Bool:
			f.SetBool(v == "true")
		default:
			f.SetString(v)
		}
	}
	s.setOptions(&o)
}

func (w *world) setOptions(o *config.Options) {
	w.live.Swap(o)
	w.run()
}

func (s *script) doRelease(a args) {
	if len(a.words) == 0 {
		s.done += store.Ticket(s.mem.Held())
		s.mem.Release(0)
	} else {
		s.done += store.Ticket(s.atoi(a.words[0]))
		s.mem.Release(s.done)
	}
	s.run()
}

var countNames = map[string]metric.ID{
	"drop": metric.QueueMessageDrop, "expired": metric.QueueMessageExpired, "unhandled": metric.QueueMessageUnhandled, "in": metric.QueueMessageIn,
	"out": metric.QueueMessageOut, "refused": metric.QueueFullRefused, "setup": metric.QueueSetup, "teardown": metric.QueueTeardown, "client_expired": metric.ClientExpired,
	"subscriptions": metric.RouterSubscriptions, "retained": metric.RetainMessages,
	"retain_refused": metric.RetainRefused, "shed": metric.OverloadQos0Dropped,
}

// doCount tells by how much counters grew since they were last asked for.
func (s *script) doCount(a args) {
	for _, name := range a.words {
		id, ok := countNames[name]
		if !ok {
			s.t.Fatalf("no such counter: %s", name)
		}
		v := s.metrics.Value(id)
		s.say("%s +%d", name, v-s.counted[id])
		s.counted[id] = v
	}
}

// doStored tells what the store holds.
func (s *script) doStored(args) {
	names := map[store.SessionKey]string{}
	var lines []string
	add := func(format string, a ...any) { lines = append(lines, fmt.Sprintf(format, a...)) }
	kinds := [...]string{"waits", "sent", "received", "done", "released"}
	err := s.mem.Load(store.Loader{
		Session: func(r *store.Session) {
			r.ID.ClientID = strings.Replace(r.ID.ClientID, "\x00", "queue of ", 1)
			names[r.Key] = r.ID.ClientID
			subs := ""
			for _, x := range r.Subscriptions {
				subs += fmt.Sprintf(" %s:%d", x.Filter, x.Opts)
			}
			add("session %s expiry=%d%s", r.ID.ClientID, r.Expiry, subs)
		},
		Inbound: func(in store.Inbound) { add("inbound %s id=%d", names[in.Session], in.PacketID) },
		Message: func(_ store.MessageRef, m *msg.Message, r store.Recipient, state store.AckKind) {
			add("message %q %q for %s qos=%d %s id=%d", m.Topic, m.Payload, names[r.Session], r.Opts&3, kinds[state], r.PacketID)
		},
		Retained: func(mountpoint string, m *msg.Message) { add("retained %q %q", m.Topic, m.Payload) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	sort.Strings(lines)
	for _, l := range lines {
		s.say("%s", l)
	}
	s.say("held=%d", s.mem.Held())
}

func (s *script) doSession(a args) {
	for _, l := range s.loops {
		if x := l.home.Session(msg.SubscriberID{ClientID: a.words[0]}); x != nil {
			s.say("online=%v waiting=%d inflight=%d subscriptions=%d", x.Online(), x.Waiting(), x.Inflight(), x.Subs.Len())
			return
		}
	}
	s.say("none")
}
