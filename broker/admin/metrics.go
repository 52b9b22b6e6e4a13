package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"vernemq/broker/metric"
	"vernemq/schema"
)

// metricsShow is `metrics show`: one line a metric, or a sample.
func metricsShow(b Broker) *Command {
	names, values := metric.Labels()
	flags := []FlagSpec{
		{Name: "with-descriptions", Short: "d", Doc: "Adds what each metric means."},
		{Name: "aggregate", Short: "a", Value: Required, Words: []string{"true", "false"},
			Doc: "Sums the samples of a metric (true, the default), or shows each with its labels (false)."},
	}
	for _, n := range names {
		flags = append(flags, FlagSpec{Name: n, Value: Required, Hint: "VALUE[,VALUE...]",
			Check: oneOfEach(values[n]),
			Doc:   "Counts only samples with one of these labels: " + strings.Join(values[n], ", ") + "."})
	}
	return &Command{
		Path: []string{"metrics", "show"},
		Doc: "Shows all metrics of this node.\nOf several label options a sample must match every one; samples that have no such label " +
			"are left out.",
		Flags: flags,
		Run: func(ctx context.Context, r *Request) (Result, error) {
			_, describe := r.Flag("with-descriptions")
			aggregate, _ := r.Flag("aggregate")
			want := map[string][]string{}
			for _, n := range names {
				if f, ok := r.Flag(n); ok {
					want[n] = strings.Split(f.Value, ",")
				}
			}
			return metricLines(b.Metrics().Snapshot(), want, describe, aggregate.Value != "false"), nil
		},
	}
}

// metricsReset is `metrics reset`.
func metricsReset(b Broker) *Command {
	return &Command{
		Path: []string{"metrics", "reset"},
		Doc:  "Sets the broker's counters to zero. Gauges and the figures of the process stay.",
		Run: func(ctx context.Context, r *Request) (Result, error) {
			b.Metrics().Reset()
			return Text("Done"), nil
		},
	}
}

// metricLines writes the samples that have the labels wanted, one a line.
func metricLines(samples []metric.Sample, want map[string][]string, describe, aggregate bool) Text {
	var b strings.Builder
	for i := 0; i < len(samples); i++ {
		s := samples[i]
		if !matches(&s, want) {
			continue
		}
		name := s.Name
		if aggregate {
			for i+1 < len(samples) && samples[i+1].Name == s.Name { // the samples of a metric are adjacent
				i++
				if matches(&samples[i], want) {
					s.Value += samples[i].Value
				}
			}
		} else {
			name += labelText(s.Labels)
		}
		if describe {
			fmt.Fprintf(&b, "# %s\n", s.Description)
		}
		fmt.Fprintf(&b, "%s.%s = %d\n", s.Type, name, s.Value)
		if describe {
			b.WriteByte('\n')
		}
	}
	return Text(b.String())
}

// matches reports whether a sample has, of each label wanted, one of its values.
func matches(s *metric.Sample, want map[string][]string) bool {
	for name, values := range want {
		i := slices.IndexFunc(s.Labels, func(l metric.Label) bool { return l.Name == name })
		if i < 0 || !slices.Contains(values, s.Labels[i].Value) {
			return false
		}
	}
	return true
}

// labelText returns labels in the form {name="value",…}, nothing if there are none.
func labelText(labels []metric.Label) string {
	if len(labels) == 0 {
		return ""
	}
	var parts []string
	for _, l := range labels {
		parts = append(parts, fmt.Sprintf("%s=%q", l.Name, l.Value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// oneOfEach returns a check that every element of a comma list is one of words.
func oneOfEach(words []string) func(Flag) error {
	return func(f Flag) error {
		for v := range strings.SplitSeq(f.Value, ",") {
			if !slices.Contains(words, v) {
				if best := schema.NearestWord(v, words); best != "" {
					return fmt.Errorf("%s is no such label; did you mean %s?", v, best)
				}
				return fmt.Errorf("%s is no such label; see --help", v)
			}
		}
		return nil
	}
}
