package eval

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride/dispatch"
)

// Row is one line of a report: a scenario under a policy, over some seeds.
type Row struct {
	Scenario string `json:"scenario"`
	Title    string `json:"title"`
	Policy   string `json:"policy"`
	// Variant says what is different from the usual; empty: nothing.
	Variant string `json:"variant,omitempty"`
	Model   string `json:"model"`
	Plans   string `json:"eta"`
	Goal    Goal   `json:"goal,omitempty"`
	Zones   int    `json:"zones"`
	// Fixed says that requests are the same under every seed.
	Fixed  bool      `json:"fixed_requests,omitempty"`
	Runs   []Figures `json:"runs"`
	Bounds []Bounds  `json:"bounds,omitempty"` // of each run
}

// Case is a row to be: Options without a seed.
type Case struct {
	Scenario *Scenario
	Options  Options
	Variant  string
}

// Judge runs cases over seeds.
type Judge struct {
	Seeds []int64
	// AtOnce is how many runs there are at the same time; below 1: as many as cores. It changes no figure but Timing.
	AtOnce int
	// Bounds says whether bounds are computed, Timing whether what decisions took is reported: it depends on the machine.
	Bounds, Timing bool
	Cache          Cache
}

// Row runs one case. The error is the context's or Run's.
func (j Judge) Row(ctx context.Context, c Case) (Row, error) {
	row := Row{
		Scenario: c.Scenario.Name, Title: c.Scenario.Title, Policy: c.Options.Policy.Name, Variant: c.Variant,
		Model: c.Options.People.Name, Plans: c.Options.Plans.String(), Goal: c.Options.Goal, Zones: max(1, c.Options.Zones),
		Fixed: c.Scenario.Fixed,
		Runs:  make([]Figures, len(j.Seeds)),
	}
	if v := c.Options.Policy.Version; v > 0 {
		row.Policy = fmt.Sprintf("%s v%d", row.Policy, v)
	}
	errs := make([]error, len(j.Seeds))
	atOnce := j.AtOnce
	if atOnce < 1 {
		atOnce = runtime.GOMAXPROCS(0)
	}
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, seed := range j.Seeds {
		all.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; all.Done() }()
			row.Runs[i], errs[i] = j.one(ctx, c, seed)
		}()
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return row, fmt.Errorf("%s, %s: %w", row.Scenario, row.Policy, err)
		}
	}
	return row, j.bound(ctx, c, &row)
}

func (j Judge) one(ctx context.Context, c Case, seed int64) (Figures, error) {
	o := c.Options
	o.Seed = seed
	begun := time.Now()
	f, err := Run(ctx, c.Scenario, o)
	if err != nil {
		return f, err
	}
	f.Timing.Run = time.Since(begun).Seconds()
	if !j.Timing {
		f.Timing = nil
	}
	return f, nil
}

func (j Judge) bound(ctx context.Context, c Case, row *Row) error {
	if !j.Bounds {
		return nil
	}
	for i, seed := range j.Seeds {
		b, err := c.Scenario.Bounds(ctx, j.Cache, c.Options.People, seed)
		if err != nil {
			return err
		}
		row.Bounds = append(row.Bounds, b)
		row.Runs[i].Bound = b.Hindsight
	}
	return nil
}

// Mean is the mean of each figure over the runs.
func (r Row) Mean() Figures {
	var m Figures
	n := float64(len(r.Runs))
	if n == 0 {
		return m
	}
	for _, f := range r.Runs {
		m.add(f, 1/n)
	}
	return m
}

// add adds a share of other figures.
func (f *Figures) add(o Figures, share float64) {
	f.Requests, f.Drivers, f.Rows = o.Requests, o.Drivers, max(f.Rows, o.Rows)
	for to, from := range map[*float64]float64{
		&f.Served: o.Served, &f.Cost: o.Cost, &f.Bound: o.Bound, &f.Empty: o.Empty, &f.OffersPerTrip: o.OffersPerTrip,
		&f.OffersPerHour: o.OffersPerHour, &f.ThrownAway: o.ThrownAway, &f.Exchanges: o.Exchanges, &f.Refused: o.Refused,
		&f.Gini: o.Gini, &f.WorstCell: o.WorstCell, &f.Wait.Mean: o.Wait.Mean, &f.Wait.P50: o.Wait.P50, &f.Wait.P90: o.Wait.P90,
		&f.Wait.P99: o.Wait.P99, &f.Match.Mean: o.Match.Mean, &f.Match.P50: o.Match.P50, &f.Match.P90: o.Match.P90, &f.Match.P99: o.Match.P99,
	} {
		*to += from * share
	}
	for m, percent := range o.Modes {
		if f.Modes == nil {
			f.Modes = make(map[dispatch.Mode]float64)
		}
		f.Modes[m] += percent * share
	}
	if o.Timing != nil {
		if f.Timing == nil {
			f.Timing = &Timing{}
		}
		f.Timing.DecisionP50 += o.Timing.DecisionP50 * share
		f.Timing.DecisionP99 += o.Timing.DecisionP99 * share
		f.Timing.Run += o.Timing.Run * share
	}
}

// Ratio is the mean over the runs of cost / bound; 0 without bounds.
func (r Row) Ratio() float64 {
	sum := 0.0
	for _, f := range r.Runs {
		if f.Bound <= 0 {
			return 0
		}
		sum += f.Cost / f.Bound
	}
	return sum / float64(max(1, len(r.Runs)))
}

// Difference compares two rows of the same scenario and seeds, run by run.
type Difference struct {
	// A and B are the mean costs, in seconds, Mean is that of B − A, and Low and High bound it with 95 % confidence: an
	// interval of Student's t over seeds. With one seed it is unbounded.
	A, B, Mean, Low, High float64
	// Served is the difference of the shares served, in percentage points.
	Served float64
}

// Compare pairs two rows.
func Compare(a, b Row) (Difference, error) {
	n := len(a.Runs)
	if n == 0 || n != len(b.Runs) || a.Scenario != b.Scenario {
		return Difference{}, fmt.Errorf("rows of the same scenario and as many seeds can be compared, not %s × %d and %s × %d", a.Scenario, n, b.Scenario, len(b.Runs))
	}
	var d Difference
	diffs := make([]float64, n)
	for i := range diffs {
		if a.Runs[i].Seed != b.Runs[i].Seed {
			return d, fmt.Errorf("run %d has seed %d and %d", i+1, a.Runs[i].Seed, b.Runs[i].Seed)
		}
		diffs[i] = b.Runs[i].Cost - a.Runs[i].Cost
		d.A, d.B = d.A+a.Runs[i].Cost/float64(n), d.B+b.Runs[i].Cost/float64(n)
		d.Mean += diffs[i] / float64(n)
		d.Served += (b.Runs[i].Served - a.Runs[i].Served) / float64(n)
	}
	if n == 1 {
		d.Low, d.High = math.Inf(-1), math.Inf(1)
		return d, nil
	}
	square := 0.0
	for _, x := range diffs {
		square += (x - d.Mean) * (x - d.Mean)
	}
	half := student95(n-1) * math.Sqrt(square/float64(n-1)/float64(n))
	d.Low, d.High = d.Mean-half, d.Mean+half
	return d, nil
}

// student95 is the two-sided 95 % quantile of Student's t.
func student95(freedom int) float64 {
	table := []float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086}
	if freedom <= len(table) {
		return table[freedom-1]
	}
	const z = 1.95996 // of the normal distribution; the rest is the expansion in 1/freedom
	n := float64(freedom)
	return z + (z*z*z+z)/(4*n) + (5*math.Pow(z, 5)+16*z*z*z+3*z)/(96*n*n)
}
