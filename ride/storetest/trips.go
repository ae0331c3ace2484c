package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// Trips is a store that trips are read from and listed.
type Trips interface {
	Committer
	Trip(ctx context.Context, id ride.TripID) (ride.Trip, error)
	TripEvents(ctx context.Context, id ride.TripID) ([]ride.StoredEvent, error)
	ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error)
	CountTrips(ctx context.Context, f ride.TripFilter, most int) (int, error)
}

// TestTrips holds a store to the contract of Trips.
func TestTrips(t *testing.T, open func(t *testing.T, now Clock) Trips) {
	for name, test := range map[string]func(*testing.T, Trips){
		"round trip": roundTrip,
		"lists":      listTrips,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, atEpoch)) })
	}
}

// roundTrip: what was committed is what is read, to the microsecond, and its
// events fold into it.
func roundTrip(t *testing.T, s Trips) {
	h := Completed(t, s, "t1", "r1", "d1")
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
}

// listTrips: filters, text with wildcards that mean themselves, and pages without
// holes or repetitions also where times are equal.
func listTrips(t *testing.T, s Trips) {
	Completed(t, s, "t1", "r1", "d1")
	Completed(t, s, "t2", "r1", "d2")
	Matched(t, s, "t3", "r1", "d1")
	Stored(t, s, "t4", "r2")
	_, later := Requested("t5", "r3")
	later.Trip.RequestedAt = Epoch.Add(time.Hour)
	later.Trip.Request.PickupAddress = `Back\slash Lane`
	Commit(t, s, later)

	for name, c := range map[string]struct {
		f    ride.TripFilter
		want []string
	}{
		"all":            {ride.TripFilter{}, []string{"t5", "t4", "t3", "t2", "t1"}},
		"rider":          {ride.TripFilter{Account: "r1"}, []string{"t3", "t2", "t1"}},
		"driver":         {ride.TripFilter{Account: "d1"}, []string{"t3", "t1"}},
		"status":         {ride.TripFilter{Statuses: []ride.Status{ride.StatusCompleted}}, []string{"t2", "t1"}},
		"statuses":       {ride.TripFilter{Statuses: []ride.Status{ride.StatusMatched, ride.StatusCompleted}}, []string{"t3", "t2", "t1"}},
		"live":           {ride.TripFilter{Live: true}, []string{"t5", "t4", "t3"}},
		"text":           {ride.TripFilter{Text: "old mill"}, []string{"t4", "t3", "t2", "t1"}},
		"folded":         {ride.TripFilter{Text: "STRASSE"}, []string{"t5", "t4", "t3", "t2", "t1"}},
		"percent":        {ride.TripFilter{Text: "100%"}, []string{"t5", "t4", "t3", "t2", "t1"}},
		"no wildcard":    {ride.TripFilter{Text: "1%0"}, []string{}},
		"no wildcard _":  {ride.TripFilter{Text: "o_d"}, []string{}},
		"backslash":      {ride.TripFilter{Text: `k\s`}, []string{"t5"}},
		"id":             {ride.TripFilter{Text: "T4"}, []string{"t4"}},
		"from":           {ride.TripFilter{From: Epoch.Add(time.Minute)}, []string{"t5"}},
		"to":             {ride.TripFilter{Account: "r2", To: Epoch.Add(time.Minute)}, []string{"t4"}},
		"to is excluded": {ride.TripFilter{To: Epoch}, []string{}},
		"quote":          {ride.TripFilter{Text: `'; DROP TABLE trips; --`}, []string{}},
	} {
		require.Equal(t, c.want, tripIDs(t, s, c.f, 200), name)
		require.Equal(t, c.want, tripIDs(t, s, c.f, 2), "%s, in pages", name)
		for _, most := range []int{1, 200} {
			n, err := s.CountTrips(t.Context(), c.f, most)
			require.NoError(t, err)
			require.Equal(t, min(len(c.want), most), n, "%s, counted to %d", name, most)
		}
	}
	for _, p := range []ride.Page{{Limit: -1}, {Limit: 201}, {Limit: 1, Cursor: "!"}, {Cursor: "MTox"}} {
		_, _, err := s.ListTrips(t.Context(), ride.TripFilter{Page: p})
		require.ErrorIs(t, err, ride.ErrInvalidArgument)
	}
	for _, text := range notText {
		for _, f := range []ride.TripFilter{{Text: text}, {Account: ride.AccountID(text)}} {
			_, _, err := s.ListTrips(t.Context(), f)
			require.ErrorIs(t, err, ride.ErrInvalidArgument, "%q", text)
			_, err = s.CountTrips(t.Context(), f, 1)
			require.ErrorIs(t, err, ride.ErrInvalidArgument, "%q", text)
		}
	}
}

// notText is what no stored text holds, and some engines refuse to look for.
var notText = []string{"\x00", "a\x00b", "\xff", "a\xc3"}

// tripIDs walks all pages of a list.
func tripIDs(t *testing.T, s Trips, f ride.TripFilter, limit int) []string {
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
