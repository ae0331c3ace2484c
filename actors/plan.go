package actors

import (
	"context"
	"math"
	"time"

	polyline "github.com/twpayne/go-polyline"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// planned is a route from where a driver was. A worker makes it for the driver's actor, which owns
// it from then on.
type planned struct {
	question uint64
	route    *ridepb.TripRoute // without what the actor knows: trip, revision and leg
	progress *geo.Progress     // nil: the line is straight
	// Of a straight line: metres and seconds to drive for each metre of it.
	detour, secondsPerM float64
}

const (
	// maxLine bounds the points of a route's line.
	maxLine = 4000
	// straightM is a straight line in metres too short to take a detour from.
	straightM = 50
)

// legOf is the leg of a trip that a driver is on, and where it leads.
func legOf(t *ride.Trip) (ridepb.TripRoute_Leg, geo.Point) {
	if t.Status == ride.StatusInProgress {
		return ridepb.TripRoute_ride, t.Request.Dropoff
	}
	return ridepb.TripRoute_pickup, t.Request.Pickup
}

// plan finds the route of a drive that begins now. It falls back to a straight line, and blocks on
// the ETA source for at most twice EstimateTimeout.
func (s *shared) plan(from geo.Place, goal geo.Point, question uint64, now time.Time) *planned {
	if s.planner != nil {
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.EstimateTimeout)
		defer cancel()
		p, err := s.planner.Plan(ctx, from, geo.Place{Point: goal}, now)
		if err == nil && isStreets(p) {
			return alongStreets(p, from.Point, goal, question, now, s.cfg.MaxSpeedMPS)
		}
	}
	return s.straight(from.Point, goal, question)
}

// line is the way of a ride that has not been asked for yet, encoded: from the rider's own pickup to the rider's own
// dropoff, without any driver. It is empty where no way along streets is known, or not before ctx ends.
func (s *shared) line(ctx context.Context, pickup, dropoff geo.Point) string {
	if s.planner == nil || ctx.Err() != nil {
		return ""
	}
	p, err := s.planner.Plan(ctx, geo.Place{Point: pickup}, geo.Place{Point: dropoff}, time.Now())
	if err != nil || !isStreets(p) {
		return ""
	}
	thin(&p)
	return encodeLine(p.Line)
}

// isStreets reports whether a plan's line leads along streets.
func isStreets(p geo.Plan) bool { return p.By != geo.ByCrow && len(p.Line) >= 2 && p.Reachable() }

func alongStreets(p geo.Plan, from, goal geo.Point, question uint64, now time.Time, mostMPS float64) *planned {
	thin(&p)
	return &planned{question: question, progress: geo.NewProgress(p, from, goal, now, mostMPS), route: &ridepb.TripRoute{
		By: by(p.By), Polyline: encodeLine(p.Line), Steps: showSteps(p.Steps), MapId: p.MapID,
		DistanceM: whole(p.DistanceM), DurationS: whole(p.Duration.Seconds()),
	}}
}

// straight is the route where none along streets is known.
func (s *shared) straight(from, goal geo.Point, question uint64) *planned {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.EstimateTimeout)
	defer cancel()
	r, err := s.cfg.ETA.Route(ctx, from, goal)
	if err != nil || !leads(r) {
		r = greatCircle(from, goal)
	}
	out := &planned{question: question, detour: geo.DefaultDetour, secondsPerM: geo.DefaultDetour / geo.DefaultSpeedMPS, route: &ridepb.TripRoute{
		By: ridepb.TripRoute_crow, Polyline: encodeLine([]geo.Point{from, goal}),
		DistanceM: whole(r.DistanceM), DurationS: whole(r.Duration.Seconds()),
	}}
	if d := geo.DistanceM(from, goal); d >= straightM {
		out.detour, out.secondsPerM = r.DistanceM/d, r.Duration.Seconds()/d
	}
	return out
}

// left is what is yet to drive from a place to the goal.
func (p *planned) left(at, goal geo.Point) geo.Route {
	if p.progress != nil {
		return p.progress.Left()
	}
	d := geo.DistanceM(at, goal)
	return geo.Route{DistanceM: d * p.detour, Duration: time.Duration(d * p.secondsPerM * float64(time.Second))}
}

// rest is the line from a place on, encoded.
func (p *planned) rest(at, goal geo.Point) string {
	if p.progress != nil {
		return encodeLine(p.progress.Rest())
	}
	return encodeLine([]geo.Point{at, goal})
}

// thin leaves maxLine points of a plan's line.
func thin(p *geo.Plan) {
	if len(p.Line) <= maxLine {
		return
	}
	starts := make([]int, len(p.Steps))
	for i, s := range p.Steps {
		starts[i] = s.Index
	}
	kept := geo.Thin(p.Line, starts, maxLine)
	line, now := make([]geo.Point, len(kept)), make(map[int]int, len(kept))
	for i, k := range kept {
		line[i], now[k] = p.Line[k], i
	}
	p.Line = line
	for i := range p.Steps {
		p.Steps[i].Index = now[starts[i]]
	}
}

func showSteps(steps []geo.Step) []*ridepb.RouteStep {
	out := make([]*ridepb.RouteStep, len(steps))
	for i, s := range steps {
		out[i] = &ridepb.RouteStep{
			Turn: turn(s.Turn), Street: s.Street, Exit: uint32(max(0, s.Exit)), Index: uint32(max(0, s.Index)),
			DistanceM: whole(s.Route.DistanceM), DurationS: whole(s.Route.Duration.Seconds()),
		}
	}
	return out
}

// encodeLine writes a line in the encoded polyline format, with 5 decimals.
func encodeLine(line []geo.Point) string {
	coords := make([][]float64, len(line))
	flat := make([]float64, 2*len(line))
	for i, p := range line {
		coords[i] = flat[2*i : 2*i+2]
		coords[i][0], coords[i][1] = p.Lat, p.Lng
	}
	return string(polyline.EncodeCoords(coords))
}

// whole rounds metres or seconds.
func whole(v float64) uint32 { return uint32(math.Round(min(max(0, v), math.MaxInt32))) }

// by and turn are the protocol's words, which are those of geo.
func by(s geo.Source) ridepb.TripRoute_By { return view.By(s.String()) }

func turn(t geo.Turn) ridepb.RouteStep_Turn {
	return ridepb.RouteStep_Turn(ridepb.RouteStep_Turn_value[t.String()])
}
