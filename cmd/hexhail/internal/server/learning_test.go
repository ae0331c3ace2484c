package server

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/ops"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

// gathered runs a server with Manhattan's map and returns the values of its metrics without labels.
func gathered(t *testing.T, c *config.Config) map[string]float64 {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	operations := ops.New(ops.Options{Log: log})
	s, err := Assemble(t.Context(), Base{Config: c, Log: log, Ops: operations, MakeMissing: true,
		Streets: func(ctx context.Context) (*streets.Map, error) {
			return streets.Build(ctx, manhattan.Open, streets.BuildOptions{})
		}})
	require.NoError(t, err)
	for _, service := range s.Services {
		require.NoError(t, service.Start(t.Context()), service.Name)
	}
	families, err := operations.Registry.Gather()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, service := range slices.Backward(s.Services) {
		require.NoError(t, service.Stop(ctx), service.Name)
	}
	out := map[string]float64{}
	for _, f := range families {
		if len(f.GetMetric()) == 1 && f.GetMetric()[0].GetGauge() != nil {
			out[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return out
}

// TestLearnedTimesOfAServer: a server that starts uses what is stored, unless learning is off; what was
// forgotten is gone.
func TestLearnedTimesOfAServer(t *testing.T) {
	c := defaults(t)
	c.Store.DataDir, c.HTTP.Listen, c.Ops.Listen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	require.Zero(t, gathered(t, c)["hexhail_streets_learned_rides"])

	store, err := openBeside(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, store.AddSpeeds(t.Context(), learn.Changes{Factors: map[learn.Key]learn.Factor{
		{Kind: learn.All}: {N: 250, Log: 0.5}, {Kind: learn.Detour}: {N: 250, Log: 0.25},
	}}))
	require.NoError(t, store.Close())
	got := gathered(t, c)
	require.Equal(t, 250.0, got["hexhail_streets_learned_rides"])
	require.InDelta(t, 1.284, got["hexhail_streets_detour_factor"], 0.001)

	off := *c
	off.Map.StreetsLearn = false
	require.NotContains(t, gathered(t, &off), "hexhail_streets_learned_rides")

	require.NoError(t, ForgetSpeeds(t.Context(), c))
	require.Zero(t, gathered(t, c)["hexhail_streets_learned_rides"])
}
