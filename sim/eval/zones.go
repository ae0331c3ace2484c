package eval

import (
	"cmp"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// zone is a part of the city that plans for its own requests. It sees all drivers: those of other zones count only if
// they are near enough.
type zone struct {
	planned time.Duration // when it last did
	early   time.Duration // after that, a new request may have it plan at once
	due     time.Duration // when it will
	gen     uint32        // of that event
	begun   bool
	state   dispatch.State
}

// makeZones cuts the places into zones with as many pickups each, first by the longer side, and lets them plan one after
// the other within a window.
func (r *replay) makeZones() {
	if !r.o.Policy.Zoned() {
		return
	}
	n := max(1, r.o.Zones)
	r.zones = make([]zone, n)
	r.zoneOf = make([]int32, len(r.w.At))
	all := make([]Place, len(r.w.At))
	for i := range all {
		all[i] = Place(i)
	}
	pickups := make([]int, len(r.w.At))
	for _, q := range r.requests {
		pickups[q.From]++
	}
	r.cut(all, pickups, 0, n)
	for z := range n {
		r.planAt(int32(z), r.o.Policy.Window*time.Duration(z)/time.Duration(n))
	}
}

// cut gives n zones from a number on to some places. Where there are fewer places than zones, some zones get none.
func (r *replay) cut(places []Place, pickups []int, first, n int) {
	if n == 1 || len(places) == 1 {
		for _, p := range places {
			r.zoneOf[p] = int32(first)
		}
		return
	}
	x, y := &r.w.flat.x, &r.w.flat.y
	side := func(of []float64) float64 {
		least, most := of[places[0]], of[places[0]]
		for _, p := range places {
			least, most = min(least, of[p]), max(most, of[p])
		}
		return most - least
	}
	by := x
	if side(*y) > side(*x) {
		by = y
	}
	slices.SortFunc(places, func(a, b Place) int { return cmp.Or(cmp.Compare((*by)[a], (*by)[b]), cmp.Compare(a, b)) })
	whole, sum, at := 0, 0, 0
	for _, p := range places {
		whole += pickups[p]
	}
	for at < len(places)-1 && sum*n < whole*(n/2) {
		sum += pickups[places[at]]
		at++
	}
	at = max(at, 1)
	r.cut(places[:at], pickups, first, n/2)
	r.cut(places[at:], pickups, first+n/2, n-n/2)
}

// plan lets a zone plan, carries the plan out, and says when it plans next.
func (r *replay) plan(z int32) {
	zone := &r.zones[z]
	s := r.snapshot(z)
	if zone.begun {
		s.Elapsed = r.now - zone.planned
	}
	zone.begun, zone.planned = true, r.now
	s.State = zone.state
	if len(s.Requests) == 0 {
		r.planAgain(z, r.o.Policy.Window)
		zone.early = 0
		return
	}
	begun := time.Now()
	pairs := dispatch.Shortlist(r.o.Policy, s)
	took := time.Since(begun)
	s.Ways = r.ways(pairs)
	begun = time.Now()
	plan := dispatch.Decide(r.o.Policy, s)
	r.tally.decided(took + time.Since(begun))
	r.tally.rows = max(r.tally.rows, plan.Rows)
	zone.state = plan.State
	r.tally.mode(plan.State.Mode, plan.Next)
	for _, x := range plan.Exchanges {
		r.exchange(x.Moves, "")
	}
	for _, o := range plan.Offers {
		if o.Replaces == "" {
			r.offerNow(o)
		} else {
			r.propose(o)
		}
	}
	zone.early = plan.Early
	r.planAgain(z, plan.Next)
}

// planAgain has a zone plan again while there is anything to plan for.
func (r *replay) planAgain(z int32, after time.Duration) {
	if r.unfinished() {
		r.planAt(z, r.now+max(after, 100*time.Millisecond))
	}
}

// planAt has a zone plan at a time, and not when it would have.
func (r *replay) planAt(z int32, at time.Duration) {
	zone := &r.zones[z]
	zone.due = at
	zone.gen++
	r.agenda.add(event{at: at, what: zonePlans, who: z, gen: zone.gen})
}

// hasten has the zone of a new request plan as soon as the last plan allows.
func (r *replay) hasten(from Place) {
	if len(r.zones) == 0 {
		return
	}
	z := r.zoneOf[from]
	if at := max(r.now, r.zones[z].planned+r.zones[z].early); r.zones[z].begun && at < r.zones[z].due {
		r.planAt(z, at)
	}
}

// unfinished reports whether requests are still to come or look for a driver.
func (r *replay) unfinished() bool {
	return r.now <= r.requests[len(r.requests)-1].At || len(r.open) > 0 || len(r.onWay) > 0
}

// offerNow asks a driver for an open request.
func (r *replay) offerNow(o dispatch.Offer) {
	i, d := number(o.Trip), &r.drivers[number(o.Driver)]
	t := r.trips[i].live
	r.later(i, ride.OfferWave{Wave: t.Search.Wave + 1, Ring: t.Search.NextRing, Considered: []ride.Considered{{
		Driver: o.Driver, Point: r.w.At[d.place], DistanceM: o.DistanceM, ETA: o.ETA, DoorM: o.DistanceM, DoorETA: o.ETA, Verdict: ride.VerdictOffered,
	}}})
}

// snapshot is what a zone knows. It also forgets trips that have found a driver or arrived.
func (r *replay) snapshot(z int32) *dispatch.Snapshot {
	s := &dispatch.Snapshot{Demand: r.demand.lately(r.now)}
	r.open = slices.DeleteFunc(r.open, func(i int32) bool {
		t := &r.trips[i]
		if t.live == nil || t.live.Status != ride.StatusRequested {
			return true
		}
		if r.zoneOf[r.requests[i].From] == z {
			s.Requests = append(s.Requests, r.openRequest(i))
		}
		return false
	})
	r.onWay = slices.DeleteFunc(r.onWay, func(i int32) bool {
		t := &r.trips[i]
		if t.met || t.live == nil {
			t.listed = false
			return true
		}
		if r.zoneOf[r.requests[i].From] == z && r.drivers[t.driver].trip == i {
			s.Requests = append(s.Requests, r.matchedRequest(i))
		}
		return false
	})
	s.Drivers = make([]dispatch.Driver, 0, len(r.drivers))
	r.seen = slices.Grow(r.seen[:0], len(r.drivers))[:len(r.drivers)]
	for k := range r.drivers {
		if d, ok := r.driverSeen(int32(k)); ok {
			s.Drivers = append(s.Drivers, d)
		}
	}
	return s
}

func (r *replay) openRequest(i int32) dispatch.Request {
	t, q := r.trips[i].live, r.requests[i]
	out := dispatch.Request{
		Trip: t.ID, Class: t.Request.Class, Pickup: r.w.At[r.goal(q.From)], Age: r.now - q.At, Fare: t.Estimate.Fare.Total,
	}
	need := t.Need(r.clock())
	for d := range need.Excluded {
		out.Excluded = append(out.Excluded, d)
	}
	for d, n := range need.Ignored {
		if n >= r.rules.Policy.AsksPerDriver && !need.Excluded[d] {
			out.Excluded = append(out.Excluded, d)
		}
	}
	slices.Sort(out.Excluded)
	for j := range t.Offers {
		if o := &t.Offers[j]; !o.State.Ended() {
			out.Asked = append(out.Asked, dispatch.Asked{Driver: o.Driver, For: r.clock().Sub(o.MadeAt), Then: r.trips[i].promised(o.ID)})
		}
	}
	return out
}

func (r *replay) matchedRequest(i int32) dispatch.Request {
	t := &r.trips[i]
	out := r.openRequest(i)
	out.Match = &dispatch.Match{Driver: r.drivers[t.driver].card.ID, Remaining: t.atDoor - r.now, Exchanges: t.exchanges}
	return out
}

// soonest is how long before the end of its ride a driver is of interest, beyond the policy: as supply of the place where it ends.
const soonest = 5 * time.Minute

// driverSeen is a driver as a zone sees it. Where its next way begins is noted in seen.
func (r *replay) driverSeen(k int32) (dispatch.Driver, bool) {
	d := &r.drivers[k]
	out := dispatch.Driver{ID: d.card.ID, Class: d.card.Class, State: dispatch.Free, Held: len(d.offers) > 0, Next: d.next != none}
	at := d.place
	switch d.state {
	case waiting:
	case coming:
		out.State, out.Trip = dispatch.OnWay, r.trips[d.trip].live.ID
		at, out.Lead = r.along(&r.trips[d.trip], d.trip, r.now-r.o.Stale)
	case riding:
		left := max(0, d.freeAt-r.now)
		if r.o.SoonSpread > 0 {
			z := normal(draw(r.seed, int(k), int(d.freeAt/time.Second), 1, drawTimes), draw(r.seed, int(k), int(d.freeAt/time.Second), 2, drawTimes))
			left = scaled(left, r.o.SoonSpread*z)
		}
		if left > max(soonest, r.o.Policy.SoonFree) {
			return out, false
		}
		out.State, out.Lead = dispatch.InRide, left
		if d.trip != none {
			out.Trip = r.trips[d.trip].live.ID
		}
	}
	r.seen[k] = at
	out.Point, out.Cell = r.w.At[at], r.w.cells[at]
	return out, true
}

// along is the place that a driver on its way to a pickup reaches next, and in how long.
func (r *replay) along(t *trip, i int32, now time.Duration) (Place, time.Duration) {
	if now <= t.setOut {
		return t.from, t.setOut - now
	}
	return r.w.Along(t.from, r.requests[i].From, now-t.setOut)
}

// ways are those that the shortlist asks for.
func (r *replay) ways(pairs []dispatch.Pair) []dispatch.Way {
	out, by := make([]dispatch.Way, 0, len(pairs)), r.by()
	for _, p := range pairs {
		from, to := r.seen[number(p.Driver)], r.goal(r.requests[number(p.Trip)].From)
		if takes := r.takes(from, to); takes <= p.Within {
			out = append(out, dispatch.Way{Trip: p.Trip, Driver: p.Driver, Duration: takes, DistanceM: r.w.Metres(from, to), By: by})
		}
	}
	return out
}

// demandLately counts the requests of the last quarter of an hour by cell.
type demandLately struct {
	asked []struct {
		at   time.Duration
		cell geo.Cell
	}
	count map[geo.Cell]int
}

const lately = 15 * time.Minute

func (d *demandLately) add(at time.Duration, cell geo.Cell) {
	if d.count == nil {
		d.count = make(map[geo.Cell]int)
	}
	d.asked = append(d.asked, struct {
		at   time.Duration
		cell geo.Cell
	}{at, cell})
	d.count[cell]++
}

func (d *demandLately) lately(now time.Duration) []dispatch.Demand {
	n := 0
	for n < len(d.asked) && d.asked[n].at < now-lately {
		if d.count[d.asked[n].cell]--; d.count[d.asked[n].cell] == 0 {
			delete(d.count, d.asked[n].cell)
		}
		n++
	}
	d.asked = d.asked[n:]
	out := make([]dispatch.Demand, 0, len(d.count))
	for cell, n := range d.count {
		out = append(out, dispatch.Demand{Cell: cell, Requests: n})
	}
	slices.SortFunc(out, func(a, b dispatch.Demand) int { return cmp.Compare(a.Cell, b.Cell) })
	return out
}
