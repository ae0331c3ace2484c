package actors

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// drive estimates a ride before it is priced.
func (s *shared) drive(ctx context.Context, from, to geo.Point) (geo.Route, error) {
	route, err := s.cfg.ETA.Route(ctx, from, to)
	if err != nil && ctx.Err() != nil && !errors.Is(err, geo.ErrNoRoute) { // a ride does not fail for want of an estimate
		route, err = geo.StraightLine{}.Route(context.Background(), from, to)
	}
	switch {
	case errors.Is(err, geo.ErrNoRoute):
		return geo.Route{}, ride.ErrNoRoute
	case err != nil:
		return geo.Route{}, fmt.Errorf("%w: estimate: %w", ride.ErrUnavailable, err)
	case route.DistanceM > s.cfg.MaxTripM:
		return geo.Route{}, ride.ErrNoRoute.With("This service drives at most %.0f km.", s.cfg.MaxTripM/1000)
	}
	return route, nil
}

// price makes an estimate of a drive. Along streets, where driving times are known, a ride also takes the
// time to get in and out, and drivers drive farther than planned.
func (s *shared) price(route geo.Route, tariff ride.Tariff) (ride.Estimate, error) {
	if route.By == geo.ByStreets && s.cfg.BesideDriving != nil {
		route.Duration += s.cfg.BesideDriving()
	}
	if route.By == geo.ByStreets && s.cfg.Detour != nil {
		route.DistanceM *= s.cfg.Detour()
	}
	fare, err := tariff.Price(route.DistanceM, route.Duration)
	if err != nil {
		return ride.Estimate{}, err
	}
	return ride.Estimate{DistanceM: route.DistanceM, Duration: route.Duration, Fare: fare, By: route.By.String()}, nil
}

// estimate prices a trip before it is driven.
func (s *shared) estimate(ctx context.Context, from, to geo.Point, tariff ride.Tariff) (p priced) {
	route, err := s.drive(ctx, from, to)
	if err != nil {
		return priced{err: err}
	}
	if p.estimate, p.err = s.price(route, tariff); p.err != nil {
		return p
	}
	p.outline, p.err = s.outline(ctx, from, to, tariff)
	return p
}

// outline estimates a trip between the centres of its pickup's and its dropoff's cells, for drivers
// who may not know more yet. Within one cell it takes the cell's radius, and the great circle where
// a centre cannot be reached.
func (s *shared) outline(ctx context.Context, pickup, dropoff geo.Point, tariff ride.Tariff) (*ride.Estimate, error) {
	from, err := geo.CellAt(pickup, s.cfg.Resolution)
	if err != nil {
		return nil, ride.ErrInvalidPoint.In("request_trip.pickup")
	}
	to, err := geo.CellAt(dropoff, s.cfg.Resolution)
	if err != nil {
		return nil, ride.ErrInvalidPoint.In("request_trip.dropoff")
	}
	start, end := from.Center(), to.Center()
	if from == to {
		end = geo.Destination(start, 0, from.RadiusM())
	}
	route := greatCircle(start, end)
	if routes := s.routes(ctx, []geo.Place{{Point: start}}, end); len(routes) == 1 && leads(routes[0]) {
		route = routes[0]
	}
	out, err := s.price(route, tariff)
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func leads(r geo.Route) bool { return r.Reachable() && !math.IsNaN(r.DistanceM) }

// greatCircle is the estimate that never fails; it is the zero Route for invalid points.
func greatCircle(from, to geo.Point) geo.Route {
	r, _ := geo.StraightLine{}.Route(context.Background(), from, to)
	return r
}
