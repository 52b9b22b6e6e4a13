package node_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"vernemq/broker/mqtt"
)

// TestRetainedBesideSubscribe: who subscribes at the moment of a retained publish gets it, as a live message or as a retained one
// [MQTT-3.3.1-9].
func TestRetainedBesideSubscribe(t *testing.T) {
	const pairs, n = 8, 400
	_, addr := start(t, options(2))
	var wg sync.WaitGroup
	for i := range pairs {
		p, s := connect(t, addr, fmt.Sprintf("p%d", i), mqtt.V311), connect(t, addr, fmt.Sprintf("s%d", i), mqtt.V311)
		wg.Go(func() {
			for k := range uint16(n) {
				topic := fmt.Sprintf("moment/%d/%d", i, k)
				set := mqtt.Publish{Topic: []byte(topic), Payload: []byte("retained"), QoS: 1, Retain: true, PacketID: k + 1}
				sub := mqtt.Subscribe{PacketID: k + 1}
				sub.Add([]byte(topic), 0)
				if k%2 == 0 {
					p.send(set.Append(nil, p.v))
					s.send(sub.Append(nil, s.v))
				} else {
					s.send(sub.Append(nil, s.v))
					p.send(set.Append(nil, p.v))
				}
				p.want(mqtt.TypePuback)
				p.publish(topic, []byte("last"), 1, k+1)
				p.want(mqtt.TypePuback)
				got := false
				for acked, ended := false, false; !acked || !ended; {
					typ, body := s.next()
					switch typ {
					case mqtt.TypeSuback:
						acked = true
						if !ended { // the last one may have been before the subscription
							p.publish(topic, []byte("last"), 1, k+1)
							p.want(mqtt.TypePuback)
						}
					case mqtt.TypePublish:
						if payload, ok := strings.CutPrefix(string(body[2:]), topic); ok { // else it is one of the round before
							got = got || payload == "retained"
							ended = ended || acked && payload == "last"
						}
					default:
						t.Errorf("%s % x", typ, body)
						return
					}
				}
				if !got {
					t.Errorf("%s: neither live nor retained", topic)
					return
				}
			}
		})
	}
	wg.Wait()
}
