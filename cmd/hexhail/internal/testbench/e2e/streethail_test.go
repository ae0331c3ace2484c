package e2e

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/city"
	"github.com/hexhail/hexhail/sim/demand"
)

// While a driver's trace says that a street-hail passenger is in the car, the driver is offline and
// gets no offer; before and after, it is online.
func TestAStreetHailTakesADriverOffline(t *testing.T) {
	t.Parallel()
	for speed := 30.0; ; speed /= 2 { // on a slow machine, news comes late for the trace
		err := harness.Try(t, func(tb testing.TB) { streetHail(tb, speed) })
		if err == nil {
			return
		}
		require.Greater(t, speed, 4.0, "%v", err)
		t.Logf("at speed %v: %v", speed, err)
	}
}

// streetHail runs the trace at a speed.
func streetHail(t testing.TB, speed float64) {
	t.Helper()
	s := harness.Start(t, harness.Options{Flags: []string{"--position-max-speed=20000", "--trip-search-for=10m"}})
	here := geo.Point{Lat: 37.78, Lng: -122.41}
	there := geo.Destination(here, 90, 500)
	minute := time.Minute
	trace := demand.Trace{Cab: "1", Fixes: []demand.Fix{
		{At: 0, Point: here}, {At: 1 * minute, Point: here, Occupied: true}, {At: 2 * minute, Point: there, Occupied: true}, {At: 4 * minute, Point: there},
	}}
	b := city.DefaultBehaviour()
	b.Accept, b.Decline, b.Losses, b.GiveBack, b.RiderCancel, b.Reply = 1, 0, 0, 0, 0, time.Second
	asks := demand.NewList([]demand.Request{{ID: "q", At: 2 * minute, Pickup: here, Dropoff: there, Passengers: 1}})
	c, err := city.New(city.Config{
		URLs: []string{s.WS}, Codecs: []wire.Codec{wire.Binary},
		Token:    func(role, name string) (string, error) { return s.Token(ride.Role(role), name), nil },
		Requests: asks, Taxis: []demand.Taxi{{ID: "1", At: here}}, Traces: []demand.Trace{trace},
		Router: city.Straight{SpeedMPS: 10, Detour: 1.4}, Seed: 1, Behaviour: b, Speed: speed,
		TripInterval: 200 * time.Millisecond, IdleInterval: 200 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { ended <- c.Run(ctx) }()
	stays := func(online int64, what string) {
		t.Helper()
		harness.Until(t, what, func() bool { return c.Stats.Online.Load() == online })
	}
	stays(1, "online before")
	stays(0, "offline with a passenger")
	harness.Until(t, "the request", func() bool { return c.Stats.Requested.Load() == 1 })
	require.Zero(t, c.Stats.Offers.Load(), "a full car gets no offer")
	stays(1, "online after")
	require.NoError(t, <-ended, "the city ends when its request has ended")
	r := c.Report()
	require.False(t, r.Broken(), "%+v", r)
	require.EqualValues(t, 1, r.Completed, "%+v", r)
}
