package image

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Nothing but the very bytes that were signed is accepted.
func TestEveryByteCounts(t *testing.T) {
	good := packed(t, "1.2.3")
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		u, err := Open(bytes.NewReader(bad), int64(len(bad)), public(t))
		if err == nil {
			err = u.Check()
		}
		if err == nil {
			t.Errorf("byte %d of %d may be changed", i, len(good))
		}
	}
	for n := range good {
		if u, err := Open(bytes.NewReader(good[:n]), int64(n), public(t)); err == nil && u.Check() == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(good))
		}
	}
	longer := append(bytes.Clone(good), 0)
	if _, err := Open(bytes.NewReader(longer), int64(len(longer)), public(t)); err == nil {
		t.Error("a byte behind the end is accepted")
	}
	other, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(bytes.NewReader(good), int64(len(good)), other); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if _, err := Open(bytes.NewReader(good), int64(len(good)), nil); !errors.Is(err, ErrSignature) {
		t.Errorf("no key: %v", err)
	}
}

func TestKernelThatCannotBeStarted(t *testing.T) {
	for name, c := range map[string]struct{ kernel, arch string }{
		"zeros":           {strings.Repeat("\x00", 4096), "amd64"},
		"short":           {"MZ", "amd64"},
		"nowhere":         {"MZ" + strings.Repeat("\xff", 62), "amd64"},
		"another machine": {kernel("1"), "arm64"},
		"unknown machine": {kernel("1"), "riscv64"},
	} {
		if err := checkKernel(strings.NewReader(c.kernel), c.arch); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := checkKernel(strings.NewReader(kernel("1")), "amd64"); err != nil {
		t.Error(err)
	}
}

func TestPackIsReproducible(t *testing.T) {
	if !bytes.Equal(packed(t, "1"), packed(t, "1")) {
		t.Error("two packs of the same differ")
	}
}

func TestPackRefuses(t *testing.T) {
	for name, c := range map[string]struct{ version, cmdline string }{
		"a line end in the version": {"1\noptions init=/bin/sh", "quiet"},
		"no version":                {"", "quiet"},
		"a line end on the line":    {"1", "quiet\noptions x"},
		"no line":                   {"1", ""},
	} {
		if err := Pack(&bytes.Buffer{}, signer(t), c.version, "amd64", c.cmdline, parts("1")); err == nil {
			t.Errorf("%s: packed", name)
		}
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	private, publicFile := filepath.Join(dir, "key.pem"), filepath.Join(dir, "key.pub")
	if err := MakeKey(private); err != nil {
		t.Fatal(err)
	}
	if err := MakeKey(private); err == nil {
		t.Error("a key was overwritten")
	}
	if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key has mode %v, %v", info.Mode(), err)
	}
	key, err := PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := MarshalPublic(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(publicFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := PublicKey(publicFile); err != nil || !got.Equal(key.Public()) {
		t.Errorf("the public half comes back as %v, %v", got, err)
	}
	for _, name := range []string{private, filepath.Join(dir, "none")} {
		if _, err := PublicKey(name); err == nil {
			t.Errorf("%s is taken for a public key", name)
		}
	}
	if _, err := PrivateKey(publicFile); err == nil {
		t.Error("a public key is taken for a private one")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(packed(f, "1"))
	f.Add([]byte(magic + "\x00\x00\x00\x02{}"))
	f.Add([]byte(magic + "\xff\xff\xff\xff"))
	good := packed(f, "1")
	f.Fuzz(func(t *testing.T, data []byte) {
		u, err := Open(bytes.NewReader(data), int64(len(data)), public(t))
		if err == nil && u.Check() == nil && !bytes.Equal(data, good) {
			t.Errorf("%d bytes that nobody signed are accepted", len(data))
		}
	})
}
