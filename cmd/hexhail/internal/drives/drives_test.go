package drives

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

var from, to, sea = geo.Point{Lat: 40.7580, Lng: -73.9855}, geo.Point{Lat: 40.7812, Lng: -73.9665}, geo.Point{Lat: 40.5, Lng: -73.5}

func TestDrivesFollowStreetsWhereThereAreSome(t *testing.T) {
	m, err := streets.Build(t.Context(), manhattan.Open, streets.BuildOptions{Name: manhattan.Name})
	require.NoError(t, err)
	city := new(streets.City)
	d := New(slog.New(slog.DiscardHandler), geo.StraightLine{}, Named{geo.ByStreets, city})

	crow, err := d.Route(t.Context(), from, to)
	require.NoError(t, err)
	require.Equal(t, geo.ByCrow, crow.By, "without a map")
	_, err = d.Plan(t.Context(), geo.Place{Point: from}, geo.Place{Point: to}, time.Now())
	require.ErrorIs(t, err, geo.ErrNoRoute)
	_, err = d.Snap(geo.Place{Point: from})
	require.ErrorIs(t, err, geo.ErrNoRoute)

	city.Swap(m)
	way, err := d.Route(t.Context(), from, to)
	require.NoError(t, err)
	require.Equal(t, geo.ByStreets, way.By)
	require.Greater(t, way.DistanceM, geo.DistanceM(from, to))
	all, err := d.Routes(t.Context(), []geo.Point{from, sea}, to)
	require.NoError(t, err)
	require.InDelta(t, way.DistanceM, all[0].DistanceM, 1)
	require.Equal(t, geo.ByStreets, all[0].By)
	require.Equal(t, geo.ByCrow, all[1].By, "off the map")
	require.True(t, all[1].Reachable())
	outward, err := d.From(t.Context(), geo.Place{Point: sea}, []geo.Place{{Point: to}}, time.Now())
	require.NoError(t, err)
	require.Equal(t, all[1], outward[0], "the straight line is as long in both directions")
	plan, err := d.Plan(t.Context(), geo.Place{Point: from}, geo.Place{Point: to}, time.Now())
	require.NoError(t, err)
	require.InDelta(t, way.DistanceM, plan.DistanceM, 1)
	snap, err := d.Snap(geo.Place{Point: from})
	require.NoError(t, err)
	require.NotZero(t, snap.Map)

	_, err = d.Route(t.Context(), geo.Point{Lat: math.NaN()}, to)
	require.ErrorIs(t, err, geo.ErrInvalidPoint)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = d.Routes(ended, []geo.Point{from}, to)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1.0, testutil.ToFloat64(d.metrics.snaps.WithLabelValues("yes")))
	require.Positive(t, testutil.ToFloat64(d.metrics.routes.WithLabelValues("crow")))
	require.Positive(t, testutil.ToFloat64(d.metrics.fallbacks.WithLabelValues("streets", "no_route")))
}

// broken fails in a chosen way.
type broken struct {
	err    error
	routes []geo.Route
	panics bool
}

func (b broken) Route(context.Context, geo.Point, geo.Point) (geo.Route, error) {
	return geo.Route{}, b.err
}
func (b broken) Routes(context.Context, []geo.Point, geo.Point) ([]geo.Route, error) {
	return b.routes, b.err
}
func (b broken) To(context.Context, []geo.Place, geo.Place, time.Time) ([]geo.Route, error) {
	if b.panics {
		panic("a hole in the ground")
	}
	return b.routes, b.err
}
func (b broken) From(context.Context, geo.Place, []geo.Place, time.Time) ([]geo.Route, error) {
	return b.routes, b.err
}
func (b broken) Plan(context.Context, geo.Place, geo.Place, time.Time) (geo.Plan, error) {
	if b.panics {
		panic("a hole in the ground")
	}
	return geo.Plan{}, b.err
}

// TestNoFailureOfASourceIsOneOfARequest: whatever a source says, the next one is asked, and the straight
// line in the end.
func TestNoFailureOfASourceIsOneOfARequest(t *testing.T) {
	for name, b := range map[string]broken{
		"fails":             {err: errors.New("refused")},
		"is late":           {err: context.DeadlineExceeded},
		"panics":            {panics: true},
		"knows no way":      {routes: []geo.Route{geo.Unreachable()}},
		"says too little":   {routes: []geo.Route{}},
		"says NaN":          {routes: []geo.Route{{DistanceM: math.NaN()}}},
		"says less than 0":  {routes: []geo.Route{{DistanceM: 1, Duration: -1}}},
		"says the infinite": {routes: []geo.Route{{DistanceM: 1e300}}},
	} {
		t.Run(name, func(t *testing.T) {
			d := New(slog.New(slog.DiscardHandler), geo.StraightLine{}, Named{geo.ByOSRM, b})
			r, err := d.Route(t.Context(), from, to)
			require.NoError(t, err)
			require.Equal(t, geo.ByCrow, r.By)
			want, err := geo.StraightLine{}.Route(t.Context(), from, to)
			require.NoError(t, err)
			require.Equal(t, want, r)

			_, err = d.Plan(t.Context(), geo.Place{Point: from}, geo.Place{Point: to}, time.Now())
			require.Error(t, err)

			second := broken{routes: []geo.Route{{DistanceM: 7, Duration: time.Second}}}
			d = New(slog.New(slog.DiscardHandler), geo.StraightLine{}, Named{geo.ByOSRM, b}, Named{geo.ByStreets, second})
			r, err = d.Route(t.Context(), from, to)
			require.NoError(t, err)
			require.Equal(t, geo.Route{DistanceM: 7, Duration: time.Second, By: geo.ByStreets}, r)
		})
	}
	late, end := context.WithTimeout(t.Context(), 0)
	defer end()
	r, err := New(slog.New(slog.DiscardHandler), geo.StraightLine{}, Named{geo.ByOSRM, broken{err: context.DeadlineExceeded}}).Route(late, from, to)
	require.NoError(t, err, "the time is up, and there is an answer")
	require.Equal(t, geo.ByCrow, r.By)
}
