package persistence

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/hexhail/hexhail/ride"
)

// cursor is the place of a list's last row: lists go by time and id, newest first.
type cursor struct {
	at int64 // microseconds since 1970
	id string
}

// cursorVersion begins every cursor, so that its form can change.
const cursorVersion = "1"

// maxCursor bounds an encoded cursor, in bytes.
const maxCursor = 512

func (c cursor) encode() string {
	return base64.RawURLEncoding.EncodeToString(
		[]byte(cursorVersion + ":" + strconv.FormatInt(c.at, 10) + ":" + c.id))
}

// decodeCursor reads what encode wrote, and refuses everything else.
func decodeCursor(s string) (cursor, error) {
	bad := ride.ErrInvalidArgument.With("This cursor is not one that a list returned.").In("cursor")
	if len(s) > maxCursor {
		return cursor{}, bad
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || !validText(string(raw)) {
		return cursor{}, bad
	}
	version, rest, ok := strings.Cut(string(raw), ":")
	if !ok || version != cursorVersion {
		return cursor{}, bad
	}
	digits, id, ok := strings.Cut(rest, ":")
	if !ok || id == "" {
		return cursor{}, bad
	}
	at, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return cursor{}, bad
	}
	c := cursor{at: at, id: id}
	if c.encode() != s { // a second spelling of the same place, such as a plus sign
		return cursor{}, bad
	}
	return c, nil
}

// The bounds of a page.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// window checks a page: how many rows to return, and where to begin. A limit of 0
// means 50.
func window(p ride.Page) (limit int, from *cursor, err error) {
	switch {
	case p.Limit < 0 || p.Limit > maxLimit:
		return 0, nil, ride.ErrInvalidArgument.With("A page has from 1 to %d entries.", maxLimit).In("limit")
	case p.Limit == 0:
		p.Limit = defaultLimit
	}
	if p.Cursor == "" {
		return p.Limit, nil, nil
	}
	c, err := decodeCursor(p.Cursor)
	if err != nil {
		return 0, nil, err
	}
	return p.Limit, &c, nil
}

// query gathers the conditions of a list; texts are constants of this package and
// values only ever go into args.
type query struct {
	where []string
	args  []any
}

// arg adds a value and returns its placeholder.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

func (q *query) and(cond string) { q.where = append(q.where, cond) }

// page closes the query: rows older than the cursor, newest first, one more than
// the limit so that the last page is known as such.
func (q *query) page(sel, timeColumn, idColumn string, limit int, from *cursor) string {
	if from != nil {
		at, id := q.arg(from.at), q.arg(from.id)
		q.and("(" + timeColumn + " < " + at + " OR (" + timeColumn + " = " + at + " AND " + idColumn + " < " + id + "))")
	}
	return q.whole(sel) + " ORDER BY " + timeColumn + " DESC, " + idColumn + " DESC LIMIT " + q.arg(limit+1)
}

// whole is the query with its conditions, for all rows in no order.
func (q *query) whole(sel string) string {
	if len(q.where) == 0 {
		return sel
	}
	return sel + " WHERE " + strings.Join(q.where, " AND ")
}

// contains is a LIKE pattern for rows that hold text, whose wildcards mean
// themselves; the column must be folded as well.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(fold(text)) + "%"
}

// fold makes text comparable without regard to case. It runs in Go because the
// engines disagree on letters beyond ASCII.
func fold(s string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
}

// validText reports whether the engines can hold all of these as TEXT: Postgres
// takes neither NUL nor broken UTF-8.
func validText(texts ...string) bool {
	for _, s := range texts {
		if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// checkFilter refuses what a filter looks for if no stored text can hold it. Postgres fails on it.
func checkFilter(field string, texts ...string) error {
	if validText(texts...) {
		return nil
	}
	return ride.ErrInvalidArgument.With("The filter %s must be UTF-8 text without NUL characters.", field).In(field)
}

// micros is the stored form of a time.
func micros(t time.Time) int64 { return t.UnixMicro() }

// orNull is the stored form of a time that may be missing.
func orNull(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := t.UnixMicro()
	return &us
}

// fromMicros reads the stored form of a time.
func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
