package persistence_test

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
	"github.com/hexhail/hexhail/persistence"
)

func changes(n, log float64, kinds ...learn.Kind) learn.Changes {
	c := learn.Changes{Factors: map[learn.Key]learn.Factor{}}
	for _, k := range kinds {
		c.Factors[learn.Key{Kind: k}] = learn.Factor{N: n, Log: log}
	}
	return c
}

// TestSpeedsAddUp: what is learned is added within its bounds, survives, and can be forgotten.
func TestSpeedsAddUp(t *testing.T) {
	onEachRaw(t, func(t *testing.T, s *persistence.Store, db *sql.DB, _ *time.Time) {
		all := learn.Key{Kind: learn.All}
		read := func() map[learn.Key]learn.Factor {
			got, err := s.Speeds(t.Context())
			require.NoError(t, err)
			return got
		}
		require.Empty(t, read())
		require.NoError(t, s.AddSpeeds(t.Context(), learn.Changes{}))
		require.NoError(t, s.AddSpeeds(t.Context(), changes(100, 0.25, learn.All, learn.Detour)))
		require.NoError(t, s.AddSpeeds(t.Context(), changes(50, -0.5, learn.All)))
		require.Equal(t, learn.Factor{N: 150, Log: -0.25}, read()[all])
		require.Equal(t, learn.Factor{N: 100, Log: 0.25}, read()[learn.Key{Kind: learn.Detour}])
		for _, log := range []float64{9, -9, -9} {
			require.NoError(t, s.AddSpeeds(t.Context(), changes(400, log, learn.All)))
		}
		require.Equal(t, learn.Factor{N: learn.MostN, Log: -learn.MostLog}, read()[all])

		c := changes(1, 0, learn.All)
		c.Hours[8], c.Hours[47] = learn.HourSum{Rides: 400, PlannedS: 4000, ActualS: 8000}, learn.HourSum{Rides: 1, PlannedS: 60, ActualS: 90}
		for range 3 {
			require.NoError(t, s.AddSpeeds(t.Context(), c))
		}
		hours, err := s.SpeedHours(t.Context())
		require.NoError(t, err)
		require.InDelta(t, learn.MostN, hours[8].Rides, 1e-9)
		require.InDelta(t, 10*learn.MostN, hours[8].PlannedS, 1e-6)
		require.InDelta(t, 20*learn.MostN, hours[8].ActualS, 1e-6)
		require.Equal(t, learn.HourSum{Rides: 3, PlannedS: 180, ActualS: 270}, hours[47])
		require.Equal(t, 2, count(t, db, "street_hours"))

		require.NoError(t, s.ForgetSpeeds(t.Context()))
		require.Empty(t, read())
		hours, err = s.SpeedHours(t.Context())
		require.NoError(t, err)
		require.Equal(t, [streets.Hours]learn.HourSum{}, hours)
	})
}

// TestSpeedsOfSeveralNodes: nodes that add at once lose nothing.
func TestSpeedsOfSeveralNodes(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			nodes := []*persistence.Store{open(t, o), open(t, o)}
			const rounds = 20
			var wg sync.WaitGroup
			for i, s := range nodes {
				wg.Go(func() {
					for n := range rounds {
						c := changes(1, 0.01, learn.All, learn.PerRide, learn.Signal, learn.Detour)
						c.Factors[learn.Key{Kind: learn.Zone, Key: fmt.Sprint(i, n)}] = learn.Factor{N: 1, Log: 0.01}
						c.Hours[n%3] = learn.HourSum{Rides: 1, PlannedS: 1, ActualS: 2}
						if err := s.AddSpeeds(t.Context(), c); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			for _, s := range nodes {
				got, err := s.Speeds(t.Context())
				require.NoError(t, err)
				require.Len(t, got, 4+2*rounds)
				require.InDelta(t, 2*rounds, got[learn.Key{Kind: learn.All}].N, 1e-9)
				require.InDelta(t, 2*rounds*0.01, got[learn.Key{Kind: learn.All}].Log, 1e-9)
				hours, err := s.SpeedHours(t.Context())
				require.NoError(t, err)
				require.InDelta(t, 2*rounds, hours[0].Rides+hours[1].Rides+hours[2].Rides, 1e-9)
			}
		})
	}
}

// TestSpeedsSurviveARestart: what was learned is there when the store opens again.
func TestSpeedsSurviveARestart(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			s, err := persistence.Open(t.Context(), o)
			require.NoError(t, err)
			require.NoError(t, s.AddSpeeds(t.Context(), changes(3, 0.125, learn.All)))
			require.NoError(t, s.Close())
			got, err := open(t, o).Speeds(t.Context())
			require.NoError(t, err)
			require.Equal(t, map[learn.Key]learn.Factor{{Kind: learn.All}: {N: 3, Log: 0.125}}, got)
		})
	}
}
