package dispatch

import (
	"slices"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// What leaving a request without an offer costs: more than any way. Leaving a trip without the driver that it has is out
// of the question.
const (
	leastOpenCost = 50 * time.Minute
	matchedCost   = int64(24 * time.Hour)
)

// openCost is what leaving an open request costs in this market: more than the dearest arc that one may have.
func (m *market) openCost() int64 {
	p, preference := m.p, time.Duration(0)
	for _, d := range m.drivers {
		preference = max(preference, min(d.Preference, mostPreference))
	}
	dearest := p.MaxETA + p.Worth + preference + p.Exchange.Gain + p.SoonFree*time.Duration(p.SoonFreePercent)/100
	return int64(max(leastOpenCost, dearest+time.Second))
}

// soonest is the least time between two plans of a zone.
const soonest = 500 * time.Millisecond

// Decide plans for a zone. It never fails: what the snapshot lacks or contradicts is left out, and Waits say so.
// A policy without windows plans nothing.
func Decide(p Policy, s *Snapshot) Plan {
	now, state := p.now(s)
	if !now.Zoned() {
		return Plan{}
	}
	m := newMarket(now, s)
	m.places(s.Demand)
	d := decision{table: newTable(m, s), state: state}
	d.assign()
	d.exchange()
	d.offer()
	d.wait()
	d.state.saw(d.ways(), s.Elapsed)
	d.plan.State, d.plan.Next, d.plan.Early = d.state, now.Window, now.Window
	if d.state.Mode == Ample && now.Exchange.On {
		d.plan.Early = min(now.Window, soonest)
	}
	d.plan.Rows, d.plan.Columns, d.plan.Arcs = len(d.rows), len(d.columns), d.arcs
	return d.plan
}

// decision is a plan in the making.
type decision struct {
	*table
	state    State
	matching matching
	taker    []int32 // of each column the row that is to get it, or -1
	done     []bool  // rows that an offer, an exchange or a promise has seen to
	plan     Plan
}

// assign solves the table.
func (d *decision) assign() {
	d.matching, d.plan.Method = solve(d.graph())
	d.taker, d.done = make([]int32, len(d.columns)), make([]bool, len(d.rows))
	for j := range d.taker {
		d.taker[j] = -1
	}
	for i := range d.rows {
		if a := d.chosen(int32(i)); a != nil {
			d.taker[a.column] = int32(i)
		}
	}
}

// chosen is the arc that a row is to get, or nil.
func (d *decision) chosen(row int32) *arc {
	if k := d.matching.arc[row]; k >= 0 {
		return &d.rows[row].arcs[k]
	}
	return nil
}

// offer asks drivers: for open requests, and in the place of drivers on their way.
func (d *decision) offer() {
	for i := range d.rows {
		r, a := &d.rows[i], d.chosen(int32(i))
		if d.done[i] || a == nil || a.way == nil || d.later(r, a) {
			continue
		}
		o := Offer{
			Trip: r.Trip, Driver: d.columns[a.column].ID, ETA: a.eta, DistanceM: a.way.DistanceM, Price: d.terms(r, *a),
			Second: len(r.Asked) > 0,
		}
		d.done[i] = true
		if r.Match != nil {
			o.Replaces, o.Then = r.Match.Driver, d.chain(r)
		}
		d.plan.Offers = append(d.plan.Offers, o)
	}
	for k := range d.plan.Offers {
		o := &d.plan.Offers[k]
		i := d.rowOf(o.Trip)
		d.plan.Records = append(d.plan.Records, d.record(i, d.chosen(i)))
	}
	for _, x := range d.plan.Exchanges {
		for _, move := range x.Moves {
			i := d.rowOf(move.Trip)
			d.plan.Records = append(d.plan.Records, d.record(i, d.chosen(i)))
		}
	}
}

// later reports whether what the assignment wants of a row is not done now: its driver is on the way to another trip, which
// an exchange or a chain sees to, or still in a ride while the row has a driver.
func (d *decision) later(r *row, a *arc) bool {
	k := d.columns[a.column]
	_, moving := d.wayOf[a.column]
	return moving || k.State == InRide && r.Match != nil
}

// rowOf finds a trip's row; rows are in the order of trips.
func (d *decision) rowOf(trip ride.TripID) int32 {
	i, _ := slices.BinarySearchFunc(d.rows, trip, func(r row, t ride.TripID) int {
		switch {
		case r.Trip < t:
			return -1
		case r.Trip > t:
			return 1
		}
		return 0
	})
	return int32(i)
}

// ways are the times to the pickup of those who are asked for open requests.
func (d *decision) ways() []time.Duration {
	var out []time.Duration
	for _, o := range d.plan.Offers {
		if o.Replaces == "" {
			out = append(out, o.ETA)
		}
	}
	return out
}

// wait says why open requests get no offer.
func (d *decision) wait() {
	for _, trip := range d.twice {
		d.plan.Waits = append(d.plan.Waits, Wait{Trip: trip, Reason: Twice})
	}
	for _, r := range d.requests {
		if in, why := d.row(r); !in && r.Match == nil {
			d.plan.Waits = append(d.plan.Waits, Wait{Trip: r.Trip, Reason: why})
		}
	}
	promised := map[ride.TripID]bool{}
	for _, o := range d.plan.Offers {
		for _, move := range o.Then {
			promised[move.Trip] = true
		}
	}
	for i := range d.rows {
		r := &d.rows[i]
		if d.done[i] || r.Match != nil {
			continue
		}
		w := Wait{Trip: r.Trip, Reason: NeededMore}
		switch {
		case promised[r.Trip]:
			w.Reason = Promised
		case len(r.Asked) > 0:
			w.Reason = Awaiting
		case len(r.arcs) == 0 && r.others[TooFar] > 0:
			w.Reason = TooFar
		case len(r.arcs) == 0:
			w.Reason = NoDriver
		}
		d.plan.Waits = append(d.plan.Waits, w)
	}
	slices.SortFunc(d.plan.Waits, func(a, b Wait) int {
		switch {
		case a.Trip < b.Trip:
			return -1
		case a.Trip > b.Trip:
			return 1
		}
		return 0
	})
}

// scarcity is the price that competition puts on an arc's driver.
func (d *decision) scarcity(a *arc) time.Duration {
	return time.Duration(d.matching.scarcity[a.column])
}
