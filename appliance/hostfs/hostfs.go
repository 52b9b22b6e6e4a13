// Package hostfs names every host path the product reads or writes, and moves them all under one root. The root works like a chroot: an
// absolute path inside the configuration is taken under it too. It knows no file's content.
package hostfs

import (
	"path"
	"path/filepath"
	"strings"
)

// The paths of the product, as on a host whose root is /.
const (
	EtcDir      = "/etc/vernemq"
	MainConf    = "/etc/vernemq/vernemq.conf"
	ConfDir     = "/etc/vernemq/conf.d"
	ShareDir    = "/usr/share/vernemq"
	SchemaDir   = "/usr/share/vernemq/schema"
	ProfileDir  = "/usr/share/vernemq/profiles"
	DataDir     = "/var/lib/vernemq"
	PersistDir  = "/var/lib/vernemq/conf.d" // settings made while the broker ran, to be kept
	ImageDir    = "/etc/vernemq/image"      // an appliance's layer, from its configuration partition
	ImageConf   = "/etc/vernemq/image/vernemq.conf"
	ImageConfs  = "/etc/vernemq/image/conf.d"
	CompiledDir = "/var/lib/vernemq/generated.configs"
	LogDir      = "/var/log/vernemq"
	RunDir      = "/run/vernemq"
	AdminSocket = "/run/vernemq/admin.sock"
	PIDFile     = "/run/vernemq/vernemq.pid"
	EULAText    = "/usr/share/vernemq/EULA.md"
	Defaults    = "/etc/default/vernemq"
	TuneSysctl  = "/etc/sysctl.d/60-vernemq.conf"                     // kernel settings that vernemq tune made
	TuneRecord  = "/etc/sysctl.d/60-vernemq.conf.before"              // what was there before
	TunePages   = "/etc/tmpfiles.d/60-vernemq.conf"                   // its choice of huge pages, made anew at every boot
	TuneLimits  = "/etc/systemd/system/vernemq.service.d/limits.conf" // the service's limits that it made
)

// Root is the directory that stands for /. The zero value is the host's own root.
type Root struct{ dir string }

// New returns the root at dir; "" or "/" is the host's own.
func New(dir string) Root {
	if dir == "" {
		return Root{}
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if dir == "/" {
		return Root{}
	}
	return Root{dir}
}

// Dir returns the directory that stands for /.
func (r Root) Dir() string {
	if r.dir == "" {
		return "/"
	}
	return r.dir
}

// Path returns where p, a path as written in the configuration or one of the constants, is on the host. A relative p is returned unchanged.
func (r Root) Path(p string) string {
	if !strings.HasPrefix(p, "/") || r.dir == "" {
		return p
	}
	return filepath.Join(r.dir, path.Clean(p))
}

// Inside returns how a host path is named under the root: the reverse of Path, for messages.
func (r Root) Inside(p string) string {
	if r.dir == "" {
		return p
	}
	if rest, ok := strings.CutPrefix(p, r.dir); ok && (rest == "" || rest[0] == '/') {
		return path.Clean("/" + rest)
	}
	return p
}
