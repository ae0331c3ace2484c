package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

var (
	pickup  = geo.Point{Lat: 37.4979, Lng: 127.0276}
	dropoff = geo.Point{Lat: 37.5172, Lng: 127.0473}
)

// A whole ride with a rider and three drivers.
func TestRide(t *testing.T) {
	everywhere(t, func(t *testing.T, start func(...string) *harness.Server, codec wire.Codec) {
		s := start("--trip-pin")
		var drivers []*harness.Client
		for i, name := range []string{"ann", "bob", "cho"} {
			d, _ := harness.Connect(t, s, codec, s.Token(ride.RoleDriver, name), nil)
			d.Name = name
			d.Online(geo.Destination(pickup, 0, float64(100+100*i)))
			drivers = append(drivers, d)
		}
		rider, _ := harness.Connect(t, s, codec, s.Token(ride.RoleRider, "rider"), nil)
		trip := rider.Ask(harness.Request(pickup, dropoff)).GetTrip()
		require.Equal(t, ridepb.Trip_requested, trip.GetStatus())
		offers := make([]*ridepb.Offer, len(drivers))
		for i, d := range drivers {
			offers[i] = d.Offer(trip.GetId())
		}
		won := drivers[1].Ask(harness.Accept(offers[1].GetId())).GetTrip()
		require.Equal(t, ridepb.Trip_matched, won.GetStatus())
		require.Equal(t, ridepb.OfferClosed_won, drivers[1].OfferEnd(offers[1].GetId()).GetOutcome())
		require.Equal(t, ridepb.OfferClosed_withdrawn, drivers[0].OfferEnd(offers[0].GetId()).GetOutcome())
		require.Equal(t, ridepb.OfferClosed_withdrawn, drivers[2].OfferEnd(offers[2].GetId()).GetOutcome())
		matched := rider.Status(trip.GetId(), ridepb.Trip_matched)
		require.Equal(t, "bob", matched.GetDriver().GetFirstName())
		require.Equal(t, "HX bob", matched.GetDriver().GetPlate())

		d := drivers[1]
		d.Send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_Location{Location: harness.Location(geo.Destination(pickup, 0, 195))}})
		rider.Await("the driver's move", 0, func(e *ridepb.Event) bool { return e.GetDriverMoved() != nil })
		require.Equal(t, ridepb.Trip_arrived, d.Ask(harness.Arrived(trip.GetId())).GetTrip().GetStatus())
		require.Equal(t, "wrong_pin", d.Ask(harness.StartTrip(trip.GetId(), "nope")).GetError().GetCode())
		require.Equal(t, ridepb.Trip_in_progress, d.Ask(harness.StartTrip(trip.GetId(), matched.GetPin())).GetTrip().GetStatus())
		require.Equal(t, ridepb.Trip_completed, d.Ask(harness.Complete(trip.GetId())).GetTrip().GetStatus())
		require.Positive(t, rider.Status(trip.GetId(), ridepb.Trip_completed).GetFare().GetTotal().GetMinor())
		require.EqualValues(t, 5, rider.Ask(harness.Rate(trip.GetId(), 5)).GetTrip().GetStarsByRider())
		require.EqualValues(t, 4, d.Ask(harness.Rate(trip.GetId(), 4)).GetTrip().GetStarsByDriver())
	})
}
