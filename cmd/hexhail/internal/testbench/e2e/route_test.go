package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// A driver gets the turns to the pickup and of the ride, the rider the line alone; what is left gets
// less on the way, and a driver who leaves the way gets another one.
func TestRoutesAlongStreets(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs {
		t.Run(codec.Subprotocol(), func(t *testing.T) {
			t.Parallel()
			routesAlongStreets(t, codec)
		})
	}
}

func routesAlongStreets(t *testing.T, codec wire.Codec) {
	s := harness.Start(t, harness.Options{Flags: []string{streetsFlag(t), "--position-max-speed=100000"}})
	w := newWorld(t, s, codec)
	w.at, w.to = midtown, geo.Destination(midtown, 29, 1500)
	rider, d := w.rider(), w.driver(700)
	trip := w.match(rider, d)
	newest := func(c *harness.Client, leg ridepb.TripRoute_Leg, above uint32) *ridepb.TripRoute {
		return c.Await("a route", 0, func(e *ridepb.Event) bool {
			r := e.GetRouteChanged().GetRoute()
			return r != nil && r.GetLeg() == leg && r.GetRevision() > above
		}).GetRouteChanged().GetRoute()
	}
	mine := newest(d, ridepb.TripRoute_pickup, 0)
	require.Equal(t, ridepb.TripRoute_streets, mine.GetBy())
	require.NotEmpty(t, mine.GetMapId())
	way := line(t, mine)
	metres := 0.0
	for i := 1; i < len(way); i++ {
		metres += geo.DistanceM(way[i-1], way[i])
	}
	require.InDelta(t, mine.GetDistanceM(), metres, 0.01*metres+5, "its length is that of its line")
	require.Less(t, geo.DistanceM(way[len(way)-1], w.at), 100.0)
	steps := mine.GetSteps()
	require.Equal(t, ridepb.RouteStep_depart, steps[0].GetTurn())
	require.Equal(t, ridepb.RouteStep_arrive, steps[len(steps)-1].GetTurn())
	require.NotEmpty(t, steps[0].GetStreet())
	require.EqualValues(t, len(way)-1, steps[len(steps)-1].GetIndex())

	left := mine.GetDistanceM()
	for _, i := range []int{len(way) / 3, 2 * len(way) / 3, len(way) - 1} {
		harness.Until(t, "less is left", func() bool {
			d.Send(harness.At(way[i])) // again: a jump is believed the second time
			moves := slices.DeleteFunc(rider.Events(), func(e *ridepb.Event) bool { return e.GetDriverMoved() == nil })
			if len(moves) == 0 {
				return false
			}
			moved := moves[len(moves)-1].GetDriverMoved()
			require.Equal(t, mine.GetRevision(), moved.GetRouteRevision())
			was := left
			left = moved.GetLeftM()
			return left < was
		})
	}
	harness.Until(t, "the end of the way", func() bool {
		d.Send(harness.At(way[len(way)-1]))
		moves := slices.DeleteFunc(rider.Events(), func(e *ridepb.Event) bool { return e.GetDriverMoved() == nil })
		return moves[len(moves)-1].GetDriverMoved().GetLeftM() < 5
	})
	theirs := newest(rider, ridepb.TripRoute_pickup, 0)
	require.Empty(t, theirs.GetSteps())
	require.Less(t, theirs.GetDistanceM(), mine.GetDistanceM(), "it begins where the driver was during the trip")

	d.Ask(harness.Arrived(trip.GetId()))
	require.Equal(t, ridepb.Trip_in_progress, d.Ask(harness.StartTrip(trip.GetId(), "")).GetTrip().GetStatus())
	ride := newest(d, ridepb.TripRoute_ride, mine.GetRevision())
	require.NotEmpty(t, ride.GetSteps())
	require.Equal(t, ride.GetRevision(), newest(rider, ridepb.TripRoute_ride, 0).GetRevision())
	require.Less(t, geo.DistanceM(line(t, ride)[len(line(t, ride))-1], w.to), 300.0)
	for _, r := range routes(rider) {
		require.Empty(t, r.GetSteps())
	}
}
