// Package image is the bootable appliance: what runs inside it and what builds its updates. It owns the two slots and which of them boots, the
// signed update file, the configuration partition and what becomes of it, the factory reset and the judgement whether a broker is well. It refuses
// to know what the configuration's keys mean (a function compiles them), how partitions are found and mounted (Partitions), and how the disk is
// first laid out (the build script, which uses Lay).
//
// # Slots
//
// The disk has two root partitions, root-a and root-b. The EFI partition holds kernel and first stage of each, and for each slot that may boot one
// entry file for systemd-boot. The file's name carries how many attempts are left, and the loader counts them down before it starts anything:
//
//	vernemq-a+5.conf          committed, five attempts
//	vernemq-a+3-2.conf        two attempts did not get as far as the first stage's end
//	vernemq-b-trial+1.conf    an update that will be tried once
//	vernemq-b-trial+0-1.conf  being tried, or tried and not committed
//
// The loader takes the entry with the highest serial number (its version line) that has attempts left. An update removes the other slot's entry,
// writes and reads back root, kernel and first stage, and last of all writes a trial entry with the next serial number. So whatever is cut off
// when, the entries that are there name complete slots. The trial is committed when the broker is ready and a message has made its way through
// it; otherwise the machine restarts, and the loader, finding no attempts left, takes the slot from before. A committed slot gets its attempts back
// at each boot that reaches the root's first service, so one that has stopped working gives way to the other in the end.
package image
