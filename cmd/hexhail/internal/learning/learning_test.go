package learning

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
	"github.com/hexhail/hexhail/ride"
)

// memory is a Store in memory.
type memory struct {
	mu      sync.Mutex
	factors map[learn.Key]learn.Factor
	fails   error
}

func (m *memory) AddSpeeds(_ context.Context, c learn.Changes) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	for k, f := range c.Factors {
		m.factors[k] = m.factors[k].Add(f)
	}
	return nil
}

func (m *memory) Speeds(context.Context) (map[learn.Key]learn.Factor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.factors), m.fails
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails = err
}

var built = sync.OnceValues(func() (*streets.Map, error) {
	return streets.Build(context.Background(), manhattan.Open, streets.BuildOptions{})
})

// node is a Learning with its own city, on a store.
func node(t *testing.T, s Store) (*Learning, *streets.City) {
	t.Helper()
	m, err := built()
	require.NoError(t, err)
	city := new(streets.City)
	city.Swap(m)
	l := New(Options{City: city, Store: s, TimeZone: time.UTC, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, l.Start(t.Context()))
	return l, city
}

// trip is a completed ride that took slower times as long as the map says.
func trip(t *testing.T, r *rand.Rand, slower float64) *ride.Trip {
	t.Helper()
	m, err := built()
	require.NoError(t, err)
	for {
		from := geo.Point{Lat: 40.72 + 0.05*r.Float64(), Lng: -74 + 0.02*r.Float64()}
		to := geo.Point{Lat: 40.72 + 0.05*r.Float64(), Lng: -74 + 0.02*r.Float64()}
		p, err := m.Plan(t.Context(), geo.Place{Point: from}, geo.Place{Point: to}, time.Time{})
		if err != nil || p.DistanceM < 1000 {
			continue
		}
		begin := time.Date(2030, 5, 2, 8, 0, 0, 0, time.UTC)
		took := time.Duration(slower*float64(p.Duration)) + m.Model().Ride
		return &ride.Trip{
			Status: ride.StatusCompleted, Request: ride.Request{Pickup: from, Dropoff: to}, StartedAt: begin, EndedAt: begin.Add(took),
			Fare: &ride.Fare{Basis: ride.BasisMeasured, MeasuredM: 1.04 * p.DistanceM}, Completion: &ride.Mark{Located: true, DistanceM: 20},
		}
	}
}

func count(t *testing.T, l *Learning, outcome string) float64 {
	t.Helper()
	return testutil.ToFloat64(l.metrics.rides[outcome])
}

// TestLearnsSavesAndGoesOn: what one server learned reaches its map and the database within a minute, another
// server within one more, and a server that starts again at once. Forgetting reaches all.
func TestLearnsSavesAndGoesOn(t *testing.T) {
	_, err := built()
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		store := &memory{factors: map[learn.Key]learn.Factor{}}
		a, city := node(t, store)
		b, elsewhere := node(t, store)
		r := rand.New(rand.NewPCG(1, 1))
		for range 1200 {
			a.Ended(trip(t, r, 1.5))
			synctest.Wait()
		}
		require.Equal(t, 1200.0, count(t, a, "learned"))
		time.Sleep(2*every + time.Second)
		synctest.Wait()
		next := trip(t, r, 1.5)
		planned := func(c *streets.City) float64 {
			p, err := c.Plan(t.Context(), geo.Place{Point: next.Request.Pickup}, geo.Place{Point: next.Request.Dropoff}, next.StartedAt)
			require.NoError(t, err)
			return (p.Duration + c.Map().Model().Ride).Seconds() / next.EndedAt.Sub(next.StartedAt).Seconds()
		}
		require.InDelta(t, 1, planned(city), 0.07)
		require.InDelta(t, planned(city), planned(elsewhere), 1e-9)
		require.InDelta(t, 1.04, city.Map().Detour(), 0.005)

		a.Ended(trip(t, r, 1.5)) // waits when the stop begins
		require.NoError(t, a.Stop(t.Context()))
		require.Equal(t, 1201.0, count(t, a, "learned"))
		again, restarted := node(t, store)
		require.InDelta(t, planned(city), planned(restarted), 0.01)
		require.NoError(t, again.Stop(t.Context()))

		store.mu.Lock()
		clear(store.factors)
		store.mu.Unlock()
		time.Sleep(every + time.Second)
		synctest.Wait()
		require.Less(t, planned(elsewhere), 0.8, "forgotten")
		require.NoError(t, b.Stop(t.Context()))
	})
}

// TestStoreFails: nothing is lost while the database does not answer.
func TestStoreFails(t *testing.T) {
	_, err := built()
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		store := &memory{factors: map[learn.Key]learn.Factor{}}
		store.fail(errors.New("gone"))
		l, _ := node(t, store)
		r := rand.New(rand.NewPCG(2, 2))
		for range 30 {
			l.Ended(trip(t, r, 1.2))
			synctest.Wait()
		}
		time.Sleep(3*every + time.Second)
		synctest.Wait()
		require.Equal(t, 4.0, testutil.ToFloat64(l.metrics.failures))
		store.fail(nil)
		require.NoError(t, l.Stop(t.Context()))
		require.InDelta(t, 30, store.factors[learn.Key{Kind: learn.All}].N, 1e-9)
	})
}

// TestOnlySoundRidesTeach: what is not completed, not measured, ended elsewhere or left the map teaches nothing,
// and what does not fit the queue is dropped without waiting.
func TestOnlySoundRidesTeach(t *testing.T) {
	_, err := built()
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		store := &memory{factors: map[learn.Key]learn.Factor{}}
		l, city := node(t, store)
		r := rand.New(rand.NewPCG(3, 3))
		for _, x := range []struct {
			outcome string
			edit    func(*ride.Trip)
		}{
			{"learned", func(*ride.Trip) {}},
			{"learned", func(t *ride.Trip) { t.Fare.Basis = ride.BasisStreets }},
			{unmeasured, func(t *ride.Trip) { t.Status = ride.StatusCancelled }},
			{unmeasured, func(t *ride.Trip) { t.Fare = nil }},
			{unmeasured, func(t *ride.Trip) { t.Fare.Basis = ride.BasisPartly }},
			{elsewhere, func(t *ride.Trip) { t.Completion.DistanceM = 400 }},
			{"other_way", func(t *ride.Trip) { t.Fare.MeasuredM *= 2 }},
			{"implausible", func(t *ride.Trip) { t.EndedAt = t.StartedAt.Add(31 * time.Second); t.Fare.MeasuredM *= 1.2 }},
			{offMap, func(t *ride.Trip) { t.Request.Dropoff = geo.Point{Lat: 40.5, Lng: -73.5} }},
		} {
			before := count(t, l, x.outcome)
			one := trip(t, r, 1)
			x.edit(one)
			l.Ended(one)
			synctest.Wait()
			require.Equal(t, before+1, count(t, l, x.outcome), x.outcome)
		}
		city.Swap(nil)
		l.Ended(trip(t, r, 1))
		synctest.Wait()
		require.Equal(t, 2.0, count(t, l, offMap))
		require.NoError(t, l.Stop(t.Context()))
		for range queued + 3 { // nothing takes them any more
			l.Ended(trip(t, r, 1))
		}
		require.Equal(t, 3.0, count(t, l, dropped))
		require.InDelta(t, 2, store.factors[learn.Key{Kind: learn.All}].N, 1e-2)
	})
}

// TestMetricsOfLearning: all series exist from the start, and few rides of an hour are not shown.
func TestMetricsOfLearning(t *testing.T) {
	store := &memory{factors: map[learn.Key]learn.Factor{
		{Kind: learn.All}:                          {N: 300, Log: math.Log(1.25)},
		{Kind: learn.Hour, Key: learn.HourKey(8)}:  {N: learn.Seen, Log: math.Log(1.5)},
		{Kind: learn.Hour, Key: learn.HourKey(24)}: {N: learn.Seen - 1, Log: math.Log(1.5)},
		{Kind: learn.Detour}:                       {N: 300, Log: math.Log(1.05)},
	}}
	l, _ := node(t, store)
	defer func() { require.NoError(t, l.Stop(t.Context())) }()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(l)
	n, err := testutil.GatherAndCount(registry, "hexhail_streets_hour_factor")
	require.NoError(t, err)
	require.Equal(t, streets.Hours, n)
	n, err = testutil.GatherAndCount(registry, "hexhail_streets_rides_total")
	require.NoError(t, err)
	require.Equal(t, 4+len(learn.Verdicts), n)
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP hexhail_streets_detour_factor Learned factor of how much farther than planned drivers drive; 1 until enough rides have taught it.
# TYPE hexhail_streets_detour_factor gauge
hexhail_streets_detour_factor 1.05
`), "hexhail_streets_detour_factor"))
	families, err := registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "hexhail_streets_hour_factor" {
			for _, m := range f.GetMetric() {
				got[m.GetLabel()[0].GetValue()+m.GetLabel()[1].GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	require.InDelta(t, 1.5, got["weekday08"], 1e-9)
	require.InDelta(t, 1, got["weekend00"], 1e-9)
}
