package mqtt

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// plainValid is ValidString as the specification says it, a character at a time.
func plainValid(b []byte) bool {
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == 0 || r == utf8.RuneError && n == 1 {
			return false
		}
		rest = rest[n:]
	}
	return len(b) <= 65535
}

func plainTopic(b []byte) bool { return len(b) > 0 && plainValid(b) && !bytes.ContainsAny(b, "+#") }

func TestValidString(t *testing.T) {
	for _, tt := range []struct {
		name, in      string
		string, topic bool
	}{
		{"empty", "", true, false},
		{"ASCII", "a/b", true, true},
		{"control characters, which the specification leaves open", "a\x01\x1f\x7f", true, true},
		{"two bytes", "\u00a0\u07ff", true, true},
		{"three bytes", "\u0800\ud7ff\ue000\uffff", true, true},
		{"byte order mark stays", "\ufeffa", true, true},
		{"four bytes", "\U00010000\U0010ffff", true, true},
		{"U+0000", "a\x00", false, false},
		{"U+0000 overlong", "\xc0\x80", false, false},
		{"overlong, two bytes", "\xc1\xbf", false, false},
		{"overlong, three", "\xe0\x9f\xbf", false, false},
		{"overlong, four", "\xf0\x8f\xbf\xbf", false, false},
		{"first surrogate", "\xed\xa0\x80", false, false},
		{"last surrogate", "\xed\xbf\xbf", false, false},
		{"beyond U+10FFFF", "\xf4\x90\x80\x80", false, false},
		{"continuation alone", "\x80", false, false},
		{"cut", "abcdefg\xe2\x82", false, false},
		{"plus", "a/+", true, false},
		{"hash", "#", true, false},
		{"neighbours of the wildcards", "\",*$", true, true},
		{"dollar", "$SYS/x", true, true},
		{"of full length", strings.Repeat("a", 65535), true, true},
		{"too long", strings.Repeat("a", 65536), false, false},
		{"too long, not ASCII", strings.Repeat("ü", 32768), false, false},
	} {
		if got := ValidString([]byte(tt.in)); got != tt.string {
			t.Errorf("%s: string is %v, want %v", tt.name, got, tt.string)
		}
		if got := ValidTopicName([]byte(tt.in)); got != tt.topic {
			t.Errorf("%s: topic is %v, want %v", tt.name, got, tt.topic)
		}
	}
}

// TestValidEveryPlace puts every byte at every place of strings of up to 25 bytes, so that it meets each step of the loops.
func TestValidEveryPlace(t *testing.T) {
	for size := 1; size <= 25; size++ {
		for at := range size {
			b := bytes.Repeat([]byte{'a'}, size)
			for c := range 256 {
				b[at] = byte(c)
				if got, want := ValidString(b), plainValid(b); got != want {
					t.Fatalf("string % x is %v, want %v", b, got, want)
				}
				if got, want := ValidTopicName(b), plainTopic(b); got != want {
					t.Fatalf("topic % x is %v, want %v", b, got, want)
				}
			}
		}
	}
}

func FuzzValidString(f *testing.F) {
	for _, s := range []string{"", "a/b/c/d/e/f", "müll/€/😀/x", "12345678\x00", "1234567+", "\xff\xfe", "a\xed\xa0\x80"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := ValidString(b), plainValid(b); got != want {
			t.Errorf("string % x is %v, want %v", b, got, want)
		}
		if got, want := ValidTopicName(b), plainTopic(b); got != want {
			t.Errorf("topic % x is %v, want %v", b, got, want)
		}
	})
}
