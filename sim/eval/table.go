package eval

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// column is one of the table of a report.
type column struct {
	head  string
	value func(r *Row, f *Figures) string
}

func number1(v float64) string { return fmt.Sprintf("%.1f", v) }
func number2(v float64) string { return fmt.Sprintf("%.2f", v) }

// The cost against the bound never stands without the share served and the 90th percentile: the cheapest policies by
// that figure alone drop riders who are far away.
var columns = []column{
	{"scenario", func(r *Row, _ *Figures) string { return r.Scenario }},
	{"policy", func(r *Row, _ *Figures) string { return strings.TrimSuffix(r.Policy+", "+r.Variant, ", ") }},
	{"served %", func(_ *Row, f *Figures) string { return number2(f.Served) }},
	{"wait mean", func(_ *Row, f *Figures) string { return number1(f.Wait.Mean) }},
	{"p50", func(_ *Row, f *Figures) string { return fmt.Sprintf("%.0f", f.Wait.P50) }},
	{"p90", func(_ *Row, f *Figures) string { return fmt.Sprintf("%.0f", f.Wait.P90) }},
	{"p99", func(_ *Row, f *Figures) string { return fmt.Sprintf("%.0f", f.Wait.P99) }},
	{"cost", func(_ *Row, f *Figures) string { return number1(f.Cost) }},
	{"cost / HB", func(r *Row, _ *Figures) string {
		if r.Ratio() == 0 {
			return "–"
		}
		return fmt.Sprintf("%.3f", r.Ratio())
	}},
	{"empty %", func(_ *Row, f *Figures) string { return number1(f.Empty) }},
	{"offers / trip", func(_ *Row, f *Figures) string { return number2(f.OffersPerTrip) }},
	{"offers / driver h", func(_ *Row, f *Figures) string { return number1(f.OffersPerHour) }},
	{"yes thrown away / 100", func(_ *Row, f *Figures) string { return number1(f.ThrownAway) }},
	{"exchanges / 100", func(_ *Row, f *Figures) string { return number1(f.Exchanges) }},
	{"refused / 100", func(_ *Row, f *Figures) string { return number1(f.Refused) }},
	{"match p50 / p90", func(_ *Row, f *Figures) string { return fmt.Sprintf("%.0f / %.0f", f.Match.P50, f.Match.P90) }},
	{"Gini", func(_ *Row, f *Figures) string { return fmt.Sprintf("%.3f", f.Gini) }},
	{"worst cell", func(_ *Row, f *Figures) string { return fmt.Sprintf("%.0f", f.WorstCell) }},
}

var timings = []column{
	{"decision ms p50 / p99", func(_ *Row, f *Figures) string {
		return fmt.Sprintf("%.1f / %.1f", f.Timing.DecisionP50, f.Timing.DecisionP99)
	}},
	{"run s", func(_ *Row, f *Figures) string { return number1(f.Timing.Run) }},
}

// WriteTable writes rows as a Markdown table: means over seeds, times in seconds. What the modes of zones were comes
// below.
func WriteTable(w io.Writer, rows []Row) {
	if len(rows) == 0 {
		return
	}
	all := columns
	if len(rows[0].Runs) > 0 && rows[0].Runs[0].Timing != nil {
		all = slices.Concat(columns, timings)
	}
	var heads, rules []string
	for _, c := range all {
		heads, rules = append(heads, c.head), append(rules, "---")
	}
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(heads)
	line(rules)
	for i := range rows {
		mean := rows[i].Mean()
		cells := make([]string, len(all))
		for j, c := range all {
			cells[j] = c.value(&rows[i], &mean)
		}
		line(cells)
	}
}

// WriteModes writes what share of the time zones spent in each mode, for rows whose policy adapts.
func WriteModes(w io.Writer, rows []Row) {
	for _, r := range rows {
		mean := r.Mean()
		var parts []string
		for m, percent := range mean.Modes {
			if m != "fixed" && m != "" {
				parts = append(parts, fmt.Sprintf("%s %.0f %%", m, percent))
			}
		}
		if len(parts) > 0 {
			slices.Sort(parts)
			fmt.Fprintf(w, "%s, %s: %s of the time.\n", r.Scenario, strings.TrimSuffix(r.Policy+", "+r.Variant, ", "), strings.Join(parts, ", "))
		}
	}
}

// WriteBounds writes the bounds of each scenario, means over seeds.
func WriteBounds(w io.Writer, rows []Row) {
	seen := make(map[string]bool)
	for _, r := range rows {
		if len(r.Bounds) == 0 || seen[r.Scenario] {
			continue
		}
		seen[r.Scenario] = true
		var b Bounds
		n := float64(len(r.Bounds))
		for _, x := range r.Bounds {
			b.Hindsight, b.Reply, b.Oracle = b.Hindsight+x.Hindsight/n, b.Reply+x.Reply/n, b.Oracle+x.Oracle/n
		}
		fmt.Fprintf(w, "%s (%s): hindsight bound HB %.1f s, with one mean reply %.1f s, oracle of replies %.1f s.\n",
			r.Scenario, r.Title, b.Hindsight, b.Reply, b.Oracle)
	}
}

// WriteDifference says in a sentence how two policies compare.
func WriteDifference(w io.Writer, a, b Row, d Difference) {
	fmt.Fprintf(w, "%s: %s costs %.2f s, %s %.2f s: %+.2f s (%+.1f %%)", a.Scenario, a.Policy, d.A, b.Policy, d.B, d.Mean, 100*d.Mean/d.A)
	switch {
	case math.IsInf(d.High, 1):
		fmt.Fprint(w, ", one seed: no interval")
	default:
		fmt.Fprintf(w, ", 95 %% interval %+.2f to %+.2f s over %d seeds", d.Low, d.High, len(a.Runs))
		if a.Fixed {
			fmt.Fprint(w, " of answers: the requests are the same under each")
		}
	}
	fmt.Fprintf(w, "; served %+.2f points.\n", d.Served)
}
