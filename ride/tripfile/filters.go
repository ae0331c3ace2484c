package tripfile

import (
	"net/url"
	"slices"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Filters describes for the audit which trips an export holds, besides the account, which is the
// entry's subject; empty for all of them. It leaves the searched text out: a person's name would
// outlast that person's erasure.
func Filters(f ride.TripFilter) string {
	q := url.Values{}
	for _, s := range slices.Compact(slices.Sorted(slices.Values(f.Statuses))) {
		q.Add("status", string(s))
	}
	if f.Live {
		q.Set("live", "true")
	}
	for name, at := range map[string]time.Time{"from": f.From, "to": f.To} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339))
		}
	}
	if f.Text != "" {
		q.Set("q", "…")
	}
	words, _ := url.QueryUnescape(q.Encode()) // which it can read
	return words
}
