package actors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// estimate prices a trip before it is driven. It blocks on the ETA source for at most
// SearchTimeout.
func (s *shared) estimate(from, to geo.Point, tariff ride.Tariff) (ride.Estimate, error) {
	c, cancel := context.WithTimeout(context.Background(), s.cfg.SearchTimeout)
	defer cancel()
	route, err := s.cfg.ETA.Route(c, from, to)
	switch {
	case errors.Is(err, geo.ErrNoRoute):
		return ride.Estimate{}, ride.ErrNoRoute
	case err != nil:
		return ride.Estimate{}, fmt.Errorf("%w: estimate: %w", ride.ErrUnavailable, err)
	case route.DistanceM > s.cfg.MaxTripM:
		return ride.Estimate{}, ride.ErrNoRoute.With("This service drives at most %.0f km.", s.cfg.MaxTripM/1000)
	}
	fare, err := tariff.Price(route.DistanceM, route.Duration)
	if err != nil {
		return ride.Estimate{}, err
	}
	return ride.Estimate{DistanceM: route.DistanceM, Duration: route.Duration, Fare: fare}, nil
}

// outline estimates a trip between the centres of its pickup's and its dropoff's cells, for drivers
// who may not know more yet. Within one cell it takes the cell's radius, and the great circle where
// a centre cannot be reached. It blocks on the ETA source for at most SearchTimeout.
func (s *shared) outline(pickup, dropoff geo.Point, tariff ride.Tariff) (*ride.Estimate, error) {
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
	if routes := s.routes([]geo.Point{start}, end); len(routes) == 1 && leads(routes[0]) {
		route = routes[0]
	}
	fare, err := tariff.Price(route.DistanceM, route.Duration)
	if err != nil {
		return nil, err
	}
	return &ride.Estimate{DistanceM: route.DistanceM, Duration: route.Duration, Fare: fare}, nil
}

// eta is the driving time from a driver to its destination. It blocks on the ETA source for at most
// SearchTimeout, and falls back to the great circle.
func (s *shared) eta(from, to geo.Point) time.Duration {
	c, cancel := context.WithTimeout(context.Background(), s.cfg.SearchTimeout)
	defer cancel()
	r, err := s.cfg.ETA.Route(c, from, to)
	if err != nil {
		r, err = geo.StraightLine{}.Route(context.Background(), from, to)
	}
	if err != nil || !r.Reachable() {
		return 0
	}
	return r.Duration
}

// routes estimates the routes from many points to one. It blocks on the ETA source for at most
// SearchTimeout. When the source fails it falls back to the great circle, because a poor estimate
// still finds a driver. It returns nil for invalid points.
func (s *shared) routes(from []geo.Point, to geo.Point) []geo.Route {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.SearchTimeout)
	defer cancel()
	routes, err := s.cfg.ETA.Routes(ctx, from, to)
	if err != nil {
		s.cfg.Log.Warn("eta source failed; using straight lines", "error", err)
		if routes, err = (geo.StraightLine{}).Routes(context.Background(), from, to); err != nil {
			return nil
		}
	}
	return routes
}

func leads(r geo.Route) bool { return r.Reachable() && !math.IsNaN(r.DistanceM) }

// greatCircle is the estimate that never fails; it is the zero Route for invalid points.
func greatCircle(from, to geo.Point) geo.Route {
	r, _ := geo.StraightLine{}.Route(context.Background(), from, to)
	return r
}
