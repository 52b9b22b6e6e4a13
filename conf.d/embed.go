// Package confd holds the configuration layers that are shipped beside vernemq.conf: files for /etc/vernemq/conf.d whose every setting is
// commented, ready to be switched on. It knows their text only.
package confd

import "embed"

// Files holds *.conf as they are installed to /etc/vernemq/conf.d.
//
//go:embed *.conf
var Files embed.FS
