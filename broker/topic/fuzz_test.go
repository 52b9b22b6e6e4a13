package topic_test

import (
	"strings"
	"testing"

	"vernemq/broker/topic"
)

// The naive reference: levels as slices, the rules as the specification words them.

func validNaive(f string, wildcards bool) bool {
	levels := strings.Split(f, "/")
	for i, l := range levels {
		if !strings.ContainsAny(l, "+#") {
			continue
		}
		if !wildcards || l != "+" && (l != "#" || i != len(levels)-1) {
			return false
		}
	}
	return f != "" && len(f) <= topic.MaxLen
}

func matchNaive(filter, name []string) bool {
	switch {
	case len(filter) == 0:
		return len(name) == 0
	case filter[0] == "#":
		return true
	case len(name) == 0:
		return false
	}
	return (filter[0] == "+" || filter[0] == name[0]) && matchNaive(filter[1:], name[1:])
}

func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{
		{"a/#", "a"}, {"+/+", "/x"}, {"#", "$SYS"}, {"$SYS/#", "$SYS"}, {"a/+/#", "a//"}, {"a/b", "a/c"}, {"+", ""}, {"/", "//"}, {"a+", "#/b"},
		{"$share/g/a", "$share/g/a"}, {"$share", "x"}, {"$share/+/a", "y"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, filter, name string) {
		okFilter, okName := topic.ValidFilter(filter, 0) == nil, topic.ValidName(name, 0) == nil
		if want := validNaive(filter, true); okFilter != want {
			t.Fatalf("ValidFilter(%q) = %v, want %v", filter, okFilter, want)
		}
		if want := validNaive(name, false); okName != want {
			t.Fatalf("ValidName(%q) = %v, want %v", name, okName, want)
		}
		depth := strings.Count(filter, "/") + 1
		if okFilter && (topic.ValidFilter(filter, depth) != nil || depth > 1 && topic.ValidFilter(filter, depth-1) == nil) {
			t.Fatalf("the depth limit of %q is not its depth %d", filter, depth)
		}
		if s, ok, err := topic.ParseShared(filter); ok && err == nil && s.String() != filter {
			t.Fatalf("ParseShared(%q) = %+v", filter, s)
		}
		got := topic.Match(filter, name) // must not panic, valid or not
		if !okFilter || !okName {
			return
		}
		want := matchNaive(strings.Split(filter, "/"), strings.Split(name, "/"))
		if name[0] == '$' && (filter[0] == '+' || filter[0] == '#') {
			want = false
		}
		if got != want {
			t.Fatalf("Match(%q, %q) = %v, want %v", filter, name, got, want)
		}
	})
}
