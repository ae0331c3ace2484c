package city

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/sim/demand"
)

func TestSameSeedSameIntentions(t *testing.T) {
	b := DefaultBehaviour()
	one, twin, other := Intentions{7, b}, Intentions{7, b}, Intentions{8, b}
	differ := 0
	for n := range 100 {
		require.Equal(t, one.Offer("bo", n), twin.Offer("bo", n))
		require.Equal(t, one.Request("q"), twin.Request("q"))
		require.NotEqual(t, one.Offer("bo", n), one.Offer("cy", n), "each driver has separate intentions")
		if one.Offer("bo", n) != other.Offer("bo", n) {
			differ++
		}
	}
	require.Greater(t, differ, 90)
}

func TestIntentionsFollowTheModel(t *testing.T) {
	b := DefaultBehaviour()
	in, accepts, quick := Intentions{1, b}, 0, 0
	for n := range 4000 {
		p := in.Offer("bo", n)
		if p.Answer == Accept {
			accepts++
		}
		if p.After < b.Reply {
			quick++
		}
		require.LessOrEqual(t, p.After, 10*b.Reply)
	}
	require.InDelta(t, b.Accept, float64(accepts)/4000, 0.03)
	require.InDelta(t, 0.5, float64(quick)/4000, 0.03, "the median")
	b.Accept = 0.95
	require.Error(t, b.Validate(), "accepting and declining more often than there are offers")
	require.NoError(t, DefaultBehaviour().Validate())
}

func TestStraightWay(t *testing.T) {
	a := geo.Point{Lat: 40.75, Lng: -73.99}
	b := geo.Destination(a, 0, 1000)
	w := Straight{SpeedMPS: 5, Detour: 1.4}.Way(a, b)
	require.InDelta(t, 280, w.Duration().Seconds(), 0.5)
	half, heading := w.At(w.Duration() / 2)
	require.InDelta(t, 500, geo.DistanceM(a, half), 1)
	require.InDelta(t, 0, heading, 0.1)
	for at, want := range map[time.Duration]geo.Point{-time.Hour: a, 0: a, time.Hour: b} {
		got, _ := w.At(at)
		require.Equal(t, want, got)
	}
	require.Zero(t, stand(a).Duration())
}

func TestStreetsTakeTheFastestWay(t *testing.T) {
	at := func(north, east float64) geo.Point {
		return geo.Destination(geo.Destination(geo.Point{Lat: 40.75, Lng: -73.99}, 0, north), 90, east)
	}
	nodes := []demand.Node{{ID: "a", At: at(0, 0)}, {ID: "b", At: at(0, 1000)}, {ID: "c", At: at(500, 500)}, {ID: "lost", At: at(9000, 0)}}
	s, err := NewStreets(nodes, []demand.Edge{{From: "a", To: "b", Seconds: 300}, {From: "a", To: "c", Seconds: 100}, {From: "c", To: "b", Seconds: 100}})
	require.NoError(t, err)
	w := s.Way(at(0, 0), at(0, 1000))
	require.InDelta(t, 200, w.Duration().Seconds(), 1, "over c, not along the slow edge")
	p, _ := w.At(100 * time.Second)
	require.InDelta(t, 0, geo.DistanceM(p, at(500, 500)), 5)
	require.Positive(t, s.Way(at(0, 1000), at(9000, 0)).Duration(), "no way: the straight line")
	_, err = NewStreets(nodes, []demand.Edge{{From: "a", To: "nowhere", Seconds: 1}})
	require.Error(t, err)
}
