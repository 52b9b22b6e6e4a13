package schema

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every default and sample is accepted by its own key without a remark, and means the same when it is written in the usual form.
func TestDefaultsAndSamplesParse(t *testing.T) {
	for _, k := range load(t).Keys() {
		for kind, text := range map[string]string{"default": k.Default, "sample": k.Sample} {
			if text == "" && !(kind == "default" && k.HasDefault()) {
				continue
			}
			value, notes, err := k.Parse(text)
			notes = slices.DeleteFunc(notes, func(n Note) bool { return n.Code == CodeWordHint }) // VerneMQ's defaults are not all wise
			if err != nil || len(notes) > 0 {
				t.Errorf("the %s of %s: %v %v", kind, k.Name, notes, err)
				continue
			}
			if again, _, err := k.Parse(k.Format(value)); err != nil || k.Format(again) != k.Format(value) {
				t.Errorf("the %s of %s is written %q, which is read as %v: %v", kind, k.Name, k.Format(value), again, err)
			}
			if strings.Contains(text, "$(") {
				t.Errorf("the %s of %s holds a reference: they are for operators", kind, k.Name)
			}
		}
	}
}

// notKeys are words of documentation that look like keys and are none.
var notKeys = map[string]bool{
	"vmq.acl": true, "3.x": true, "vmq.passwd": true, "cert.pem": true, "auth_on_register": true, "auth_on_publish": true,
}

// Every key that documentation and hints name is one, and every line key = value in them is accepted.
func TestNamesInTextsAreKeys(t *testing.T) {
	s := load(t)
	name := regexp.MustCompile(`(?:^|[\s(])((?:[a-z0-9]+_)*[a-z0-9]+(?:\.[a-zA-Z_$]+)+|[a-z0-9]+(?:_[a-z0-9]+)+)(?:\s=\s(\S+))?`)
	last := map[string]bool{} // words that end a key: an option spoken of by its own name
	for _, k := range s.Keys() {
		words := SplitName(k.Name)
		last[words[len(words)-1]] = true
		for i := range words {
			last[JoinName(words[i:])] = true
		}
		for _, w := range append(k.Words, words...) {
			last[w] = true
		}
	}
	checked := 0
	for _, k := range s.Keys() {
		for _, m := range name.FindAllStringSubmatch(k.Doc+" "+k.Hint, -1) {
			checked++
			word, value := strings.TrimRight(m[1], "."), strings.TrimRight(m[2], ".,;:)")
			concrete := strings.NewReplacer("plugins.NAME", "plugins.vmq_acl", "PROTOCOL", "http", "NAME", "some", "OPTION", "some", "$name", "some").Replace(word)
			found, _, ok := s.Lookup(concrete)
			switch {
			case ok && found.Effect == Refused:
				t.Errorf("%s: the text names %s, which is gone", k.Name, word)
			case ok && value != "":
				if _, _, err := found.Parse(value); err != nil {
					t.Errorf("%s: the text says %s = %s: %v", k.Name, word, value, err)
				}
			case !ok && !last[word] && !notKeys[word]:
				if _, _, old := s.ByAlias(concrete); !old {
					t.Errorf("%s: the text names %s, which is no key", k.Name, word)
				}
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d names were found in the texts", checked)
	}
}
