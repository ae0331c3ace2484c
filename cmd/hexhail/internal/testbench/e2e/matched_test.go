package e2e

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

// TestRidesAreMatchedToStreets: a ride round corners is charged for the length of its streets, although its positions
// cut them.
func TestRidesAreMatchedToStreets(t *testing.T) {
	t.Parallel()
	city, err := streets.Build(context.Background(), manhattan.Open, streets.BuildOptions{})
	require.NoError(t, err)
	from, to := geo.Point{Lat: 40.7842, Lng: -73.9698}, geo.Point{Lat: 40.7875, Lng: -73.9760}
	way, err := city.Plan(t.Context(), geo.Place{Point: from}, geo.Place{Point: to}, time.Time{})
	require.NoError(t, err)

	s := harness.Start(t, harness.Options{Flags: []string{streetsFlag(t), "--position-max-speed=100000"}})
	w := newWorld(t, s, wire.Binary)
	w.at, w.to = way.Line[0], way.Line[len(way.Line)-1]
	rider, driver := w.rider(), w.driver(10)
	for attempt := 1; ; attempt++ {
		trip := w.match(rider, driver).GetId()
		w.drive(driver, trip, ridepb.Trip_in_progress)
		for _, p := range every(45, way.Line) {
			passes(rider, driver, p)
		}
		fare := driver.Ask(harness.Complete(trip)).GetTrip().GetFare()
		check := fare.GetStreetCheck()
		if v := check.GetVerdict(); attempt < 5 && (v == ridepb.StreetCheck_late || v == ridepb.StreetCheck_gaps) {
			continue // the machine is too busy
		}
		require.Equal(t, ridepb.StreetCheck_counts, check.GetVerdict())
		require.Equal(t, ridepb.FareBreakdown_streets, fare.GetBasis())
		require.InDelta(t, way.DistanceM, float64(fare.GetDistanceM()), 30)
		require.Equal(t, fare.GetDistanceM(), check.GetLengthM())
		require.Less(t, check.GetPositionsM(), check.GetLengthM())
		require.Equal(t, fare.GetBasis(), rider.Status(trip, ridepb.Trip_completed).GetFare().GetBasis())
		return
	}
}

// every returns places along a line, so many metres apart, and its end.
func every(m float64, line []geo.Point) (out []geo.Point) {
	left := 0.0
	for i := 1; i < len(line); i++ {
		d := geo.DistanceM(line[i-1], line[i])
		for ; left < d; left += m {
			out = append(out, geo.Destination(line[i-1], geo.BearingDeg(line[i-1], line[i]), left))
		}
		left -= d
	}
	return append(out, line[len(line)-1])
}

// passes has a driver report a place until the rider sees the car there.
func passes(rider, driver *harness.Client, p geo.Point) {
	rider.TB.Helper()
	seen := len(rider.Events())
	there := func(e *ridepb.Event) bool {
		at := e.GetDriverMoved().GetPoint()
		return at != nil && geo.DistanceM(geo.FromE7(at.GetLatE7(), at.GetLngE7()), p) < 1
	}
	harness.Until(rider.TB, "the rider sees the car", func() bool {
		driver.Position(p)
		return slices.ContainsFunc(rider.Events()[seen:], there)
	})
}
