package actors

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// search gathers the available drivers around a point: it asks each occupied cell of a grid disk
// once and collects replies until all are in or searchOver arrives. It is owned by one actor and
// not safe for concurrent use.
type search struct {
	id      uint64
	waiting int
	pickup  geo.Point
	drivers []cellPut
	// center, area, disk and cells say where it looks: the pickup's cell, that cell's centre, the
	// cells around it, and how many of them hold drivers.
	center geo.Cell
	area   geo.Point
	disk   []geo.Cell
	cells  int
	// passed are drivers of other nodes who were passed over.
	passed []ride.Considered
	// routing says that all drivers are in, and the ways to them are being estimated. Nothing changes then.
	routing bool
	// mixed is set when drivers of several nodes may be among those found.
	mixed bool
}

// searchOver is the deadline of a search.
type searchOver struct{ id uint64 }

// nearness says which drivers a full cell answers with: those nearest to the centre of the pickup's cell, those
// nearest to the pickup itself, or any, so that no place within a cell makes a difference.
type nearness int

const (
	toArea nearness = iota
	toDoor
	coarse
)

// nearnessOf is that of a trip's search.
func nearnessOf(p ride.Policy) nearness {
	if p.Door {
		return toDoor
	}
	return toArea
}

// begin asks the cells within ring of pickup's cell, on behalf of ctx's actor, for at most limit
// drivers each. done reports that no cell was asked, so there is nothing to
// wait for. The error wraps geo's for a point that H3 cannot place.
func (s *shared) begin(
	ctx actor.Context, id uint64, pickup geo.Point, ring, limit int, by nearness, x *explain,
) (q *search, done bool, err error) {
	center, err := geo.CellAt(pickup, s.cfg.Resolution)
	if err != nil {
		return nil, true, err
	}
	disk, err := center.Disk(ring)
	if err != nil {
		return nil, true, err
	}
	q = &search{id: id, pickup: pickup, center: center, area: center.Center(), disk: disk}
	return q, s.ask(ctx, q, limit, by, x), nil
}

// ask asks the cells of a search's disk. done is as begin returns it.
func (s *shared) ask(ctx actor.Context, q *search, limit int, by nearness, x *explain) (done bool) {
	pids := s.place.Cells(q.disk)
	q.waiting = len(pids)
	near := q.area
	if by == toDoor {
		near = q.pickup
	}
	var question any = cellFind{ // boxed once for all
		Search: q.id, Pickup: near, Coarse: by == coarse, Limit: limit, Disk: q.disk, Until: time.Now().Add(s.cfg.SearchTimeout), Explain: x,
	}
	for _, pid := range pids {
		if pid.Id != finderName {
			q.cells++ // a finder tells how many it asks
		}
		ctx.Request(pid, question)
	}
	return q.waiting == 0
}

// add takes one reply; done reports that it was the last. Replies to other searches are ignored.
func (q *search) add(m cellFound) (done bool) {
	if q == nil || q.routing || m.Search != q.id {
		return false
	}
	q.drivers = append(q.drivers, m.Drivers...)
	q.cells += m.Cells
	q.passed = append(q.passed, m.Passed...)
	q.mixed = q.mixed || m.Cells > 0
	q.waiting--
	return q.waiting <= 0
}

// unite leaves one entry of each driver. A driver whose session has just moved may be found on two
// nodes: the higher generation counts.
func (q *search) unite() {
	if !q.mixed {
		return
	}
	at := make(map[ride.AccountID]int, len(q.drivers))
	united := q.drivers[:0]
	for _, d := range q.drivers {
		i, known := at[d.Driver]
		switch {
		case !known:
			at[d.Driver] = len(united)
			united = append(united, d)
		case d.Generation > united[i].Generation:
			united[i] = d
		}
	}
	q.drivers = united
}

// report is the search as the record of a wave needs it.
func (q *search) report(ring int, class string, excluded []ride.AccountID) city.Search {
	return city.Search{
		Pickup: q.pickup, Center: q.center, Disk: q.disk, Ring: ring, Class: class, Excluded: excluded, Found: q,
	}
}

// withPassed adds to the drivers of this node who were passed over those of others, nearest first.
func (q *search) withPassed(here []ride.Considered) []ride.Considered {
	if len(q.passed) == 0 {
		return here
	}
	for _, p := range q.passed {
		known := slices.ContainsFunc(here, func(other ride.Considered) bool { return other.Driver == p.Driver })
		if !known && !q.Has(p.Driver) {
			here = append(here, p)
		}
	}
	slices.SortStableFunc(here, func(a, b ride.Considered) int {
		return cmp.Compare(geo.DistanceM(a.Point, q.pickup), geo.DistanceM(b.Point, q.pickup))
	})
	return here[:min(len(here), ride.MaxPassed)]
}

// Has reports whether the search found a driver.
func (q *search) Has(driver ride.AccountID) bool {
	return slices.ContainsFunc(q.drivers, func(d cellPut) bool { return d.Driver == driver })
}

// ways are the drivers that a search has found, and their ways to the trip.
type ways struct {
	drivers    []cellPut
	candidates []ride.Candidate
}

// ways estimates two routes for each driver found: to the centre of the pickup's cell, which is what drivers may
// know, and to the pickup. A driver without a route to the pickup is left out.
func (s *shared) ways(ctx context.Context, trip ride.TripID, q *search) (w ways) {
	door, area := s.routes(ctx, places(q.drivers), q.pickup), s.toArea(ctx, q.drivers, q.area)
	if door == nil || area == nil {
		return w
	}
	w.drivers, w.candidates = make([]cellPut, 0, len(area)), make([]ride.Candidate, 0, len(area))
	for i, d := range q.drivers {
		if !leads(door[i]) {
			continue
		}
		w.drivers = append(w.drivers, d)
		w.candidates = append(w.candidates, ride.Candidate{
			Trip: trip, Driver: d.Driver, Class: d.Class, Point: d.Point,
			DistanceM: area[i].DistanceM, ETA: area[i].Duration, By: area[i].By.String(),
			DoorM: door[i].DistanceM, DoorETA: door[i].Duration, Load: d.Load,
		})
	}
	return w
}

// places are where drivers are, for an estimate.
func places(drivers []cellPut) []geo.Place {
	out := make([]geo.Place, len(drivers))
	for i, d := range drivers {
		out[i] = geo.Place{Point: d.Point, Heading: d.Heading, Snap: d.Snap}
	}
	return out
}

// toArea estimates the ways of drivers to the centre of a pickup's cell; nil for invalid points. The
// centre may be in a lake, to which there is a straight line.
func (s *shared) toArea(ctx context.Context, drivers []cellPut, center geo.Point) []geo.Route {
	area := s.routes(ctx, places(drivers), center)
	for i := range area {
		if !leads(area[i]) {
			area[i] = greatCircle(drivers[i].Point, center)
		}
	}
	return area
}
