package metric

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite ids.go from the catalogue")

// TestGeneratedIDs keeps ids.go in step with the catalogue.
func TestGeneratedIDs(t *testing.T) {
	want := generate(t)
	got, err := os.ReadFile("ids.go")
	if err != nil && !*update {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	if !*update {
		t.Fatalf("ids.go is behind the catalogue: run go generate ./broker/metric (-want +got):\n%s", cmp.Diff(string(want), string(got)))
	}
	if err := os.WriteFile("ids.go", want, 0o644); err != nil {
		t.Fatal(err)
	}
}

func generate(t *testing.T) []byte {
	var consts, funcs bytes.Buffer
	next := 0
	for i := range catalog {
		r := &catalog[i]
		name := camel(r.name)
		doc := ""
		switch {
		case !r.counted() || r.series == codesOnly || r.series == returnsAndCodes:
			name = strings.ToLower(name[:1]) + name[1:]
		case r.series == bothVersions:
			doc = " // and +1 for MQTT 5.0"
		case r.series == v4AndCodes:
			doc = " // MQTT 3.1 and 3.1.1"
		}
		fmt.Fprintf(&consts, "\t%s ID = %d%s\n", name, next, doc)
		if short, first := strings.TrimPrefix(camel(r.name), "Mqtt"), name; len(r.codes) > 0 {
			packet := strings.ToUpper(strings.Split(r.name, "_")[1])
			skip := 0
			switch r.series {
			case v4AndCodes:
				skip = 1
			case returnsAndCodes:
				skip = len(codesReturn)
				fn := strings.TrimSuffix(short, "Sent") + "Returned"
				fmt.Fprintf(&funcs, "\n// %s returns the sample of %s for a return code of MQTT 3.1 and 3.1.1.\n", fn, r.name)
				fmt.Fprintf(&funcs, "func %s(code byte) ID { return %sIDs[code] }\n", fn, lower(fn))
				fmt.Fprintf(&funcs, "\nvar %sIDs = lookup(%s, codesReturn)\n", lower(fn), first)
			}
			fmt.Fprintf(&funcs, "\n// %s returns the sample of %s for the reason code of an MQTT 5.0 %s.\n", short, r.name, packet)
			fmt.Fprintf(&funcs, "func %s(code byte) ID { return %sIDs[code] }\n", short, lower(short))
			fmt.Fprintf(&funcs, "\nvar %sIDs = lookup(%s+%d, %s)\n", lower(short), first, skip, codesName(t, r))
		}
		next += len(r.labels())
	}
	var b bytes.Buffer
	b.WriteString("// Code generated from catalog.go by go generate; DO NOT EDIT.\n\npackage metric\n\n")
	fmt.Fprintf(&b, "// The samples of the catalogue. Of a metric with several samples the first is named.\nconst (\n%s)\n\n", consts.Bytes())
	fmt.Fprintf(&b, "// NumIDs is the number of samples.\nconst NumIDs = %d\n%s", next, funcs.Bytes())
	out, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatalf("%v in:\n%s", err, b.Bytes())
	}
	return out
}

// codesName names the variable that holds the codes of r.
func codesName(t *testing.T, r *row) string {
	for name, codes := range map[string][]code{
		"codesConnack": codesConnack, "codesDisconnectReceived": codesDisconnectReceived, "codesDisconnectSent": codesDisconnectSent,
		"codesPuback": codesPuback, "codesPubrel": codesPubrel, "codesAuth": codesAuth,
	} {
		if &codes[0] == &r.codes[0] {
			return name
		}
	}
	t.Fatalf("%s: its codes have no name in codesName", r.name)
	return ""
}

func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }
