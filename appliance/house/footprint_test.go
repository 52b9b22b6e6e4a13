package house

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite packaging/footprint.txt with what is measured")

// footprintFile says what the product costs. It is measured for linux/amd64; figures move a little from machine to machine, limits do not.
const footprintFile = "packaging/footprint.txt"

// cost is one figure with the limit it may not pass, in KB.
type cost struct{ measured, limit int64 }

// footprint is the content of the file.
type footprint struct {
	size, rss cost
	packages  []string // that are neither ours nor of the standard library, sorted
}

const footprintHead = `# What the product costs on linux/amd64, one binary under three names. "make footprint" writes the measured figures and the list;
# limits are changed by hand, with a reason in the commit. A test holds the limits and the list.
#
# what          measured     limit
`

func (f footprint) String() string {
	var b strings.Builder
	b.WriteString(footprintHead)
	fmt.Fprintf(&b, "binary          %5d KB  %5d KB\n", f.size.measured, f.size.limit)
	fmt.Fprintf(&b, "idle-rss        %5d KB  %5d KB\n", f.rss.measured, f.rss.limit)
	b.WriteString("\n# packages from elsewhere that are linked in\n")
	for _, p := range f.packages {
		fmt.Fprintln(&b, p)
	}
	return b.String()
}

// parseFootprint reads what String writes.
func parseFootprint(text string) (f footprint, err error) {
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		words := strings.Fields(line)
		switch {
		case line == "" || line[0] == '#':
		case words[0] == "binary":
			f.size, err = parseCost(words)
		case words[0] == "idle-rss":
			f.rss, err = parseCost(words)
		default:
			f.packages = append(f.packages, line)
		}
		if err != nil {
			return f, fmt.Errorf("%s: %q: %w", footprintFile, line, err)
		}
	}
	return f, nil
}

func parseCost(words []string) (c cost, err error) {
	if len(words) != 5 {
		return c, errors.New("want a name and two figures in KB")
	}
	if c.measured, err = strconv.ParseInt(words[1], 10, 64); err != nil {
		return c, err
	}
	c.limit, err = strconv.ParseInt(words[3], 10, 64)
	return c, err
}

func TestFootprint(t *testing.T) {
	sources(t) // reading the sources makes a cached result depend on them
	held, err := parseFootprint(readText(t, footprintFile))
	if err != nil {
		t.Fatal(err)
	}
	now := footprint{packages: linkedPackages(t)}
	now.size = cost{fileKB(t, builtBinary(t)), held.size.limit}
	now.rss = cost{idleRSS(t), held.rss.limit}
	if *update {
		if err := os.WriteFile(filepath.Join(top, footprintFile), []byte(now.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(held.packages, now.packages); diff != "" {
		t.Errorf("other packages are linked in than %s lists; if that is wanted, run make footprint (-listed +linked):\n%s", footprintFile, diff)
	}
	for what, c := range map[string]cost{"the binary": now.size, "the idle broker's memory": now.rss} {
		if c.measured > c.limit {
			t.Errorf("%s takes %d KB, and %s allows %d KB", what, c.measured, footprintFile, c.limit)
		}
	}
}

func TestParseFootprint(t *testing.T) {
	f := footprint{cost{1, 2}, cost{30, 40000}, []string{"a.org/b", "c.org/d/e"}}
	back, err := parseFootprint(f.String())
	if diff := cmp.Diff(f, back, cmp.AllowUnexported(footprint{}, cost{})); err != nil || diff != "" {
		t.Errorf("error %v, round trip (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"binary 1", "binary x KB 2 KB", "idle-rss 1 KB y KB"} {
		if _, err := parseFootprint(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// linkedPackages returns the packages of other modules in the binary.
func linkedPackages(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{$.ImportPath}}{{end}}{{end}}", "./appliance/cmd/vernemq")
	list.Dir = top
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	slices.Sort(packages)
	return packages
}

func fileKB(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return (info.Size() + 1023) / 1024
}

// idleRSS starts a broker with two shards and nobody connected, and returns the memory it holds once it answers.
func idleRSS(t *testing.T) int64 {
	t.Helper()
	b := startBroker(t, "shards = 2")
	status, err := os.ReadFile("/proc/" + strconv.Itoa(b.pid(t)) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "VmRSS:" {
			kb, err := strconv.ParseInt(words[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb
		}
	}
	t.Fatalf("no VmRSS in:\n%s", status)
	return 0
}
