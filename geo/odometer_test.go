package geo

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOdometerSteps(t *testing.T) {
	for name, tc := range map[string]struct {
		stepM, accuracyM float64
		steps            int
		wantM            float64
	}{
		"a drive":                     {30, 5, 10, 300},
		"unknown accuracy":            {30, 0, 10, 300},
		"negative accuracy":           {30, -7, 10, 300},
		"accuracy NaN":                {30, math.NaN(), 10, 300},
		"short steps gather":          {4, 0, 12, 48},
		"what is short of a step":     {4, 0, 13, 48},
		"poor accuracy, longer steps": {30, 50, 10, 300},
		"a boast of inaccuracy":       {30, 1e9, 12, 360},
		"infinite inaccuracy":         {30, math.Inf(1), 12, 360},
		"standing":                    {0, 5, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var o Odometer
			var added float64
			for i := range tc.steps + 1 {
				added += o.Add(Destination(helsinki, 90, float64(i)*tc.stepM), tc.accuracyM)
			}
			require.InDelta(t, tc.wantM, o.TotalM(), 1e-3)
			require.InDelta(t, added, o.TotalM(), 1e-9)
		})
	}
}

func TestOdometerIgnoresAParkedCar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o Odometer
		accuracy := rapid.Float64Range(10, 100).Draw(t, "accuracy")
		o.Add(helsinki, accuracy)
		for range rapid.IntRange(1, 200).Draw(t, "fixes") {
			wander := Destination(helsinki, rapid.Float64Range(0, 360).Draw(t, "bearing"),
				rapid.Float64Range(0, accuracy*0.99).Draw(t, "metres"))
			require.Zero(t, o.Add(wander, accuracy))
		}
		require.Zero(t, o.TotalM())
	})
}

// It may cut corners, but never by more than the drive was long.
func TestOdometerNeverExceedsTheTrack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o Odometer
		track := []Point{genPoint().Draw(t, "start")}
		o.Add(track[0], 0)
		for range rapid.IntRange(1, 50).Draw(t, "fixes") {
			p := Destination(track[len(track)-1], rapid.Float64Range(0, 360).Draw(t, "bearing"),
				rapid.Float64Range(0, 60).Draw(t, "metres"))
			track = append(track, p)
			o.Add(p, rapid.Float64Range(0, 40).Draw(t, "accuracy"))
		}
		require.LessOrEqual(t, o.TotalM(), trackLengthM(track)+1e-3)
		require.GreaterOrEqual(t, o.TotalM(), DistanceM(track[0], track[len(track)-1])-MaxStepM)
	})
}

// trackLengthM returns the length in metres of the path through the points.
func trackLengthM(track []Point) float64 {
	var sum float64
	for i := 1; i < len(track); i++ {
		sum += DistanceM(track[i-1], track[i])
	}
	return sum
}
