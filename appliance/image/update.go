package image

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
)

// An update file is: magic, length of the manifest (4 bytes, big endian), manifest (JSON), Ed25519 signature over magic and manifest (64 bytes),
// then the payloads in the manifest's order with nothing between and nothing behind. The manifest holds their sums, so the signature covers all.
const (
	magic       = "VernemqImage1\n"
	maxManifest = 64 << 10
	maxPayload  = 4 << 30
)

// The payloads, in their order.
var payloads = [3]string{"linux", "initrd", "root"}

// Payload is one part of an update.
type Payload struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hexadecimal
}

// Manifest says what an update holds.
type Manifest struct {
	Version  string    `json:"version"`
	Arch     string    `json:"arch"`    // as Go names it
	Cmdline  string    `json:"cmdline"` // of the kernel
	Payloads []Payload `json:"payloads"`
}

var (
	goodVersion = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+~-]{0,63}$`)
	goodCmdline = regexp.MustCompile(`^[!-~]+( [!-~]+)*$`)
)

// valid says what is wrong with a manifest.
func (m *Manifest) valid() error {
	switch {
	case !goodVersion.MatchString(m.Version):
		return fmt.Errorf("version %q is none", m.Version)
	case !goodCmdline.MatchString(m.Cmdline) || len(m.Cmdline) > 1024:
		return fmt.Errorf("command line %q is none", m.Cmdline)
	case len(m.Payloads) != len(payloads):
		return fmt.Errorf("%d payloads, not %d", len(m.Payloads), len(payloads))
	}
	for i, p := range m.Payloads {
		if sum, err := hex.DecodeString(p.SHA256); p.Name != payloads[i] || p.Size <= 0 || p.Size > maxPayload || err != nil || len(sum) != sha256.Size {
			return fmt.Errorf("payload %d (%q) is not what it should be", i, p.Name)
		}
	}
	return nil
}

// Pack writes an update with the payloads linux, initrd and root. Equal inputs give equal bytes.
func Pack(w io.Writer, key ed25519.PrivateKey, version, arch, cmdline string, parts [3]io.ReadSeeker) error {
	m := Manifest{Version: version, Arch: arch, Cmdline: cmdline}
	for i, r := range parts {
		h := sha256.New()
		size, err := io.Copy(h, r)
		if err != nil {
			return err
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		m.Payloads = append(m.Payloads, Payload{payloads[i], size, hex.EncodeToString(h.Sum(nil))})
	}
	if err := m.valid(); err != nil {
		return err
	}
	text, err := json.Marshal(&m)
	if err != nil {
		return err
	}
	head := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(text)))
	head = append(head, text...)
	head = append(head, ed25519.Sign(key, head)...)
	if _, err := w.Write(head); err != nil {
		return err
	}
	for i, r := range parts {
		if n, err := io.Copy(w, r); err != nil || n != m.Payloads[i].Size {
			return fmt.Errorf("payload %s: %w", payloads[i], errors.Join(err, io.ErrShortWrite))
		}
	}
	return nil
}

// machines are the kinds of EFI programs.
var machines = map[string]uint16{"amd64": 0x8664, "arm64": 0xaa64}

// checkKernel refuses a kernel that the firmware would not start. The boot loader gives up on one without a restart, so the way back to the slot from
// before would need a hand on the switch.
func checkKernel(r io.ReaderAt, arch string) error {
	var dos [64]byte
	if _, err := r.ReadAt(dos[:], 0); err != nil || dos[0] != 'M' || dos[1] != 'Z' {
		return errors.New("the kernel is no EFI program")
	}
	var pe [6]byte
	if _, err := r.ReadAt(pe[:], int64(binary.LittleEndian.Uint32(dos[60:]))); err != nil || string(pe[:4]) != "PE\x00\x00" {
		return errors.New("the kernel is no EFI program")
	}
	if want, known := machines[arch]; !known || binary.LittleEndian.Uint16(pe[4:]) != want {
		return fmt.Errorf("the kernel is not for %s", arch)
	}
	return nil
}

// Update is an update whose signature is good.
type Update struct {
	Manifest
	r    io.ReaderAt
	from int64 // where the payloads begin
}

// ErrSignature is returned for a file that is not signed with the image's key.
var ErrSignature = errors.New("not signed with this appliance's key: nothing is written")

// Open reads the manifest of an update of size bytes and checks its signature. The payloads are not read yet: see Check.
func Open(r io.ReaderAt, size int64, key ed25519.PublicKey) (*Update, error) {
	head := make([]byte, len(magic)+4)
	if _, err := r.ReadAt(head, 0); err != nil || !bytes.HasPrefix(head, []byte(magic)) {
		return nil, errors.New("not an update of this appliance")
	}
	length := int64(binary.BigEndian.Uint32(head[len(magic):]))
	if length > maxManifest {
		return nil, fmt.Errorf("a manifest of %d bytes is too long", length)
	}
	signed := make([]byte, int64(len(head))+length+ed25519.SignatureSize)
	if _, err := r.ReadAt(signed, 0); err != nil {
		return nil, errors.New("the update is cut off")
	}
	signature := signed[len(signed)-ed25519.SignatureSize:]
	signed = signed[:len(signed)-ed25519.SignatureSize]
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, signed, signature) {
		return nil, ErrSignature
	}
	u := &Update{r: r, from: int64(len(signed)) + ed25519.SignatureSize}
	if err := json.Unmarshal(signed[len(head):], &u.Manifest); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if err := u.valid(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	want := u.from
	for _, p := range u.Payloads {
		want += p.Size
	}
	if size != want {
		return nil, fmt.Errorf("the update has %d bytes, not %d", size, want)
	}
	return u, nil
}

// WithFile opens the update in a file, as Open does, and calls f with it. The update is of no use when WithFile has returned.
func WithFile(name string, key ed25519.PublicKey, f func(*Update) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	u, err := Open(file, info.Size(), key)
	if err != nil {
		return err
	}
	return f(u)
}

// payload returns a payload's content.
func (u *Update) payload(i int) *io.SectionReader {
	at := u.from
	for _, p := range u.Payloads[:i] {
		at += p.Size
	}
	return io.NewSectionReader(u.r, at, u.Payloads[i].Size)
}

// Check reads all payloads and compares them with the manifest, and refuses a kernel that cannot be started.
func (u *Update) Check() error {
	if err := checkKernel(u.payload(0), u.Arch); err != nil {
		return err
	}
	for i, p := range u.Payloads {
		h := sha256.New()
		if _, err := io.Copy(h, u.payload(i)); err != nil {
			return fmt.Errorf("read %s: %w", p.Name, err)
		}
		if hex.EncodeToString(h.Sum(nil)) != p.SHA256 {
			return fmt.Errorf("%s is not what was signed: nothing is written", p.Name)
		}
	}
	return nil
}
