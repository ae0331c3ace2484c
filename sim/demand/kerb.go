package demand

import (
	"slices"

	"github.com/hexhail/hexhail/geo"
)

// kerbM is how far the kerb is from the middle of a street, in metres.
const kerbM = 5

// Kerb returns the kerb of the street nearest to a point, on the point's side; the point itself if it is nearer to the
// street than that, or no street is nearby. Recorded positions often lie within buildings.
func Kerb(p geo.Point, streets geo.Snapper) geo.Point {
	s, err := streets.Snap(geo.Place{Point: p})
	if err != nil {
		return p
	}
	away := geo.DistanceM(s.At, p)
	if away <= kerbM {
		return p
	}
	share := kerbM / away
	return geo.Point{Lat: s.At.Lat + share*(p.Lat-s.At.Lat), Lng: s.At.Lng + share*(p.Lng-s.At.Lng)}
}

// OnMap leaves out the requests and drivers to whom no street leads. It does not change the given slices.
func OnMap(qs []Request, ts []Taxi, streets geo.Snapper) ([]Request, []Taxi) {
	off := func(p geo.Point) bool {
		_, err := streets.Snap(geo.Place{Point: p})
		return err != nil
	}
	qs = slices.DeleteFunc(slices.Clone(qs), func(q Request) bool { return off(q.Pickup) || off(q.Dropoff) })
	return qs, slices.DeleteFunc(slices.Clone(ts), func(t Taxi) bool { return off(t.At) })
}

// AtKerbs moves both ends of requests to kerbs. It does not change the given slice.
func AtKerbs(all []Request, streets geo.Snapper) []Request {
	out := slices.Clone(all)
	for i := range out {
		out[i].Pickup, out[i].Dropoff = Kerb(out[i].Pickup, streets), Kerb(out[i].Dropoff, streets)
	}
	return out
}
