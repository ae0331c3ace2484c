package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/ride"
)

// together: transitions of several trips are written all or none. Drivers move among them in any order,
// and a refusal names the trip that is to blame.
func together(t *testing.T, s Commits) {
	a, b, c := Matched(t, s, "a", "ra", "da"), Matched(t, s, "b", "rb", "db"), Matched(t, s, "c", "rc", "dc")
	drivers := func(want map[string]*History) {
		t.Helper()
		for driver, h := range want {
			got, err := s.ActiveTrip(t.Context(), ride.AccountID(driver), ride.RoleDriver)
			require.NoError(t, err)
			require.Equal(t, h.ID, got.ID)
			require.Equal(t, h.Version, got.Version)
			events, err := s.TripEvents(t.Context(), h.ID)
			require.NoError(t, err)
			require.Len(t, events, int(h.Version))
		}
	}
	all := func(ts ...ride.Transition) error { return s.CommitAll(t.Context(), ts) }
	require.NoError(t, all(c.Then(c.Exchange("da")), a.Then(a.Exchange("db")), b.Then(b.Exchange("dc"))), "in a circle")
	drivers(map[string]*History{"da": c, "db": a, "dc": b})

	// A free driver comes in, and one goes out.
	record := ride.CommandRecord{Account: "free", ID: "c1", Digest: "ab", Reply: []byte{1}, At: Epoch}
	first := a.Then(a.Exchange("free"))
	first.Command = &record
	require.NoError(t, all(b.Then(b.Exchange("db")), first))
	drivers(map[string]*History{"free": a, "db": b, "da": c})
	_, err := s.ActiveTrip(t.Context(), "dc", ride.RoleDriver)
	require.ErrorIs(t, err, ride.ErrNotFound)
	_, err = s.Command(t.Context(), "free", "c1")
	require.NoError(t, err)

	// What follows is refused, and nothing of it is written.
	refused := func(want error, culprit ride.TripID, change func(a, b *History) []ride.Transition) {
		t.Helper()
		x, y := *a, *b
		err := s.CommitAll(t.Context(), change(&x, &y))
		require.ErrorIs(t, err, want)
		var blame *ride.TripError
		if culprit != "" {
			require.ErrorAs(t, err, &blame)
			require.Equal(t, culprit, blame.Trip)
		}
		drivers(map[string]*History{"free": a, "db": b})
	}
	swap := func(x, y *History) []ride.Transition {
		return []ride.Transition{x.Then(x.Exchange("db")), y.Then(y.Exchange("free"))}
	}
	refused(ride.ErrStale, "b", func(x, y *History) []ride.Transition { y.Version--; return swap(x, y) })
	refused(ride.ErrStale, "a", func(x, y *History) []ride.Transition { x.Fence++; return swap(x, y) })
	refused(ride.ErrDriverBusy, "b", func(x, y *History) []ride.Transition {
		return []ride.Transition{x.Then(x.Exchange("db")), y.Then(y.Exchange("da"))} // da drives c
	})
	refused(ride.ErrCommandSeen, "", func(x, y *History) []ride.Transition {
		ts := swap(x, y)
		ts[1].Command = &record
		return ts
	})
	require.Error(t, all(), "nothing")
	twice := *a
	require.Error(t, all(twice.Then(twice.Exchange("d7")), twice.Then(twice.Exchange("d8"))))
	_, request := Requested("new", "rn")
	require.Error(t, all(request), "a trip that does not exist yet")
	drivers(map[string]*History{"free": a, "db": b, "da": c})

	Commit(t, s, c.Then(ride.Cancelled{At: c.Tick(), By: ride.ByRider}))
	ended := *c
	refused(ride.ErrStale, "c", func(_, _ *History) []ride.Transition { return []ride.Transition{ended.Then(ended.Exchange("d9"))} })
}
