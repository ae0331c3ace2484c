package geo

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func straightM(track []Spot) (m float64) {
	for i := 1; i < len(track); i++ {
		m += DistanceM(track[i-1].Point, track[i].Point)
	}
	return m
}

// TestTrailLeadsAlongWhatWasMeasured: without gaps, the kept fixes are as far apart as the drive was measured.
func TestTrailLeadsAlongWhatWasMeasured(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trail, plain := Trail{Most: 1000}, Track{}
		trail.Begin(noon, helsinki)
		plain.Begin(noon, helsinki)
		p, at := helsinki, noon
		for range rapid.IntRange(0, 60).Draw(t, "fixes") {
			at = at.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "seconds")) * time.Second)
			p = Destination(p, rapid.Float64Range(0, 360).Draw(t, "bearing"), rapid.Float64Range(0, 200).Draw(t, "metres"))
			s := Spot{Point: p, AccuracyM: rapid.Float64Range(0, 99).Draw(t, "accuracy"), At: at}
			trail.Add(s)
			plain.Add(s)
		}
		measured := plain.At(at)
		require.Equal(t, measured, trail.At(at), "a trail measures as a track")
		require.InDelta(t, measured.MeasuredM, straightM(trail.Kept()), 3)
		for i, s := range trail.Kept() {
			require.False(t, s.At.Before(noon) || s.At.After(at), "fix %d", i)
		}
	})
}

func TestTrailIsBounded(t *testing.T) {
	trail := Trail{Most: 100}
	trail.Begin(noon, helsinki)
	for s := range 3000 {
		trail.Add(Spot{Point: Destination(helsinki, 90, float64(20*s)), AccuracyM: 5, At: after(float64(s))})
		require.LessOrEqual(t, len(trail.kept), 100)
	}
	kept := trail.Kept()
	require.Greater(t, len(kept), 45)
	require.InDelta(t, 20*2999, straightM(kept), 100)
	require.Less(t, DistanceM(kept[0].Point, helsinki), 1.0)

	none := Trail{}
	none.Begin(noon, helsinki)
	for s := range 30 {
		none.Add(Spot{Point: Destination(helsinki, 90, float64(20*s)), At: after(float64(s))})
	}
	require.Empty(t, none.Kept())
	require.InDelta(t, 580, none.At(after(30)).MeasuredM, 1)
	require.Empty(t, new(Trail).Kept())
}

// A stop is no gap: the trail says until when the car stood, also where the drive ends with the step after it.
func TestTrailKnowsWhenAStopEnded(t *testing.T) {
	for _, more := range []int{1, 10} {
		trail := Trail{Most: 1000}
		trail.Begin(noon, helsinki)
		drive := func(from, to int, metres float64) {
			for s := from; s < to; s += 15 {
				trail.Add(Spot{Point: Destination(helsinki, 90, metres+11*float64(s-from)), AccuracyM: 5, At: after(float64(s))})
			}
		}
		drive(0, 150, 0)
		for s := 150; s < 300; s += 15 {
			trail.Add(Spot{Point: Destination(helsinki, 90, 11*135), AccuracyM: 5, At: after(float64(s))})
		}
		drive(300, 300+15*more, 11*150)
		kept := trail.Kept()
		for i := 1; i < len(kept); i++ {
			if DistanceM(kept[i-1].Point, kept[i].Point) > 1 {
				require.LessOrEqual(t, kept[i].At.Sub(kept[i-1].At), MaxGap, "fix %d", i)
			}
		}
		require.InDelta(t, trail.At(after(600)).MeasuredM, straightM(kept), 3)
	}
}

func TestTrailOfAParkedCarIsShort(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	trail := Trail{Most: 1000}
	trail.Begin(noon, helsinki)
	for s := range 3600 {
		trail.Add(Spot{Point: Destination(helsinki, 360*random.Float64(), 20/1.51*random.NormFloat64()), AccuracyM: 20, At: after(float64(s))})
	}
	require.LessOrEqual(t, len(trail.Kept()), 4)
}
