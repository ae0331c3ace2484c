package eval

import (
	"math"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// LostCost is what a rider without a ride counts in the cost.
const LostCost = 10 * time.Minute

// Figures judge one run. Times are in seconds. They depend on scenario, policy and seed alone, but for Timing.
type Figures struct {
	Seed     int64 `json:"seed"`
	Requests int   `json:"requests"`
	Drivers  int   `json:"drivers"`
	// Served is the share of requests that got a ride, in percent.
	Served float64 `json:"served_percent"`
	// Wait is from the request to the pickup, of those who were served.
	Wait Spread `json:"wait_s"`
	// Cost is the mean of these waits over all requests, with LostCost for those who were not served.
	Cost float64 `json:"cost_s"`
	// Bound is the hindsight bound of that cost; 0: it was not asked for. See Bounds.
	Bound float64 `json:"bound_s,omitempty"`
	// Empty is the share of the driven time without a rider, in percent.
	Empty float64 `json:"empty_percent"`
	// OffersPerTrip are for each trip served, OffersPerHour for each driver and hour.
	OffersPerTrip float64 `json:"offers_per_trip"`
	OffersPerHour float64 `json:"offers_per_driver_hour"`
	// ThrownAway are offers that were withdrawn although their drivers would have said yes, or said it in vain, and
	// Exchanges trips that changed their driver, for each 100 trips served.
	ThrownAway float64 `json:"yes_thrown_away_per_100"`
	Exchanges  float64 `json:"exchanges_per_100"`
	// Refused are exchanges that dispatch wanted and the trips' rules did not allow, for each 100 trips served.
	Refused float64 `json:"exchanges_refused_per_100"`
	// Match is from the request to the first match.
	Match Spread `json:"match_s"`
	// Gini is that of the drivers' ridden time: 0 if all rode as long, 1 if one rode alone.
	Gini float64 `json:"gini"`
	// WorstCell is the mean cost of the requests of the cell where it is highest, of those with worstOf requests or more.
	WorstCell float64 `json:"worst_cell_s"`
	// Rows is the largest assignment, Modes how much of the time zones spent in each mode, in percent.
	Rows  int                       `json:"rows,omitempty"`
	Modes map[dispatch.Mode]float64 `json:"modes_percent,omitempty"`
	// Timing depends on the machine.
	Timing *Timing `json:"timing,omitempty"`
}

// Timing is what decisions took, in milliseconds, and the whole run, in seconds, on the machine that ran it.
type Timing struct {
	DecisionP50 float64 `json:"decision_p50_ms"`
	DecisionP99 float64 `json:"decision_p99_ms"`
	Run         float64 `json:"run_s"`
}

// Spread are figures of a distribution.
type Spread struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
}

// worstOf is how many requests a cell needs to be compared with others.
const worstOf = 30

// tally counts what happens during a run.
type tally struct {
	thrownAway, refused, rows int
	decisions                 []time.Duration // every stride-th of those made
	made, stride              int
	modes                     map[dispatch.Mode]time.Duration
}

// mostDecisions bounds how many decisions are remembered.
const mostDecisions = 1 << 16

// decided takes note of what a decision took; of many, every other one is forgotten again and again.
func (t *tally) decided(d time.Duration) {
	t.stride = max(1, t.stride)
	if t.made++; (t.made-1)%t.stride != 0 {
		return
	}
	if len(t.decisions) == mostDecisions {
		for i := range mostDecisions / 2 {
			t.decisions[i] = t.decisions[2*i]
		}
		t.decisions, t.stride = t.decisions[:mostDecisions/2], 2*t.stride
	}
	t.decisions = append(t.decisions, d)
}

func (t *tally) mode(m dispatch.Mode, lasts time.Duration) {
	if t.modes == nil {
		t.modes = make(map[dispatch.Mode]time.Duration)
	}
	t.modes[m] += lasts
}

// timing is of the decisions.
func (t *tally) timing() *Timing {
	if len(t.decisions) == 0 {
		return &Timing{}
	}
	slices.Sort(t.decisions)
	at := func(share float64) float64 {
		return t.decisions[int(share*float64(len(t.decisions)-1))].Seconds() * 1000
	}
	return &Timing{DecisionP50: at(0.5), DecisionP99: at(0.99)}
}

// figures sums a finished run up.
func (r *replay) figures() Figures {
	f := Figures{Seed: r.o.Seed, Requests: len(r.trips), Drivers: len(r.drivers), Rows: r.tally.rows, Timing: r.tally.timing()}
	var waits, matches []float64
	offers, exchanges, cost := 0, 0, 0.0
	cells := make(map[geo.Cell][2]float64)
	for i := range r.trips {
		t := &r.trips[i]
		offers, exchanges = offers+t.offers, exchanges+t.exchanges
		lasted := LostCost.Seconds()
		if t.met {
			lasted = t.waited.Seconds()
			waits, matches = append(waits, lasted), append(matches, t.matchedAt.Seconds())
		}
		cost += lasted
		c := cells[r.w.cells[r.requests[i].From]]
		cells[r.w.cells[r.requests[i].From]] = [2]float64{c[0] + lasted, c[1] + 1}
	}
	for _, c := range cells {
		if c[1] >= worstOf {
			f.WorstCell = max(f.WorstCell, c[0]/c[1])
		}
	}
	served := max(1, float64(len(waits)))
	f.Wait, f.Match = spreadOf(waits), spreadOf(matches)
	if n := float64(len(r.trips)); n > 0 {
		f.Served, f.Cost = 100*float64(len(waits))/n, cost/n
	}
	f.OffersPerTrip = float64(offers) / served
	f.ThrownAway = 100 * float64(r.tally.thrownAway) / served
	f.Exchanges, f.Refused = 100*float64(exchanges)/served, 100*float64(r.tally.refused)/served
	r.ofDrivers(&f, offers)
	r.modes(&f)
	return f
}

// ofDrivers adds the figures of drivers.
func (r *replay) ofDrivers(f *Figures, offers int) {
	var empty, full float64
	ridden := make([]float64, len(r.drivers))
	for k := range r.drivers {
		d := &r.drivers[k]
		empty, full = empty+d.empty.Seconds(), full+d.full.Seconds()
		ridden[k] = d.full.Seconds()
	}
	if empty+full > 0 {
		f.Empty = 100 * empty / (empty + full)
	}
	if n := len(r.requests); n > 0 && len(r.drivers) > 0 && r.requests[n-1].At > 0 {
		f.OffersPerHour = float64(offers) / float64(len(r.drivers)) / r.requests[n-1].At.Hours()
	}
	f.Gini = gini(ridden)
}

func (r *replay) modes(f *Figures) {
	var all time.Duration
	for _, d := range r.tally.modes {
		all += d
	}
	for m, d := range r.tally.modes {
		if f.Modes == nil {
			f.Modes = make(map[dispatch.Mode]float64)
		}
		f.Modes[m] = math.Round(1000*d.Seconds()/all.Seconds()) / 10
	}
}

func spreadOf(v []float64) Spread {
	if len(v) == 0 {
		return Spread{}
	}
	slices.Sort(v)
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	at := func(share float64) float64 { return v[int(share*float64(len(v)-1))] }
	return Spread{Mean: sum / float64(len(v)), P50: at(0.5), P90: at(0.9), P99: at(0.99)}
}

// gini is Gini's coefficient of incomes (C. Gini, "Variabilità e mutabilità", 1912).
func gini(v []float64) float64 {
	slices.Sort(v)
	var weighted, sum float64
	for i, x := range v {
		weighted += float64(i+1) * x
		sum += x
	}
	n := float64(len(v))
	if sum == 0 {
		return 0
	}
	return 2*weighted/(n*sum) - (n+1)/n
}
