package acl

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/broker/topic"
)

func TestParse(t *testing.T) {
	text := "# rules\n\ntopic #\ntopic read a/+\r\n\n   \ntopic write  b c\n  topic  read  d\npattern write dev/%c/#\nuser joe miller \ntopic %c\npattern x/%u\nuser ann\ntopic read"
	rules, bad, err := Parse(strings.NewReader(text), 0)
	if err != nil || bad != nil {
		t.Fatal(bad, err)
	}
	want := []Rule{
		{ForAll, "", true, true, "#", 3},
		{ForAll, "", true, false, "a/+", 4},
		{ForAll, "", false, true, "b c", 7},
		{ForAll, "", true, false, "d", 8},
		{Pattern, "", false, true, "dev/%c/#", 9},
		{ForUser, "joe miller", true, true, "%c", 11},
		{Pattern, "", true, true, "x/%u", 12},
		{ForUser, "ann", true, true, "read", 14},
	}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadLines(t *testing.T) {
	for _, c := range []struct {
		line string
		want error
	}{
		{"deny a", ErrDeny}, {"topic deny a", ErrDeny}, {"topic readwrite a", ErrReadWrite}, {"topic", ErrNoFilter}, {"topic   ", ErrNoFilter},
		{"user", ErrNoUser}, {"Topic a", ErrKeyword}, {"topic\u00a0a", ErrKeyword}, {"a/b", ErrKeyword}, {"topic a/#/b", topic.ErrMultiLevel},
		{"topic a+", topic.ErrSingleLevel}, {"topic 1/2/3/4", topic.ErrTooDeep}, {"topic \xff", ErrText}, {"topic " + strings.Repeat("x", maxLine), ErrLineLength},
	} {
		rules, bad, err := Parse(strings.NewReader("topic first\n"+c.line+"\ntopic last"), 3)
		if err != nil || len(bad) != 1 || bad[0].Line != 2 || !errors.Is(bad[0].Err, c.want) {
			t.Errorf("%.20q: %v %v, want %v", c.line, bad, err, c.want)
		}
		if len(rules) != 2 || rules[1].Line != 3 {
			t.Errorf("%.20q: the other lines give %+v", c.line, rules)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type broken struct{ error }

func (b broken) Read([]byte) (int, error) { return 0, b.error }

func TestReader(t *testing.T) {
	if _, _, err := Parse(endless{}, 0); !errors.Is(err, ErrFileSize) {
		t.Errorf("an endless file: %v", err)
	}
	want := errors.New("bad disk")
	if _, _, err := Parse(broken{want}, 0); !errors.Is(err, want) {
		t.Errorf("a reader's error: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("user a\ntopic read b\npattern %c/#\n# x\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		rules, bad, err := Parse(strings.NewReader(text), 10)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(text, "\n") + 1; len(rules)+len(bad) > lines {
			t.Fatalf("%d rules and %d mistakes in %d lines", len(rules), len(bad), lines)
		}
		for _, r := range rules {
			if topic.ValidFilter(r.Filter, 10) != nil || !r.Read && !r.Write {
				t.Errorf("%+v", r)
			}
		}
	})
}
