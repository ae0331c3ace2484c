package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// Commits is a store that trips are written to: every transition on the version and fence it
// was decided on, one live trip for each rider and one match for each driver.
type Commits interface {
	Committer
	CommitAll(ctx context.Context, ts []ride.Transition) error
	Activate(ctx context.Context, id ride.TripID) (ride.Trip, error)
	Trip(ctx context.Context, id ride.TripID) (ride.Trip, error)
	TripEvents(ctx context.Context, id ride.TripID) ([]ride.StoredEvent, error)
	Command(ctx context.Context, account ride.AccountID, id string) (ride.CommandRecord, error)
	ActiveTrip(ctx context.Context, account ride.AccountID, role ride.Role) (ride.Trip, error)
	OpenOffers(ctx context.Context, driver ride.AccountID) ([]ride.OpenOffer, error)
	Overdue(ctx context.Context, t time.Time, after ride.TripID, limit int) ([]ride.TripID, error)
	LiveTrips(ctx context.Context, after ride.TripID, limit int) ([]ride.TripID, error)
}

// TestCommits holds a store to the contract of Commits.
func TestCommits(t *testing.T, open func(t *testing.T, now Clock) Commits) {
	for name, test := range map[string]func(*testing.T, Commits){
		"compare and set":        compareAndSet,
		"one rider, one driver":  uniqueness,
		"outcomes of commands":   commands,
		"a state alone":          stateAlone,
		"several trips together": together,
		"open offers":            openOffers,
		"overdue and live trips": sweep,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, atEpoch)) })
	}
}

// compareAndSet: a transition counts only on the version and the fence it was
// decided on.
func compareAndSet(t *testing.T, s Commits) {
	h := Stored(t, s, "t1", "r1")
	old := *h
	Commit(t, s, h.Then(h.OfferTo("d1")))
	require.ErrorIs(t, s.Commit(t.Context(), old.Then(ride.Expired{At: old.Tick()})), ride.ErrStale, "old version")

	again, tr := Requested("t1", "r1")
	require.ErrorIs(t, s.Commit(t.Context(), tr), ride.ErrStale, "the same trip again")
	again.ID = "t9"
	missing := again.Then(ride.Expired{At: again.Tick()})
	require.ErrorIs(t, s.Commit(t.Context(), missing), ride.ErrStale, "no such trip")

	active, err := s.Activate(t.Context(), "t1")
	require.NoError(t, err)
	require.EqualValues(t, 1, active.Fence)
	require.ErrorIs(t, s.Commit(t.Context(), (&History{Trip: h.Trip, At: h.At}).Then(ride.Expired{At: h.Tick()})), ride.ErrStale, "old fence")
	h.Trip = active
	Commit(t, s, h.Then(ride.Expired{At: h.Tick()}))

	after := (&History{Trip: h.Trip, At: h.At}).Then(ride.Arrived{At: h.Tick()})
	require.ErrorIs(t, s.Commit(t.Context(), after), ride.ErrStale, "a final trip stays final")

	events, err := s.TripEvents(t.Context(), "t1")
	require.NoError(t, err)
	require.Len(t, events, 3, "refused transitions leave no events")
	_, err = s.Activate(t.Context(), "none")
	require.ErrorIs(t, err, ride.ErrNotFound)
}

// uniqueness: a rider has one live trip, a driver one match; both are free
// again when it ends.
func uniqueness(t *testing.T, s Commits) {
	a := Stored(t, s, "a", "r1")
	_, second := Requested("b", "r1")
	require.ErrorIs(t, s.Commit(t.Context(), second), ride.ErrRiderBusy)

	c := Matched(t, s, "c", "r2", "d1")
	Commit(t, s, a.Then(a.OfferTo("d1")))
	free := *a
	require.ErrorIs(t, s.Commit(t.Context(), a.Then(a.Match("d1"))), ride.ErrDriverBusy)
	*a = free

	Commit(t, s, c.Then(ride.Released{At: c.Tick(), Driver: "d1", By: ride.ByDriver}))
	Commit(t, s, a.Then(a.Match("d1")))
	got, err := s.ActiveTrip(t.Context(), "d1", ride.RoleDriver)
	require.NoError(t, err)
	require.Equal(t, ride.TripID("a"), got.ID)

	Commit(t, s, a.Then(ride.Cancelled{At: a.Tick(), By: ride.ByRider}))
	_, err = s.ActiveTrip(t.Context(), "d1", ride.RoleDriver)
	require.ErrorIs(t, err, ride.ErrNotFound)
	_, err = s.ActiveTrip(t.Context(), "r1", ride.RoleRider)
	require.ErrorIs(t, err, ride.ErrNotFound)
	Commit(t, s, second)
	got, err = s.ActiveTrip(t.Context(), "r1", ride.RoleRider)
	require.NoError(t, err)
	require.Equal(t, ride.TripID("b"), got.ID)
	_, err = s.ActiveTrip(t.Context(), "r1", ride.RoleOperator)
	require.ErrorIs(t, err, ride.ErrNotFound)
}

// commands: an id has one outcome, for its account; a second one writes nothing
// else, and a refused transition leaves none.
func commands(t *testing.T, s Commits) {
	record := ride.CommandRecord{Account: "r1", ID: "c1", Digest: "ab", Reply: []byte{0, 255, 1}, At: Epoch}
	h, tr := Requested("t1", "r1")
	tr.Command = &record
	Commit(t, s, tr)
	got, err := s.Command(t.Context(), "r1", "c1")
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(record, got))

	again := (&History{Trip: h.Trip, At: h.At}).Then(ride.Expired{At: h.Tick()})
	again.Command = &ride.CommandRecord{Account: "r1", ID: "c1", Digest: "cd", At: Epoch}
	require.ErrorIs(t, s.Commit(t.Context(), again), ride.ErrCommandSeen)
	trip, err := s.Trip(t.Context(), "t1")
	require.NoError(t, err)
	require.Equal(t, ride.StatusRequested, trip.Status)

	_, busy := Requested("t2", "r1")
	busy.Command = &ride.CommandRecord{Account: "r1", ID: "c2", Digest: "ab", At: Epoch}
	require.ErrorIs(t, s.Commit(t.Context(), busy), ride.ErrRiderBusy)
	_, err = s.Command(t.Context(), "r1", "c2")
	require.ErrorIs(t, err, ride.ErrNotFound)

	other := record
	other.Account = "r2"
	Commit(t, s, ride.Transition{Command: &other})
	require.ErrorIs(t, s.Commit(t.Context(), ride.Transition{Command: &other}), ride.ErrCommandSeen)
	Commit(t, s, ride.Transition{})
}

// stateAlone: a state is written without an event, with the outcome of the command that caused it or
// not at all. The version stays, and the state counts only on the version and fence that it was
// decided on.
func stateAlone(t *testing.T, s Commits) {
	h := Matched(t, s, "t1", "r1", "d1")
	Commit(t, s, h.Then(ride.Arrived{At: h.Tick()}))
	guess := func(id string) ride.Transition {
		after, differs := ride.Refused(h.Trip, h.At, ride.ErrWrongPIN)
		require.True(t, differs)
		tr := ride.Transition{Trip: &after, Prev: after.Version, Wake: ride.Wake(after)}
		tr.Command = &ride.CommandRecord{Account: "d1", ID: id, Digest: "ab", Reply: []byte(id), At: h.At}
		return tr
	}
	stored := func(want int) {
		t.Helper()
		got, err := s.Trip(t.Context(), "t1")
		require.NoError(t, err)
		require.Equal(t, want, got.PINTries.Wrong)
		require.Equal(t, h.Version, got.Version)
		require.Equal(t, ride.StatusArrived, got.Status)
	}
	for n, id := range []string{"g1", "g2"} {
		tr := guess(id)
		Commit(t, s, tr)
		h.Trip = *tr.Trip
		stored(n + 1)
		record, err := s.Command(t.Context(), "d1", id)
		require.NoError(t, err)
		require.Equal(t, id, string(record.Reply))
	}
	require.ErrorIs(t, s.Commit(t.Context(), guess("g2")), ride.ErrCommandSeen)
	stored(2)

	old := guess("g3")
	active, err := s.Activate(t.Context(), "t1")
	require.NoError(t, err)
	require.ErrorIs(t, s.Commit(t.Context(), old), ride.ErrStale, "old fence")
	_, err = s.Command(t.Context(), "d1", "g3")
	require.ErrorIs(t, err, ride.ErrNotFound, "it may be tried again")
	require.Equal(t, 2, active.PINTries.Wrong)
	h.Trip = active
	late := guess("g4")
	ids, err := s.LiveTrips(t.Context(), "", 10)
	require.NoError(t, err)
	require.Equal(t, []ride.TripID{"t1"}, ids)
	Commit(t, s, h.Then(ride.Started{At: h.Tick()}))
	require.ErrorIs(t, s.Commit(t.Context(), late), ride.ErrStale, "old version")

	events, err := s.TripEvents(t.Context(), "t1")
	require.NoError(t, err)
	require.Len(t, events, int(h.Version))
}

// openOffers: a driver sees what is open and has not run out, in its latest state.
func openOffers(t *testing.T, s Commits) {
	a, b := Stored(t, s, "a", "r1"), Stored(t, s, "b", "r2")
	Commit(t, s, a.Then(a.OfferTo("d1")))
	Commit(t, s, b.Then(b.OfferTo("d1")))
	c := Stored(t, s, "c", "r3")
	c.At = Epoch.Add(-time.Hour)
	Commit(t, s, c.Then(c.OfferTo("d1"))) // ran out
	open, err := s.OpenOffers(t.Context(), "d1")
	require.NoError(t, err)
	require.Len(t, open, 2)
	require.Empty(t, cmp.Diff(a.Offers[0], open[0].Offer))
	require.Equal(t, a.ID, open[0].Trip.ID)

	Commit(t, s, a.Then(ride.OffersEnded{At: a.Tick(), Offers: []ride.OfferID{"a.1"}, State: ride.OfferDeclined}))
	open, err = s.OpenOffers(t.Context(), "d1")
	require.NoError(t, err)
	require.Len(t, open, 1)
	require.Equal(t, b.ID, open[0].Trip.ID)
	open, err = s.OpenOffers(t.Context(), "d2")
	require.NoError(t, err)
	require.Empty(t, open)
}

// sweep: live trips are found by their wake time and by id, ended ones never.
func sweep(t *testing.T, s Commits) {
	for i := range 5 {
		_, tr := Requested(fmt.Sprintf("t%d", i), fmt.Sprintf("r%d", i))
		tr.Wake = Epoch.Add(time.Duration(5-i) * time.Minute)
		Commit(t, s, tr)
	}
	ended := Stored(t, s, "t5", "r5")
	tr := ended.Then(ride.Expired{At: ended.Tick()})
	tr.Wake = Epoch
	Commit(t, s, tr)
	never, tr := Requested("t6", "r6")
	tr.Wake = time.Time{}
	Commit(t, s, tr)
	_ = never

	ids, err := s.Overdue(t.Context(), Epoch.Add(3*time.Minute), "", 10)
	require.NoError(t, err)
	require.Equal(t, []ride.TripID{"t3", "t4"}, ids, "a wake time that is only reached is not past")
	ids, err = s.Overdue(t.Context(), Epoch.Add(3*time.Minute), "", 1)
	require.NoError(t, err)
	require.Equal(t, []ride.TripID{"t3"}, ids)
	ids, err = s.Overdue(t.Context(), Epoch.Add(3*time.Minute), "t3", 1)
	require.NoError(t, err)
	require.Equal(t, []ride.TripID{"t4"}, ids, "the next page")

	var all []ride.TripID
	for after := ride.TripID(""); ; after = all[len(all)-1] {
		page, err := s.LiveTrips(t.Context(), after, 4)
		require.NoError(t, err)
		if all = append(all, page...); len(page) == 0 {
			break
		}
	}
	require.Equal(t, []ride.TripID{"t0", "t1", "t2", "t3", "t4", "t6"}, all)
}
