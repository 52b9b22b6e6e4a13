// Command container makes the container image: an OCI archive with one index over an image for each architecture, written without a container
// engine. It owns what lies in the image and what the image says of itself; it refuses to know how the program is built: it is given finished
// binaries. The same inputs give the same bytes.
package main

import (
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

// run is main with the arguments: flags, then one ARCH=BINARY for each architecture.
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
		return fmt.Errorf("usage: container -o FILE -version VERSION [-revision COMMIT] [-top DIR] ARCH=BINARY...")
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH has to be the time of the commit in seconds: %w", err)
	}
	id.created = time.Unix(epoch, 0).UTC()

	binaries := map[string]string{}
	for _, arg := range f.Args() {
		arch, binary, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is not ARCH=BINARY", arg)
		}
		binaries[arch] = binary
	}
	index, err := makeIndex(os.DirFS(*top), binaries, id)
	if err != nil {
		return err
	}
	return writeArchive(*out, index, id)
}
