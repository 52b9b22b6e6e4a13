package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"vernemq/broker/mqtt"
)

// ran holds the tests that were run to their end without a failure, by full name, and the versions each was run for.
var ran = struct {
	sync.Mutex
	tests map[string][]mqtt.Version
}{tests: map[string][]mqtt.Version{}}

// statement runs a test that shows the statements its name begins with, once for each version they belong to.
func statement(t *testing.T, name string, f func(b *broker)) {
	t.Helper()
	run(t, name, false, f)
}

// waiting is statement for a test that waits more than it works: such tests run beside each other.
func waiting(t *testing.T, name string, f func(b *broker)) {
	t.Helper()
	run(t, name, true, f)
}

func run(t *testing.T, name string, beside bool, f func(b *broker)) {
	t.Helper()
	ids, err := identifiers(name)
	if err != nil {
		t.Fatal(err)
	}
	full := t.Name() + "/" + name
	t.Run(name, func(t *testing.T) {
		if beside {
			t.Parallel()
		}
		for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
			if !names(ids, v) {
				continue
			}
			t.Run(v.String(), func(t *testing.T) {
				if beside {
					t.Parallel()
				}
				t.Cleanup(func() {
					if !t.Failed() && !t.Skipped() {
						ran.Lock()
						ran.tests[full] = append(ran.tests[full], v)
						ran.Unlock()
					}
				})
				f(newBroker(t, v))
			})
		}
	})
}

// key is an identifier in one version.
type key struct {
	id string
	v  mqtt.Version
}

func names(ids []key, v mqtt.Version) bool {
	for _, k := range ids {
		if k.v == v {
			return true
		}
	}
	return false
}

// identifiers reads the statements off the beginning of a test's name.
func identifiers(name string) (ids []key, err error) {
	for _, w := range strings.Fields(name) {
		if !strings.HasPrefix(w, "MQTT-") {
			break
		}
		id, version, only := strings.Cut(w, "@")
		switch {
		case !only:
			ids = append(ids, key{id, mqtt.V311}, key{id, mqtt.V5})
		case version == "4":
			ids = append(ids, key{id, mqtt.V311})
		case version == "5":
			ids = append(ids, key{id, mqtt.V5})
		default:
			return nil, fmt.Errorf("test %q: %s: there are @4 and @5", name, w)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("test %q names no statement", name)
	}
	return ids, nil
}

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "32") // those that run beside each other wait
	code := m.Run()
	whole := true // nothing was left out on the command line
	for _, f := range []string{"test.run", "test.skip", "test.list", "test.bench", "test.fuzz"} {
		whole = whole && flag.Lookup(f).Value.String() == ""
	}
	if code == 0 && whole {
		for _, problem := range notRun() {
			fmt.Println(problem)
			code = 1
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Println(err)
			code = 1
		}
	}
	os.Exit(code)
}
