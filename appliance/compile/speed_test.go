package compile

import (
	"fmt"
	"strings"
	"testing"

	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// fill writes numbers into a line.
func fill(form string, l, n int) string {
	return strings.NewReplacer("{l}", fmt.Sprint(l), "{n}", fmt.Sprint(n)).Replace(form)
}

// large returns the shipped file with every key of it, and lines more in files included files. They speak of 20 to 400 listeners.
func large(s *schema.Schema, lines, files int) source.Texts {
	texts, listeners := source.Texts{}, min(400, max(lines/50, files))
	var main strings.Builder
	main.Write(schema.DefaultFile(s))
	forms := []string{
		"listener.tcp.l{l}.max_connections = {n}\n", "max_online_messages = {n}\n", "retry_interval = $(max_inflight_messages)\n",
		"max_message_size = {n}\n", "listener.tcp.l{l}.mountpoint = 'm {n}'\n", "persistent_client_expiration = 1w # comment\n",
	}
	for f := range files {
		var b strings.Builder
		for n := range lines / files {
			i := f*lines/files + n
			b.WriteString(fill(forms[i%len(forms)], i%listeners, i))
		}
		for l := range listeners / files {
			fmt.Fprintf(&b, "listener.tcp.l%d = 127.0.0.1:%d\n", f*(listeners/files)+l, 2000+f*(listeners/files)+l)
		}
		texts[fmt.Sprintf("/etc/vernemq/conf.d/%05d.conf", f)] = b.String()
	}
	texts["/etc/vernemq/vernemq.conf"] = main.String()
	return texts
}

func BenchmarkCompile(b *testing.B) {
	s := loadSchema(b)
	for _, size := range []struct{ lines, files int }{{2000, 20}, {100000, 20}} {
		b.Run(fmt.Sprintf("%d lines in %d files", size.lines, size.files), func(b *testing.B) {
			texts := large(s, size.lines, size.files)
			b.ReportAllocs()
			for b.Loop() {
				Compile(Input{Schema: s, FS: texts})
			}
		})
	}
}

// Twice as many lines make twice as much work, whatever is wrong with them: nothing compares every line with every other.
func TestWorkGrowsWithTheLines(t *testing.T) {
	s := loadSchema(t)
	repeat := func(form string) func(n int) source.Texts {
		return func(n int) source.Texts {
			var b strings.Builder
			for i := range n {
				b.WriteString(fill(form, i, i%60000))
			}
			return source.Texts{"/etc/vernemq/vernemq.conf": b.String()}
		}
	}
	for name, texts := range map[string]func(n int) source.Texts{
		"good":              func(n int) source.Texts { return large(s, n, 20) },
		"unknown":           repeat("max_conections_{l} = {n}\n"),
		"listeners":         repeat("listener.tcp.l{l} = 127.0.0.1:{n}\n"),
		"one address":       repeat("listener.tcp.l{l} = 127.0.0.1:1883\n"),
		"bad addresses":     repeat("listener.tcp.mountpiont{l} = x{n}\n"),
		"without address":   repeat("listener.tcp.l{l}.max_connections = {n}\n"),
		"duplicates":        repeat("max_online_messages = {n} # {l}\n"),
		"references":        repeat("listener.tcp.l{l}.mountpoint = $(listener.tcp.l{n}.mountpoint)\n"),
		"missing variables": repeat("listener.tcp.l{l}.mountpoint = $(N{n})\n"),
		"wrong values":      repeat("max_online_messages = x{l}{n}\n"),
		"syntax":            repeat("max_online_messages {l} {n}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			work := func(n int) float64 {
				files := texts(n)
				return testing.AllocsPerRun(1, func() { Compile(Input{Schema: s, FS: files}) })
			}
			// What is the same for every run is in both figures: a constant part only makes the ratio smaller.
			few, many := work(2000), work(8000)
			if ratio := many / few; ratio > 4.5 {
				t.Errorf("four times the lines take %.1f times the allocations (%.0f, %.0f)", ratio, few, many)
			}
			if perLine := many / 8000; perLine > 90 {
				t.Errorf("%.0f allocations a line", perLine)
			}
		})
	}
}

// However many mistakes there are, the report has a bound, and the worst are in it.
func TestReportIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&b, "max_online_messages = %d\nunknown%d = 1\nlistener.tcp.l%d = 127.0.0.1:1\n", i, i, i)
	}
	_, r := Compile(Input{Schema: loadSchema(t), FS: source.Texts{"/etc/vernemq/vernemq.conf": b.String()}})
	if len(r.Entries) != maxFindings+1 || r.Count(report.Error) != maxFindings+1 {
		t.Errorf("%d findings, %d of them errors", len(r.Entries), r.Count(report.Error))
	}
	last := r.Entries[0]
	for _, e := range r.Entries {
		if e.Code == report.CodeTooMany {
			last = e
		}
	}
	if last.Code != report.CodeTooMany || !strings.Contains(last.Message, "findings") {
		t.Errorf("the cut is not told: %+v", last)
	}
}
