package compile

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"vernemq/appliance/report"
	"vernemq/appliance/source"
	"vernemq/schema"
)

// No secret of the schema reaches the report, as text or JSON, the effective values or the history, wherever it is set and whatever is wrong
// with it or its line.
func TestNoSecretIsShown(t *testing.T) {
	const secret = "t0psecret"
	s := loadSchema(t)
	secrets := 0
	for _, k := range s.Keys() {
		if !k.Secret {
			continue
		}
		secrets++
		words := schema.SplitName(k.Name)
		for i, w := range words {
			if w[0] == '$' {
				words[i] = "some"
			}
		}
		name := schema.JoinName(words)
		env := "DOCKER_VERNEMQ_" + strings.ToUpper(strings.ReplaceAll(name, ".", "__")) + "=" + secret
		for form, in := range map[string]Input{
			"plain":       {FS: conf(name + " = " + secret)},
			"quoted":      {FS: conf(name + " = '" + secret + "'")},
			"comment":     {FS: conf(name + " = " + secret + "#" + secret)},
			"unclosed":    {FS: conf(name + " = '" + secret)},
			"behind":      {FS: conf(name + " = 'x' " + secret)},
			"lines":       {FS: conf(name + " = '''" + secret + "\n" + secret + "'''")},
			"unclosed 2":  {FS: conf(name + " = '''" + secret + "\n" + secret)},
			"control":     {FS: conf(name + " = " + secret + "\x01")},
			"not UTF-8":   {FS: conf(name + " = " + secret + "\xff")},
			"no equals":   {FS: conf(name + " " + secret)},
			"colon":       {FS: conf(name + ": " + secret)},
			"twice":       {FS: conf(name + " = " + secret + "\n" + name + " = " + secret + "2")},
			"misspelled":  {FS: conf(name + "x = " + secret)},
			"escaped":     {FS: conf(strings.ReplaceAll(name, "_", "_") + "\\.y = " + secret)},
			"file":        {FS: source.Texts{"/etc/vernemq/vernemq.conf": name + " = $(</s)", "/s": secret + "\n"}},
			"variable":    {FS: conf(name + " = x$(PLAIN)"), Environ: []string{"PLAIN=" + secret}},
			"reference":   {FS: conf(name + " = " + secret + "\nlistener.tcp.a = 127.0.0.1:1\nlistener.tcp.a.mountpoint = a$(" + name + ")")},
			"bad use":     {FS: conf(name + " = " + secret + "\nmax_online_messages = $(" + name + ")\nlistener.tcp.b = $(" + name + ")")},
			"environment": {FS: conf(""), Environ: []string{env}, Container: true},
			"set":         {FS: conf(""), Set: []string{name + "=" + secret}},
			"bad set":     {FS: conf(""), Set: []string{name + secret, "=" + secret, name + "!=" + secret}},
			"persisted":   {FS: source.Texts{"/etc/vernemq/vernemq.conf": "", "/var/lib/vernemq/conf.d/a.conf": name + " = " + secret}},
		} {
			in.Schema = s
			p, r := Compile(in)
			var out bytes.Buffer
			for _, err := range []error{r.WriteText(&out, report.Note), r.WriteJSON(&out, true), p.WriteEffective(&out, true)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, v := range p.All() {
				for _, step := range p.History(v.Name) {
					fmt.Fprintf(&out, "%+v\n", step)
				}
			}
			for _, step := range p.History(name) {
				fmt.Fprintf(&out, "%+v\n", step)
			}
			if i := strings.Index(out.String(), secret); i >= 0 {
				from := max(i-200, 0)
				t.Errorf("%s, %s: the secret is shown:\n…%s", name, form, out.String()[from:i+len(secret)])
			}
		}
	}
	if secrets < 20 {
		t.Errorf("only %d secret keys", secrets)
	}
}

// conf is a file system with a vernemq.conf.
func conf(text string) source.Texts { return source.Texts{"/etc/vernemq/vernemq.conf": text + "\n"} }
