package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vernemq/appliance/image"
)

// imageKey makes a key pair, or prints the public half of one.
func (p *program) imageKey(args []string) int {
	public := false
	file, ok := p.parseOne("image key", args, "file", func(f *flag.FlagSet) { f.BoolVar(&public, "public", false, "") })
	if !ok {
		return exitCannot
	}
	name := p.root.Path(file)
	if !public {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return p.imageDone("key", err)
		}
		if err := image.MakeKey(name); err != nil {
			return p.imageDone("key", err)
		}
		fmt.Fprintf(p.stderr, "%s holds the private key. Keep it, and keep it secret: appliances take updates that it has signed, and no others.\n", name)
		return exitOK
	}
	key, err := image.PrivateKey(name)
	if err != nil {
		return p.imageDone("key", err)
	}
	text, err := image.MarshalPublic(key)
	if err == nil {
		_, err = p.stdout.Write(text)
	}
	return p.imageDone("key", err)
}

func (p *program) imagePack(args []string) int {
	var key, version, arch, cmdline, output string
	var files [3]string
	if !p.parse("image pack", args, func(f *flag.FlagSet) {
		f.StringVar(&key, "key", "", "")
		f.StringVar(&version, "version", "", "")
		f.StringVar(&arch, "arch", "", "")
		f.StringVar(&cmdline, "cmdline", "", "")
		f.StringVar(&files[0], "linux", "", "")
		f.StringVar(&files[1], "initrd", "", "")
		f.StringVar(&files[2], "rootfs", "", "")
		f.StringVar(&output, "output", "", "")
	}) {
		return exitCannot
	}
	return p.imageDone("pack", pack(p.root.Path(key), version, arch, cmdline, files, p.root.Path(output), p.root.Path))
}

// pack writes the update file output. A failure leaves none.
func pack(keyFile, version, arch, cmdline string, files [3]string, output string, path func(string) string) (err error) {
	key, err := image.PrivateKey(keyFile)
	if err != nil {
		return err
	}
	var parts [3]io.ReadSeeker
	for i, name := range files {
		f, err := os.Open(path(name))
		if err != nil {
			return err
		}
		defer f.Close()
		parts[i] = f
	}
	f, err := os.Create(output + ".new")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = errors.Join(image.Pack(w, key, version, arch, cmdline, parts), w.Flush(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(output+".new"))
	}
	return os.Rename(output+".new", output)
}

func (p *program) imageVerify(args []string) int {
	key := ""
	file, ok := p.parseOne("image verify", args, "update", func(f *flag.FlagSet) { f.StringVar(&key, "key", image.KeyFile, "") })
	if !ok {
		return exitCannot
	}
	public, err := image.PublicKey(p.root.Path(key))
	if err != nil {
		return p.cannot("image verify", err)
	}
	f, err := os.Open(p.root.Path(file))
	if err != nil {
		return p.cannot("image verify", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return p.cannot("image verify", err)
	}
	u, err := image.Open(f, info.Size(), public)
	if err == nil {
		err = u.Check()
	}
	if err != nil {
		return p.imageDone("verify", err)
	}
	fmt.Fprintf(p.stdout, "version %s for %s, signature good, every byte is what was signed\n", u.Version, u.Arch)
	return exitOK
}

func (p *program) imageLay(args []string) int {
	var key, esp, slot string
	file, ok := p.parseOne("image lay", args, "update", func(f *flag.FlagSet) {
		f.StringVar(&key, "key", image.KeyFile, "")
		f.StringVar(&esp, "esp", "", "")
		f.StringVar(&slot, "slot-file", "", "")
	})
	if !ok {
		return exitCannot
	}
	if esp == "" || slot == "" {
		p.misused("image lay", errors.New("want --esp and --slot-file"))
		return exitCannot
	}
	public, err := image.PublicKey(p.root.Path(key))
	if err != nil {
		return p.cannot("image lay", err)
	}
	return p.imageDone("lay", image.Lay(p.root.Path(file), public, p.root.Path(esp), p.root.Path(slot)))
}
