package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
)

// score is how far guesses are from the truth; relative errors are in percent.
type score struct {
	n                              int
	median, p90, bias, within, mae float64 // within: share of guesses off by at most 25 %; mae: mean absolute error
}

func scoreOf(trips []*trip, truth, guess func(*trip) float64) score {
	var abs, signed []float64
	s := score{n: len(trips)}
	for _, t := range trips {
		e := 100 * (guess(t)/truth(t) - 1)
		abs, signed = append(abs, math.Abs(e)), append(signed, e)
		if math.Abs(e) <= 25 {
			s.within++
		}
		s.mae += math.Abs(guess(t) - truth(t))
	}
	s.within *= 100 / float64(s.n)
	s.mae /= float64(s.n)
	s.median, s.p90, s.bias = quantile(abs, 0.5), quantile(abs, 0.9), quantile(signed, 0.5)
	return s
}

func length(t *trip) float64   { return t.meterM }
func duration(t *trip) float64 { return t.timeS }

// row is a way to guess.
type row struct {
	name  string
	guess func(*trip) float64
}

// judge prints the tables and the goals.
func judge(ctx context.Context, out io.Writer, m *streets.Map, trips []*trip) (met bool, err error) {
	var even, odd, plausible []*trip
	for _, t := range trips {
		if t.id%2 == 0 {
			even = append(even, t)
			continue
		}
		odd = append(odd, t)
		if t.plausible() {
			plausible = append(plausible, t)
		}
	}
	fmt.Fprintf(out, "Learned on %d trips with even numbers, judged on %d with odd ones; %d of these have a plausible meter: from the\n"+
		"distance - 100 m to 2 x the distance + 500 m.\n", len(even), len(odd), len(plausible))

	model := learned(even)
	taught, err := m.WithModel(model)
	if err != nil {
		return false, err
	}
	product, err := guesses(ctx, taught, trips)
	if err != nil {
		return false, err
	}
	lengths, lengthK := lengthRows(even)
	times := timeRows(m.Model(), even)
	times = append(times, row{"streets, learned", func(t *trip) float64 { return product[t].Duration.Seconds() + model.Ride.Seconds() }})
	slow, err := online(ctx, m, even, trips)
	if err != nil {
		return false, err
	}
	times = append(times, row{"streets, learned ride by ride", slow})
	table(out, "length, m", lengths, odd, plausible, length)
	table(out, "time, s", times, odd, plausible, duration)
	describe(out, model, lengthK)

	l := lengths[len(lengths)-1].guess
	fitted, online := times[len(times)-2].guess, times[len(times)-1].guess
	met = goals(out, scoreOf(odd, length, l), scoreOf(plausible, length, l), scoreOf(odd, duration, fitted), scoreOf(plausible, duration, fitted))
	return onlineGoals(out, scoreOf(odd, duration, online)) && met, nil
}

// guesses asks the product itself.
func guesses(ctx context.Context, m *streets.Map, trips []*trip) (map[*trip]geo.Plan, error) {
	out := make(map[*trip]geo.Plan, len(trips))
	for _, t := range trips {
		p, err := m.Plan(ctx, geo.Place{Point: t.from}, geo.Place{Point: t.to}, time.Time{})
		if err != nil {
			return nil, err
		}
		out[t] = p
	}
	return out, nil
}

func lengthRows(even []*trip) (rows []row, k float64) {
	grid := medianRatio(even, length, func(t *trip) float64 { return t.gridM })
	k = medianRatio(even, length, func(t *trip) float64 { return t.wayM })
	return []row{
		{"straight line x 1.3", func(t *trip) float64 { return geo.DefaultDetour * t.crowM }},
		{fmt.Sprintf("grid turned by %d degrees x %.3f, no map", gridDeg, grid), func(t *trip) float64 { return grid * t.gridM }},
		{"streets, as planned", func(t *trip) float64 { return t.wayM }},
		{fmt.Sprintf("streets x %.3f, learned", k), func(t *trip) float64 { return k * t.wayM }},
	}, k
}

func timeRows(usual streets.Model, even []*trip) []row {
	w := fit(even, func(t *trip) []float64 { return []float64{1, t.gridM} }, duration)
	grid := func(t *trip) float64 { return w[0] + w[1]*t.gridM }
	k := medianRatio(even, duration, grid)
	return []row{
		{"straight line x 1.3 at 7 m/s", func(t *trip) float64 { return geo.DefaultDetour * t.crowM / geo.DefaultSpeedMPS }},
		{"turned grid, a constant and a speed learned", func(t *trip) float64 { return k * grid(t) }},
		{"streets, speeds of signs", func(t *trip) float64 { return t.parts.FreeS }},
		{"streets, as a city begins", func(t *trip) float64 {
			return t.parts.FreeS/usual.SignShare + t.parts.Signals*usual.Signal.Seconds() + usual.Ride.Seconds()
		}},
	}
}

// groups are the roads that share a speed: the others are too rare to tell apart.
var groups = [][]streets.Road{
	{streets.Motorway, streets.Trunk},
	{streets.Primary},
	{streets.Secondary},
	{streets.Tertiary},
	{streets.Residential, streets.Unclassified, streets.LivingStreet},
	{streets.MotorwayLink, streets.TrunkLink, streets.PrimaryLink, streets.SecondaryLink, streets.TertiaryLink, streets.Service},
}

// fastest bounds what may be learned, in seconds a metre: 120 km/h.
const fastest = 0.03

// learned estimates a model. The least relative error is biased, because short trips pull: the median
// ratio sets that right.
func learned(even []*trip) streets.Model {
	features := func(t *trip) []float64 {
		x := []float64{1, t.parts.Signals}
		for _, g := range groups {
			sum := 0.0
			for _, r := range g {
				sum += t.parts.LengthM[r]
			}
			x = append(x, sum)
		}
		return x
	}
	w := fit(even, features, duration)
	for i := range groups {
		w[2+i] = max(w[2+i], fastest)
	}
	k := medianRatio(even, duration, func(t *trip) (sum float64) {
		for i, x := range features(t) {
			sum += w[i] * x
		}
		return sum
	})
	m := streets.DefaultModel()
	m.Ride = time.Duration(k * w[0] * float64(time.Second))
	m.Signal = time.Duration(k * w[1] * float64(time.Second))
	for i, g := range groups {
		for _, r := range g {
			m.Kmh[r] = 3.6 / (k * w[2+i])
		}
	}
	return m
}

func table(out io.Writer, what string, rows []row, all, plausible []*trip, truth func(*trip) float64) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%s\tmedian\tp90\tbias\twithin 25 %%\tmean\tplausible: median\tp90\tbias\twithin 25 %%\tmean\t\n", what)
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t", r.name)
		for _, s := range []score{scoreOf(all, truth, r.guess), scoreOf(plausible, truth, r.guess)} {
			fmt.Fprintf(w, "%.1f %%\t%.1f %%\t%+.1f %%\t%.1f %%\t%.0f\t", s.median, s.p90, s.bias, s.within, s.mae)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

func describe(out io.Writer, m streets.Model, lengthK float64) {
	fmt.Fprintf(out, "\nLearned: %.0f s a ride, %.1f s a signal, length x %.3f, km/h:", m.Ride.Seconds(), m.Signal.Seconds(), lengthK)
	for _, g := range groups {
		fmt.Fprintf(out, " %s %.0f", g[0], m.Kmh[g[0]])
	}
	fmt.Fprintln(out)
}

// goals prints what must hold. The values stand near what the data allow: two trips between the same
// places differ by 10 % in length and 25 % in time.
func goals(out io.Writer, l, lp, t, tp score) (met bool) {
	return verdicts(out, []goal{
		{"length, all: median error", l.median, 7, false},
		{"length, all: bias", math.Abs(l.bias), 1, false},
		{"length, plausible: median error", lp.median, 6.3, false},
		{"length, plausible: p90", lp.p90, 26, false},
		{"length, plausible: within 25 %", lp.within, 89, true},
		{"time, all: median error", t.median, 21.5, false},
		{"time, all: bias", math.Abs(t.bias), 2, false},
		{"time, all: mean error, s", t.mae, 165, false},
		{"time, plausible: median error", tp.median, 19.5, false},
		{"time, plausible: p90", tp.p90, 54, false},
	})
}

// onlineGoals prints what must hold of times that the server's own learner learned.
func onlineGoals(out io.Writer, t score) (met bool) {
	return verdicts(out, []goal{
		{"time learned ride by ride, all: median error", t.median, 21.5, false},
		{"time learned ride by ride, all: bias", math.Abs(t.bias), 2, false},
		{"time learned ride by ride, all: mean error, s", t.mae, 165, false},
	})
}

// goal is a bound of a score.
type goal struct {
	what       string
	got, bound float64
	least      bool
}

func verdicts(out io.Writer, goals []goal) (met bool) {
	met = true
	for _, g := range goals {
		verdict, sign := "met", "<="
		if g.least {
			sign = ">="
		}
		if g.got > g.bound && !g.least || g.got < g.bound && g.least || math.IsNaN(g.got) {
			verdict, met = "MISSED", false
		}
		fmt.Fprintf(out, "%-6s  %s: %.1f %s %.1f\n", verdict, g.what, g.got, sign, g.bound)
	}
	return met
}
