package persistence_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
)

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
