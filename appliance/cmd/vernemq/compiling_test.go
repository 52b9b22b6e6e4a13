package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vernemq/appliance/report"
	"vernemq/appliance/source"
)

// What somebody may not read is no fault of the files: an ordinary user is told to use sudo, the service and root what is wrong with the file.
func TestAdviceForOrdinaryUser(t *testing.T) {
	files := source.Texts{"/etc/passwd": "root:x:0:0:::\nvernemq:x:990:990:::\nann:x:1000:1000:::\n"}
	for uid, changed := range map[int]bool{0: false, 990: false, 1000: true} {
		findings := &report.Report{Entries: []report.Entry{
			{Code: report.CodeDenied, Hint: "chmod"}, {Code: report.CodeUnreadable, Hint: "create it"},
		}}
		adviseOrdinaryUser(findings, files, uid)
		if got := strings.HasPrefix(findings.Entries[0].Hint, runWithSudo); got != changed || findings.Entries[1].Hint != "create it" {
			t.Errorf("user %d: %+v", uid, findings.Entries)
		}
	}
}

// chkconfig and doctor of a user who may not read the configuration do not claim that the licence is not accepted, and say sudo.
func TestOrdinaryUser(t *testing.T) {
	root := t.TempDir()
	etc := filepath.Join(root, "etc", "vernemq")
	if err := os.MkdirAll(etc, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(etc, "vernemq.conf"), []byte("accept_eula = yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	as := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		as.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		program, err := exec.LookPath("vernemq")
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{filepath.Dir(root), filepath.Dir(program), filepath.Dir(filepath.Dir(program))} {
			if err := os.Chmod(dir, 0o755); err != nil { // the user has to get there
				t.Fatal(err)
			}
		}
	} else if err := os.Chmod(filepath.Join(etc, "vernemq.conf"), 0); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		command []string
		want    []string
	}{
		{[]string{"chkconfig"}, []string{"Whether the licence is accepted is not known: run this command with sudo.",
			"no permission to read /etc/vernemq/vernemq.conf\n  hint: run this command with sudo"}},
		{[]string{"doctor", "--all"}, []string{"accept_eula: not known: not all files may be read", "mend: sudo vernemq doctor", "mend: run this command with sudo"}},
	} {
		cmd := exec.CommandContext(t.Context(), "vernemq", append([]string{"--root", root}, test.command...)...)
		cmd.SysProcAttr = as
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err == nil {
			t.Errorf("%v exits with 0", test.command)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: no %q in\n%s", test.command, want, &out)
			}
		}
		if strings.Contains(out.String(), "is not accepted") || strings.Contains(out.String(), "give the user") {
			t.Errorf("%v:\n%s", test.command, &out)
		}
	}
}
