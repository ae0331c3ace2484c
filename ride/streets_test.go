package ride_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// whole is a ride of 3,500 m whose positions cover it.
func whole() geo.Drive {
	return geo.Drive{MeasuredM: 3500, Last: spot(3000, 5), Located: true, SinceLast: time.Second}
}

// The length along streets counts where it is plausible; else the fare is as without streets, and says why.
func TestLengthAlongStreetsCountsWhereItIsPlausible(t *testing.T) {
	gap := whole()
	gap.GapM, gap.GapTime = 800, 80*time.Second
	for name, tc := range map[string]struct {
		drive   geo.Drive
		streets *ride.OnStreets
		verdict ride.StreetVerdict
	}{
		"as long":                     {whole(), &ride.OnStreets{LengthM: 3600, Share: 1}, ride.StreetsCount},
		"just long enough":            {whole(), &ride.OnStreets{LengthM: 2801, Share: 0.9}, ride.StreetsCount},
		"just short enough":           {whole(), &ride.OnStreets{LengthM: 4374, Share: 0.95}, ride.StreetsCount},
		"too short":                   {whole(), &ride.OnStreets{LengthM: 2799, Share: 1}, ride.StreetsShorter},
		"too long":                    {whole(), &ride.OnStreets{LengthM: 4376, Share: 1}, ride.StreetsLonger},
		"too much of it off the map":  {whole(), &ride.OnStreets{LengthM: 3600, Share: 0.89}, ride.StreetsOff},
		"all of it off the map":       {whole(), &ride.OnStreets{}, ride.StreetsOff},
		"not a number":                {whole(), &ride.OnStreets{LengthM: math.NaN(), Share: 1}, ride.StreetsOff},
		"no share":                    {whole(), &ride.OnStreets{LengthM: 3600, Share: math.NaN()}, ride.StreetsOff},
		"endless":                     {whole(), &ride.OnStreets{LengthM: math.Inf(1), Share: 1}, ride.StreetsOff},
		"below nothing":               {whole(), &ride.OnStreets{LengthM: -3600, Share: 1}, ride.StreetsOff},
		"no answer in time":           {whole(), &ride.OnStreets{Late: true}, ride.StreetsLate},
		"a gap":                       {gap, &ride.OnStreets{LengthM: 4300, Share: 1}, ride.StreetsGaps},
		"no map":                      {whole(), nil, ""},
		"nothing measured":            {geo.Drive{}, &ride.OnStreets{LengthM: 3600, Share: 1}, ""},
		"silent long before the goal": {geo.Drive{MeasuredM: 60, Last: spot(60, 5), Located: true, SinceLast: 474 * time.Second}, &ride.OnStreets{LengthM: 62, Share: 1}, ride.StreetsGaps},
	} {
		t.Run(name, func(t *testing.T) {
			without := ended(t, underway(), 8*time.Minute, ride.Way{Drive: tc.drive})
			fare := ended(t, underway(), 8*time.Minute, ride.Way{Drive: tc.drive, Streets: tc.streets})
			if tc.verdict == "" {
				require.Equal(t, without, fare)
				return
			}
			require.Equal(t, tc.verdict, fare.Streets.Verdict)
			require.InDelta(t, tc.drive.MeasuredM, fare.Streets.PositionsM, 1e-9)
			if tc.verdict == ride.StreetsCount {
				require.Equal(t, ride.BasisStreets, fare.Basis)
				require.InDelta(t, tc.streets.LengthM, fare.DistanceM, 1e-9)
				require.InDelta(t, tc.streets.LengthM, fare.MeasuredM, 1e-9)
				require.Equal(t, tc.streets.Share, fare.Streets.Share)
				return
			}
			fare.Streets = nil
			require.Equal(t, without, fare)
		})
	}
}

// No car is that fast.
func TestLengthAlongStreetsCanBeDriven(t *testing.T) {
	w := ride.Way{Drive: whole(), MaxSpeedMPS: 30, Streets: &ride.OnStreets{LengthM: 3600, Share: 1}}
	require.Equal(t, ride.StreetsCount, ended(t, underway(), 121*time.Second, w).Streets.Verdict)
	require.Equal(t, ride.StreetsLonger, ended(t, underway(), 119*time.Second, w).Streets.Verdict)
}

// Whatever matching gives, a fare differs from what positions measured by a quarter at most, and can be stored.
func TestStreetsChangeAFareWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := ride.Way{Drive: whole(), Streets: &ride.OnStreets{
			LengthM: rapid.Float64().Draw(t, "length"), Share: rapid.Float64().Draw(t, "share"), Late: rapid.Bool().Draw(t, "late"),
		}}
		w.MeasuredM = rapid.Float64Range(0, 50_000).Draw(t, "measured")
		if rapid.Bool().Draw(t, "near") {
			w.Streets.LengthM = w.MeasuredM * rapid.Float64Range(0.7, 1.4).Draw(t, "times")
			w.Streets.Share = rapid.Float64Range(0.8, 1).Draw(t, "near share")
		}
		fare := ended(t, underway(), time.Hour, w)
		require.GreaterOrEqual(t, fare.DistanceM, 0.8*w.MeasuredM)
		require.LessOrEqual(t, fare.DistanceM, 1.25*w.MeasuredM)
		data, err := json.Marshal(fare)
		require.NoError(t, err)
		var read ride.Fare
		require.NoError(t, json.Unmarshal(data, &read))
		require.Equal(t, fare, read)
		require.Equal(t, fare.Basis == ride.BasisStreets, fare.Streets != nil && fare.Streets.Verdict == ride.StreetsCount)
	})
}
