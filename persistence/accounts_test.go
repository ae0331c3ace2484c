package persistence_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// TestFindPeopleAndTheirTrips: accounts by plate and id, trips by the names in them.
func TestFindPeopleAndTheirTrips(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		for _, a := range []ride.Account{
			{ID: "r1", Role: ride.RoleRider, Username: "rosa99", FirstName: "Rosa", LastName: "Ünal"},
			{ID: "d1", Role: ride.RoleDriver, Username: "dan", FirstName: "Dan", LastName: "Low", Vehicle: ride.Vehicle{Class: "standard", Plate: "HX 10_1"}},
		} {
			a.Status = ride.AccountActive
			require.NoError(t, s.CreateAccount(t.Context(), a, ""))
		}
		storetest.Matched(t, s, "t1", "r1", "d1")
		storetest.Stored(t, s, "t2", "r2")
		for text, want := range map[string][]ride.AccountID{
			"hx 10_": {"d1"}, "hx 10x": nil, "r1": {"r1"}, "ünal": {"r1"},
		} {
			found, _, err := s.ListAccounts(t.Context(), ride.AccountFilter{Text: text})
			require.NoError(t, err)
			var got []ride.AccountID
			for _, a := range found {
				got = append(got, a.ID)
			}
			require.Equal(t, want, got, text)
		}
		for text, want := range map[string][]ride.TripID{
			"ROSA99": {"t1"}, "Low": {"t1"}, "HX 10_1": {"t1"}, "t2": {"t2"}, "nobody": nil,
		} {
			found, _, err := s.ListTrips(t.Context(), ride.TripFilter{Text: text})
			require.NoError(t, err)
			var got []ride.TripID
			for _, trip := range found {
				got = append(got, trip.ID)
			}
			require.Equal(t, want, got, text)
		}
		people, err := s.AccountsByID(t.Context(), []ride.AccountID{"d1", "nobody", "r1"})
		require.NoError(t, err)
		require.Len(t, people, 2)
		people, err = s.AccountsByID(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, people)
	})
}
