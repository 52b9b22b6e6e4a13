package image

import (
	"crypto/ed25519"
	"os"
)

// Lay writes an update as the committed slot a of a disk that is being made: esp is the directory that becomes the EFI partition, device the file that
// becomes the slot's root partition.
func Lay(update string, key ed25519.PublicKey, esp, device string) error {
	f, err := os.Open(update)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	u, err := Open(f, info.Size(), key)
	if err != nil {
		return err
	}
	return Install(u, Target{Media: Disk{}, ESP: esp, Slot: SlotA, Device: device, Size: maxPayload}, func(string) {})
}
