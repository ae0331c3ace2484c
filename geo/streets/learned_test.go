package streets

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

// plainPlace is a place without a snap.
func plainPlace(p geo.Point) geo.Place { return geo.Place{Point: p} }

// TestLearnedFactorsMultiply: the way stays, and its time is multiplied, alike in plans and in fans.
func TestLearnedFactorsMultiply(t *testing.T) {
	m := manhattanMap(t)
	r := rand.New(rand.NewPCG(9, 9))
	seoul, err := time.LoadLocation("Asia/Seoul")
	require.NoError(t, err)
	at := time.Date(2030, 5, 3, 15, 30, 0, 0, time.UTC) // a Saturday's first hour in Seoul
	var l Learned
	l.TimeZone, l.All, l.Detour = seoul, 1.5, 1.05
	l.Hours[24] = 2
	zones := &zoning{}
	zones.prepare(m.graph)
	l.Zones = map[geo.Cell]float64{}
	for i, c := range zones.cells {
		l.Zones[c] = []float64{0.25, 0.5, 1, 2, 4}[i%5]
	}
	taught, err := m.WithLearned(l)
	require.NoError(t, err)
	require.Equal(t, m.ID(), taught.ID())

	for range 20 {
		a, b := plainPlace(somewhere(r, m)), plainPlace(somewhere(r, m))
		before, err := m.Plan(t.Context(), a, b, at)
		if err != nil {
			continue
		}
		parts, err := m.Breakdown(t.Context(), a, b)
		require.NoError(t, err)
		places := l.Zones[parts.From] * l.Zones[parts.To]
		for _, x := range []struct {
			at     time.Time
			factor float64
		}{{at, 3}, {at.Add(-time.Hour), 1.5}} {
			p, err := taught.Plan(t.Context(), a, b, x.at)
			require.NoError(t, err)
			require.Equal(t, before.Line, p.Line)
			require.InDelta(t, before.DistanceM, p.DistanceM, 1e-9)
			want := before.Duration.Seconds() * x.factor * root(places)
			require.InEpsilon(t, want, p.Duration.Seconds(), 1e-6)
			steps := 0.0
			for _, s := range p.Steps {
				steps += s.Route.Duration.Seconds()
			}
			require.InDelta(t, want, steps, 0.001)
			to, err := taught.To(t.Context(), []geo.Place{a, b}, b, x.at)
			require.NoError(t, err)
			require.InDelta(t, want, to[0].Duration.Seconds(), 0.05)
			from, err := taught.From(t.Context(), a, []geo.Place{a, b}, x.at)
			require.NoError(t, err)
			require.InDelta(t, want, from[1].Duration.Seconds(), 0.05)
		}
	}
}

func root(x float64) float64 {
	r := 1.0
	for range 60 {
		r = (r + x/r) / 2
	}
	return r
}

// TestLearnedTimesOfRoads: factors of roads, signals and rides change the parts of a time.
func TestLearnedTimesOfRoads(t *testing.T) {
	c := squares(t).node('e', "highway=traffic_signals")
	m := c.mapped()
	from, to := c.between('d', 'e'), c.between('f', 'e')
	before := c.plan(m, from, to)
	parts, err := m.Breakdown(t.Context(), from, to)
	require.NoError(t, err)
	l := Learned{Signal: 2, Ride: 0.5}
	l.Roads[Residential] = 3
	taught, err := m.WithLearned(l)
	require.NoError(t, err)
	require.InDelta(t, parts.Signals*3, parts.SignalS, 1e-9)
	require.InDelta(t, 45, parts.RideS, 1e-9)
	want := parts.RoadS[Residential]*3 + parts.Signals*6
	require.InDelta(t, before.Duration.Seconds(), parts.RoadS[Residential]+parts.Signals*3, 0.01)
	require.InDelta(t, want, c.plan(taught, from, to).Duration.Seconds(), 0.01)
	require.Equal(t, 6*time.Second, taught.Model().Signal)
	require.Equal(t, 22500*time.Millisecond, taught.Model().Ride)
	again, err := taught.Breakdown(t.Context(), from, to)
	require.NoError(t, err)
	require.Equal(t, parts, again, "parts are those of the map's own model")

	model := DefaultModel()
	model.Ride = time.Minute
	other, err := taught.WithModel(model)
	require.NoError(t, err)
	require.Equal(t, 30*time.Second, other.Model().Ride, "what was learned stays")
	forgotten, err := other.WithLearned(Learned{})
	require.NoError(t, err)
	require.Equal(t, model, forgotten.Model())
}

// TestCityKeepsWhatItLearned: a new map knows it as well, and a bad lesson changes nothing.
func TestCityKeepsWhatItLearned(t *testing.T) {
	m := manhattanMap(t)
	a, b := plainPlace(geo.Point{Lat: 40.7580, Lng: -73.9855}), plainPlace(geo.Point{Lat: 40.7812, Lng: -73.9665})
	before, err := m.Plan(t.Context(), a, b, time.Time{})
	require.NoError(t, err)
	c := new(City)
	require.NoError(t, c.Learn(Learned{All: 2}), "before there is a map")
	require.ErrorIs(t, c.Learn(Learned{All: 5}), ErrModel)
	for range 2 {
		c.Swap(m)
		p, err := c.Plan(t.Context(), a, b, time.Time{})
		require.NoError(t, err)
		require.InEpsilon(t, 2*before.Duration.Seconds(), p.Duration.Seconds(), 1e-6)
	}
	require.NoError(t, c.Learn(Learned{All: 0.5}))
	p, err := c.Plan(t.Context(), a, b, time.Time{})
	require.NoError(t, err)
	require.InEpsilon(t, before.Duration.Seconds()/2, p.Duration.Seconds(), 1e-6)
	require.NoError(t, c.Learn(Learned{}))
	p, err = c.Plan(t.Context(), a, b, time.Time{})
	require.NoError(t, err)
	require.Equal(t, before.Duration, p.Duration)
}

func TestLearnedWithinBounds(t *testing.T) {
	m := manhattanMap(t)
	for _, bad := range []func(*Learned){
		func(l *Learned) { l.All = 4.01 }, func(l *Learned) { l.Ride = -1 }, func(l *Learned) { l.Signal = 0.2 },
		func(l *Learned) { l.Roads[3] = 100 }, func(l *Learned) { l.Hours[47] = -0.1 }, func(l *Learned) { l.Detour = 7 },
		func(l *Learned) { l.Zones = map[geo.Cell]float64{1: 9} },
	} {
		var l Learned
		bad(&l)
		_, err := m.WithLearned(l)
		require.ErrorIs(t, err, ErrModel)
	}
}

func TestHourOf(t *testing.T) {
	friday := time.Date(2030, 5, 3, 23, 59, 0, 0, time.UTC)
	require.Equal(t, 23, HourOf(friday))
	require.Equal(t, 24, HourOf(friday.Add(time.Minute)))
	require.Equal(t, 47, HourOf(friday.Add(2*24*time.Hour)))
	require.Equal(t, 0, HourOf(friday.Add(2*24*time.Hour+time.Minute)))
}
