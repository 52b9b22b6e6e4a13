package bench

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CSV is a table of results in a file. Results are added below those it has.
type CSV struct {
	file *os.File
	w    *csv.Writer
}

// header are the columns of the file.
func header() []string {
	h := []string{"started", "scenario", "mode", "address", "mqtt", "qos", "size", "publishers", "subscribers", "clients", "count", "rate", "threads"}
	for i := range Figures {
		h = append(h, Figures[i].Name)
	}
	return append(h, "problems")
}

// OpenCSV opens or creates the file. One that holds something else is an error and is left alone.
func OpenCSV(name string) (*CSV, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	c := &CSV{file: f, w: csv.NewWriter(f)}
	switch first, err := csv.NewReader(io.LimitReader(f, 64<<10)).Read(); {
	case errors.Is(err, io.EOF):
		err = c.write(header())
		if err != nil {
			f.Close()
			return nil, err
		}
	case err != nil || !slices.Equal(first, header()):
		f.Close()
		return nil, fmt.Errorf("%s exists and has other columns: name a new file", name)
	}
	return c, nil
}

// Add adds a result.
func (c *CSV) Add(r *Result) error {
	row := []string{r.Started.Format(time.RFC3339), r.Scenario, r.Mode, r.Address, r.MQTT, strconv.Itoa(r.QoS), strconv.Itoa(r.Size), strconv.Itoa(r.Publishers),
		strconv.Itoa(r.Subscribers), strconv.Itoa(r.Clients), strconv.Itoa(r.Count), strconv.FormatFloat(r.Rate, 'f', -1, 64), strconv.Itoa(r.Threads)}
	for i := range Figures {
		cell := ""
		if v, ok := r.Figures[Figures[i].Name]; ok {
			cell = strconv.FormatFloat(v, 'f', -1, 64)
		}
		row = append(row, cell)
	}
	return c.write(append(row, strings.Join(r.Problems, "; ")))
}

func (c *CSV) write(row []string) error {
	if err := c.w.Write(row); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}

// Close closes the file.
func (c *CSV) Close() error { return c.file.Close() }
