package bench

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// example is a result with a figure of each kind.
func example(scenario string, rate, p99 float64) *Result {
	r := &Result{Scenario: scenario, Mode: "pairs", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Address: "127.0.0.1:1883", MQTT: "3.1.1", Size: 64,
		Publishers: 50, Subscribers: 50, Threads: 1, Figures: map[string]float64{}}
	r.throughput(int64(3*rate), int64(3*rate), 3)
	r.set("latency_p99_us", p99)
	r.set("broker_cpu_per_million", 0.26314159)
	r.set("lost", 0)
	return r
}

func TestText(t *testing.T) {
	good := example("pairs", 1234567, 6586.368)
	bad := example("my pairs", 1000, 12.3456)
	bad.QoS, bad.Rate, bad.Interrupted, bad.Problems = 1, 20000, true, []string{"3 messages were lost", "stalled: nothing came back for 10s"}
	bad.set("lost", 3)
	bad.set("behind", 7)
	lossy := example("pairs", 10, 1)
	lossy.set("lost", 2)
	idle := &Result{Scenario: "idle", Mode: "idle", MQTT: "5.0", Size: 64, Clients: 10000, Figures: map[string]float64{"bytes_per_connection": 700}}
	var b bytes.Buffer
	for _, r := range []*Result{good, bad, lossy, idle} {
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteTable(&b, []*Result{good, bad, idle}); err != nil {
		t.Fatal(err)
	}
	golden(t, "text.golden", b.String())
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123", 0.26314: "0.263", 12.345: "12.35",
		123.45: "123.5", 1234.5: "1,234", -0.5: "-0.500"} {
		if got := number(v); got != want {
			t.Errorf("number(%g) = %s, want %s", v, got, want)
		}
	}
}

func TestSetRounds(t *testing.T) {
	r := newResult(&Config{Mode: "pairs"})
	for v, want := range map[float64]float64{0: 0, 123456789: 123456789, 0.263141592: 0.263142, 12.3456789: 12.3457, -0.0012345678: -0.00123457} {
		if r.set("seconds", v); r.Figures["seconds"] != want {
			t.Errorf("%g is kept as %g, want %g", v, r.Figures["seconds"], want)
		}
	}
	r.set("lost", math.NaN())
	r.set("lost", math.Inf(1))
	if _, ok := r.Figures["lost"]; ok {
		t.Error("what JSON cannot express is kept")
	}
}

func TestFiguresAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Figures {
		if seen[f.Name] || f.Label == "" || f.Better < -1 || f.Better > 1 {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = true
	}
}

func TestJSONRoundTrip(t *testing.T) {
	want := []*Result{example("a", 1000, 5), example("b", 10, 7)}
	var b bytes.Buffer
	for _, r := range want {
		if err := r.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(b.String(), "\n"); n != 2 {
		t.Errorf("%d lines, want 2", n)
	}
	got, err := ReadResults(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadResultsErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "no result",
		"   \n":                               "no result",
		"{":                                   "result 1: unexpected EOF",
		"[]":                                  "result 1: json",
		`{"a":1}`:                             "no scenario or no figures",
		`{"scenario":"x"}`:                    "no scenario or no figures",
		`{"scenario":"x","figures":{}} x`:     "result 2: invalid character",
		`{"scenario":"x","figures":{"a":""}}`: "result 1: json",
		"scenario,mode\n":                     "result 1: invalid character",
	} {
		if _, err := ReadResults(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	got, err := ReadResults(strings.NewReader(`{"scenario":"x","figures":{"lost":1,"of_tomorrow":2},"more":[]}`))
	if err != nil || len(got) != 1 || !cmp.Equal(got[0].Figures, map[string]float64{"lost": 1}) {
		t.Errorf("a file of another version: %v, %v", got, err)
	}
}

func TestCompare(t *testing.T) {
	broken := example("a", 1, 1000)
	broken.Interrupted = true
	a := []*Result{example("a", 1000, 10), example("a", 3000, 20), example("a", 2000, 30), example("only a", 1, 1), example("b", 100, 50), broken}
	b := []*Result{example("b", 101, 100), example("a", 4000, 5), example("a", 2000, 15), example("only b", 1, 1)}
	a[4].set("lost", 0)
	b[0].set("lost", 4)
	var out bytes.Buffer
	if err := WriteComparison(&out, Compare(a, b)); err != nil {
		t.Fatal(err)
	}
	golden(t, "compare.golden", out.String())
}

func TestCSV(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.csv")
	for range 2 { // a second run adds to the file
		c, err := OpenCSV(name)
		if err != nil {
			t.Fatal(err)
		}
		r := example("a, b", 1000, 5)
		r.Problems = []string{`a "quoted" problem`, "another"}
		if err := c.Add(r); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "results.csv", string(text))
	if err := os.WriteFile(name, []byte("a,b\n1,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCSV(name); err == nil || !strings.Contains(err.Error(), "other columns") {
		t.Errorf("a foreign file: %v", err)
	}
	if text, _ := os.ReadFile(name); string(text) != "a,b\n1,2\n" {
		t.Errorf("a foreign file was changed: %q", text)
	}
}

// Anything that can be read can be compared and written, and comes back the same.
func FuzzReadResults(f *testing.F) {
	var b bytes.Buffer
	for _, r := range []*Result{example("a", 1000, 5), example("b", 3, 7)} {
		if err := r.WriteJSON(&b); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"scenario":"x","figures":{"lost":1e308,"latency_p99_us":-1e308}}{"scenario":"x","figures":{"lost":-0}}`))
	f.Add([]byte(`{"scenario":"\u0000","figures":{"lost":0.1},"started":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte("[1,2"))
	f.Fuzz(func(t *testing.T, in []byte) {
		list, err := ReadResults(bytes.NewReader(in))
		if err != nil {
			return
		}
		var out bytes.Buffer
		for _, d := range Compare(list, list) {
			if r := d.Ratio(); r != 1 {
				t.Errorf("%s %s differs from itself: %g", d.Scenario, d.Figure.Name, r)
			}
		}
		if err := WriteComparison(&out, Compare(list, list)); err != nil {
			t.Fatal(err)
		}
		if err := WriteTable(&out, list); err != nil {
			t.Fatal(err)
		}
		out.Reset()
		for _, r := range list {
			if err := r.WriteText(&bytes.Buffer{}); err != nil {
				t.Fatal(err)
			}
			if err := r.WriteJSON(&out); err != nil {
				return // a time beyond the year 9999
			}
		}
		again, err := ReadResults(&out)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, again); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}
