// Command container makes the container image: an OCI archive with one index over an image for each architecture, written without a container
// engine. It owns what lies in the image and what the image says of itself; it refuses to know how the program is built: it is given finished
// binaries. The same inputs give the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "container: %v\n", err)
		os.Exit(1)
	}
}

// run is main with the arguments: flags, then one ARCH=DIR for each architecture. In DIR lie its program, vernemq, and the papers that
// belong to it, sbom.spdx.json and copyright.
func run(args []string) error {
	f := flag.NewFlagSet("container", flag.ContinueOnError)
	out := f.String("o", "", "the archive to write")
	top := f.String("top", "../..", "the repository")
	var id identity
	f.StringVar(&id.version, "version", "", "version of the program")
	f.StringVar(&id.revision, "revision", "", "commit it is built from")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *out == "" || id.version == "" || f.NArg() == 0 {
		return errors.New("usage: container -o FILE -version VERSION [-revision COMMIT] [-top DIR] ARCH=DIR, once for each architecture")
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH has to be the time of the commit in seconds: %w", err)
	}
	id.created = time.Unix(epoch, 0).UTC()

	programs := map[string]string{}
	for _, arg := range f.Args() {
		arch, dir, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is not ARCH=DIR", arg)
		}
		programs[arch] = dir
	}
	index, err := makeIndex(os.DirFS(*top), programs, id)
	if err != nil {
		return err
	}
	return writeArchive(*out, index, id)
}
