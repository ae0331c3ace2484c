package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHistogram(t *testing.T) {
	var h Histogram
	require.Zero(t, h.Quantile(0.5))
	for v := range int64(100_000) {
		h.Add(v)
	}
	for _, q := range []float64{0.01, 0.5, 0.95, 0.99, 1} {
		require.InEpsilon(t, q*100_000, h.Quantile(q), 0.02)
	}
	require.InDelta(t, 49_999.5, h.Mean(), 0.5)
	h.Add(-5)
	h.Add(1 << 62) // kept inside
	require.EqualValues(t, 100_002, h.N())
}

func example() Report {
	var s Stats
	s.Due.Store(12)
	s.Requested.Store(12)
	s.Matched.Store(10)
	s.Completed.Store(7)
	s.Cancelled.Store(2)
	s.Riding.Store(3)
	s.Offers.Store(30)
	s.LostRaces.Store(4)
	s.LocationUpdates.Store(900)
	s.Reconnects.Store(3)
	s.Resumed.Store(2)
	s.TimeToMatch.Add(80_000)
	s.OffMap.Store(2)
	for _, took := range []time.Duration{80 * time.Second, 100 * time.Second, 220 * time.Second} {
		s.PickupETA.Add(100*time.Second, took)
	}
	s.Error("wrong_status")
	s.Error("wrong_status")
	s.Error("unavailable")
	v := map[string]int64{"I1": 0, "I2": 0, "I4": 0, "I5": 1, "I11": 0}
	r := s.Report(Run{Seed: 1, Speed: 30, Drivers: 40, Elapsed: 30 * time.Second}, v, []string{"I5: an example"})
	r.Late, r.TimerLagMs = map[string]int64{"I5": 2}, 812
	return r
}

func TestViews(t *testing.T) {
	var b bytes.Buffer
	r := example()
	width := 80
	live := NewLive(&b, func() int { return width }, "http://127.0.0.1:8080/")
	require.NoError(t, live.Draw(r, time.Minute))
	later := r
	later.Elapsed, later.LocationUpdates = r.Elapsed+2*time.Second, r.LocationUpdates+100
	require.NoError(t, live.Draw(later, 0))
	width = 32 // the window was made narrow
	require.NoError(t, live.Draw(later, time.Minute))
	for line := range strings.Lines(b.String()[strings.LastIndex(b.String(), "\x1b[J")+3:]) {
		require.Less(t, len(strings.TrimSuffix(line, "\n")), width, "a line that wraps would not be drawn over")
	}
	b.WriteString(Line(r) + "\n")
	require.NoError(t, Table(&b, r))
	const golden = "testdata/views.txt"
	if os.Getenv("HEXHAIL_UPDATE") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "look at it, then HEXHAIL_UPDATE=1 go test ./sim/report")
	require.True(t, r.Broken())
	r.Violations["I5"] = 0
	require.False(t, r.Broken(), "late while the machine lagged is not a broken promise")
}

// The JSON of a report is stable: exactly these keys.
func TestReportHasItsPromisedKeys(t *testing.T) {
	text, err := json.Marshal(example())
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	quantiles := []string{"p50", "p95", "p99"}
	etas := []string{"drives", "estimated_mean_s", "driven_mean_s", "off_p50_s", "bias"}
	for key, inner := range map[string][]string{
		"requested": nil, "matched": nil, "completed": nil, "cancelled": nil, "expired": nil, "offers_per_trip": nil,
		"lost_races": nil, "double_matches": nil, "protocol_errors": nil, "reconnects": nil, "resumed": nil, "location_updates": nil, "positions_skipped": nil, "off_map": nil, "timer_lag_ms": nil,
		"wait_s": {"mean", "p50", "p90"}, "time_to_offer_ms": quantiles, "accept_to_notified_ms": quantiles,
		"location_latency_ms": quantiles, "pickup_eta": etas, "ride_eta": etas, "violations": {"I1", "I2", "I4", "I5", "I11"}, "late": {"I5"},
	} {
		require.Contains(t, m, key)
		if inner == nil {
			require.IsType(t, 0.0, m[key], key)
			continue
		}
		require.ElementsMatch(t, inner, slices.Collect(maps.Keys(m[key].(map[string]any))), key)
	}
}

func TestEstimatesAreCompared(t *testing.T) {
	eta := example().PickupETA
	require.InDelta(t, 20, eta.Off, 0.5, "the median of 20, 0 and 120")
	eta.Off = 0
	require.Equal(t, ETA{Drives: 3, Estimated: 100, Driven: 133.333, Bias: -0.25}, eta)
	require.Zero(t, example().RideETA)
}
