package city

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Way is a drive: positions over time. It is an immutable value.
type Way struct {
	points []geo.Point
	after  []time.Duration // of each point, since the start; increasing
}

// Duration is how long the whole way takes, in simulated time.
func (w Way) Duration() time.Duration {
	if len(w.after) == 0 {
		return 0
	}
	return w.after[len(w.after)-1]
}

// At returns the position after d, and the direction of travel.
func (w Way) At(d time.Duration) (geo.Point, float64) {
	i, _ := slices.BinarySearchFunc(w.after, d, cmp.Compare)
	switch n := len(w.points); {
	case n == 0:
		return geo.Point{}, 0
	case n == 1:
		return w.points[0], 0
	case i >= n:
		return w.points[n-1], geo.BearingDeg(w.points[n-2], w.points[n-1])
	case i == 0:
		return w.points[0], geo.BearingDeg(w.points[0], w.points[1])
	}
	a, b := w.points[i-1], w.points[i]
	share := 1.0
	if span := w.after[i] - w.after[i-1]; span > 0 {
		share = float64(d-w.after[i-1]) / float64(span)
	}
	return geo.Point{Lat: a.Lat + share*(b.Lat-a.Lat), Lng: a.Lng + share*(b.Lng-a.Lng)}, geo.BearingDeg(a, b)
}

// slower is the same drive, slowed down by the factor times.
func (w Way) slower(times float64) Way {
	if times == 1 {
		return w
	}
	after := make([]time.Duration, len(w.after))
	for i, d := range w.after {
		after[i] = time.Duration(times * float64(d))
	}
	return Way{points: w.points, after: after}
}

// stand is the Way of someone who stays.
func stand(p geo.Point) Way { return Way{points: []geo.Point{p}, after: []time.Duration{0}} }

// Router finds ways. It may be used from any goroutine.
type Router interface {
	// Way returns a drive from one point to another, or one that stays at from if there is no
	// route.
	Way(from, to geo.Point) Way
}

// Straight is a router without a map: it drives along the straight line, in the time of a drive
// with detours.
type Straight struct {
	// SpeedMPS is the mean speed of driving in simulated metres per second, Detour the
	// length of the way over the straight line.
	SpeedMPS, Detour float64
}

// Way implements Router.
func (s Straight) Way(from, to geo.Point) Way {
	d := geo.DistanceM(from, to) * s.Detour / s.SpeedMPS
	if d < 1 || math.IsInf(d, 0) || d != d {
		d = 1
	}
	return Way{points: []geo.Point{from, to}, after: []time.Duration{0, time.Duration(d * float64(time.Second))}}
}
