package ride_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/ride"
)

func TestPriceExamples(t *testing.T) {
	standard := ride.DefaultTariffs()[0] // 250 + 110/km + 35/min, at least 500
	won := ride.Tariff{Class: "taxi", Currency: "KRW", Base: 4800, PerKm: 763, PerMinute: 200, Minimum: 4800, Seats: 4}
	for _, tc := range []struct {
		name                         string
		tariff                       ride.Tariff
		metres                       float64
		d                            time.Duration
		distance, time, topUp, total int64
	}{
		{"nothing driven costs the minimum", standard, 0, 0, 0, 0, 250, 500},
		{"a short ride is topped up", standard, 800, 3 * time.Minute, 88, 105, 57, 500},
		{"a usual ride", standard, 3200, 11 * time.Minute, 352, 385, 0, 987},
		{"parts are rounded half up", standard, 4.546, 857 * time.Millisecond, 1, 1, 248, 500},
		{"and down below the half", standard, 4.4, 400 * time.Millisecond, 0, 0, 250, 500},
		{"a currency without cents", won, 10_000, 25 * time.Minute, 7630, 5000, 0, 17430},
		{"across a country", standard, 1_000_000, 12 * time.Hour, 110_000, 25_200, 0, 135_450},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := tc.tariff.Price(tc.metres, tc.d)
			require.NoError(t, err)
			require.Equal(t, ride.Fare{
				Currency: tc.tariff.Currency, Base: tc.tariff.Base, Distance: tc.distance, Time: tc.time,
				MinimumTopUp: tc.topUp, Total: tc.total, DistanceM: tc.metres, Duration: tc.d,
			}, f)
		})
	}
}

func TestPriceRefusesWhatIsNoRide(t *testing.T) {
	tariff := ride.DefaultTariffs()[0]
	for _, metres := range []float64{-1, math.NaN(), math.Inf(1), math.Inf(-1), 1e308, 20_000_001} {
		_, err := tariff.Price(metres, time.Minute)
		require.ErrorIs(t, err, ride.ErrNoRoute, "%v m", metres)
	}
	for _, d := range []time.Duration{-1, math.MinInt64, math.MaxInt64, 7*24*time.Hour + 1} {
		_, err := tariff.Price(1000, d)
		require.ErrorIs(t, err, ride.ErrNoRoute, "%v", d)
	}
	dear := ride.Tariff{Class: "gold", Currency: "USD", Base: math.MaxInt32, PerKm: math.MaxInt32 / 1000, Minimum: math.MaxInt32, Seats: 1}
	require.NoError(t, dear.Validate())
	_, err := dear.Price(0, 0)
	require.NoError(t, err)
	_, err = dear.Price(1000, 0)
	require.ErrorIs(t, err, ride.ErrNoRoute, "more than the protocol can carry")
}

func TestFareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tariff := ride.Tariff{
			Class: "x", Currency: "EUR", Seats: 4,
			Base: rapid.Int64Range(0, math.MaxInt32).Draw(t, "base"), Minimum: rapid.Int64Range(0, math.MaxInt32).Draw(t, "minimum"),
			PerKm: rapid.Int64Range(0, math.MaxInt32/1000).Draw(t, "per km"), PerMinute: rapid.Int64Range(0, math.MaxInt32/1000).Draw(t, "per minute"),
		}
		require.NoError(t, tariff.Validate())
		metres := rapid.Float64Range(0, 2e7).Draw(t, "metres")
		d := time.Duration(rapid.Int64Range(0, int64(7*24*time.Hour)).Draw(t, "duration"))
		f, err := tariff.Price(metres, d)
		if err != nil {
			require.ErrorIs(t, err, ride.ErrNoRoute)
			return
		}
		require.Equal(t, f.Total, f.Base+f.Distance+f.Time+f.MinimumTopUp)
		require.GreaterOrEqual(t, f.Total, tariff.Minimum)
		require.LessOrEqual(t, f.Total, int64(math.MaxInt32))
		for _, part := range []int64{f.Base, f.Distance, f.Time, f.MinimumTopUp} {
			require.GreaterOrEqual(t, part, int64(0))
		}
		less := rapid.Float64Range(0, metres).Draw(t, "fewer metres")
		shorter := time.Duration(rapid.Int64Range(0, int64(d)).Draw(t, "less time"))
		for _, g := range []func() (ride.Fare, error){
			func() (ride.Fare, error) { return tariff.Price(less, d) },
			func() (ride.Fare, error) { return tariff.Price(metres, shorter) },
		} {
			cheaper, err := g()
			require.NoError(t, err)
			require.LessOrEqual(t, cheaper.Total, f.Total)
		}
	})
}

func TestTariffs(t *testing.T) {
	all := ride.DefaultTariffs()
	require.NoError(t, all.Validate())
	first, err := all.Find("")
	require.NoError(t, err)
	require.Equal(t, all[0], first)
	van, err := all.Find("van")
	require.NoError(t, err)
	require.Equal(t, "van", van.Class)
	_, err = all.Find("helicopter")
	require.ErrorIs(t, err, ride.ErrUnknownClass)

	require.Error(t, ride.Tariffs{}.Validate())
	require.Error(t, append(all, all[0]).Validate(), "the same class twice")
	for name, spoil := range map[string]func(*ride.Tariff){
		"no class":         func(t *ride.Tariff) { t.Class = "" },
		"no currency":      func(t *ride.Tariff) { t.Currency = "" },
		"a currency sign":  func(t *ride.Tariff) { t.Currency = "€" },
		"in lower case":    func(t *ride.Tariff) { t.Currency = "usd" },
		"unknown currency": func(t *ride.Tariff) { t.Currency = "ABC" },
		"no money (gold)":  func(t *ride.Tariff) { t.Currency = "XAU" },
		"no currency, XXX": func(t *ride.Tariff) { t.Currency = "XXX" },
		"negative base":    func(t *ride.Tariff) { t.Base = -1 },
		"huge per km":      func(t *ride.Tariff) { t.PerKm = math.MaxInt64 },
		"huge per minute":  func(t *ride.Tariff) { t.PerMinute = math.MaxInt64 },
		"negative minimum": func(t *ride.Tariff) { t.Minimum = -1 },
		"no seats":         func(t *ride.Tariff) { t.Seats = 0 },
	} {
		tariff := all[0]
		spoil(&tariff)
		require.ErrorIs(t, tariff.Validate(), ride.ErrInvalidArgument, name)
	}
}
