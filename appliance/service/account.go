package service

import (
	"os"
	"strconv"
	"strings"

	"vernemq/appliance/hostfs"
)

// User is the name of the account the broker runs under when the system starts it.
const User = "vernemq"

// passwdFile lists the accounts, inside the root.
const passwdFile = "/etc/passwd"

// Account is a user of the machine.
type Account struct{ UID, GID int }

// FindAccount returns the account called name of the system under root. ok is false if there is none, or if the list of accounts cannot be read.
func FindAccount(root hostfs.Root, name string) (a Account, ok bool) {
	text, err := os.ReadFile(root.Path(passwdFile))
	if err != nil {
		return Account{}, false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(line, ":")
		if len(fields) < 4 || fields[0] != name {
			continue
		}
		uid, errUID := strconv.ParseUint(fields[2], 10, 31)
		gid, errGID := strconv.ParseUint(fields[3], 10, 31)
		if errUID != nil || errGID != nil {
			return Account{}, false
		}
		return Account{int(uid), int(gid)}, true
	}
	return Account{}, false
}
