package routers

import (
	"math"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// farM is how far a street may be from the place that it stands for, in metres: as on a map of our own.
const farM = 300

// plausible reports whether a car can drive between two places like this. A server with another map, or
// in other units, says something else.
func plausible(r geo.Route, a, b geo.Point) bool {
	const (
		// A way is no shorter than the straight line, but for what the earth's shape and rounding take, and
		// for the ways from both places to their streets.
		share, slackM = 0.9, 200
		// The mean speed: a racing car's at most, and a pedestrian's at least after some time in traffic.
		fastMPS, slowMPS = 70.0, 0.5
		nearM            = 50
		jam              = 15 * time.Minute
	)
	s := r.Duration.Seconds()
	switch {
	case math.IsNaN(r.DistanceM) || math.IsInf(r.DistanceM, 0) || r.DistanceM < 0 || r.Duration < 0:
		return false
	case r.DistanceM < share*geo.DistanceM(a, b)-slackM:
		return false
	}
	return r.DistanceM <= nearM+fastMPS*s && s <= jam.Seconds()+r.DistanceM/slowMPS
}

// routeOf makes a route of metres and seconds. What does not fit a route is none.
func routeOf(metres, seconds float64) geo.Route {
	const most = 1e8 // metres or seconds: three years
	if !(metres >= 0 && metres < most && seconds >= 0 && seconds < most) {
		return geo.Unreachable()
	}
	return geo.Route{DistanceM: metres, Duration: time.Duration(seconds * float64(time.Second))}
}
