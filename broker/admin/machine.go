package admin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// writeJSON writes r as one JSON value without a line feed behind it.
func writeJSON(w *bufio.Writer, r Result, opts Options) error {
	switch r := r.(type) {
	case Text:
		fmt.Fprintf(w, `{"type":"text","text":%s}`, quote(strings.TrimRight(string(r), "\n")))
	case List:
		w.WriteString(`{"type":"list"`)
		if r.Title != "" {
			fmt.Fprintf(w, `,"title":%s`, quote(r.Title))
		}
		w.WriteString(`,"list":[`)
		for i, item := range r.Items {
			comma(w, i)
			w.Write(quote(item))
		}
		w.WriteString("]}")
	case Alert:
		w.WriteString(`{"type":"alert","alert":[`)
		for i, inner := range r {
			comma(w, i)
			if err := writeJSON(w, inner, opts); err != nil {
				return err
			}
		}
		w.WriteString("]}")
	case Several:
		w.WriteByte('[')
		for i, inner := range r {
			comma(w, i)
			if err := writeJSON(w, inner, opts); err != nil {
				return err
			}
		}
		w.WriteByte(']')
	case Table:
		return writeJSONTable(w, r)
	}
	return nil
}

// writeJSONTable writes a table as an array of objects, each with its members in the order of the columns.
func writeJSONTable(w *bufio.Writer, t Table) error {
	names := make([][]byte, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = append(quote(c), ':')
	}
	w.WriteString(`{"type":"table","table":[`)
	n := 0
	var failed error
	err := t.Rows(func(cells []any) bool {
		comma(w, n)
		n++
		for i, c := range cells {
			w.WriteByte("{,"[min(i, 1)])
			w.Write(names[i])
			switch c := c.(type) {
			case nil, undefined:
				w.WriteString("null")
			case string, []byte:
				w.Write(quote(cellText(c)))
			default:
				w.WriteString(cellText(c)) // booleans and integers
			}
		}
		failed = w.WriteByte('}')
		return failed == nil
	})
	w.WriteString("]}")
	if err == nil {
		err = failed
	}
	return err
}

func comma(w *bufio.Writer, i int) {
	if i > 0 {
		w.WriteByte(',')
	}
}

// quote returns s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("BUG: a string has no JSON form: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// writeCSV writes tables in the form of RFC 4180: a header, CRLF, quotes where needed. Text and lists are written as they are, alerts go to
// stderr, so that what reads the table never takes them for rows.
func writeCSV(w, stderr *bufio.Writer, r Result, opts Options) error {
	switch r := r.(type) {
	case Alert:
		return writeHuman(stderr, r, opts)
	case Several: // what reads a table wants nothing else
		for _, inner := range r {
			out := w
			if _, ok := inner.(Table); !ok {
				out = stderr
			}
			if err := writeCSV(out, stderr, inner, opts); err != nil {
				return err
			}
		}
		return nil
	case Table:
		return writeCSVTable(w, r)
	default:
		return writeHuman(w, r, opts)
	}
}

func writeCSVTable(w *bufio.Writer, t Table) error {
	field := func(i int, s string) {
		comma(w, i)
		if strings.ContainsAny(s, ",\"\r\n") {
			s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
		w.WriteString(s)
	}
	for i, c := range t.Columns {
		field(i, c)
	}
	w.WriteString("\r\n")
	var failed error
	err := t.Rows(func(cells []any) bool {
		for i, c := range cells {
			field(i, cellText(c))
		}
		_, failed = w.WriteString("\r\n")
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}
