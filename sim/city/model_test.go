package city

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
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
	w := Straight{SpeedMPS: 5, Detour: 1.4}.Way(geo.Place{Point: a}, b)
	require.InDelta(t, 280, w.Duration().Seconds(), 0.5)
	half := w.At(w.Duration() / 2)
	require.InDelta(t, 500, geo.DistanceM(a, half.Point), 1)
	require.InDelta(t, 0, half.Heading.Deg, 0.1)
	for at, want := range map[time.Duration]geo.Point{-time.Hour: a, 0: a, time.Hour: b} {
		require.Equal(t, want, w.At(at).Point)
	}
	standing := stand(half)
	require.Zero(t, standing.Duration())
	require.Equal(t, half, standing.At(time.Minute), "it stands as it came")
}

func TestDrivesDifferAsTheModelSays(t *testing.T) {
	b := DefaultBehaviour()
	in, longer := Intentions{1, b}, 0
	for n := range 4000 {
		x := in.Drive("bo", n)
		require.True(t, x >= 0.5 && x <= 2)
		require.Equal(t, x, in.Drive("bo", n), "the same seed")
		if x > 1+b.DriveSpread {
			longer++
		}
	}
	require.InDelta(t, 0.17, float64(longer)/4000, 0.02, "a standard deviation")
	in.Behaviour.DriveSpread = 0
	require.InDelta(t, 1, in.Drive("bo", 0), 0)
}
