package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// guide is the planned route of a driver's active trip. Workers plan it, from where the car is: at the
// match, when the ride begins, and when the car has left it.
type guide struct {
	trip   ride.TripID
	leg    ridepb.TripRoute_Leg
	goal   geo.Point
	route  *ridepb.TripRoute // nil: none yet
	coming *planned          // of route
	// forRider is what the rider gets of it: no steps, and nothing that lies before the first position
	// of the trip. shownTo is the rider's actor that has it.
	forRider *ridepb.TripRoute
	shownTo  *actor.PID
	// seen says that the driver has sent a position during the trip.
	seen bool
	// revision is that of the trip's newest route, also of the former leg.
	revision uint32

	question uint64 // the newest one; the answers to others do not count
	waits    bool   // for an answer
	askedAt  time.Time
}

const (
	// replanEvery bounds how often a car that leaves its route gets another one.
	replanEvery = 5 * time.Second
	// retryPlanEvery is how often a route is looked for again while the car is off the map.
	retryPlanEvery = 30 * time.Second
)

// steer is called after anything that may have changed the active trip or the place of the driver: it
// sees to it that the trip's present leg has a route.
func (d *driverActor) steer(ctx actor.Context) {
	g := &d.guide
	if d.active == nil || d.gone {
		d.guide = guide{question: g.question}
		return
	}
	leg, goal := legOf(d.active)
	if g.trip != d.active.ID {
		*g = guide{trip: d.active.ID, question: g.question + 1}
	}
	if g.leg != leg {
		*g = guide{trip: g.trip, leg: leg, goal: goal, seen: g.seen, revision: g.revision, question: g.question + 1}
	}
	now := time.Now()
	switch {
	case d.fix.receivedAt.IsZero() || g.awaits(now):
	case g.route == nil && now.Sub(g.askedAt) >= time.Second,
		g.route != nil && g.coming.progress == nil && d.sys.planner != nil && now.Sub(g.askedAt) >= retryPlanEvery:
		d.askForPlan(ctx, now)
	}
	if g.route != nil && !sameActor(g.shownTo, d.rider) {
		d.showRoute(ctx)
	}
}

// awaits reports whether an answer is to come. One that is very late was lost.
func (g *guide) awaits(now time.Time) bool { return g.waits && now.Sub(g.askedAt) < retryPlanEvery }

// askForPlan has a route planned from the newest position. If the workers are too busy, the next
// position asks again.
func (d *driverActor) askForPlan(ctx actor.Context, now time.Time) {
	g := &d.guide
	g.question++
	g.askedAt = now
	from, goal, question, self := d.fix.place(), g.goal, g.question, ctx.Self()
	g.waits = d.sys.workers.do(func() {
		d.sys.root.Send(self, d.sys.plan(from, goal, question, now))
	})
}

// onPlanned takes a plan and shows it to both parties.
func (d *driverActor) onPlanned(ctx actor.Context, m *planned) {
	g := &d.guide
	if m.question != g.question || d.active == nil || d.active.ID != g.trip || d.gone {
		return // it was asked for another trip or leg
	}
	g.waits = false
	if g.route != nil && m.progress == nil && g.coming.progress == nil {
		return // still off the map: the line is as good as it was
	}
	// Time makes revisions rise where another actor of this driver's made the former ones.
	g.revision = max(g.revision+1, uint32(max(0, time.Since(d.active.RequestedAt).Milliseconds())))
	route := m.route
	route.TripId, route.Revision, route.Leg = string(g.trip), g.revision, g.leg
	g.route, g.coming, g.forRider, g.shownTo = route, m, nil, nil
	if g.seen && m.progress != nil { // the plan begins at a former position, perhaps one before the match
		m.progress.Move(geo.Spot{Point: d.fix.Point, AccuracyM: float64(d.fix.AccuracyM), At: d.fix.receivedAt})
	}
	e := &ridepb.Event{Body: &ridepb.Event_RouteChanged{RouteChanged: &ridepb.RouteChanged{Route: route}}}
	d.history.mark(e)
	if d.out != nil {
		d.out.Event(e)
	}
	d.showRoute(ctx)
}

// showRoute sends the route to the trip's rider. The route at the match begins where the driver was before
// it, which is no business of the rider: until the next position, the rider gets none.
func (d *driverActor) showRoute(ctx actor.Context) {
	g := &d.guide
	if d.rider == nil || g.route == nil {
		return
	}
	if g.forRider == nil {
		if !g.seen || g.coming.progress != nil && g.coming.progress.Astray() {
			return
		}
		line, left := g.coming.rest(d.fix.Point, g.goal), g.coming.left(d.fix.Point, g.goal)
		g.forRider = &ridepb.TripRoute{
			TripId: g.route.TripId, Revision: g.route.Revision, Leg: g.leg, By: g.route.By, MapId: g.route.MapId,
			Polyline: line, DistanceM: whole(left.DistanceM), DurationS: whole(left.Duration.Seconds()),
		}
	}
	g.shownTo = d.rider
	ctx.Send(d.rider, routeMade{Trip: g.trip, Driver: d.account.ID, Route: g.forRider})
}

// route is that of the active trip's present leg; nil: there is none yet.
func (d *driverActor) route() *ridepb.TripRoute {
	g := &d.guide
	if d.active == nil || g.trip != d.active.ID {
		return nil
	}
	if leg, _ := legOf(d.active); leg != g.leg {
		return nil
	}
	return g.route
}

// repeatRoute sends the route again to a rider on another node: a message may be lost between nodes.
func (d *driverActor) repeatRoute(ctx actor.Context) {
	if d.rider != nil && d.rider.Address != ctx.Self().Address {
		d.showRoute(ctx)
	}
}

// advance takes the newest position, and has the way planned again if the car has left it. A car that
// waits at the pickup may do so anywhere.
func (d *driverActor) advance(ctx actor.Context, now time.Time) {
	g := &d.guide
	g.seen = g.seen || g.trip == d.active.ID
	if g.route != nil && g.coming.progress != nil {
		left := g.coming.progress.Move(geo.Spot{Point: d.fix.Point, AccuracyM: float64(d.fix.AccuracyM), At: now})
		if left && !g.awaits(now) && now.Sub(g.askedAt) >= replanEvery && d.active.Status != ride.StatusArrived {
			d.askForPlan(ctx, now)
		}
	}
	d.steer(ctx)
}

// ahead is what the driver has yet to drive on this leg, and of which route; 0: of none.
func (d *driverActor) ahead() (geo.Route, uint32) {
	g := &d.guide
	if g.route == nil {
		_, goal := legOf(d.active)
		return greatCircle(d.fix.Point, goal), 0
	}
	return g.coming.left(d.fix.Point, g.goal), g.revision
}
