package memstore

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/hexhail/hexhail/ride"
)

// mark begins every cursor; the id of the last entry shown follows.
const mark = "after:"

// The bounds of a page, as the databases have them.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// paged cuts a page, newest first.
func paged[T any](all []T, p ride.Page, key func(T) (time.Time, string)) ([]T, string, error) {
	if p.Limit < 0 || p.Limit > maxLimit {
		return nil, "", ride.ErrInvalidArgument.In("limit")
	}
	if p.Limit == 0 {
		p.Limit = defaultLimit
	}
	slices.SortFunc(all, func(x, y T) int {
		xt, xi := key(x)
		yt, yi := key(y)
		return cmp.Or(yt.Compare(xt), cmp.Compare(yi, xi))
	})
	if p.Cursor != "" {
		last, ok := strings.CutPrefix(p.Cursor, mark)
		if !ok {
			return nil, "", ride.ErrInvalidArgument.In("cursor")
		}
		at := slices.IndexFunc(all, func(v T) bool { _, id := key(v); return id == last })
		all = all[at+1:]
	}
	if len(all) <= p.Limit {
		return all, "", nil
	}
	_, last := key(all[p.Limit-1])
	return all[:p.Limit], mark + last, nil
}

// fold makes text comparable without regard to case, as the databases do.
func fold(s string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
}

// valid reports whether a database can hold these texts.
func valid(texts ...string) bool {
	for _, s := range texts {
		if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
			return false
		}
	}
	return true
}
