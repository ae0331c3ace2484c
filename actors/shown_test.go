package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// A driver beside an edge whose position jitters across it appears to stay in one cell; a driver
// who has crossed it is shown beyond it some time later, not at once.
func TestEdgesAreNotRevealed(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	here, err := geo.CellAt(pickup, 8)
	require.NoError(t, err)
	edge := here.Boundary()[0]
	middle := here.Center()
	inside, outside := geo.Destination(middle, geo.BearingDeg(middle, edge), 0.98*here.RadiusM()), geo.Destination(middle, geo.BearingDeg(middle, edge), 1.02*here.RadiusM())
	there, err := geo.CellAt(outside, 8)
	require.NoError(t, err)
	require.NotEqual(t, here, there)

	var s shown
	require.Equal(t, here, s.update(here, inside, start))
	now := start
	for i := range 600 {
		now = now.Add(time.Second)
		if i%2 == 0 {
			require.Equal(t, here, s.update(there, outside, now))
		} else {
			require.Equal(t, here, s.update(here, inside, now))
		}
	}
	waits := make(map[time.Duration]bool)
	for range 50 {
		s = shown{cell: here}
		for now = start; s.update(there, outside, now) == here; now = now.Add(100 * time.Millisecond) {
			require.LessOrEqual(t, now.Sub(start), showWithin)
		}
		require.GreaterOrEqual(t, now.Sub(start), showWithin/2)
		waits[now.Sub(start)] = true
	}
	require.Greater(t, len(waits), 10, "the delay is unpredictable")

	s = shown{cell: here}
	far := geo.Destination(pickup, 90, 5000)
	away, err := geo.CellAt(far, 8)
	require.NoError(t, err)
	require.Equal(t, away, s.update(away, far, start), "a driver who was away is shown where it is")
}

// A fast driver is not left behind.
func TestShownKeepsUp(t *testing.T) {
	var s shown
	now := time.Now()
	for m := 0.0; m < 30_000; m += 150 {
		at := geo.Destination(pickup, 90, m)
		cell, err := geo.CellAt(at, 8)
		require.NoError(t, err)
		got := s.update(cell, at, now)
		require.Less(t, geo.DistanceM(got.Center(), at), 3*got.RadiusM())
		now = now.Add(time.Second)
	}
}

// A quote follows a driver across an edge with a delay: at first it counts the driver where it was.
func TestQuotesFollowLater(t *testing.T) {
	inWorld(t, func(c *Config) { c.Rules.Policy.RingMax, c.Rules.Policy.RingStart, c.PositionTTL = 0, 0, time.Minute }, func(w *world) {
		d := w.driver("d", 100)
		r := w.rider("r")
		nearby := func() uint32 {
			q := r.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{
				Pickup: view.Point(pickup), Dropoff: view.Point(dropoff), VehicleClass: "standard",
			}}})
			return q.GetQuotes().GetQuotes()[0].GetDriversNearby()
		}
		require.EqualValues(t, 1, nearby())
		here, err := geo.CellAt(pickup, 8)
		require.NoError(t, err)
		// To the other side of the nearest corner, in steps that a car can drive.
		middle := here.Center()
		for m := 100.0; m > -700; m -= 50 {
			d.at(geo.Destination(pickup, geo.BearingDeg(middle, pickup), -m))
			if c, _ := geo.CellAt(d.place(), 8); c != here {
				break
			}
		}
		require.EqualValues(t, 1, nearby(), "it is still shown where it was")
		for range 31 {
			d.at(geo.Destination(d.place(), 0, 0.5))
		}
		require.Zero(t, nearby())
	})
}

// place is the driver's position in its actor.
func (c *client) place() geo.Point {
	var p geo.Point
	look := c.w.sys.city.Watch(0, &ridepb.WatchCity{Drivers: true})
	look.Tell(func() int { return 0 }, func(part *ridepb.CityChanged) {
		for _, d := range part.GetDrivers() {
			if d.GetId() == string(c.account.ID) {
				p = view.FromPoint(d.GetPoint())
			}
		}
	})
	return p
}

// The award goes by the route to the exact pickup, which the winner learns anyway; the rider sees
// the same ETA.
func TestAwardGoesByTheDoor(t *testing.T) {
	inWorld(t, func(c *Config) { c.Rules.Policy.Award = ride.AwardBestETA }, func(w *world) {
		here, err := geo.CellAt(pickup, 8)
		require.NoError(t, err)
		middle := here.Center()
		atDoor, atMiddle := w.client(ride.RoleDriver, "door").connect(nil), w.client(ride.RoleDriver, "middle").connect(nil)
		for d, p := range map[*client]geo.Point{atDoor: geo.Destination(pickup, 180, 20), atMiddle: middle} {
			require.NotNil(t, d.ask(&ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{
				Location: &ridepb.Location{Point: view.Point(p)},
			}}}).GetDone())
		}
		r := w.rider("r")
		trip := r.request().GetTrip().GetId()
		atMiddle.accept(atMiddle.offer())
		atDoor.accept(atDoor.offer())
		pass(5 * time.Second)
		got, err := w.store.Trip(t.Context(), ride.TripID(trip))
		require.NoError(t, err)
		require.EqualValues(t, "door", got.DriverID())
		require.Less(t, got.PickupETA, 10*time.Second)
	})
}
