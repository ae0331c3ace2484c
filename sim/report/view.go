package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Line is how things stand, in one line without escape codes.
func Line(r Report) string {
	return fmt.Sprintf("%6.1fs requested %d searching %d riding %d matched %d completed %d cancelled %d expired %d | "+
		"match p50 %.0f ms p99 %.0f ms | updates %d reconnects %d errors %d violations %d",
		r.Elapsed.Seconds(), r.Requested, r.Searching, r.Riding, r.Matched, r.Completed, r.Cancelled, r.Expired,
		r.TimeToMatchMs.P50, r.TimeToMatchMs.P99, r.LocationUpdates, r.Reconnects, total(r.Errors), total(r.Violations))
}

func total(m map[string]int64) (n int64) {
	for _, x := range m {
		n += x
	}
	return n
}

// Live draws how things stand on a terminal, over what it drew before. It is not safe
// for concurrent use.
type Live struct {
	w       io.Writer
	width   int
	header  string
	lines   int
	updates int64
	at      time.Duration
}

// NewLive draws on a terminal of so many columns, with a line above everything unless it
// is empty.
func NewLive(w io.Writer, width int, header string) *Live {
	return &Live{w: w, width: min(max(width, 40), 120), header: header}
}

// Draw shows a report; of is the planned duration, 0 when it has no plan.
func (l *Live) Draw(r Report, of time.Duration) error {
	rate := 0.0
	if r.Elapsed > l.at {
		rate = float64(r.LocationUpdates-l.updates) / (r.Elapsed - l.at).Seconds()
	}
	l.updates, l.at = r.LocationUpdates, r.Elapsed
	rows := []string{
		bar(r.Elapsed, of, l.width),
		fmt.Sprintf("requested %6d   searching %5d   riding %5d", r.Requested, r.Searching, r.Riding),
		fmt.Sprintf("matched   %6d   completed %5d   cancelled %3d   expired %3d", r.Matched, r.Completed, r.Cancelled, r.Expired),
		fmt.Sprintf("time to match p50 %.0f ms  p99 %.0f ms   positions %.0f/s", r.TimeToMatchMs.P50, r.TimeToMatchMs.P99, rate),
		fmt.Sprintf("reconnects %d (resumed %d)   violations %d", r.Reconnects, r.Resumed, total(r.Violations)),
		"refusals  " + codes(r.Errors),
	}
	if l.header != "" {
		rows = append([]string{l.header, ""}, rows...)
	}
	var b strings.Builder
	if l.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.lines) // up, over the last drawing
	}
	for _, row := range rows {
		b.WriteString("\x1b[2K" + cut(row, l.width) + "\n")
	}
	l.lines = len(rows)
	_, err := io.WriteString(l.w, b.String())
	return err
}

// bar is a progress bar, or just the time when there is no end.
func bar(at, of time.Duration, width int) string {
	at = at.Round(100 * time.Millisecond)
	if of <= 0 {
		return "running for " + at.String()
	}
	label := fmt.Sprintf(" %s of %s", at, of)
	room := max(width-len(label)-2, 10)
	full := min(int(float64(room)*float64(at)/float64(of)), room)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]" + label
}

func cut(s string, width int) string {
	if len(s) > width {
		return s[:width]
	}
	return s
}

// codes lists counts by code, the most frequent first.
func codes(m map[string]int64) string {
	if len(m) == 0 {
		return "none"
	}
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s %d", k, m[k])
	}
	return strings.Join(parts, ", ")
}

// Table writes what a run came to.
func Table(w io.Writer, r Report) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	q := func(x Quantiles) string {
		return fmt.Sprintf("p50 %.1f ms, p95 %.1f ms, p99 %.1f ms", x.P50, x.P95, x.P99)
	}
	row("run", "%.1f s at speed %g, %d drivers, seed %d", r.Elapsed.Seconds(), r.Speed, r.Drivers, r.Seed)
	row("requested", "%d of %d due", r.Requested, r.Due)
	row("matched", "%d", r.Matched)
	row("completed", "%d", r.Completed)
	row("cancelled", "%d", r.Cancelled)
	row("expired", "%d", r.Expired)
	row("still searching, riding", "%d, %d", r.Searching, r.Riding)
	row("wait for the car", "mean %.0f s, p50 %.0f s, p90 %.0f s (simulated)", r.WaitS.Mean, r.WaitS.P50, r.WaitS.P90)
	row("request to first offer", "%s", q(r.TimeToOfferMs))
	row("request to match", "%s", q(r.TimeToMatchMs))
	row("acceptance to rider's news", "%s", q(r.AcceptToNotified))
	row("position to rider", "%s", q(r.LocationLatency))
	row("offers per trip", "%.2f", r.OffersPerTrip)
	row("races lost", "%d", r.LostRaces)
	row("positions sent", "%d", r.LocationUpdates)
	row("reconnects", "%d, %d resumed", r.Reconnects, r.Resumed)
	row("refusals", "%s", codes(r.Errors))
	row("protocol errors", "%d", r.ProtocolErrors)
	row("double matches", "%d", r.DoubleMatches)
	for _, k := range slices.SortedFunc(maps.Keys(r.Violations), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	}) {
		row("violations of "+k, "%d", r.Violations[k])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(w, "  -", f); err != nil {
			return err
		}
	}
	return nil
}
