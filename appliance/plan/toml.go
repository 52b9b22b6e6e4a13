package plan

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format is the version of the compiled file's form. The broker refuses any other.
const Format = 1

// WriteTOML writes the compiled runtime configuration: every value typed, durations in the unit of their key, listeners with their options
// after inheritance. Secrets are in it in clear: the file must be readable by the broker only. Listeners the broker cannot open yet are left
// out.
func (p *Plan) WriteTOML(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Written by the configuration compiler: edit /etc/vernemq/vernemq.conf instead.\nformat = %d\ncompiler = %s\n\n[settings]\n",
		Format, tomlString(p.Compiler))
	if err := writeValues(b, p.Values); err != nil {
		return err
	}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		if !l.Live() {
			continue
		}
		fmt.Fprintf(b, "\n[[listener]]\nprotocol = %s\nname = %s\naddress = ", tomlString(l.Protocol), tomlString(l.Name))
		if err := writeValue(b, l.Address.Value); err != nil {
			return fmt.Errorf("%s: %w", l.Address.Name, err)
		}
		fmt.Fprint(b, "\n[listener.options]\n")
		if err := writeValues(b, l.Options); err != nil {
			return err
		}
	}
	return b.Flush()
}

func writeValues(b *bufio.Writer, values []Value) error {
	for i := range values {
		v := &values[i]
		b.WriteString(tomlKey(v.Name) + " = ")
		if err := writeValue(b, v.Value); err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		b.WriteByte('\n')
	}
	return nil
}

func writeValue(b *bufio.Writer, value any) error {
	switch v := value.(type) {
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(tomlFloat(v))
	case string:
		b.WriteString(tomlString(v))
	case []int64:
		parts := make([]string, len(v))
		for i, n := range v {
			parts[i] = strconv.FormatInt(n, 10)
		}
		b.WriteString("[" + strings.Join(parts, ", ") + "]")
	case []string:
		parts := make([]string, len(v))
		for i, s := range v {
			parts[i] = tomlString(s)
		}
		b.WriteString("[" + strings.Join(parts, ", ") + "]")
	default:
		return fmt.Errorf("no TOML form for a %T", value)
	}
	return nil
}

// tomlKey returns a key, quoted unless it is a bare one.
func tomlKey(name string) string {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return tomlString(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

// tomlString returns a basic string. Bytes that are not UTF-8 cannot stand in TOML and become U+FFFD.
func tomlString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7F:
			fmt.Fprintf(&b, `\u%04X`, r)
		case r == utf8.RuneError:
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// tomlFloat returns a float with a point or an exponent, so that it is not read back as an integer.
func tomlFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
