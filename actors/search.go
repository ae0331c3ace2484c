package actors

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// search gathers the available drivers around a point: one question to each occupied
// cell of a grid disk, answers until all are in or the owner's patience ends. It
// belongs to one actor and is not safe for concurrent use.
type search struct {
	id      uint64
	waiting int
	pickup  geo.Point
	drivers []cellPut
	// center, disk and cells say where it looks: the pickup's cell, the cells around it,
	// and how many of them hold drivers.
	center geo.Cell
	disk   []geo.Cell
	cells  int
}

// begin asks the cells within ring of pickup on behalf of ctx's actor, for at most
// limit drivers each. done reports that there is nobody to wait for. The error wraps
// geo's for a point that H3 cannot place.
func (s *System) begin(ctx actor.Context, id uint64, pickup geo.Point, ring, limit int) (q *search, done bool, err error) {
	center, err := geo.CellAt(pickup, s.cfg.Resolution)
	if err != nil {
		return nil, true, err
	}
	disk, err := center.Disk(ring)
	if err != nil {
		return nil, true, err
	}
	pids := s.place.Cells(disk)
	q = &search{id: id, waiting: len(pids), pickup: pickup, center: center, disk: disk, cells: len(pids)}
	question := cellFind{Search: id, Pickup: pickup, Limit: limit, Until: time.Now().Add(s.cfg.SearchTimeout)}
	for _, pid := range pids {
		ctx.Request(pid, question)
	}
	return q, q.waiting == 0, nil
}

// add takes one answer; done reports that it was the last. Answers to other searches
// are ignored.
func (q *search) add(m cellFound) (done bool) {
	if q == nil || m.Search != q.id {
		return false
	}
	q.drivers = append(q.drivers, m.Drivers...)
	q.waiting--
	return q.waiting <= 0
}

// has reports whether the search found a driver.
func (q *search) has(driver ride.AccountID) bool {
	return slices.ContainsFunc(q.drivers, func(d cellPut) bool { return d.Driver == driver })
}

// ways estimates every found driver's way to the pickup. A driver for whom there is no
// way is left out. It blocks as long as the ETA source does, SearchTimeout at most;
// when the source fails the great circle stands in, for a bad estimate finds a driver
// and none does not.
func (s *System) ways(q *search) ([]cellPut, []geo.Route) {
	if len(q.drivers) == 0 {
		return nil, nil
	}
	from := make([]geo.Point, len(q.drivers))
	for i, d := range q.drivers {
		from[i] = d.Point
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.SearchTimeout)
	defer cancel()
	routes, err := s.cfg.ETA.Routes(ctx, from, q.pickup)
	if err != nil {
		s.cfg.Log.Warn("eta source failed; using straight lines", "err", err)
		if routes, err = (geo.StraightLine{}).Routes(context.Background(), from, q.pickup); err != nil {
			return nil, nil
		}
	}
	drivers := make([]cellPut, 0, len(routes))
	reachable := routes[:0]
	for i, r := range routes {
		if r.Reachable() && !math.IsNaN(r.DistanceM) {
			drivers = append(drivers, q.drivers[i])
			reachable = append(reachable, r)
		}
	}
	return drivers, reachable
}

// candidates turns what a search found into dispatch's terms.
func candidates(trip ride.TripID, drivers []cellPut, routes []geo.Route) []ride.Candidate {
	out := make([]ride.Candidate, len(drivers))
	for i, d := range drivers {
		out[i] = ride.Candidate{
			Trip: trip, Driver: d.Driver, Class: d.Class, Point: d.Point,
			DistanceM: routes[i].DistanceM, ETA: routes[i].Duration,
		}
	}
	return out
}
