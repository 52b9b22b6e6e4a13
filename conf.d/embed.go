// Package confd holds the configuration layers that are shipped beside vernemq.conf: files for /etc/vernemq/conf.d whose every setting is
// commented, ready to be switched on, and the profiles, whose lines count below the operator's. It knows their text only.
package confd

import "embed"

// Files holds *.conf as they are installed to /etc/vernemq/conf.d.
//
//go:embed *.conf
var Files embed.FS

// Profiles holds profiles/*.conf as they are installed to /usr/share/vernemq/profiles: values for a kind of machine, one file a word of the key
// profile.
//
//go:embed profiles/*.conf
var Profiles embed.FS
