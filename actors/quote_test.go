package actors

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// TestAQuoteHasTheWayOfTheRide: from the rider's own pickup to the dropoff, whether or not a driver is near; and none where
// there is no way along streets.
func TestAQuoteHasTheWayOfTheRide(t *testing.T) {
	g := newGrid()
	inWorld(t, onGrid(g), func(w *world) {
		r := w.rider("r")
		quote := func() *ridepb.Quotes {
			quotes := r.box.reply(r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{
				Pickup: view.Point(pickup), Dropoff: view.Point(dropoff),
			}}})).GetQuotes()
			require.NotEmpty(t, quotes.GetQuotes())
			return quotes
		}
		alone := quote().GetPolyline()
		line := lineOf(t, &ridepb.TripRoute{Polyline: alone})
		require.Len(t, line, 3)
		require.Less(t, geo.DistanceM(line[0], pickup), 2.0)
		require.Less(t, geo.DistanceM(line[2], dropoff), 2.0)

		w.driver("d", 200)
		near := quote()
		require.EqualValues(t, 1, near.GetQuotes()[0].GetDriversNearby())
		require.Equal(t, alone, near.GetPolyline(), "no driver changes the line")

		g.off.Store(true)
		require.Empty(t, quote().GetPolyline())
	})
}

// TestNoWayWithoutAPlanner: straight lines alone make no line to draw.
func TestNoWayWithoutAPlanner(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		r := w.rider("r")
		quotes := r.box.reply(r.send(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{
			Pickup: view.Point(pickup), Dropoff: view.Point(dropoff),
		}}})).GetQuotes()
		require.NotEmpty(t, quotes.GetQuotes())
		require.Empty(t, quotes.GetPolyline())
	})
}
