package e2e

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/sim/city"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
	"github.com/hexhail/hexhail/sim/report"
)

// A small city in both encodings, with many lost connections, keeps every promise that
// clients can judge.
func TestCity(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Flags: []string{"--position-max-speed=20000", "--position-ttl=15s", "--dispatch-offer-ttl=5s"}})
	requests, taxis, err := nyc.Peak(demand.Filter{Area: nyc.Manhattan})
	require.NoError(t, err)
	for i := range taxis {
		taxis[i].From = 0
	}
	b := city.DefaultBehaviour()
	b.Losses, b.RiderCancel, b.GiveBack = 5, 0.1, 0.05
	// How long a ride of this city takes depends on the machine.
	var r report.Report
	for length := 8 * time.Second; r.Completed == 0 || r.Reconnects == 0 || r.Resumed == 0; length *= 2 {
		require.Less(t, length, 2*time.Minute, "no ride was completed, or no session resumed: %+v", r)
		r = liveFor(t, length, city.Config{
			URLs: []string{s.WS}, Codecs: []wire.Codec{wire.Binary, wire.JSON}, Prefix: length.String() + "-",
			Token:    func(role, name string) (string, error) { return s.Token(ride.Role(role), name), nil },
			Requests: demand.NewStream(requests, 6, 1), Taxis: demand.Fleet(taxis, 150, 1),
			Router: city.Straight{SpeedMPS: 16 / 3.6, Detour: 1.4}, Seed: 1, Behaviour: b, Speed: 60, Repeats: 3, Rest: 20 * time.Second,
			TripInterval: time.Second, IdleInterval: 2 * time.Second, Log: slog.New(slog.DiscardHandler),
		})
	}
	require.Positive(t, r.LocationUpdates)
	require.Positive(t, r.AcceptToNotified.P50)
}

// liveFor runs a city for a time and requires that every promise is kept.
func liveFor(t *testing.T, length time.Duration, cfg city.Config) report.Report {
	t.Helper()
	cfg.Duration = length
	c, err := city.New(cfg)
	require.NoError(t, err)
	require.NoError(t, c.Run(t.Context()))
	r := c.Report()
	require.False(t, r.Broken(), "%+v", r)
	return r
}
