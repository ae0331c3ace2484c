// Package demand reads the data of a simulated city: requests, drivers' starting points, the traces
// of a real fleet, and streets. All files are CSV with a header, gzipped if their name ends in .gz;
// columns are found by name and others are ignored. docs/simulation.md describes the formats.
package demand

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/hexhail/hexhail/geo"
)

// ErrFormat means that a file does not have the expected format.
var ErrFormat = errors.New("not of the expected format")

// maxRows bounds a file, so that a wrong one cannot exhaust memory.
const maxRows = 5_000_000

// Open opens a file, unzipping it if its name ends in .gz. The caller closes it.
func Open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(path, ".gz") {
		return f, nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return zipped{z, f}, nil
}

// ReadFile opens a file and reads it with one of this package's functions.
func ReadFile[T any](path string, read func(io.Reader) (T, error)) (T, error) {
	var none T
	f, err := Open(path)
	if err != nil {
		return none, err
	}
	out, err := read(f)
	if err != nil {
		return none, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return out, f.Close()
}

type zipped struct {
	*gzip.Reader
	file io.Closer
}

func (z zipped) Close() error { return errors.Join(z.Reader.Close(), z.file.Close()) }

// Table reads a CSV file with a header row by row, and finds columns by name. It has one owner.
type Table struct {
	r       *csv.Reader
	columns map[string]int
	row     []string
	line    int
}

// NewTable reads the header; the error wraps ErrFormat.
func NewTable(r io.Reader) (*Table, error) {
	t := &Table{r: csv.NewReader(r), columns: make(map[string]int), line: 1}
	t.r.ReuseRecord = true
	head, err := t.r.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: it has no header: %w", ErrFormat, err)
	}
	for i, name := range head {
		t.columns[strings.TrimSpace(name)] = i
	}
	return t, nil
}

// Need reports columns that are missing; the error wraps ErrFormat.
func (t *Table) Need(names ...string) error {
	for _, n := range names {
		if _, ok := t.columns[n]; !ok {
			return fmt.Errorf("%w: there is no column %s", ErrFormat, n)
		}
	}
	return nil
}

// First is the first of some columns that exists; empty if none does.
func (t *Table) First(names ...string) string {
	for _, n := range names {
		if _, ok := t.columns[n]; ok {
			return n
		}
	}
	return ""
}

// Next reads a row; false at the end. The error wraps ErrFormat.
func (t *Table) Next() (bool, error) {
	row, err := t.r.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	t.line++
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrFormat, err)
	case t.line > maxRows:
		return false, fmt.Errorf("%w: more than %d rows", ErrFormat, maxRows)
	}
	t.row = row
	return true, nil
}

// Text returns a column of the row without spaces around it; empty where there is no such column.
func (t *Table) Text(column string) string {
	i, ok := t.columns[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(t.row[i])
}

// Number returns a column of the row as a finite number; the error wraps ErrFormat.
func (t *Table) Number(column string) (float64, error) {
	x, err := strconv.ParseFloat(t.Text(column), 64)
	if err != nil || x != x || math.IsInf(x, 0) {
		return 0, t.Bad(column)
	}
	return x, nil
}

// Whole returns a column of the row as a whole number; the error wraps ErrFormat.
func (t *Table) Whole(column string) (int64, error) {
	x, err := strconv.ParseInt(t.Text(column), 10, 64)
	if err != nil {
		return 0, t.Bad(column)
	}
	return x, nil
}

// Point returns two columns of the row as a valid point, in degrees WGS84; the error wraps ErrFormat.
func (t *Table) Point(lat, lng string) (geo.Point, error) {
	var p geo.Point
	var err error
	if p.Lat, err = t.Number(lat); err != nil {
		return p, err
	}
	if p.Lng, err = t.Number(lng); err != nil {
		return p, err
	}
	if err := p.Validate(); err != nil {
		return p, fmt.Errorf("%w: line %d: %w", ErrFormat, t.line, err)
	}
	return p, nil
}

// Bad is the error of a row whose column cannot be read; it wraps ErrFormat.
func (t *Table) Bad(column string) error {
	return fmt.Errorf("%w: line %d: %s is %q", ErrFormat, t.line, column, t.Text(column))
}
