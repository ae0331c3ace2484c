package geo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrNoRoute says that no way leads from one point to the other. It is an answer and
// not a fault: asking again does not help.
var ErrNoRoute = errors.New("no route")

// Route is one way from a point to another: its length in metres and how long it
// takes to drive. The zero Route leads nowhere in no time (the same place).
type Route struct {
	DistanceM float64
	Duration  time.Duration
}

// Unreachable is what Routes holds for an origin without a way: infinitely long and
// slow, so that it sorts behind every real route.
func Unreachable() Route {
	return Route{DistanceM: math.Inf(1), Duration: math.MaxInt64}
}

// Reachable reports whether r is a real route.
func (r Route) Reachable() bool { return !math.IsInf(r.DistanceM, 1) }

// ETASource knows how long drives take. Implementations are safe for concurrent use,
// honour ctx, and may block on a network: actors that must not block call them from
// another goroutine.
type ETASource interface {
	// Route returns the fastest way between two points. The error wraps ErrNoRoute
	// when there is none, ErrInvalidPoint, or the context's error.
	Route(ctx context.Context, from, to Point) (Route, error)

	// Routes returns the ways from many points to one, as dispatch asks for: element
	// i belongs to from[i], and is Unreachable() where there is no way, so that one
	// lost driver does not spoil the others' answer. The error wraps ErrInvalidPoint
	// or the context's error; the slice is then nil. The caller owns the slice.
	Routes(ctx context.Context, from []Point, to Point) ([]Route, error)
}

// Defaults of StraightLine. A detour of 1.3 is what street networks commonly measure
// against the crow's flight; 7 m/s (25 km/h) is a city in the daytime.
const (
	DefaultDetour   = 1.3
	DefaultSpeedMPS = 7.0

	maxDetour = 100
)

// StraightLine estimates a drive from the great-circle distance alone. It needs no
// map, never blocks, and knows nothing of rivers. The zero value uses the defaults.
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

// seconds converts without overflow: a crawling speed gives the longest duration
// rather than a negative one.
func seconds(s float64) time.Duration {
	ns := s * float64(time.Second)
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}
