package container

import (
	"bytes"
	"io/fs"
	"net"
	"slices"
	"strings"

	"vernemq/appliance/source"
)

// LocalConf is a file that, where it is there, takes the place of vernemq.conf and of the DOCKER_VERNEMQ_* variables, but for the licence.
const LocalConf = "/etc/vernemq/vernemq.conf.local"

// placeholder stands in LocalConf for the container's address.
const placeholder = "###IPADDRESS###"

// The variables that choose that address.
const (
	addressVariable   = "DOCKER_IP_ADDRESS"
	interfaceVariable = "DOCKER_NET_INTERFACE"
)

// acceptance is the one key that is taken from the environment in any case: it is no setting of the broker's, and often cannot be in the file.
const acceptance = prefix + "ACCEPT_EULA"

// Local returns what to compile where there is a LocalConf: main is the file to begin with, with the address put in, files the file system to
// find it in, and environ the variables that count. Without one, main is empty and the rest as it was given.
func Local(files source.FS, environ []string) (main string, _ source.FS, _ []string) {
	if _, ok := source.Mode(files, LocalConf); !ok {
		return "", files, environ
	}
	kept := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return strings.HasPrefix(name, prefix) && name != acceptance
	})
	return LocalConf, addressed{files, address(environ, interfaces)}, kept
}

// addressed is a file system in which LocalConf has an address in place of each placeholder.
type addressed struct {
	source.FS
	address string // empty: none is known, and the placeholders stay for the compiler to complain about
}

// ReadFile implements source.FS.
func (a addressed) ReadFile(name string, limit int64) ([]byte, error) {
	text, err := a.FS.ReadFile(name, limit)
	if err != nil || name != LocalConf || a.address == "" {
		return text, err
	}
	return bytes.ReplaceAll(text, []byte(placeholder), []byte(a.address)), nil
}

// Mode lets the compiler see who can read a file.
func (a addressed) Mode(name string) (fs.FileMode, bool) { return source.Mode(a.FS, name) }

// Way lets the compiler see whether the broker can read a file.
func (a addressed) Way(name string) ([]source.Node, bool) { return source.Way(a.FS, name) }

// address returns the address that environ gives, else the first IPv4 address of the interface it names, else of any that is up and no loopback.
func address(environ []string, list func() []netInterface) string {
	wanted := ""
	for _, variable := range environ {
		switch name, value, _ := strings.Cut(variable, "="); {
		case name == addressVariable && value != "":
			return value
		case name == interfaceVariable:
			wanted = value
		}
	}
	for _, i := range list() {
		if wanted != "" && i.name != wanted || wanted == "" && i.loopback {
			continue
		}
		for _, ip := range i.addresses {
			if v4 := ip.To4(); v4 != nil {
				return v4.String()
			}
		}
	}
	return ""
}

// netInterface is a network interface that is up.
type netInterface struct {
	name      string
	loopback  bool
	addresses []net.IP
}

// interfaces returns those of this machine; none if they cannot be told.
func interfaces() (out []netInterface) {
	list, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		n := netInterface{name: i.Name, loopback: i.Flags&net.FlagLoopback != 0}
		addresses, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addresses {
			if ip, ok := a.(*net.IPNet); ok {
				n.addresses = append(n.addresses, ip.IP)
			}
		}
		out = append(out, n)
	}
	return out
}
