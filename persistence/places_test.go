package persistence_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// TestKnownPlaces: the newest places of each account are kept, for their time.
func TestKnownPlaces(t *testing.T) {
	onEachRaw(t, func(t *testing.T, s *persistence.Store, _ *sql.DB, clock *time.Time) {
		a, b := storetest.Created(t, s, 1, ride.RoleRider), storetest.Created(t, s, 2, ride.RoleRider)
		known := func(id ride.AccountID, since time.Time) []string {
			got, err := s.KnownPlaces(t.Context(), id, since)
			require.NoError(t, err)
			return got
		}
		require.Empty(t, known(a.ID, epoch))
		require.NoError(t, s.SavePlaces(t.Context(), b.ID, []string{"home"}, epoch, 3))
		for i := range 5 {
			require.NoError(t, s.SavePlaces(t.Context(), a.ID, []string{"phone", fmt.Sprint("network", i)}, epoch.Add(time.Duration(i)*time.Hour), 3))
		}
		require.ElementsMatch(t, []string{"phone", "network4", "network3"}, known(a.ID, epoch))
		require.ElementsMatch(t, []string{"phone", "network4"}, known(a.ID, epoch.Add(4*time.Hour)))
		require.Equal(t, []string{"home"}, known(b.ID, epoch))
		require.Empty(t, known("", epoch))
		require.Empty(t, known("a\x00b", epoch))

		*clock = epoch.Add(90*24*time.Hour + 3*time.Hour + time.Minute)
		_, err := s.Purge(t.Context())
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"phone", "network4"}, known(a.ID, epoch))
		require.Empty(t, known(b.ID, epoch))
		require.NoError(t, s.Erase(t.Context(), a.ID))
		require.Empty(t, known(a.ID, epoch))
	})
}
