package schema

import (
	"bytes"
	"fmt"
	"strings"
)

// lineWidth is where comments of the default file are wrapped, in characters.
const lineWidth = 100

const defaultHeader = `## The configuration of this MQTT broker.
##
## One setting a line: key = value. A # begins a comment, except inside '...'. The last line that sets a key counts.
## Lines with ## explain; lines with a single # are samples: remove the # to use them. Keys that do not stand here
## are listed by: vernemq config keys
##
## Check this file with: vernemq chkconfig
`

const defaultFooter = `
## Files that are read after this one, in the order of their names; what they set counts more.
include conf.d/*.conf
`

// DefaultFile returns the text of the shipped vernemq.conf: the keys by subject in schema order, each with its doc, type and default as comments.
// Shown keys that work are live lines, planned ones and commented keys are samples, the others are left out.
func DefaultFile(s *Schema) []byte {
	var b bytes.Buffer
	b.WriteString(defaultHeader)
	for _, subject := range s.Subjects() {
		headed, before := false, ""
		for _, k := range subject.Keys {
			line, ok := k.defaultLine()
			if !ok {
				continue
			}
			if !headed {
				fmt.Fprintf(&b, "\n%s\n## %s\n", strings.Repeat("#", lineWidth), strings.ToUpper(subject.Title))
				comment(&b, subject.Doc)
				b.WriteString(strings.Repeat("#", lineWidth) + "\n")
				headed = true
			}
			if text := k.explanation(); text != before { // one option of several protocols is explained once
				b.WriteString("\n" + text)
				before = text
			}
			b.WriteString(line + "\n")
		}
	}
	b.WriteString(defaultFooter)
	return b.Bytes()
}

// explanation returns what stands above the key's line.
func (k *Key) explanation() string {
	var b bytes.Buffer
	comment(&b, k.Doc)
	if k.Effect == Planned {
		comment(&b, "This has no effect yet.")
	}
	b.WriteString("##\n")
	if k.HasDefault() {
		comment(&b, "Default: "+quoteValue(k.Default))
	}
	if accepts := k.Accepts(); accepts != "text" {
		comment(&b, "Accepts: "+accepts)
	}
	return b.String()
}

// defaultLine returns the line that sets the key in the default file; false if it does not stand there.
func (k *Key) defaultLine() (string, bool) {
	switch {
	case k.Visibility == Hidden, k.Effect != Live && k.Effect != Planned:
		return "", false
	case k.Sample == "" && !k.HasDefault():
		return "", false
	}
	value := k.Default
	if k.Sample != "" {
		value = k.Sample
	}
	line := k.Concrete(strings.Fields(k.SampleName)) + " = " + quoteValue(value)
	if k.Visibility != Shown || k.Effect == Planned {
		line = "# " + line
	}
	return line, true
}

// quoteValue writes a value as it stands in a conf file.
func quoteValue(text string) string {
	if text == "" || strings.ContainsAny(text, "#\n") || text != strings.TrimSpace(text) || text[0] == '\'' {
		return "'" + text + "'"
	}
	return text
}

// comment writes text as ## lines, wrapped.
func comment(b *bytes.Buffer, text string) {
	if text == "" {
		return
	}
	width := 0
	for i, word := range strings.Fields(text) {
		if n := len([]rune(word)); i == 0 || width+1+n > lineWidth {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("## " + word)
			width = 3 + n
		} else {
			b.WriteString(" " + word)
			width += 1 + n
		}
	}
	b.WriteByte('\n')
}
