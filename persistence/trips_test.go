package persistence_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// TestContradictionIsRefused: a transition whose version does not count its events
// never reaches the database.
func TestContradictionIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		_, tr := storetest.Requested("t1", "r1")
		tr.Trip.Version = 7
		require.ErrorContains(t, s.Commit(t.Context(), tr), "version 7")
		require.Error(t, s.Commit(t.Context(), ride.Transition{Offers: []ride.OfferRow{{Trip: "t1"}}}))
		_, err := s.Trip(t.Context(), "t1")
		require.ErrorIs(t, err, ride.ErrNotFound)
	})
}

// TestRatings: stars reach the rated account with the trip that they belong to, once.
func TestRatings(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		rider, driver := storetest.Created(t, s, 1, ride.RoleRider), storetest.Created(t, s, 2, ride.RoleDriver)
		h := storetest.Completed(t, s, "t1", string(rider.ID), string(driver.ID))
		before := *h
		storetest.Commit(t, s, h.Then(ride.Rated{At: h.Tick(), By: ride.ByRider, About: driver.ID, Stars: 5}))
		stale := before.Then(ride.Rated{At: before.Tick(), By: ride.ByRider, About: driver.ID, Stars: 1})
		require.ErrorIs(t, s.Commit(t.Context(), stale), ride.ErrStale)
		storetest.Commit(t, s, h.Then(
			ride.Rated{At: h.Tick(), By: ride.ByDriver, About: rider.ID, Stars: 3},
			ride.Rated{At: h.Tick(), By: ride.ByDriver, About: rider.ID, Stars: 4}))
		for id, want := range map[ride.AccountID]ride.Rating{driver.ID: {Sum: 5, Count: 1}, rider.ID: {Sum: 7, Count: 2}} {
			a, err := s.Account(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, want, a.Rating)
		}
	})
}

// TestBreadcrumbs: duplicates are ignored, order is by device time, and a very
// long track is thinned with its ends kept.
func TestBreadcrumbs(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		crumb := func(sec int, lat float64) ride.Breadcrumb {
			return ride.Breadcrumb{Trip: "t1", At: epoch.Add(time.Duration(sec) * time.Second), Point: geo.Point{Lat: lat, Lng: -73.9876543}}
		}
		require.NoError(t, s.AddBreadcrumbs(t.Context(), nil))
		require.NoError(t, s.AddBreadcrumbs(t.Context(), []ride.Breadcrumb{crumb(2, 2), crumb(1, 1.1234567), crumb(2, 9)}))
		require.NoError(t, s.AddBreadcrumbs(t.Context(), []ride.Breadcrumb{crumb(1, 9), crumb(3, 3)}))
		got, err := s.TripTrack(t.Context(), "t1")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]ride.Breadcrumb{crumb(1, 1.1234567), crumb(2, 2), crumb(3, 3)}, got))
		whole := ride.Breadcrumb{Trip: "t3", At: epoch, Point: geo.Point{Lat: 1, Lng: 2}, AccuracyM: 12.3, ReceivedAt: epoch.Add(time.Second)}
		require.NoError(t, s.AddBreadcrumbs(t.Context(), []ride.Breadcrumb{whole}))
		got, err = s.TripTrack(t.Context(), "t3")
		require.NoError(t, err)
		whole.AccuracyM = 13 // whole metres, never better than it was
		require.Empty(t, cmp.Diff([]ride.Breadcrumb{whole}, got))
		empty, err := s.TripTrack(t.Context(), "t2")
		require.NoError(t, err)
		require.Empty(t, empty)

		const n = 12_000
		many := make([]ride.Breadcrumb, n)
		for i := range many {
			many[i] = crumb(i+1, 1)
			many[i].Trip = "long"
		}
		for part := range slices.Chunk(many, 4000) {
			require.NoError(t, s.AddBreadcrumbs(t.Context(), part))
		}
		got, err = s.TripTrack(t.Context(), "long")
		require.NoError(t, err)
		require.LessOrEqual(t, len(got), 10_000)
		require.Greater(t, len(got), 5_000)
		require.Equal(t, many[0], got[0])
		require.Equal(t, many[n-1], got[len(got)-1])
		require.ErrorIs(t, s.AddBreadcrumbs(t.Context(), []ride.Breadcrumb{crumb(1, 91)}), ride.ErrInvalidPoint)
	})
}

// TestCandidatesOfWaves: what a round considered is kept, and read with its event.
func TestCandidatesOfWaves(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		h := storetest.Stored(t, s, "t1", "r1")
		wave := h.OfferTo("d1").(ride.WavePlanned)
		wave.Cells, wave.More = 7, 2
		wave.Considered = []ride.Considered{
			{Driver: "d1", Point: geo.Point{Lat: 40.7, Lng: -74}, DistanceM: 120.5, ETA: time.Minute, Verdict: ride.VerdictOffered},
			{Driver: "d2", Point: geo.Point{Lat: 40.71, Lng: -74}, Verdict: ride.VerdictBusy},
		}
		empty := ride.WavePlanned{At: h.Tick(), Wave: 2, Ring: 2}
		storetest.Commit(t, s, h.Then(wave, empty))
		events, err := s.TripEvents(t.Context(), "t1")
		require.NoError(t, err)
		require.Len(t, events, 3)
		require.Equal(t, wave, events[1].Event)
		require.Equal(t, empty, events[2].Event)
	})
}
