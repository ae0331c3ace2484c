package city

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
)

// Streets is a router on a map. Cars drive its fastest ways in the times of its model, and stay on its streets.
type Streets struct{ Map *streets.Map }

// offMap is how cars drive where the map has no route.
var offMap = Straight{SpeedMPS: 5, Detour: 1.4}

const (
	// accessMPS is the speed of a car between a place off the streets and the nearest one, in metres per second.
	accessMPS = 3
	// besideM is how far from its street a car may be and count as on it, in metres.
	besideM = 1
)

// Way implements Router. It ends on the street nearest to its goal, and begins on a street if the car is near one.
// Where the map has no route, it is the straight line.
func (s Streets) Way(from geo.Place, to geo.Point) Way {
	d, err := s.Map.Drive(context.Background(), from, geo.Place{Point: to})
	if err != nil {
		w := offMap.Way(from, to)
		w.crow = true
		return w
	}
	w := Way{points: d.Line, after: d.After, along: &d, end: d.Place(len(d.Line)-2, 1)}
	if m := geo.DistanceM(from.Point, d.Line[0]); m > besideM {
		access := time.Duration(m / accessMPS * float64(time.Second))
		w.points = append([]geo.Point{from.Point}, d.Line...)
		w.after = make([]time.Duration, len(w.points))
		for i, t := range d.After {
			w.after[i+1] = access + t
		}
		w.begin = 1
	}
	return w
}

// Park implements Router: at the kerb of the nearest street, if there is one.
func (s Streets) Park(p geo.Point) geo.Place {
	at, err := s.Map.Park(geo.Place{Point: p})
	if err != nil {
		return geo.Place{Point: p}
	}
	return at
}
