package eula

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"unicode/utf8"

	"vernemq/packaging"
)

// Screen is the terminal of a person who is asked.
type Screen struct {
	In   io.Reader // what is typed; read by the question, and by the paging if there is any
	Out  io.Writer
	Rows int // lines that fit; 0 if not known: then nothing is paged
	Cols int // characters that fit in a line; 0 if not known
	// Pager is a command as in $PAGER, run by the shell with the text on its standard input; empty: what does not fit is shown screen by screen.
	Pager string
}

// Ask shows the text and reads the answer. Only yes, or y, in any letter case accepts; the end of the input does not.
func Ask(s Screen) (bool, error) {
	in := bufio.NewReader(io.LimitReader(s.In, 64<<10))
	if err := s.show(in, packaging.EULA); err != nil {
		return false, err
	}
	if _, err := fmt.Fprint(s.Out, "\nDo you accept these terms? [yes/no] "); err != nil {
		return false, err
	}
	answer, err := line(in)
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "yes" || answer == "y", err
}

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 1024

// line reads a line, or what there is at the end of the input.
func line(in *bufio.Reader) (string, error) {
	var text []byte
	for len(text) < maxAnswer {
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return string(text), nil
		case err != nil:
			return "", err
		case b == '\n':
			return string(text), nil
		}
		text = append(text, b)
	}
	return string(text), nil
}

// show writes the text, paged if it is longer than the screen.
func (s *Screen) show(in *bufio.Reader, text string) error {
	lines := s.wrap(text)
	if s.Rows <= 1 || len(lines) < s.Rows {
		_, err := io.WriteString(s.Out, text)
		return err
	}
	if s.Pager != "" {
		pager := exec.Command("/bin/sh", "-c", s.Pager)
		pager.Stdin, pager.Stdout, pager.Stderr = strings.NewReader(text), s.Out, os.Stderr
		if pager.Run() == nil {
			return nil
		} // a pager that cannot run must not hide the text
	}
	return s.page(in, lines)
}

// page shows lines screen by screen.
func (s *Screen) page(in *bufio.Reader, lines []string) error {
	for len(lines) > 0 {
		n := min(s.Rows-1, len(lines))
		if _, err := io.WriteString(s.Out, strings.Join(lines[:n], "\n")+"\n"); err != nil {
			return err
		}
		if lines = lines[n:]; len(lines) == 0 {
			break
		}
		rest := fmt.Sprintf("%d more lines: Enter shows them", len(lines))
		if len(lines) == 1 {
			rest = "1 more line: Enter shows it"
		}
		if _, err := fmt.Fprintf(s.Out, "-- %s, q goes to the question -- ", rest); err != nil {
			return err
		}
		answer, err := line(in)
		if err != nil || strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "q") {
			return err
		}
	}
	return nil
}

// wrap splits the text into lines that fit, at blanks where there are any.
func (s *Screen) wrap(text string) (lines []string) {
	for l := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		for s.Cols > 0 && utf8.RuneCountInString(l) > s.Cols {
			cut := len(string([]rune(l)[:s.Cols]))
			if blank := strings.LastIndexByte(l[:cut+1], ' '); blank > 0 && strings.TrimSpace(l[:blank]) != "" {
				cut = blank
			}
			lines, l = append(lines, l[:cut]), strings.TrimLeft(l[cut:], " ")
		}
		lines = append(lines, l)
	}
	return lines
}
