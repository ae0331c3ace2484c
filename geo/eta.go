package geo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrNoRoute means that there is no route between two points. It is an answer, not a failure:
// retrying does not help.
var ErrNoRoute = errors.New("no route")

// Route is a route from one point to another: its length in metres and its driving time. The zero
// Route stays at the same place.
type Route struct {
	DistanceM float64
	Duration  time.Duration
	By        Source // who estimated it
}

// Source says who estimated a route. The zero Source is the straight line, on which everyone falls back.
type Source uint8

// The sources.
const (
	ByCrow     Source = iota // StraightLine
	ByStreets                // a map of geo/streets
	ByOSRM                   // a server that speaks as OSRM does
	ByValhalla               // a server that speaks as Valhalla does
)

var sourceNames = [...]string{"crow", "streets", "osrm", "valhalla"}

// String returns the source's name, as protocols and records use it.
func (s Source) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return "unknown"
}

// Unreachable is what Routes returns for an origin without a route: infinitely long and slow, so
// that it sorts after every real route.
func Unreachable() Route {
	return Route{DistanceM: math.Inf(1), Duration: math.MaxInt64}
}

// Reachable reports whether r is a real route.
func (r Route) Reachable() bool { return !math.IsInf(r.DistanceM, 1) }

// ETASource estimates drives. Implementations are safe for concurrent use, honour ctx, and may
// block on a network: actors that must not block call them from another goroutine.
type ETASource interface {
	// Route returns the fastest route between two points. The error wraps ErrNoRoute if there is
	// none, ErrInvalidPoint, or the context's error.
	Route(ctx context.Context, from, to Point) (Route, error)

	// Routes returns the routes from many points to one, which is what dispatch needs: element i
	// belongs to from[i], and is Unreachable() if there is no route, so that one unreachable driver
	// does not fail the whole call. The error wraps ErrInvalidPoint or the context's error; the
	// slice is then nil. The caller owns the slice.
	Routes(ctx context.Context, from []Point, to Point) ([]Route, error)
}

// Defaults of StraightLine. A detour of 1.3 is common in street networks; 7 m/s (25 km/h) is a city
// in the daytime.
const (
	DefaultDetour   = 1.3
	DefaultSpeedMPS = 7.0

	maxDetour = 100
)

// StraightLine estimates a drive from the great-circle distance alone. It needs no map, never
// blocks, and ignores rivers. The zero value uses the defaults.
type StraightLine struct {
	// Detour multiplies the great-circle distance: 1 to 100. Anything else, NaN too,
	// stands for DefaultDetour.
	Detour float64
	// SpeedMPS is the mean speed in metres per second: more than 0. Anything else, NaN
	// and infinity too, stands for DefaultSpeedMPS.
	SpeedMPS float64
}

var _ ETASource = StraightLine{}

// Route implements ETASource. It never returns ErrNoRoute.
func (s StraightLine) Route(ctx context.Context, from, to Point) (Route, error) {
	if err := ctx.Err(); err != nil {
		return Route{}, fmt.Errorf("route: %w", err)
	}
	if err := from.Validate(); err != nil {
		return Route{}, fmt.Errorf("route from: %w", err)
	}
	if err := to.Validate(); err != nil {
		return Route{}, fmt.Errorf("route to: %w", err)
	}
	return s.estimate(from, to), nil
}

// Routes implements ETASource. Every element is reachable.
func (s StraightLine) Routes(ctx context.Context, from []Point, to Point) ([]Route, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	if err := to.Validate(); err != nil {
		return nil, fmt.Errorf("routes to: %w", err)
	}
	out := make([]Route, len(from))
	for i, p := range from {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("routes from %d: %w", i, err)
		}
		out[i] = s.estimate(p, to)
	}
	return out, nil
}

func (s StraightLine) estimate(from, to Point) Route {
	detour, speed := s.Detour, s.SpeedMPS
	if !(detour >= 1 && detour <= maxDetour) {
		detour = DefaultDetour
	}
	if !(speed > 0) || math.IsInf(speed, 1) {
		speed = DefaultSpeedMPS
	}
	d := DistanceM(from, to) * detour
	return Route{DistanceM: d, Duration: seconds(d / speed)}
}

// seconds converts without overflow: a very low speed gives the longest duration rather than a
// negative one.
func seconds(s float64) time.Duration {
	ns := s * float64(time.Second)
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}
