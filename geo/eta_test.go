package geo

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStraightLine(t *testing.T) {
	to := Destination(helsinki, 45, 7000)
	for name, tc := range map[string]struct {
		source StraightLine
		wantM  float64
		want   time.Duration
	}{
		"defaults":         {StraightLine{}, 9100, 1300 * time.Second},
		"given":            {StraightLine{Detour: 1, SpeedMPS: 10}, 7000, 700 * time.Second},
		"negative":         {StraightLine{Detour: -2, SpeedMPS: -1}, 9100, 1300 * time.Second},
		"NaN":              {StraightLine{Detour: math.NaN(), SpeedMPS: math.NaN()}, 9100, 1300 * time.Second},
		"infinite":         {StraightLine{Detour: math.Inf(1), SpeedMPS: math.Inf(1)}, 9100, 1300 * time.Second},
		"a detour below 1": {StraightLine{Detour: 0.5, SpeedMPS: 7}, 9100, 1300 * time.Second},
		"a crawl":          {StraightLine{Detour: 1, SpeedMPS: 1e-300}, 7000, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := tc.source.Route(t.Context(), helsinki, to)
			require.NoError(t, err)
			require.InDelta(t, tc.wantM, r.DistanceM, 0.01)
			require.InDelta(t, float64(tc.want), float64(r.Duration), float64(10*time.Millisecond))
			require.True(t, r.Reachable())

			many, err := tc.source.Routes(t.Context(), []Point{helsinki, to, helsinki}, to)
			require.NoError(t, err)
			require.Equal(t, []Route{r, {}, r}, many)
		})
	}
}

func TestStraightLineWithoutOrigins(t *testing.T) {
	routes, err := StraightLine{}.Routes(t.Context(), nil, helsinki)
	require.NoError(t, err)
	require.Empty(t, routes)
}

func TestStraightLineHonoursItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := StraightLine{}.Route(ctx, helsinki, newYork)
	require.ErrorIs(t, err, context.Canceled)
	_, err = StraightLine{}.Routes(ctx, []Point{helsinki}, newYork)
	require.ErrorIs(t, err, context.Canceled)
}

func TestUnreachableIsBehindEveryRoute(t *testing.T) {
	far, err := StraightLine{SpeedMPS: 1e-300}.Route(t.Context(), northPole, southPole)
	require.NoError(t, err)
	require.False(t, Unreachable().Reachable())
	require.GreaterOrEqual(t, Unreachable().Duration, far.Duration)
	require.Greater(t, Unreachable().DistanceM, far.DistanceM)
}
