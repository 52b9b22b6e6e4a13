package image

import "crypto/ed25519"

// Lay writes an update as the committed slot a of a disk that is being made: esp is the directory that becomes the EFI partition, device the file that
// becomes the slot's root partition.
func Lay(update string, key ed25519.PublicKey, esp, device string) error {
	return WithFile(update, key, func(u *Update) error {
		return Install(u, Target{Media: Disk{}, ESP: esp, Slot: SlotA, Device: device, Size: maxPayload}, func(string) {})
	})
}
