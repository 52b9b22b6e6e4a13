package admin

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Result is what a command answers: Text, List, Table, Alert or Several.
type Result interface{ result() }

// Text is lines of text.
type Text string

// List is a number of texts under an optional title.
type List struct {
	Title string
	Items []string
}

// Alert says that something is not as asked for. The command has run: its exit code is 0.
type Alert []Result

// Table is a number of rows. They are produced while they are written, so a table of any length needs little memory.
type Table struct {
	Columns []string
	// Rows calls yield with the cells of each row, one for each column, until it returns false. A cell is a string, bool, int, int64,
	// uint64, []byte (a payload), Undefined or nil (the row has no such value). The writer keeps neither the slice nor what it points to.
	Rows func(yield func(cells []any) bool) error
	// Note, if set, is asked after the rows for a remark to people at a terminal, such as that there are more rows.
	Note func() string
}

// Several are results one after the other.
type Several []Result

// Undefined is a cell whose value the client left open.
var Undefined = undefined{}

type undefined struct{}

func (Text) result()    {}
func (List) result()    {}
func (Alert) result()   {}
func (Table) result()   {}
func (Several) result() {}

// rows returns a Table of rows that are at hand.
func rows(columns []string, cells [][]any) Table {
	return Table{Columns: columns, Rows: func(yield func([]any) bool) error {
		for _, r := range cells {
			if !yield(r) {
				break
			}
		}
		return nil
	}}
}

// cellText returns a cell as people read it. It is valid UTF-8.
func cellText(c any) string {
	switch c := c.(type) {
	case nil:
		return "null"
	case undefined:
		return "undefined"
	case string:
		return strings.ToValidUTF8(c, "\uFFFD")
	case []byte:
		return payloadText(c)
	case bool:
		return strconv.FormatBool(c)
	case int:
		return strconv.Itoa(c)
	case int64:
		return strconv.FormatInt(c, 10)
	case uint64:
		return strconv.FormatUint(c, 10)
	}
	panic("BUG: a cell of an unknown type")
}

// payloadText returns a payload as text if it is one, else in the form <<1,2,255>>.
func payloadText(p []byte) string {
	if utf8.Valid(p) {
		return string(p)
	}
	b := make([]byte, 0, 4+4*len(p))
	b = append(b, "<<"...)
	for i, v := range p {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(v), 10)
	}
	return string(append(b, ">>"...))
}
