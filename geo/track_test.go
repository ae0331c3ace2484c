package geo

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func after(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }

// begun is a track that begins at noon, at the place of a recent fix.
func begun() Track {
	var t Track
	t.Before(Spot{Point: helsinki, AccuracyM: 5, At: after(-1)})
	t.Begin(noon, helsinki)
	return t
}

// drive adds a fix at a regular interval on the way east, from one second to another.
func drive(t *Track, from, to, every, mps, accuracyM float64) {
	for s := from; s <= to; s += every {
		t.Add(Spot{Point: Destination(helsinki, 90, s*mps), AccuracyM: accuracyM, At: after(s)})
	}
}

func TestTrackMeasuresDrives(t *testing.T) {
	for name, tc := range map[string]struct {
		every, mps, accuracyM float64
	}{
		"every second":     {1, 10, 5},
		"slowly":           {1, 2, 5},
		"every 20 seconds": {20, 10, 5},
		"accuracy unknown": {1, 10, 0},
		"negative":         {1, 10, -1},
		"NaN":              {1, 10, math.NaN()},
		"in a street":      {1, 10, 20},
		"hardly usable":    {5, 10, MaxAccuracyM},
	} {
		t.Run(name, func(t *testing.T) {
			track := begun()
			drive(&track, 0, 300, tc.every, tc.mps, tc.accuracyM)
			d := track.At(after(300))
			require.InDelta(t, 300*tc.mps, d.MeasuredM, 3*max(5, tc.accuracyM, 0)+1)
			require.Zero(t, d.GapM)
			require.Zero(t, d.SinceLast)
			require.True(t, d.Located)
		})
	}
}

// A standing car has fixes all around it, and drives nowhere: also where they are as far
// off as their accuracy says, each by itself.
func TestTrackIgnoresAParkedCar(t *testing.T) {
	for _, accuracy := range []float64{5, 10, 30, 60, 100, 150, 500, 2000} {
		random, track := rand.New(rand.NewPCG(1, uint64(accuracy))), begun()
		sigma := accuracy / 1.51 // 68 % of a plane's normal distribution are within 1.51 sigma
		for s := range 600 {
			off := sigma * math.Hypot(random.NormFloat64(), random.NormFloat64())
			track.Add(Spot{Point: Destination(helsinki, 360*random.Float64(), off), AccuracyM: accuracy, At: after(float64(s))})
		}
		d := track.At(after(600))
		require.Less(t, d.MeasuredM+d.GapM, 3.5*min(accuracy, MaxAccuracyM), "accuracy %.0f m", accuracy)
	}
}

func TestTrackKnowsItsGaps(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		track := begun()
		drive(&track, 120, 300, 1, 10, 5)
		d := track.At(after(300))
		require.InDelta(t, 1200, d.GapM, 1)
		require.Equal(t, 2*time.Minute, d.GapTime)
		require.InDelta(t, 1800, d.MeasuredM, 15)
	})
	t.Run("at the start, without any fix before", func(t *testing.T) {
		var track Track
		track.Begin(noon, helsinki)
		require.False(t, track.At(noon).Located)
		drive(&track, 120, 300, 1, 10, 5)
		require.InDelta(t, 1200, track.At(after(300)).GapM, 1)
	})
	t.Run("in the middle", func(t *testing.T) {
		track := begun()
		drive(&track, 0, 100, 1, 10, 5)
		drive(&track, 200, 300, 1, 10, 5)
		d := track.At(after(300))
		require.InDelta(t, 1000, d.GapM, 1)
		require.Equal(t, 100*time.Second, d.GapTime)
		require.InDelta(t, 2000, d.MeasuredM, 15)
	})
	t.Run("inaccurate fixes fill none", func(t *testing.T) {
		track := begun()
		drive(&track, 0, 100, 1, 10, 5)
		drive(&track, 101, 199, 1, 10, 800)
		drive(&track, 200, 300, 1, 10, 5)
		d := track.At(after(300))
		require.InDelta(t, 1000, d.GapM, 1)
		require.True(t, d.Coarse.At.IsZero(), "nothing is in doubt")
	})
	t.Run("at the end", func(t *testing.T) {
		track := begun()
		drive(&track, 0, 6, 2, 10, 5)
		d := track.At(after(500))
		require.InDelta(t, 60, d.MeasuredM, 1)
		require.Equal(t, 494*time.Second, d.SinceLast)
		require.InDelta(t, 60, DistanceM(helsinki, d.Last.Point), 1)
	})
	t.Run("a pause is none", func(t *testing.T) {
		track := begun()
		drive(&track, 0, 100, 1, 10, 5)
		still := Destination(helsinki, 90, 1000)
		track.Add(Spot{Point: Destination(still, 0, 4), AccuracyM: 5, At: after(1000)})
		for s := 1.0; s < 100; s++ {
			track.Add(Spot{Point: Destination(still, 90, 10*s), AccuracyM: 5, At: after(1000 + s)})
		}
		d := track.At(after(1099))
		require.Zero(t, d.GapM)
		require.InDelta(t, 1990, d.MeasuredM, 15)
	})
}

// For any fixes, a track measures no more than their path, and no less than the straight line
// between accurate ones, except for a step at either end.
func TestTrackNeverExceedsItsFixes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		track, at, path := begun(), noon, []Point{helsinki}
		for range rapid.IntRange(1, 60).Draw(t, "fixes") {
			at = at.Add(time.Duration(rapid.Int64Range(1, 60).Draw(t, "seconds")) * time.Second)
			p := Destination(path[len(path)-1], rapid.Float64Range(0, 360).Draw(t, "bearing"), rapid.Float64Range(0, 400).Draw(t, "metres"))
			path = append(path, p)
			track.Add(Spot{Point: p, AccuracyM: rapid.Float64Range(0, 30).Draw(t, "accuracy"), At: at})
		}
		d := track.At(at)
		require.LessOrEqual(t, d.MeasuredM+d.GapM, trackLengthM(path)+1e-3)
		require.Equal(t, path[len(path)-1], d.Last.Point)
		again := track.At(at)
		require.Equal(t, d, again, "asking changes nothing")
	})
}

func TestTrackDoesNotAllocate(t *testing.T) {
	track, s := begun(), 0.0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		s++
		track.Add(Spot{Point: Destination(helsinki, 90, 10*s), AccuracyM: 5, At: after(s)})
	}))
}

// trackLengthM returns the length in metres of the path through the points.
func trackLengthM(track []Point) float64 {
	var sum float64
	for i := 1; i < len(track); i++ {
		sum += DistanceM(track[i-1], track[i])
	}
	return sum
}
