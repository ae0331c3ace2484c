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

// Line is the current figures in one line, without escape codes.
func Line(r Report) string {
	return fmt.Sprintf("%6.1fs requested %d searching %d riding %d matched %d completed %d cancelled %d expired %d | "+
		"match p50 %.0f ms p99 %.0f ms | updates %d reconnects %d errors %d late %d violations %d",
		r.Elapsed.Seconds(), r.Requested, r.Searching, r.Riding, r.Matched, r.Completed, r.Cancelled, r.Expired,
		r.TimeToMatchMs.P50, r.TimeToMatchMs.P99, r.LocationUpdates, r.Reconnects, total(r.Errors), total(r.Late), total(r.Violations))
}

func total(m map[string]int64) (n int64) {
	for _, x := range m {
		n += x
	}
	return n
}

// Live draws the current figures on a terminal, over the previous drawing. It is not safe for
// concurrent use.
type Live struct {
	w      io.Writer
	width  func() int
	header string
	lines  int
	rates  []sample // recent samples, so that the rate is smooth
}

// sample is the number of positions sent by a time.
type sample struct {
	at      time.Duration
	updates int64
}

// rateOver is how far back the rate of positions looks.
const rateOver = 3 * time.Second

// The columns that a drawing may have.
const (
	minWidth = 20
	maxWidth = 120
)

// NewLive draws on a terminal whose width is read each time, because the window may change. The
// header, if not empty, is shown above everything.
func NewLive(w io.Writer, width func() int, header string) *Live {
	return &Live{w: w, width: width, header: header}
}

// Draw shows a report; of is the planned duration, 0 when it has no plan.
func (l *Live) Draw(r Report, of time.Duration) error {
	// Leave the last column free: some terminals wrap after it.
	width := min(max(l.width()-1, minWidth), maxWidth)
	rows := slices.Concat([]string{bar(r.Elapsed, of, width)}, fold(width, []string{
		fmt.Sprintf("requested %6d", r.Requested), fmt.Sprintf("searching %5d", r.Searching),
		fmt.Sprintf("matched %6d", r.Matched), fmt.Sprintf("riding %5d", r.Riding),
	}), fold(width, []string{
		fmt.Sprintf("completed %6d", r.Completed), fmt.Sprintf("cancelled %5d", r.Cancelled), fmt.Sprintf("expired %6d", r.Expired),
		fmt.Sprintf("drivers %4d", r.Online),
	}), fold(width, []string{
		fmt.Sprintf("time to match p50 %.0f ms, p99 %.0f ms", r.TimeToMatchMs.P50, r.TimeToMatchMs.P99),
		fmt.Sprintf("positions %.0f/s", l.rate(r)),
	}), fold(width, []string{
		fmt.Sprintf("reconnects %d, %d resumed", r.Reconnects, r.Resumed), fmt.Sprintf("late %d", total(r.Late)),
		fmt.Sprintf("violations %d", total(r.Violations)),
	}), fold(width, append([]string{"refusals and errors:"}, codes(r.Errors)...)))
	if l.header != "" {
		rows = append([]string{l.header, ""}, rows...)
	}
	var b strings.Builder
	if l.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", l.lines) // up, over the previous drawing
	}
	b.WriteString("\x1b[J") // clear it, however long its lines
	for _, row := range rows {
		b.WriteString(cut(row, width) + "\n")
	}
	l.lines = len(rows)
	_, err := io.WriteString(l.w, b.String())
	return err
}

// rate is the recent number of positions sent per second.
func (l *Live) rate(r Report) float64 {
	l.rates = append(l.rates, sample{r.Elapsed, r.LocationUpdates})
	for len(l.rates) > 2 && r.Elapsed-l.rates[1].at >= rateOver {
		l.rates = l.rates[1:]
	}
	first := l.rates[0]
	if r.Elapsed <= first.at {
		return 0
	}
	return float64(r.LocationUpdates-first.updates) / (r.Elapsed - first.at).Seconds()
}

// fold joins parts, in as many lines as the width needs.
func fold(width int, parts []string) []string {
	var rows []string
	row := ""
	for _, p := range parts {
		switch {
		case row == "":
			row = p
		case len(row)+3+len(p) > width:
			rows, row = append(rows, row), p
		default:
			row += "   " + p
		}
	}
	return append(rows, row)
}

// bar is a progress bar, or only the time if the run has no end.
func bar(at, of time.Duration, width int) string {
	if of <= 0 {
		return fmt.Sprintf("running for %.1fs", at.Seconds())
	}
	label := fmt.Sprintf(" %.1fs of %s", at.Seconds(), of)
	room := width - len(label) - 2
	if room < 5 {
		return strings.TrimSpace(label)
	}
	full := min(int(float64(room)*float64(at)/float64(of)), room)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]" + label
}

func cut(s string, width int) string {
	if len(s) > width {
		return s[:width]
	}
	return s
}

// codes returns the counts by code, most frequent first.
func codes(m map[string]int64) []string {
	if len(m) == 0 {
		return []string{"none"}
	}
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s %d", k, m[k])
	}
	return parts
}

// Table writes the result of a run.
func Table(w io.Writer, r Report) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	q := func(x Quantiles) string {
		return fmt.Sprintf("p50 %.1f ms, p95 %.1f ms, p99 %.1f ms", x.P50, x.P95, x.P99)
	}
	row("run", "%.1f s at speed %g, %d drivers, seed %d", r.Elapsed.Seconds(), r.Speed, r.Drivers, r.Seed)
	row("requested", "%d of %d due", r.Requested, r.Due)
	if r.Held > 0 {
		row("held back", "%d requests, while this machine was too busy", r.Held)
	}
	row("matched", "%d", r.Matched)
	row("completed", "%d", r.Completed)
	row("cancelled", "%d", r.Cancelled)
	row("expired", "%d", r.Expired)
	row("still searching, riding", "%d, %d", r.Searching, r.Riding)
	row("wait for the car", "mean %.0f s, p50 %.0f s, p90 %.0f s (simulated)", r.WaitS.Mean, r.WaitS.P50, r.WaitS.P90)
	for _, e := range []struct {
		name string
		ETA
	}{{"estimated way to the pickup", r.PickupETA}, {"estimated ride", r.RideETA}} {
		if e.Drives > 0 {
			row(e.name, "mean %.0f s, driven in %.0f s; %.0f s off (p50, simulated), bias %+.1f %%", e.Estimated, e.Driven, e.Off, 100*e.Bias)
		}
	}
	if r.OffMap > 0 {
		row("off the map", "%d drives along straight lines", r.OffMap)
	}
	row("request to first offer", "%s", q(r.TimeToOfferMs))
	row("request to match", "%s", q(r.TimeToMatchMs))
	row("acceptance to rider's news", "%s", q(r.AcceptToNotified))
	row("position to rider", "%s", q(r.LocationLatency))
	row("offers per trip", "%.2f", r.OffersPerTrip)
	row("races lost", "%d", r.LostRaces)
	row("positions sent", "%d, %d skipped", r.LocationUpdates, r.Skipped)
	row("reconnects", "%d, %d resumed", r.Reconnects, r.Resumed)
	row("refusals and errors", "%s", strings.Join(codes(r.Errors), ", "))
	row("protocol errors", "%d", r.ProtocolErrors)
	row("double matches", "%d", r.DoubleMatches)
	row("late while machine lagged", "%d; a timer lagged by %.0f ms at worst", total(r.Late), r.TimerLagMs)
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
