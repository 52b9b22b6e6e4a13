package house

import (
	"path"
	"strings"
	"testing"
)

// floors says on which floor each package stands. A package imports lower floors only, or one that besides names. The first pattern that
// matches counts.
var floors = []struct {
	floor    int
	patterns string // as in path.Match, separated by blanks
}{
	{0, "schema conf.d packaging appliance/report appliance/hostfs"},
	{0, "broker/mqtt broker/topic broker/metric broker/wheel"},
	{1, "broker/msg broker/config broker/hook broker/trie broker/store/wallog broker/store/wallog/faultfs"},
	{1, "appliance/source appliance/plan appliance/probe appliance/service appliance/docs appliance/bench"},
	{2, "broker/store broker/store/storetest broker/queue broker/retain broker/session"},
	{2, "appliance/eula appliance/migrate"},
	{3, "broker/exchange"},
	{3, "appliance/doctor"},
	{4, "broker/shard broker/auth/* broker/bridge broker/cluster"},
	{4, "appliance/tune"},
	{5, "broker/listener broker/trace broker/export"},
	{5, "appliance/compile"}, // above broker/auth/*: it checks their files in their own words
	{6, "appliance/container"},
	{6, "broker/admin broker/admin/admintest broker/httpd"},
	{7, "broker/node"},
	{8, "broker/conformance"},
	{8, "appliance/image appliance/cmd/vernemq appliance/reconfigure"},
	{8, "packaging/bom"}, // a command that imports nothing of ours
	{9, "appliance/house .ci/container"},
}

// besides are the imports on the same floor that are wanted. Each says why.
var besides = map[[2]string]string{
	{"broker/hook", "broker/msg"}:                          "a hook is shown the message",
	{"broker/trie", "broker/msg"}:                          "a subscription names its subscriber",
	{"broker/store/wallog/faultfs", "broker/store/wallog"}: "the twin of its file layer that fails and cuts the power",
	{"broker/session", "broker/queue"}:                     "a session owns its queue",
	{"broker/session", "broker/store"}:                     "it names what must be durable before it answers",
	{"broker/store/storetest", "broker/store"}:             "what every store has to pass",
	{"broker/admin/admintest", "broker/admin"}:             "the twin that stands in for a broker in tests",
	{"appliance/cmd/vernemq", "appliance/image"}:           "the command that builds images",
	{"appliance/cmd/vernemq", "appliance/reconfigure"}:     "the broker that is started can be given another configuration",
}

// planned are packages that have a floor before they have code.
var planned = map[string]bool{
	"broker/bridge": true, "broker/cluster": true, "broker/trace": true, "broker/export": true, "broker/httpd": true,
}

// floorOf returns the floor of a package and the pattern that gave it.
func floorOf(pkg string) (floor int, pattern string) {
	for _, row := range floors {
		for _, p := range strings.Fields(row.patterns) {
			if ok, _ := path.Match(p, pkg); ok {
				return row.floor, p
			}
		}
	}
	return -1, ""
}

func TestFloors(t *testing.T) {
	used, stood := map[[2]string]bool{}, map[string]bool{}
	for _, f := range sources(t).files {
		floor, pattern := floorOf(f.pkg)
		if floor < 0 {
			t.Errorf("%s: package %s has no floor: give it one in floors_test.go", f.name, f.pkg)
			continue
		}
		stood[pattern] = true
		for _, imported := range f.imports {
			if problem := judge(f, floor, imported, used); problem != "" {
				t.Errorf("%s: %s (floor %d) imports %s: %s", f.name, f.pkg, floor, imported, problem)
			}
		}
	}
	for _, row := range floors {
		for _, p := range strings.Fields(row.patterns) {
			if !stood[p] && !planned[p] {
				t.Errorf("floors_test.go names %s, and there is no such package", p)
			}
		}
	}
	for edge, why := range besides {
		if !used[edge] && !planned[edge[1]] {
			t.Errorf("floors_test.go lets %s import %s (%s), and it does not: take the line out", edge[0], edge[1], why)
		}
	}
}

// judge returns what is wrong with an import, empty if nothing is. Tests may build on any floor, but the broker's know nothing of the host's half.
func judge(f *goFile, floor int, imported string, used map[[2]string]bool) string {
	broker, appliance := strings.HasPrefix(f.pkg, "broker/"), strings.HasPrefix(imported, "appliance/")
	lower, _ := floorOf(imported)
	switch {
	case broker && appliance:
		return "the broker never imports the appliance"
	case imported == "appliance/house":
		return "nothing imports the house"
	case f.test:
		return ""
	case lower < 0:
		return "that has no floor"
	case lower > floor:
		return "that is a higher floor"
	case lower < floor:
		return ""
	}
	edge := [2]string{f.pkg, imported}
	if besides[edge] == "" {
		return "that is the same floor, and floors_test.go does not name the pair"
	}
	used[edge] = true
	return ""
}

// The judge refuses what it should: a rule that lets everything pass would not be noticed otherwise.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		test, bad     bool
	}{
		{"broker/exchange", "broker/session", false, false},
		{"broker/session", "broker/exchange", false, true},
		{"broker/session", "broker/queue", false, false},
		{"broker/queue", "broker/session", false, true},
		{"broker/queue", "broker/store", false, true},
		{"broker/node", "appliance/report", false, true},
		{"broker/node", "appliance/report", true, true},
		{"broker/mqtt", "broker/node", true, false},
		{"broker/mqtt", "broker/unheard", false, true},
		{"appliance/cmd/vernemq", "broker/node", false, false},
		{"appliance/cmd/vernemq", "appliance/house", false, true},
		{"broker/auth/passwd", "broker/exchange", false, false},
	} {
		floor, _ := floorOf(c.pkg)
		problem := judge(&goFile{pkg: c.pkg, test: c.test}, floor, c.imported, map[[2]string]bool{})
		if (problem != "") != c.bad {
			t.Errorf("%s imports %s (test: %v): %q", c.pkg, c.imported, c.test, problem)
		}
	}
}
