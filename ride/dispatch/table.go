package dispatch

import (
	"cmp"
	"slices"
	"time"
)

// table is the assignment: requests against the drivers who could serve them.
type table struct {
	*market
	rows     []row
	columns  []*Driver
	columnOf map[int32]int32 // by driver of the market
	wayOf    map[int32]int32 // row of the trip that a driver is on its way to, by column
	arcs     int
}

// row is a request with its arcs, cheapest first. Arcs to drivers who do not suit are only counted.
type row struct {
	*Request
	arcs   []arc
	others map[Reason]int
}

// arc is a driver for a request. way is nil for the driver who is on its way to it.
type arc struct {
	column int32
	driver int32 // of the market
	way    *Way
	eta    time.Duration
	price  time.Duration
}

// compare looks no further than the first difference: this is where a large table spends its time.
func (a arc) compare(b arc) int {
	if c := cmp.Compare(a.price, b.price); c != 0 {
		return c
	}
	if c := cmp.Compare(a.driver, b.driver); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.way.DistanceM, b.way.DistanceM), cmp.Compare(a.way.By, b.way.By))
}

// newTable prices the ways of a snapshot.
func newTable(m *market, s *Snapshot) *table {
	t := &table{market: m, columnOf: map[int32]int32{}, wayOf: map[int32]int32{}}
	at := make([]int32, len(m.requests)) // row of each request, plus 1
	for i, r := range m.requests {
		if in, _ := m.row(r); in {
			t.rows = append(t.rows, row{Request: r})
			at[i] = int32(len(t.rows))
		}
	}
	in := make([]bool, len(m.drivers))
	why := make([]Reason, len(m.drivers))
	for i := range m.drivers {
		in[i], why[i] = m.column(int32(i))
	}
	for i := range s.Ways {
		w := &s.Ways[i]
		ri, ok := m.request[w.Trip]
		if !ok || at[ri] == 0 {
			continue
		}
		di, ok := m.driver[w.Driver]
		if !ok {
			continue
		}
		r := &t.rows[at[ri]-1]
		if !in[di] {
			r.pass(why[di])
			continue
		}
		t.price(r, di, w)
	}
	seen := make([]int32, len(t.drivers))
	for i := range t.rows {
		t.trim(&t.rows[i], seen, int32(i+1))
	}
	t.number()
	return t
}

// pass counts a driver who is not given the row's trip.
func (r *row) pass(why Reason) {
	if r.others == nil {
		r.others = map[Reason]int{}
	}
	r.others[why]++
}

// price adds the arc of a way, unless the driver does not suit, is too far, or would gain too little.
func (t *table) price(r *row, di int32, w *Way) {
	d := t.drivers[di]
	if r.Match != nil && r.Match.Driver == d.ID || w.Duration < 0 {
		return
	}
	if ok, why := suits(r.Request, d); !ok {
		r.pass(why)
		return
	}
	if len(r.Asked) > 0 && t.matchOf[di] != nil {
		r.pass(Busy) // a second driver is asked who can set out now
		return
	}
	if w.Duration > t.p.MaxETA || max(0, d.Lead) > t.p.MaxETA-w.Duration {
		r.pass(TooFar)
		return
	}
	a := arc{driver: di, way: w, eta: max(0, d.Lead) + w.Duration}
	a.price = t.terms(r, a).Sum()
	if r.Match != nil && a.price-t.worthOf(d)+t.p.gain(r.Match.Remaining) >= r.Match.Remaining {
		r.pass(SmallGain)
		return
	}
	if why := t.unasked(r, a); why != "" {
		r.pass(why)
		return
	}
	r.arcs = append(r.arcs, a)
}

// answerIn is how much an open request's way may grow while the exchange waits for an answer.
const answerIn = 10 * time.Second

// unasked says why a driver on its way must not be moved to another trip without being asked; ride.DecideExchange would
// refuse it. Empty: it may.
func (t *table) unasked(r *row, a arc) Reason {
	own := t.matchOf[a.driver]
	if own == nil {
		return ""
	}
	left := own.Match.Remaining
	if r.Match == nil {
		left -= answerIn
	}
	switch {
	case a.eta > left:
		return LongerWay
	case r.Fare*100 < own.Fare*int64(t.p.Trip.ExchangeFare):
		return WorseFare
	}
	return ""
}

// terms are the parts of an arc's price.
func (t *table) terms(r *row, a arc) Terms {
	if a.way == nil {
		return Terms{Way: a.eta}
	}
	d := t.drivers[a.driver]
	k := Terms{Way: a.way.Duration, Remaining: max(0, d.Lead), Worth: t.worthOf(d), Preference: min(max(-mostPreference, d.Preference), mostPreference)}
	if d.State == InRide {
		k.Remaining = k.Remaining * time.Duration(t.p.SoonFreePercent) / 100
	}
	if r.Match == nil {
		k.AgeCredit = -t.ageCredit(r.Age)
	}
	if t.matchOf[a.driver] != nil {
		k.Exchange = t.p.Exchange.Gain
	}
	return k
}

// mostAge bounds the age that counts: older requests are as urgent as can be. mostPreference bounds preferences, so
// that sums do not overflow. mostRemaining bounds the way of a driver to its trip.
const (
	mostAge        = 10 * time.Minute
	mostPreference = time.Hour
	mostRemaining  = 12 * time.Hour
)

func (m *market) ageCredit(age time.Duration) time.Duration {
	return min(max(0, age), mostAge) * time.Duration(m.p.AgeCreditPercent) / 100
}

// trim sorts a row's arcs, keeps the cheapest, and adds its own driver's. seen holds the number of the last row that
// each driver was seen in.
func (t *table) trim(r *row, seen []int32, number int32) {
	slices.SortFunc(r.arcs, arc.compare)
	r.arcs = slices.DeleteFunc(r.arcs, func(a arc) bool { // one driver's cheapest way alone
		was := seen[a.driver] == number
		seen[a.driver] = number
		return was
	})
	for len(r.arcs) > t.p.Arcs {
		r.arcs = r.arcs[:len(r.arcs)-1]
		r.pass(Dearer)
	}
	if r.Match != nil {
		own := arc{driver: t.driver[r.Match.Driver], eta: r.remaining(), price: r.remaining()}
		r.arcs = append(r.arcs, own)
	}
}

// remaining is the time until a row's own driver is there, within what leaves it dearer to have no driver.
func (r *row) remaining() time.Duration { return min(max(0, r.Match.Remaining), mostRemaining) }

// number gives the drivers of all arcs their columns, in the order of their ids.
func (t *table) number() {
	used := make([]bool, len(t.drivers))
	for _, r := range t.rows {
		t.arcs += len(r.arcs)
		for _, a := range r.arcs {
			used[a.driver] = true
		}
	}
	for i, d := range t.drivers {
		if used[i] {
			t.columnOf[int32(i)] = int32(len(t.columns))
			t.columns = append(t.columns, d)
		}
	}
	for i := range t.rows {
		for k := range t.rows[i].arcs {
			a := &t.rows[i].arcs[k]
			a.column = t.columnOf[a.driver]
			if a.way == nil {
				t.wayOf[a.column] = int32(i)
			}
		}
	}
}

// graph is the table without names.
func (t *table) graph() *graph {
	g := &graph{first: make([]int32, 1, len(t.rows)+1), to: make([]int32, 0, t.arcs), cost: make([]int64, 0, t.arcs), wide: len(t.columns)}
	openCost := t.openCost()
	for i := range t.rows {
		r := &t.rows[i]
		for _, a := range r.arcs {
			g.to, g.cost = append(g.to, a.column), append(g.cost, int64(a.price))
		}
		g.first = append(g.first, int32(len(g.to)))
		if r.Match != nil {
			g.open = append(g.open, matchedCost)
		} else {
			g.open = append(g.open, openCost)
		}
	}
	return g
}
