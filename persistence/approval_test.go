package persistence_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

// TestApproval: a decision about a driver is kept, found by the filter, and concerns drivers
// alone.
func TestApproval(t *testing.T) {
	onEach(t, func(t *testing.T, s *persistence.Store) {
		free := created(t, s, 1, ride.RoleDriver)
		waiting := account(2, ride.RoleDriver)
		waiting.Approval = ride.ApprovalPending
		waiting.Vehicle = ride.Vehicle{Class: "van", Plate: "HX 2", Make: "Hyundai", Model: "스타리아", Colour: "white"}
		require.NoError(t, s.CreateAccount(t.Context(), waiting, "h"))
		rider := created(t, s, 3, ride.RoleRider)
		got, err := s.Account(t.Context(), waiting.ID)
		require.NoError(t, err)
		require.Equal(t, waiting, got)

		find := func(want ride.Approval) (ids []ride.AccountID) {
			t.Helper()
			found, _, err := s.ListAccounts(t.Context(), ride.AccountFilter{Approval: want})
			require.NoError(t, err)
			for _, a := range found {
				ids = append(ids, a.ID)
			}
			return ids
		}
		require.Equal(t, []ride.AccountID{waiting.ID}, find(ride.ApprovalPending))
		count := func(most, want int) {
			t.Helper()
			n, err := s.CountWaiting(t.Context(), most)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		count(10, 1)
		other := account(4, ride.RoleDriver)
		other.Approval = ride.ApprovalPending
		require.NoError(t, s.CreateAccount(t.Context(), other, "h"))
		count(10, 2)
		count(1, 1)
		_, err = s.SetApproval(t.Context(), other.ID, ride.ApprovalApproved, "")
		require.NoError(t, err)
		count(10, 1)
		require.NoError(t, s.Erase(t.Context(), other.ID))
		named, err := s.AccountsByID(t.Context(), []ride.AccountID{rider.ID, "none", "a\x00", rider.ID, free.ID})
		require.NoError(t, err, "what no account can be called is nobody")
		require.Len(t, named, 2)
		require.Equal(t, []ride.AccountID{free.ID}, find(ride.ApprovalApproved), "who needs no approval has it; riders do not count")
		got, err = s.SetApproval(t.Context(), waiting.ID, ride.ApprovalRefused, "no licence")
		require.NoError(t, err)
		require.ErrorIs(t, got.MayDrive(), ride.ErrApprovalRefused)
		require.ErrorContains(t, got.MayDrive(), "no licence")
		require.Equal(t, []ride.AccountID{waiting.ID}, find(ride.ApprovalRefused))
		got, err = s.SetApproval(t.Context(), waiting.ID, ride.ApprovalApproved, "")
		require.NoError(t, err)
		require.NoError(t, got.MayDrive())
		require.Empty(t, got.ApprovalReason)
		for _, id := range []ride.AccountID{rider.ID, "none", "a\x00"} {
			_, err = s.SetApproval(t.Context(), id, ride.ApprovalApproved, "")
			require.ErrorIs(t, err, ride.ErrNotFound, id)
		}
		_, err = s.SetApproval(t.Context(), waiting.ID, ride.ApprovalRefused, "\xff")
		require.ErrorIs(t, err, ride.ErrInvalidArgument)
		unknown := got
		unknown.Approval = "something newer"
		require.ErrorIs(t, unknown.MayDrive(), ride.ErrApprovalPending, "what is not known does not let anyone drive")
	})
}

// TestUpgradeKeepsTheFleet: drivers from before approvals go on driving.
func TestUpgradeKeepsTheFleet(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			list, err := persistence.Migrate(t.Context(), o, persistence.Up)
			for require.NoError(t, err); list[3].Applied; require.NoError(t, err) {
				list, err = persistence.Migrate(t.Context(), o, persistence.Down)
			}
			driver, source := "sqlite", o.Path
			if o.DatabaseURL != "" {
				driver, source = "pgx", sessionURL(o)
			}
			db, err := sql.Open(driver, source)
			require.NoError(t, err)
			_, err = db.Exec(`INSERT INTO accounts (id, role, status, username, username_key, first_name, last_name, search, photo_id,
				vehicle_class, plate, rating_sum, rating_count, issuer, subject, password_hash, created_at, updated_at)
				VALUES ('old', 'driver', 'active', 'Old', 'old', 'O', 'Ld', 'old', '', 'standard', 'HX 1', 0, 0, '', '', 'h', 1, 1)`)
			require.NoError(t, err)
			require.NoError(t, db.Close())
			got, err := open(t, o).Account(t.Context(), "old")
			require.NoError(t, err)
			require.NoError(t, got.MayDrive())
			require.Equal(t, ride.ApprovalApproved, got.Approval)
		})
	}
}
