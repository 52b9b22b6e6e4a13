package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vernemq/appliance/hostfs"
)

func TestShellWords(t *testing.T) {
	for line, want := range map[string][]string{
		"vmq-admin session show":         {"vmq-admin", "session", "show"},
		"  a\t'b c'  \"d 'e'\" f'g h'i ": {"a", "b c", "d 'e'", "fg hi"},
		"a '' b":                         {"a", "", "b"},
		"a; b | c > $(d) `e` \\f":        {"a;", "b", "|", "c", ">", "$(d)", "`e`", "\\f"},
		"":                               nil,
	} {
		got, ok := shellWords(line)
		if d := cmp.Diff(want, got); d != "" || !ok {
			t.Errorf("%q: %v %s", line, ok, d)
		}
	}
	if _, ok := shellWords("a 'b"); ok {
		t.Error("a quote need not be closed")
	}
}

// Whoever logs in without a debug shell gets one of a few programs, and no way around.
func TestAppliancesShell(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
		exit int
	}{
		{[]string{"-c", "vernemq version"}, version, exitOK},
		{[]string{"-c", "vernemq version ; id"}, "unexpected", exitCannot},
		{[]string{"-c", "sh -c id"}, `"sh" is not to be had`, exitFailed},
		{[]string{"-c", "/bin/sh"}, "is not to be had", exitFailed},
		{[]string{"-c", "scp -t /"}, "is not to be had", exitFailed},
		{[]string{"-c", ""}, "is not to be had", exitFailed},
		{[]string{"-c", "'vernemq"}, "quote", exitFailed},
		{nil, "has no shell", exitFailed},
		{[]string{"-l"}, "has no shell", exitFailed},
		{[]string{"-i", "-c", "id"}, "has no shell", exitFailed},
	} {
		var out bytes.Buffer
		if got := runShell(hostfs.New(t.TempDir()), c.args, strings.NewReader(""), &out, &out); got != c.exit || !strings.Contains(out.String(), c.want) {
			t.Errorf("%q: %d\n%s", c.args, got, out.String())
		}
	}
}
