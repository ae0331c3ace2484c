package city

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
)

// Way is a drive: places over time. It is an immutable value.
type Way struct {
	points []geo.Point
	after  []time.Duration // of each point, since the start; never falling
	// along, if not nil, tells the streets of the points from the index begin on.
	along *streets.Drive
	begin int
	// end is where the car stands when there is nothing to drive, or when it has arrived: with the heading.
	end geo.Place
	// crow says that the map has no route, so that this is a straight line.
	crow bool
}

// Duration is how long the whole way takes, in simulated time.
func (w Way) Duration() time.Duration {
	if len(w.after) == 0 {
		return 0
	}
	return w.after[len(w.after)-1]
}

// At returns the place after d, heading in the direction of travel. If it is on a street, a way from there
// goes on along it.
func (w Way) At(d time.Duration) geo.Place {
	i, _ := slices.BinarySearchFunc(w.after, d, cmp.Compare)
	switch n := len(w.points); {
	case n < 2 || i >= n:
		return w.end
	case i == 0:
		i = 1
	}
	a, b := w.points[i-1], w.points[i]
	share := 1.0
	if span := w.after[i] - w.after[i-1]; span > 0 {
		share = math.Max(0, float64(d-w.after[i-1])/float64(span))
	}
	if w.along != nil && i > w.begin {
		return w.along.Place(i-1-w.begin, share)
	}
	p := geo.Point{Lat: a.Lat + share*(b.Lat-a.Lat), Lng: a.Lng + share*(b.Lng-a.Lng)}
	return geo.Place{Point: p, Heading: geo.HeadingOf(geo.BearingDeg(a, b))}
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
	w.after = after
	return w
}

// stand is the Way of someone who stays.
func stand(p geo.Place) Way {
	return Way{points: []geo.Point{p.Point}, after: []time.Duration{0}, end: p}
}

// Router finds ways. It may be used from any goroutine.
type Router interface {
	// Way returns a drive from a place to a point.
	Way(from geo.Place, to geo.Point) Way
	// Park returns where a car begins that was seen at a point.
	Park(p geo.Point) geo.Place
}

// Straight is a router without a map: it drives along the straight line, in the time of a drive
// with detours.
type Straight struct {
	// SpeedMPS is the mean speed of driving in simulated metres per second, Detour the
	// length of the way over the straight line.
	SpeedMPS, Detour float64
}

// Way implements Router.
func (s Straight) Way(from geo.Place, to geo.Point) Way {
	d := geo.DistanceM(from.Point, to) * s.Detour / s.SpeedMPS
	if d < 1 || math.IsInf(d, 0) || d != d {
		d = 1
	}
	end := geo.Place{Point: to, Heading: geo.HeadingOf(geo.BearingDeg(from.Point, to))}
	return Way{points: []geo.Point{from.Point, to}, after: []time.Duration{0, time.Duration(d * float64(time.Second))}, end: end}
}

// Park implements Router.
func (s Straight) Park(p geo.Point) geo.Place { return geo.Place{Point: p} }
