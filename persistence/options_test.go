package persistence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOptionsValidate(t *testing.T) {
	for name, o := range map[string]Options{"sqlite": DefaultSQLite("hexhail.db"), "postgres": DefaultPostgres("postgres://db")} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, o.Validate())
			for wrong, spoil := range map[string]func(*Options){
				"no place":              func(o *Options) { o.Path, o.DatabaseURL = "", "" },
				"one connection":        func(o *Options) { o.PoolSize = 1 },
				"member without Own":    func(o *Options) { o.Member = true },
				"member on a file":      func(o *Options) { o.Own, o.Member, o.Path, o.DatabaseURL = true, true, "a.db", "" },
				"no queue":              func(o *Options) { o.QueueSize = 0 },
				"no batch":              func(o *Options) { o.BatchItems = 0 },
				"empty batches":         func(o *Options) { o.BatchBytes = 0 },
				"less than 1 ms":        func(o *Options) { o.StatementTimeout = time.Millisecond - 1 },
				"no reading back":       func(o *Options) { o.ReadBack = 0 },
				"outcomes too short":    func(o *Options) { o.CommandAge = commandAge - 1 },
				"no outcomes":           func(o *Options) { o.CommandsPerAccount = 0 },
				"negative patience":     func(o *Options) { o.OwnerPatience = -1 },
				"negative wait":         func(o *Options) { o.Wait = -1 },
				"negative breadcrumbs":  func(o *Options) { o.BreadcrumbAge = -1 },
				"negative trips":        func(o *Options) { o.TripAge = -1 },
				"negative events":       func(o *Options) { o.EventAge = -1 },
				"negative audit":        func(o *Options) { o.AuditAge = -1 },
				"negative purge period": func(o *Options) { o.PurgeEvery = -1 },
			} {
				bad := Edited(o, spoil)
				require.ErrorIs(t, bad.Validate(), ErrOptions, wrong)
				_, err := Open(t.Context(), bad)
				require.ErrorIs(t, err, ErrOptions, wrong)
				_, err = Migrate(t.Context(), bad, Status)
				require.ErrorIs(t, err, ErrOptions, wrong)
				_, err = Claim(t.Context(), bad)
				require.ErrorIs(t, err, ErrOptions, wrong)
			}
			none := Edited(o, func(o *Options) { // a zero is a zero
				o.OwnerPatience, o.Wait, o.BreadcrumbAge, o.TripAge, o.EventAge, o.AuditAge, o.PurgeEvery = 0, 0, 0, 0, 0, 0, 0
			})
			require.NoError(t, none.Validate())
			require.Zero(t, none.complete().PurgeEvery)
		})
	}
}

// TestConnectingStaysShort: long statements do not make a command wait as long for a silent host.
func TestConnectingStaysShort(t *testing.T) {
	slow := Edited(DefaultPostgres("postgres://db.example/hexhail"), func(o *Options) { o.StatementTimeout = 10 * time.Minute })
	c, _, err := postgresConfig(t.Context(), slow, 2)
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, c.ConnConfig.ConnectTimeout)
	require.Equal(t, "600000", c.ConnConfig.RuntimeParams["statement_timeout"])
	slow.DatabaseURL += "?connect_timeout=60"
	c, _, err = postgresConfig(t.Context(), slow, 2)
	require.NoError(t, err)
	require.Equal(t, time.Minute, c.ConnConfig.ConnectTimeout)
}
