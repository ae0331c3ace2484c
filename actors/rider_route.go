package actors

import (
	"github.com/hexhail/hexhail/ride/ridepb"
)

// onRouteMade takes the newest route of the rider's trip. It may come before the news that the driver
// has the trip, and is kept until then.
func (r *riderActor) onRouteMade(m routeMade) {
	t := r.active
	if t != nil && (t.ID != m.Trip || t.Status.Occupied() && t.DriverID() != m.Driver) {
		return // of another trip, or of a driver who has given this one back
	}
	if was := r.route; was.Trip == m.Trip && was.Driver == m.Driver && was.Route.GetRevision() >= m.Route.GetRevision() {
		return // sent again, or by a former actor of the driver's
	}
	r.route, r.routeShown = m, false
	r.showRoute()
}

// showRoute sends the client the route once the trip is on that leg. It is called after
// anything that may have changed the trip.
func (r *riderActor) showRoute() {
	route := r.present()
	if route == nil || r.routeShown || r.out == nil {
		return
	}
	r.routeShown = true
	e := &ridepb.Event{Body: &ridepb.Event_RouteChanged{RouteChanged: &ridepb.RouteChanged{Route: route}}}
	r.history.mark(e)
	r.out.Event(e)
}

// present is the route of the driver who has the rider's active trip, on its present leg; nil: not known.
func (r *riderActor) present() *ridepb.TripRoute {
	t, m := r.active, r.route
	if t == nil || t.ID != m.Trip || !t.Status.Occupied() || t.DriverID() != m.Driver {
		return nil
	}
	if leg, _ := legOf(t); leg != m.Route.GetLeg() {
		return nil
	}
	return m.Route
}

// snapshot reads this rider's active trip from the database, and adds its route.
func (r *riderActor) snapshot(c *ridepb.Connected) error {
	if err := r.readActive(c); err != nil {
		return err
	}
	c.Route = r.present()
	r.routeShown = c.Route != nil
	return nil
}
