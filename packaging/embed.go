// Package packaging holds what the packages install beside the programs, embedded so that the programs work with nothing installed: the text
// of the licence and the default vernemq.conf. It refuses to know who reads them.
package packaging

import _ "embed"

// EULA is the text that has to be accepted before the broker starts, in Markdown.
//
//go:embed EULA.md
var EULA string

// Conf is the default /etc/vernemq/vernemq.conf, generated from the schema.
//
//go:embed vernemq.conf
var Conf string
