package city

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

var theStreets = sync.OnceValues(func() (*streets.Map, error) { return nyc.Streets(context.Background(), "test") })

// manhattan is a router on Manhattan's streets, with the hour's requests.
func manhattan(t *testing.T) (Streets, []demand.Request) {
	t.Helper()
	m, err := theStreets()
	require.NoError(t, err)
	requests, _, err := nyc.Peak(demand.Filter{Area: nyc.Manhattan})
	require.NoError(t, err)
	return Streets{m}, requests
}

// Every second of a way lies on a street and leads along it, and the way takes as long as the map says.
func TestWaysLieOnStreets(t *testing.T) {
	s, requests := manhattan(t)
	r := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		q := requests[r.IntN(len(requests))]
		from := s.Park(q.Pickup)
		w := s.Way(from, q.Dropoff)
		require.False(t, w.crow)
		require.Equal(t, w.Duration(), s.Way(from, q.Dropoff).Duration(), "the same again")
		plan, err := s.Map.Plan(t.Context(), from, geo.Place{Point: q.Dropoff}, time.Time{})
		require.NoError(t, err)
		require.Equal(t, plan.Duration, w.Duration())
		before := w.At(0)
		require.Less(t, geo.DistanceM(from.Point, before.Point), 0.1, "it begins where the car is")
		for at := time.Duration(0); at <= w.Duration()+time.Second; at += time.Second {
			p := w.At(at)
			require.Less(t, geo.DistanceM(before.Point, p.Point), 40.0, "no jump")
			snap, err := s.Map.Snap(p)
			require.NoError(t, err)
			street := s.Map.Street(snap.Segment)
			require.True(t, snap.AwayM < 1 || s.Map.Street(p.Snap.Segment).Road == streets.Service, "%v is %v m off the street", p, snap.AwayM)
			require.True(t, along(s.Map, p) || street.LengthM < 1, "%v leads along no street", p)
			before = p
		}
		require.Less(t, geo.DistanceM(w.At(w.Duration()).Point, plan.Line[len(plan.Line)-1]), 0.1)
		require.Equal(t, w.At(w.Duration()+time.Hour).Point, w.end.Point, "it stays there")
	}
}

// along reports whether a place heads along a piece of its street.
func along(m *streets.Map, p geo.Place) bool {
	pts := m.Shape(p.Snap.Segment, nil)
	for i := 1; i < len(pts); i++ {
		for _, deg := range []float64{geo.BearingDeg(pts[i-1], pts[i]), geo.BearingDeg(pts[i], pts[i-1])} {
			if d := math.Abs(math.Mod(deg-p.Heading.Deg+540, 360) - 180); d < 1 {
				return true
			}
		}
	}
	return false
}

// A car that is sent elsewhere goes on from where it is.
func TestCarsGoOnFromWhereTheyAre(t *testing.T) {
	s, requests := manhattan(t)
	car := s.Park(requests[0].Pickup)
	for _, q := range requests[:100] {
		w := s.Way(car, q.Pickup)
		car = w.At(w.Duration() * 2 / 3)
		on := s.Way(car, q.Dropoff)
		require.Less(t, geo.DistanceM(car.Point, on.At(0).Point), 0.1, "no jump")
		require.InDelta(t, 1, math.Cos((car.Heading.Deg-on.At(0).Heading.Deg)*math.Pi/180), 1, "no flip")
		halt := stand(car)
		require.Equal(t, car, halt.At(time.Hour))
	}
}

func TestOffTheMapCarsDriveStraight(t *testing.T) {
	s, _ := manhattan(t)
	here, sea := geo.Point{Lat: 40.7580, Lng: -73.9855}, geo.Point{Lat: 40.5, Lng: -73.5}
	w := s.Way(s.Park(here), sea)
	require.True(t, w.crow)
	require.Equal(t, sea, w.At(w.Duration()).Point)
	require.Equal(t, geo.Place{Point: sea}, s.Park(sea))
	require.True(t, s.Way(geo.Place{Point: sea}, here).crow)

	// A car that comes from beside a street drives to it first.
	snap, err := s.Map.Snap(geo.Place{Point: here})
	require.NoError(t, err)
	beside := geo.Destination(snap.At, 60, 30)
	w = s.Way(geo.Place{Point: beside}, geo.Destination(here, 29, 1500))
	require.False(t, w.crow)
	require.Equal(t, beside, w.At(0).Point)
	for at := time.Second; at < w.Duration(); at += time.Second {
		require.Less(t, geo.DistanceM(w.At(at-time.Second).Point, w.At(at).Point), 40.0, "no jump")
	}
}

// A graph of travel times, such as an evaluation has, is driven in exactly these times.
func TestGivenTimesAreDriven(t *testing.T) {
	at := func(north, east float64) geo.Point {
		return geo.Destination(geo.Destination(geo.Point{Lat: 40.75, Lng: -73.99}, 0, north), 90, east)
	}
	m, err := streets.FromGraph(t.Context(), streets.Graph{
		Nodes: []geo.Point{at(0, 0), at(0, 1000), at(500, 500)},
		Edges: []streets.GraphEdge{
			{From: 0, To: 1, Time: 300 * time.Second}, {From: 0, To: 2, Time: 100 * time.Second}, {From: 2, To: 1, Time: 100 * time.Second},
			{From: 1, To: 0, Time: time.Second},
		},
	}, streets.Meta{})
	require.NoError(t, err)
	s := Streets{m}
	w := s.Way(s.Park(at(10, 10)), at(10, 990)) // parked on the way to the third node
	require.InDelta(t, 196, w.Duration().Seconds(), 3, "over the third node, not along the slow edge")
	require.InDelta(t, 0, geo.DistanceM(w.At(98*time.Second).Point, at(500, 500)), 15)
}
