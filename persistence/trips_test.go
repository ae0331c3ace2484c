package persistence_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

// TestTripRoundTrip: what was committed is what is read, to the microsecond, and its
// events fold into it.
func TestTripRoundTrip(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		h := completed(t, s, "t1", "r1", "d1")
		got, err := s.Trip(t.Context(), "t1")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(h.Trip, got, cmpopts.EquateEmpty()))

		events, err := s.TripEvents(t.Context(), "t1")
		require.NoError(t, err)
		var bare []ride.Event
		for i, e := range events {
			require.EqualValues(t, i+1, e.Version)
			bare = append(bare, e.Event)
		}
		require.Empty(t, cmp.Diff(h.Trip, ride.Replay(bare), cmpopts.EquateEmpty()))

		_, err = s.Trip(t.Context(), "none")
		require.ErrorIs(t, err, ride.ErrNotFound)
		_, err = s.TripEvents(t.Context(), "none")
		require.ErrorIs(t, err, ride.ErrNotFound)
		_, err = s.Trip(t.Context(), "a\x00b")
		require.ErrorIs(t, err, ride.ErrNotFound)
	})
}

// TestCompareAndSet: a transition counts only on the version and the fence it was
// decided on.
func TestCompareAndSet(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		h := stored(t, s, "t1", "r1")
		old := *h
		commit(t, s, h.then(h.offerTo("d1")))
		require.ErrorIs(t, s.Commit(t.Context(), old.then(ride.Expired{At: old.tick()})), ride.ErrStale, "old version")

		again, tr := requested("t1", "r1")
		require.ErrorIs(t, s.Commit(t.Context(), tr), ride.ErrStale, "the same trip again")
		again.ID = "t9"
		missing := again.then(ride.Expired{At: again.tick()})
		require.ErrorIs(t, s.Commit(t.Context(), missing), ride.ErrStale, "no such trip")

		active, err := s.Activate(t.Context(), "t1")
		require.NoError(t, err)
		require.EqualValues(t, 1, active.Fence)
		require.ErrorIs(t, s.Commit(t.Context(), (&history{h.Trip, h.at}).then(ride.Expired{At: h.tick()})), ride.ErrStale, "old fence")
		h.Trip = active
		commit(t, s, h.then(ride.Expired{At: h.tick()}))

		after := (&history{h.Trip, h.at}).then(ride.Arrived{At: h.tick()})
		require.ErrorIs(t, s.Commit(t.Context(), after), ride.ErrStale, "a final trip stays final")

		events, err := s.TripEvents(t.Context(), "t1")
		require.NoError(t, err)
		require.Len(t, events, 3, "refused transitions leave no events")
		_, err = s.Activate(t.Context(), "none")
		require.ErrorIs(t, err, ride.ErrNotFound)
	})
}

// TestContradictionIsRefused: a transition whose version does not count its events
// never reaches the database.
func TestContradictionIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		_, tr := requested("t1", "r1")
		tr.Trip.Version = 7
		require.ErrorContains(t, s.Commit(t.Context(), tr), "version 7")
		require.Error(t, s.Commit(t.Context(), ride.Transition{Offers: []ride.OfferRow{{Trip: "t1"}}}))
		_, err := s.Trip(t.Context(), "t1")
		require.ErrorIs(t, err, ride.ErrNotFound)
	})
}

// TestUniqueness: a rider has one live trip, a driver one match; both are free
// again when it ends.
func TestUniqueness(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		a := stored(t, s, "a", "r1")
		_, second := requested("b", "r1")
		require.ErrorIs(t, s.Commit(t.Context(), second), ride.ErrRiderBusy)

		c := matched(t, s, "c", "r2", "d1")
		commit(t, s, a.then(a.offerTo("d1")))
		free := *a
		require.ErrorIs(t, s.Commit(t.Context(), a.then(a.match("d1"))), ride.ErrDriverBusy)
		*a = free

		commit(t, s, c.then(ride.Released{At: c.tick(), Driver: "d1", By: ride.ByDriver}))
		commit(t, s, a.then(a.match("d1")))
		got, err := s.ActiveTrip(t.Context(), "d1", ride.RoleDriver)
		require.NoError(t, err)
		require.Equal(t, ride.TripID("a"), got.ID)

		commit(t, s, a.then(ride.Cancelled{At: a.tick(), By: ride.ByRider}))
		_, err = s.ActiveTrip(t.Context(), "d1", ride.RoleDriver)
		require.ErrorIs(t, err, ride.ErrNotFound)
		_, err = s.ActiveTrip(t.Context(), "r1", ride.RoleRider)
		require.ErrorIs(t, err, ride.ErrNotFound)
		commit(t, s, second)
		got, err = s.ActiveTrip(t.Context(), "r1", ride.RoleRider)
		require.NoError(t, err)
		require.Equal(t, ride.TripID("b"), got.ID)
		_, err = s.ActiveTrip(t.Context(), "r1", ride.RoleOperator)
		require.ErrorIs(t, err, ride.ErrNotFound)
	})
}

// TestCommands: an id has one outcome, for its account; a second one writes nothing
// else, and a refused transition leaves none.
func TestCommands(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		record := ride.CommandRecord{Account: "r1", ID: "c1", Digest: "ab", Reply: []byte{0, 255, 1}, At: epoch}
		h, tr := requested("t1", "r1")
		tr.Command = &record
		commit(t, s, tr)
		got, err := s.Command(t.Context(), "r1", "c1")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(record, got))

		again := (&history{h.Trip, h.at}).then(ride.Expired{At: h.tick()})
		again.Command = &ride.CommandRecord{Account: "r1", ID: "c1", Digest: "cd", At: epoch}
		require.ErrorIs(t, s.Commit(t.Context(), again), ride.ErrCommandSeen)
		trip, err := s.Trip(t.Context(), "t1")
		require.NoError(t, err)
		require.Equal(t, ride.StatusRequested, trip.Status)

		_, busy := requested("t2", "r1")
		busy.Command = &ride.CommandRecord{Account: "r1", ID: "c2", Digest: "ab", At: epoch}
		require.ErrorIs(t, s.Commit(t.Context(), busy), ride.ErrRiderBusy)
		_, err = s.Command(t.Context(), "r1", "c2")
		require.ErrorIs(t, err, ride.ErrNotFound)

		other := record
		other.Account = "r2"
		commit(t, s, ride.Transition{Command: &other})
		require.ErrorIs(t, s.Commit(t.Context(), ride.Transition{Command: &other}), ride.ErrCommandSeen)
		commit(t, s, ride.Transition{})
	})
}

// TestOpenOffers: a driver sees what is open and has not run out, in its latest state.
func TestOpenOffers(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		a, b := stored(t, s, "a", "r1"), stored(t, s, "b", "r2")
		commit(t, s, a.then(a.offerTo("d1")))
		commit(t, s, b.then(b.offerTo("d1")))
		c := stored(t, s, "c", "r3")
		c.at = epoch.Add(-time.Hour)
		commit(t, s, c.then(c.offerTo("d1"))) // ran out
		open, err := s.OpenOffers(t.Context(), "d1")
		require.NoError(t, err)
		require.Len(t, open, 2)
		require.Empty(t, cmp.Diff(a.Offers[0], open[0].Offer))
		require.Equal(t, a.ID, open[0].Trip.ID)

		commit(t, s, a.then(ride.OffersEnded{At: a.tick(), Offers: []ride.OfferID{"a.1"}, State: ride.OfferDeclined}))
		open, err = s.OpenOffers(t.Context(), "d1")
		require.NoError(t, err)
		require.Len(t, open, 1)
		require.Equal(t, b.ID, open[0].Trip.ID)
		open, err = s.OpenOffers(t.Context(), "d2")
		require.NoError(t, err)
		require.Empty(t, open)
	})
}

// TestRatings: stars reach the rated account with the trip that they belong to, once.
func TestRatings(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		rider, driver := created(t, s, 1, ride.RoleRider), created(t, s, 2, ride.RoleDriver)
		h := completed(t, s, "t1", string(rider.ID), string(driver.ID))
		before := *h
		commit(t, s, h.then(ride.Rated{At: h.tick(), By: ride.ByRider, About: driver.ID, Stars: 5}))
		stale := before.then(ride.Rated{At: before.tick(), By: ride.ByRider, About: driver.ID, Stars: 1})
		require.ErrorIs(t, s.Commit(t.Context(), stale), ride.ErrStale)
		commit(t, s, h.then(
			ride.Rated{At: h.tick(), By: ride.ByDriver, About: rider.ID, Stars: 3},
			ride.Rated{At: h.tick(), By: ride.ByDriver, About: rider.ID, Stars: 4}))
		for id, want := range map[ride.AccountID]ride.Rating{driver.ID: {Sum: 5, Count: 1}, rider.ID: {Sum: 7, Count: 2}} {
			a, err := s.Account(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, want, a.Rating)
		}
	})
}

// TestSweep: live trips are found by their wake time and by id, ended ones never.
func TestSweep(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		for i := range 5 {
			_, tr := requested(fmt.Sprintf("t%d", i), fmt.Sprintf("r%d", i))
			tr.Wake = epoch.Add(time.Duration(5-i) * time.Minute)
			commit(t, s, tr)
		}
		ended := stored(t, s, "t5", "r5")
		tr := ended.then(ride.Expired{At: ended.tick()})
		tr.Wake = epoch
		commit(t, s, tr)
		never, tr := requested("t6", "r6")
		tr.Wake = time.Time{}
		commit(t, s, tr)
		_ = never

		ids, err := s.Overdue(t.Context(), epoch.Add(3*time.Minute), 10)
		require.NoError(t, err)
		require.Equal(t, []ride.TripID{"t4", "t3"}, ids, "a wake time that is only reached is not past")
		ids, err = s.Overdue(t.Context(), epoch.Add(time.Hour), 2)
		require.NoError(t, err)
		require.Equal(t, []ride.TripID{"t4", "t3"}, ids)

		var all []ride.TripID
		for after := ride.TripID(""); ; after = all[len(all)-1] {
			page, err := s.LiveTrips(t.Context(), after, 4)
			require.NoError(t, err)
			if all = append(all, page...); len(page) == 0 {
				break
			}
		}
		require.Equal(t, []ride.TripID{"t0", "t1", "t2", "t3", "t4", "t6"}, all)
	})
}

// TestListTrips: filters, text with wildcards that mean themselves, and pages without
// holes or repetitions also where times are equal.
func TestListTrips(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		completed(t, s, "t1", "r1", "d1")
		completed(t, s, "t2", "r1", "d2")
		matched(t, s, "t3", "r1", "d1")
		stored(t, s, "t4", "r2")
		_, later := requested("t5", "r3")
		later.Trip.RequestedAt = epoch.Add(time.Hour)
		later.Trip.Request.PickupAddress = `Back\slash Lane`
		commit(t, s, later)

		for name, c := range map[string]struct {
			f    ride.TripFilter
			want []string
		}{
			"all":            {ride.TripFilter{}, []string{"t5", "t4", "t3", "t2", "t1"}},
			"rider":          {ride.TripFilter{Account: "r1"}, []string{"t3", "t2", "t1"}},
			"driver":         {ride.TripFilter{Account: "d1"}, []string{"t3", "t1"}},
			"status":         {ride.TripFilter{Status: ride.StatusCompleted}, []string{"t2", "t1"}},
			"live":           {ride.TripFilter{Live: true}, []string{"t5", "t4", "t3"}},
			"text":           {ride.TripFilter{Text: "old mill"}, []string{"t4", "t3", "t2", "t1"}},
			"folded":         {ride.TripFilter{Text: "STRASSE"}, []string{"t5", "t4", "t3", "t2", "t1"}},
			"percent":        {ride.TripFilter{Text: "100%"}, []string{"t5", "t4", "t3", "t2", "t1"}},
			"no wildcard":    {ride.TripFilter{Text: "1%0"}, []string{}},
			"no wildcard _":  {ride.TripFilter{Text: "o_d"}, []string{}},
			"backslash":      {ride.TripFilter{Text: `k\s`}, []string{"t5"}},
			"id":             {ride.TripFilter{Text: "T4"}, []string{"t4"}},
			"from":           {ride.TripFilter{From: epoch.Add(time.Minute)}, []string{"t5"}},
			"to":             {ride.TripFilter{Account: "r2", To: epoch.Add(time.Minute)}, []string{"t4"}},
			"to is excluded": {ride.TripFilter{To: epoch}, []string{}},
			"quote":          {ride.TripFilter{Text: `'; DROP TABLE trips; --`}, []string{}},
		} {
			require.Equal(t, c.want, tripIDs(t, s, c.f, 200), name)
			require.Equal(t, c.want, tripIDs(t, s, c.f, 2), "%s, in pages", name)
		}
		for _, p := range []ride.Page{{Limit: -1}, {Limit: 201}, {Limit: 1, Cursor: "!"}, {Cursor: "MTox"}} {
			_, _, err := s.ListTrips(t.Context(), ride.TripFilter{Page: p})
			require.ErrorIs(t, err, ride.ErrInvalidArgument)
		}
	})
}

// tripIDs walks all pages of a list.
func tripIDs(t *testing.T, s *persistence.Store, f ride.TripFilter, limit int) []string {
	t.Helper()
	ids := []string{}
	for {
		f.Page.Limit = limit
		page, next, err := s.ListTrips(t.Context(), f)
		require.NoError(t, err)
		for _, trip := range page {
			ids = append(ids, string(trip.ID))
		}
		if f.Page.Cursor = next; next == "" {
			return ids
		}
		require.Len(t, page, limit)
	}
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
		h := stored(t, s, "t1", "r1")
		wave := h.offerTo("d1").(ride.WavePlanned)
		wave.Cells, wave.More = 7, 2
		wave.Considered = []ride.Considered{
			{Driver: "d1", Point: geo.Point{Lat: 40.7, Lng: -74}, DistanceM: 120.5, ETA: time.Minute, Verdict: ride.VerdictOffered},
			{Driver: "d2", Point: geo.Point{Lat: 40.71, Lng: -74}, Verdict: ride.VerdictBusy},
		}
		empty := ride.WavePlanned{At: h.tick(), Wave: 2, Ring: 2}
		commit(t, s, h.then(wave, empty))
		events, err := s.TripEvents(t.Context(), "t1")
		require.NoError(t, err)
		require.Len(t, events, 3)
		require.Equal(t, wave, events[1].Event)
		require.Equal(t, empty, events[2].Event)
	})
}
