package actors

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// matchRound is a plan under way: for these rows, as they were when it began.
type matchRound struct {
	id      uint64
	began   time.Time
	elapsed time.Duration // since the round before; 0: there was none
	rows    []openRow
	more    bool // others wait for the next round
	query   *search
}

// matchJob is the part of a round that workers do. Nothing in it changes meanwhile.
type matchJob struct {
	sys     *shared
	round   uint64
	policy  dispatch.Policy
	rows    []openRow
	drivers []cellPut
	cells   int
	held    map[ride.AccountID]bool
	state   dispatch.State
	elapsed time.Duration
	demand  []dispatch.Demand
	now     time.Time
}

// matchPlan is what became of a matchJob: for each of its rows a wave or the reason why it waits.
type matchPlan struct {
	round  uint64
	failed bool
	made   []matchMade
	waits  map[ride.TripID]dispatch.Reason
	state  dispatch.State
	next   time.Duration // until the next plan; 0: the window of the settings

	rows, columns int
	ways, decide  time.Duration
}

// run makes the plan. It waits for estimates until the context ends, and takes straight lines then.
func (j *matchJob) run(ctx context.Context) (p *matchPlan) {
	defer func() {
		// The same snapshot would end the process again and again. Without a plan trips search by themselves.
		if r := recover(); r != nil {
			p = &matchPlan{round: j.round, failed: true}
			j.sys.cfg.Log.Error("zone cannot be planned", "panic", fmt.Sprint(r), "rows", len(j.rows), "drivers", len(j.drivers))
		}
	}()
	began := time.Now()
	s := j.snapshot()
	drives := j.drives(ctx, dispatch.Shortlist(j.policy, &s))
	for trip, of := range drives {
		for _, d := range of {
			s.Ways = append(s.Ways, dispatch.Way{Trip: trip, Driver: d.Driver, Duration: d.way.Duration, DistanceM: d.way.DistanceM, By: d.way.By})
		}
	}
	found := time.Now()
	plan := dispatch.Decide(j.policy, &s)
	out := &matchPlan{
		round: j.round, waits: make(map[ride.TripID]dispatch.Reason, len(plan.Waits)), state: plan.State, next: plan.Next,
		rows: plan.Rows, columns: plan.Columns, ways: found.Sub(began),
	}
	for _, w := range plan.Waits {
		out.waits[w.Trip] = w.Reason
	}
	j.makeWaves(ctx, out, &plan, drives)
	out.decide = time.Since(found)
	return out
}

// snapshot is the zone as the engine sees it.
func (j *matchJob) snapshot() dispatch.Snapshot {
	s := dispatch.Snapshot{
		Requests: make([]dispatch.Request, 0, len(j.rows)), Drivers: make([]dispatch.Driver, 0, len(j.drivers)),
		Demand: j.demand, Elapsed: j.elapsed, State: j.state,
	}
	for i := range j.rows {
		row := &j.rows[i]
		s.Requests = append(s.Requests, dispatch.Request{
			Trip: row.Trip, Class: row.Class, Pickup: j.sys.goal(row), Age: max(0, j.now.Sub(row.since)), Excluded: row.Refused,
		})
	}
	for i := range j.drivers {
		d := &j.drivers[i]
		cell, err := geo.CellAt(d.Point, j.sys.cfg.Resolution)
		if err != nil {
			cell = 0
		}
		s.Drivers = append(s.Drivers, dispatch.Driver{
			ID: d.Driver, Class: d.Class, State: dispatch.Free, Point: d.Point, Cell: cell, Held: d.Load > 0 || j.held[d.Driver],
		})
	}
	return s
}

// goal is where the ways to a row's pickup end by which drivers are chosen.
func (s *shared) goal(row *openRow) geo.Point {
	if row.Door {
		return row.Pickup
	}
	return s.area(row.Pickup)
}

// toGoal estimates the ways of drivers to where those of a row end, and to the pickup itself. Both are nil for
// invalid points.
func (s *shared) toGoal(ctx context.Context, drivers []cellPut, row *openRow) (goal, door []geo.Route) {
	door = s.routes(ctx, places(drivers), row.Pickup)
	if row.Door || door == nil {
		return door, door
	}
	return s.toArea(ctx, drivers, s.area(row.Pickup)), door
}

// area is the centre of a place's cell; the place itself where H3 has none.
func (s *shared) area(p geo.Point) geo.Point {
	cell, err := geo.CellAt(p, s.cfg.Resolution)
	if err != nil {
		return p
	}
	return cell.Center()
}

// drive is the way of a driver to where those of its row end, and that to the pickup itself.
type drive struct {
	cellPut
	way, door geo.Route
}

// drives estimates the ways of a shortlist, which is sorted by trip. Drivers without one to the pickup itself are left
// out: there is always a straight line to the middle of its cell.
func (j *matchJob) drives(ctx context.Context, pairs []dispatch.Pair) map[ride.TripID][]drive {
	driver := make(map[ride.AccountID]*cellPut, len(j.drivers))
	for i := range j.drivers {
		driver[j.drivers[i].Driver] = &j.drivers[i]
	}
	row := make(map[ride.TripID]*openRow, len(j.rows))
	for i := range j.rows {
		row[j.rows[i].Trip] = &j.rows[i]
	}
	out := make(map[ride.TripID][]drive, len(j.rows))
	for len(pairs) > 0 {
		trip := pairs[0].Trip
		n := slices.IndexFunc(pairs, func(p dispatch.Pair) bool { return p.Trip != trip })
		if n < 0 {
			n = len(pairs)
		}
		near := make([]cellPut, n)
		for i, pair := range pairs[:n] {
			near[i] = *driver[pair.Driver]
		}
		goal, door := j.sys.toGoal(ctx, near, row[trip])
		for i, way := range goal {
			if leads(way) && leads(door[i]) {
				out[trip] = append(out[trip], drive{near[i], way, door[i]})
			}
		}
		pairs = pairs[n:]
	}
	return out
}

// makeWaves makes the waves of a plan's offers, with the ways by which it has chosen.
func (j *matchJob) makeWaves(ctx context.Context, out *matchPlan, plan *dispatch.Plan, drives map[ride.TripID][]drive) {
	row := make(map[ride.TripID]*openRow, len(j.rows))
	for i := range j.rows {
		row[j.rows[i].Trip] = &j.rows[i]
	}
	chosen := make(map[ride.AccountID]bool, len(plan.Offers))
	for _, o := range plan.Offers {
		chosen[o.Driver] = true
	}
	records := make(map[ride.TripID]*dispatch.Record, len(plan.Records))
	for i := range plan.Records {
		records[plan.Records[i].Trip] = &plan.Records[i]
	}
	for _, o := range plan.Offers {
		r := row[o.Trip]
		made := matchMade{Trip: o.Trip, Asked: r.Asked}
		asked := asking{driver: o.Driver}
		for _, d := range drives[o.Trip] {
			if d.Driver == o.Driver {
				made.Driver, asked.door, asked.area = d.cellPut, d.door, d.way
			}
		}
		if r.Door {
			if area := j.sys.toArea(ctx, []cellPut{made.Driver}, j.sys.area(r.Pickup)); len(area) > 0 {
				asked.area = area[0]
			}
		}
		made.Wave = ride.OfferWave{
			Wave: r.Wave, Ring: r.Reach, Cells: j.cells, Windows: r.windows + 1,
			Considered: j.considered(r, drives[o.Trip], asked, chosen, records[o.Trip]),
		}
		if record := records[o.Trip]; record != nil {
			var err error
			if made.Wave.Decision, err = json.Marshal(record); err != nil {
				j.sys.cfg.Log.Error("decision cannot be recorded", "trip", o.Trip, "error", err)
			}
		}
		out.made = append(out.made, made)
	}
}

// verdicts are the engine's reasons in the words of a wave's record.
var verdicts = map[dispatch.Reason]ride.Verdict{
	dispatch.NeededMore: ride.VerdictNeeded, dispatch.Dearer: ride.VerdictOverCap, dispatch.TooFar: ride.VerdictBeyondETA,
	dispatch.Held: ride.VerdictHeld, dispatch.Excluded: ride.VerdictExcluded, dispatch.WrongClass: ride.VerdictWrongClass,
}

// asking is the driver to be asked, with its ways to the pickup and to the centre of its cell.
type asking struct {
	driver     ride.AccountID
	door, area geo.Route
}

// considered are the drivers whose ways a row's plan knew, the one to be asked first, the others by way.
func (j *matchJob) considered(
	row *openRow, drives []drive, asked asking, chosen map[ride.AccountID]bool, record *dispatch.Record,
) []ride.Considered {
	why := make(map[ride.AccountID]ride.Verdict)
	if record != nil {
		for _, a := range record.Next {
			why[a.Driver] = verdicts[a.Reason]
		}
	}
	out := make([]ride.Considered, 0, len(drives))
	for _, d := range drives {
		k := ride.Considered{Driver: d.Driver, Point: d.Point, By: d.way.By.String()}
		if row.Door {
			k.DoorM, k.DoorETA = d.way.DistanceM, d.way.Duration
		} else {
			k.DistanceM, k.ETA = d.way.DistanceM, d.way.Duration
		}
		switch {
		case d.Driver == asked.driver:
			k.Verdict, k.DistanceM, k.ETA = ride.VerdictOffered, asked.area.DistanceM, asked.area.Duration
			k.DoorM, k.DoorETA, k.By = asked.door.DistanceM, asked.door.Duration, asked.area.By.String()
		case why[d.Driver] != "":
			k.Verdict = why[d.Driver]
		case chosen[d.Driver]:
			k.Verdict = ride.VerdictNeeded
		case d.way.Duration > j.policy.MaxETA:
			k.Verdict = ride.VerdictBeyondETA
		default:
			k.Verdict = ride.VerdictOverCap
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b ride.Considered) int {
		return cmp.Or(-cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ETA+a.DoorETA, b.ETA+b.DoorETA), cmp.Compare(a.Driver, b.Driver))
	})
	return out
}

// rank is 1 for the driver who is asked.
func rank(k ride.Considered) int {
	if k.Verdict == ride.VerdictOffered {
		return 1
	}
	return 0
}

// count puts what became of a round into the metrics.
func (p *matchPlan) count(s *matchStats) {
	if p.failed {
		s.plans.WithLabelValues(planFailed).Inc()
		return
	}
	s.plans.WithLabelValues(planMade).Inc()
	s.size.WithLabelValues("rows").Observe(float64(p.rows))
	s.size.WithLabelValues("columns").Observe(float64(p.columns))
	s.stage(stageWays, p.ways)
	s.stage(stageDecide, p.decide)
	s.trips.WithLabelValues(matchOffered).Add(float64(len(p.made)))
	for _, why := range p.waits {
		s.trips.WithLabelValues(string(why)).Inc()
	}
}
