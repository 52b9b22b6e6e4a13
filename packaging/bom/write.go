package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The parts of SPDX 2.3 that are used.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		DataLicense   string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID        string         `json:"SPDXID"`
		Name      string         `json:"name"`
		Version   string         `json:"versionInfo"`
		Location  string         `json:"downloadLocation"`
		Analyzed  bool           `json:"filesAnalyzed"`
		Concluded string         `json:"licenseConcluded"`
		Declared  string         `json:"licenseDeclared"`
		Copyright string         `json:"copyrightText"`
		Purpose   string         `json:"primaryPackagePurpose,omitempty"`
		Checksums []spdxChecksum `json:"checksums,omitempty"`
		Source    string         `json:"sourceInfo,omitempty"`
		Refs      []spdxRef      `json:"externalRefs,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxRef struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Kind string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

const programID = "SPDXRef-vernemq"

// spdx returns the bill as an SPDX document. It says the same of the same binary, version and time.
func (b *bill) spdx() ([]byte, error) {
	doc := spdxDocument{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: fmt.Sprintf("vernemq-%s-%s", b.version, b.arch),
		Namespace: "urn:sha256:" + b.digest,
		Creation:  spdxCreation{b.made.Format(time.RFC3339), []string{"Tool: vernemq packaging/bom"}},
		Packages: []spdxPackage{{
			ID: programID, Name: "vernemq", Version: b.version, Location: "NOASSERTION", Concluded: "Apache-2.0", Declared: "Apache-2.0",
			Copyright: "NOASSERTION", Purpose: "APPLICATION", Checksums: []spdxChecksum{{"SHA256", b.digest}},
		}},
		Relationships: []spdxRelationship{{"SPDXRef-DOCUMENT", "DESCRIBES", programID}},
	}
	for _, p := range b.parts {
		pkg := spdxPackage{
			ID: "SPDXRef-" + identifier(p.module), Name: p.module, Version: p.version, Location: "https://proxy.golang.org/" + p.module + "/@v/" + p.version + ".zip",
			Concluded: p.licence, Declared: p.licence, Copyright: copyrightLines(p.text), Purpose: "LIBRARY",
			Refs: []spdxRef{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + p.module + "@" + p.version}},
		}
		if p.sum != "" {
			pkg.Source = "go.sum: " + p.sum
		} else {
			pkg.Location = "https://go.dev/dl/go" + p.version + ".src.tar.gz"
		}
		doc.Packages = append(doc.Packages, pkg)
		doc.Relationships = append(doc.Relationships, spdxRelationship{programID, "STATIC_LINK", pkg.ID})
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	return append(text, '\n'), err
}

// identifier makes the rest of an SPDXID out of a module's path: letters, digits, points and hyphens.
func identifier(module string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '_' || r == '~' {
			return '-'
		}
		return r
	}, module)
}

// copyrightLines returns the lines of a licence that say whose the work is.
func copyrightLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "Copyright ") && !strings.HasPrefix(line, "Copyright [") && !strings.HasPrefix(line, "Copyright License") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "NOASSERTION"
	}
	return strings.Join(lines, "\n")
}

// copyright returns the text of the copyright file: the licence of the program, then the licences of what is linked into it.
func (b *bill) copyright() string {
	var t strings.Builder
	t.WriteString(`This is vernemq, an MQTT broker.

The source of vernemq is licensed under the Apache License, version 2.0. On Debian systems its text is in
/usr/share/common-licenses/Apache-2.0, on others in /usr/share/licenses/vernemq/LICENSE.
The terms of use of the broker are in /usr/share/vernemq/EULA.md; they take away nothing of the licence of the source.

Linked into /usr/sbin/vernemq is work of others, under licences of their own:
`)
	for _, p := range b.parts {
		name := p.module
		if name == "std" {
			name = "the standard library of Go"
		}
		fmt.Fprintf(&t, "\n%s\n%s %s: %s\n\n", strings.Repeat("-", 78), name, p.version, p.licence)
		if p.licence == "Apache-2.0" { // said above
			t.WriteString("Licensed under the Apache License, version 2.0, see above.\n")
		} else {
			t.WriteString(strings.TrimSpace(p.text) + "\n")
		}
		if p.notice != "" {
			t.WriteString("\nIts notice:\n\n" + strings.TrimSpace(p.notice) + "\n")
		}
	}
	return t.String()
}
