package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"vernemq/appliance/hostfs"
	"vernemq/broker/admin"
)

// runAdmin is vmq-admin: args are the words behind the program's name (and --root). It has the running broker execute them and returns the
// exit code: 0 done, 1 not done.
func runAdmin(root hostfs.Root, args []string, stdout, stderr io.Writer) int {
	c, err := admin.Dial(root.Path(hostfs.AdminSocket))
	if err != nil && wantsHelp(args) { // which no broker is needed for
		return admin.NewTree(nil).Execute(context.Background(), args, admin.Options{}, stdout, stderr)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		fmt.Fprintln(stderr, notAllowed(root))
		return 1
	case err != nil:
		fmt.Fprintf(stderr, "Node '%s' not responding to pings.\n", configuredNodeName(root))
		return 1
	}
	var opts admin.Options
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		opts.TTY = true
		opts.Columns, _, _ = term.GetSize(int(f.Fd()))
	}
	exit, err := c.Run(context.Background(), args, opts, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "vmq-admin: %v\n", err)
		return 1
	}
	return exit
}

// configuredNodeName returns the node name that the operator's files give, for messages about a broker that is not there to be asked. As in
// the compiled configuration the last assignment wins, those of conf.d being behind those of vernemq.conf.
func configuredNodeName(root hostfs.Root) string {
	name := "VerneMQ@127.0.0.1"
	more, _ := filepath.Glob(filepath.Join(root.Path(hostfs.ConfDir), "*.conf"))
	slices.Sort(more)
	for _, path := range append([]string{root.Path(hostfs.MainConf)}, more...) {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		s := bufio.NewScanner(io.LimitReader(f, 1<<20))
		for s.Scan() {
			key, value, ok := strings.Cut(s.Text(), "=")
			if ok && strings.TrimSpace(key) == "nodename" {
				value, _, _ = strings.Cut(value, "#")
				name = strings.TrimSpace(value)
			}
		}
		f.Close()
	}
	return name
}
