// Package tripfile writes trips as lines of CSV or JSON, for spreadsheets, data warehouses and the
// operator's own reports. It shows what operators see in the console: no PIN, no photo, no track,
// and of an erased person no more than ride.ForgetTrip leaves.
package tripfile

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hexhail/hexhail/ride"
)

// Format is how a file's lines are written.
type Format string

// The formats.
const (
	// CSV is comma-separated text by RFC 4180 with one line of headings.
	CSV Format = "csv"
	// JSONLines has one JSON object on each line, with the same keys in the same order.
	JSONLines Format = "jsonl"
)

// ContentType is the format's media type.
func (f Format) ContentType() string {
	if f == CSV {
		return "text/csv; charset=utf-8; header=present"
	}
	return "application/jsonl"
}

// Writer writes trips as lines. It is for one goroutine.
type Writer struct {
	format  Format
	columns []Column
	keys    []string // of JSON, quoted
	out     *bufio.Writer
	csv     *csv.Writer
	record  []string
	begun   bool
}

// New makes a writer to w. An unknown format is ride.ErrInvalidArgument.
func New(w io.Writer, f Format) (*Writer, error) {
	if f != CSV && f != JSONLines {
		return nil, ride.ErrInvalidArgument.With("The format is %s or %s, not %q.", CSV, JSONLines, f).In("format")
	}
	out := &Writer{format: f, columns: Columns(), out: bufio.NewWriter(w)}
	out.csv = csv.NewWriter(out.out)
	for _, c := range out.columns {
		out.keys = append(out.keys, `"`+c.Name+`":`)
	}
	return out, nil
}

// Write adds one trip's line, which may stay in a buffer until Flush.
func (w *Writer) Write(t *ride.Trip) error {
	if err := w.begin(); err != nil {
		return err
	}
	if w.format == CSV {
		return w.writeCSV(t)
	}
	return w.writeJSON(t)
}

// Flush hands everything over to the underlying writer. A file without trips has its headings.
func (w *Writer) Flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.csv.Flush()
	if err := w.csv.Error(); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w *Writer) begin() error {
	if w.begun || w.format != CSV {
		return nil
	}
	w.begun = true
	w.record = w.record[:0]
	for _, c := range w.columns {
		w.record = append(w.record, c.Name)
	}
	return w.csv.Write(w.record)
}

func (w *Writer) writeCSV(t *ride.Trip) error {
	w.record = w.record[:0]
	for _, c := range w.columns {
		v := c.of(t)
		if v.words {
			v.value = disarmed(v.value)
		}
		w.record = append(w.record, v.value)
	}
	return w.csv.Write(w.record)
}

func (w *Writer) writeJSON(t *ride.Trip) error {
	line := []byte{'{'}
	for i, c := range w.columns {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, w.keys[i]...)
		switch v := c.of(t); {
		case v.missing():
			line = append(line, "null"...)
		case v.words:
			quoted, err := json.Marshal(v.value)
			if err != nil {
				return fmt.Errorf("encode %s of trip %s: %w", c.Name, t.ID, err)
			}
			line = append(line, quoted...)
		default:
			line = append(line, v.value...)
		}
	}
	_, err := w.out.Write(append(line, '}', '\n'))
	return err
}

const (
	// formulas are the characters with which spreadsheets recognise a formula, also as the full-width
	// forms that East Asian versions accept.
	formulas = "=+-@\t＝＋－＠"
	// separators are what some spreadsheet begins a cell behind, even in the middle of our field:
	// where commas mark decimals, Excel splits at semicolons, and quotes within a cell are text to it.
	separators = ";\t\r\n"
)

// disarmed puts an apostrophe before words that a spreadsheet would compute, wherever it may begin
// a cell: a rider's note must not run on the operator's desk.
func disarmed(s string) string {
	var out strings.Builder
	begins, kept := true, 0 // kept is how much of s is in out
	for i, r := range s {
		if begins && (computed(s[i:]) || i == 0 && (r == '\r' || r == '\n')) {
			out.WriteString(s[kept:i])
			out.WriteByte('\'')
			kept = i
		}
		begins = strings.ContainsRune(separators, r)
	}
	if out.Len() == 0 {
		return s
	}
	out.WriteString(s[kept:])
	return out.String()
}

// computed tells whether a spreadsheet takes a cell with these words for a formula. Spaces before it
// do not keep one from that, and quotes may be markup there.
func computed(cell string) bool {
	cell = strings.TrimLeftFunc(cell, func(r rune) bool { return r == '"' || unicode.Is(unicode.Zs, r) })
	first, _ := utf8.DecodeRuneInString(cell)
	return cell != "" && strings.ContainsRune(formulas, first)
}
