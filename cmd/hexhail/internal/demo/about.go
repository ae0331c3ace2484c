package demo

import (
	"cmp"
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/transport/api"
)

// The number of suggestions, and the length of suggested rides in metres: long enough to see
// something, short enough to wait for.
const (
	suggestedRides  = 8
	suggestedStands = 5
	rideMinM        = 1200
	rideMaxM        = 2200
)

// describe returns what visitors are shown; it never changes.
func (h *Host) describe() api.Demonstration {
	o := h.o
	center := median(o.Requests)
	d := api.Demonstration{
		City: api.DemoCity{
			Name: o.CityName, TimeZone: o.TimeZone, Currency: o.Tariffs[0].Currency, Center: place(center),
			Area: api.DemoArea{South: o.Area.South, West: o.Area.West, North: o.Area.North, East: o.Area.East},
		},
		Speed: o.Speed, VisitorSpeed: min(o.VisitorSpeed, o.Speed), Drivers: o.Drivers,
		Roles:    []ride.Role{ride.RoleRider, ride.RoleDriver},
		Accounts: []api.DemoAccount{}, Rides: rides(o.Requests, o.Tariffs[0].Class, center),
		Stands: stands(o.Requests, VisitorClass(o.Tariffs), h.kerb),
	}
	_, _, operator := h.Operator()
	if operator {
		d.Roles = append(d.Roles, ride.RoleOperator)
	}
	if o.Private {
		d.Accounts = []api.DemoAccount{
			{Role: ride.RoleRider, Username: Rider, Password: o.Password},
			{Role: ride.RoleDriver, Username: Driver, Password: o.Password},
			{Role: ride.RoleOperator, Username: Operator, Password: o.Password},
		}
	}
	return d
}

func place(p geo.Point) api.Place {
	return api.Place{Lat: math.Round(p.Lat*1e6) / 1e6, Lng: math.Round(p.Lng*1e6) / 1e6}
}

// median is the median of all pickups.
func median(all []demand.Request) geo.Point {
	lat, lng := make([]float64, len(all)), make([]float64, len(all))
	for i, q := range all {
		lat[i], lng[i] = q.Pickup.Lat, q.Pickup.Lng
	}
	slices.Sort(lat)
	slices.Sort(lng)
	return geo.Point{Lat: lat[len(lat)/2], Lng: lng[len(lng)/2]}
}

// rides suggests rides of a convenient length that begin near the centre, at some distance from
// each other. If there are none, it suggests what there is.
func rides(all []demand.Request, class string, center geo.Point) []api.DemoRide {
	byDistance := slices.Clone(all)
	slices.SortStableFunc(byDistance, func(a, b demand.Request) int {
		return cmp.Compare(geo.DistanceM(center, a.Pickup), geo.DistanceM(center, b.Pickup))
	})
	out := []api.DemoRide{}
	var pickups []geo.Point
	for _, q := range byDistance {
		d := geo.DistanceM(q.Pickup, q.Dropoff)
		if d < rideMinM || d > rideMaxM || within(pickups, q.Pickup, 400) {
			continue
		}
		pickups = append(pickups, q.Pickup)
		out = append(out, suggestion(q, class))
		if len(out) == suggestedRides {
			return out
		}
	}
	if len(out) == 0 {
		out = append(out, suggestion(byDistance[0], class))
	}
	return out
}

func suggestion(q demand.Request, class string) api.DemoRide {
	return api.DemoRide{
		Pickup: place(q.Pickup), Dropoff: place(q.Dropoff), VehicleClass: class,
		PickupAddress: q.PickupAddress, DropoffAddress: q.DropoffAddress,
		DistanceM: int(math.Round(geo.DistanceM(q.Pickup, q.Dropoff))),
	}
}

func within(some []geo.Point, p geo.Point, metres float64) bool {
	return slices.ContainsFunc(some, func(x geo.Point) bool { return geo.DistanceM(x, p) < metres })
}

// square is the size, in degrees, of the squares in which pickups are counted.
const square = 0.005

// stands suggests where most people get in: the middle of the pickups in the busiest squares of the
// map.
func stands(all []demand.Request, class string, kerb func(geo.Point) geo.Point) []api.DemoStand {
	type key struct{ lat, lng int }
	in := make(map[key][]demand.Request)
	for _, q := range all {
		k := key{int(math.Floor(q.Pickup.Lat / square)), int(math.Floor(q.Pickup.Lng / square))}
		in[k] = append(in[k], q)
	}
	keys := make([]key, 0, len(in))
	for k := range in {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(len(in[b]), len(in[a])), cmp.Compare(a.lat, b.lat), cmp.Compare(a.lng, b.lng))
	})
	out := []api.DemoStand{}
	for _, k := range keys[:min(suggestedStands, len(keys))] {
		out = append(out, api.DemoStand{Place: place(kerb(median(in[k]))), VehicleClass: class})
	}
	return out
}
