package persistence_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/storetest"
)

// TestCopyUnderLoad: a copy of a database that is written as fast as it can holds what was
// acknowledged before it began, all of each transition or nothing, and neither waits for
// the other.
func TestCopyUnderLoad(t *testing.T) {
	o := engines[0].at(t)
	s := open(t, o)
	for i := range 24 { // steps of 8 MiB
		storetest.Commit(t, s, ride.Transition{Command: &ride.CommandRecord{Account: "filler", ID: fmt.Sprint(i), Digest: "d", At: epoch, Reply: make([]byte, 1<<20)}})
	}
	var acknowledged sync.Map // versions by trip
	var commits atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for g := range 8 {
		load.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				for _, tr := range wholeTrip(g*1e6 + i) {
					if err := s.Commit(t.Context(), tr); err != nil {
						t.Error(err)
						return
					}
					acknowledged.Store(tr.Trip.ID, tr.Trip.Version)
					commits.Add(1)
				}
			}
		})
	}
	more := func() {
		want := commits.Load() + 50
		require.Eventually(t, func() bool { return commits.Load() >= want }, time.Minute, time.Millisecond)
	}
	more()
	before := make(map[ride.TripID]int64)
	acknowledged.Range(func(id, version any) bool { before[id.(ride.TripID)] = version.(int64); return true })
	to := filepath.Join(t.TempDir(), "copy")
	steps := 0
	err := persistence.CopyFile(t.Context(), o.Path, to, func(done, total int64) {
		require.Less(t, done, total)
		if steps++; steps <= 3 {
			more() // the copy does not hold writers up, and does not begin again for what is written
		}
		require.Less(t, steps, 50)
	})
	require.NoError(t, err)
	require.Greater(t, steps, 1)
	more()
	stop()
	load.Wait()

	c, err := persistence.CheckFile(t.Context(), to)
	require.NoError(t, err)
	require.Equal(t, persistence.NewestSchema(), c.Schema)
	st, err := os.Stat(to)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, st.Mode().Perm())
	require.NotEmpty(t, before)
	require.Less(t, c.Rows["commands"], commits.Load()+24)
	untorn(t, to)
	copied := open(t, persistence.DefaultSQLite(to))
	for id, version := range before {
		trip, err := copied.Trip(t.Context(), id)
		require.NoError(t, err, "acknowledged trip %s is not in the copy", id)
		require.GreaterOrEqual(t, trip.Version, version)
	}
	storetest.Commit(t, copied, ride.Transition{Command: &ride.CommandRecord{Account: "a", ID: "after", At: epoch}})
}

// untorn sees that each trip has its events and each of these one command.
func untorn(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, query := range []string{
		`SELECT COUNT(*) FROM trips t WHERE version <> (SELECT COUNT(*) FROM trip_events e WHERE e.trip_id = t.id)`,
		`SELECT COUNT(*) FROM trips t WHERE version <> (SELECT MAX(version) FROM trip_events e WHERE e.trip_id = t.id)`,
		`SELECT COUNT(*) FROM trip_events e WHERE NOT EXISTS (SELECT 1 FROM trips t WHERE t.id = e.trip_id)`,
		`SELECT (SELECT COUNT(*) FROM commands WHERE account_id <> 'filler') - (SELECT COUNT(*) FROM trip_events)`,
		`SELECT COUNT(*) FROM trips t WHERE driver_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM offers o WHERE o.trip_id = t.id)`,
	} {
		n := -1
		require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
		require.Zero(t, n, query)
	}
}

// TestLook: what stands at a place is recognised, and nothing is created there.
func TestLook(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			o := e.at(t)
			f, err := persistence.Look(t.Context(), o)
			require.NoError(t, err)
			require.Equal(t, persistence.Found{}, f)
			if o.Path != "" {
				require.NoFileExists(t, o.Path)
			}
			s := open(t, o)
			f, err = persistence.Look(t.Context(), o)
			require.NoError(t, err)
			require.Equal(t, persistence.Found{Schema: persistence.NewestSchema(), Oldest: f.Oldest}, f)
			require.Positive(t, f.Oldest)
			require.LessOrEqual(t, f.Oldest, f.Schema)
			storetest.Created(t, s, 1, ride.RoleOperator)
			f, err = persistence.Look(t.Context(), o)
			require.NoError(t, err)
			require.False(t, f.InUse, "an operator is made before the first start")
			storetest.Created(t, s, 2, ride.RoleRider)
			f, err = persistence.Look(t.Context(), o)
			require.NoError(t, err)
			require.True(t, f.InUse)
		})
	}
	path := filepath.Join(t.TempDir(), "hexhail.db")
	o := persistence.DefaultSQLite(path)
	for _, end := range []string{".migrate", "-wal"} {
		require.NoError(t, os.WriteFile(path+end, []byte("x"), 0o600))
		f, err := persistence.Look(t.Context(), o)
		require.NoError(t, err)
		require.Contains(t, f.Remains, path+end)
	}
	require.NoError(t, os.WriteFile(path, []byte("this is no database, and never was one, although it has its name"), 0o600))
	require.NoError(t, os.Remove(path+"-wal"))
	_, err := persistence.Look(t.Context(), o)
	require.ErrorIs(t, err, persistence.ErrDamaged)
}

// TestTables: the list that backups and restores go by is the schema's.
func TestTables(t *testing.T) {
	for _, e := range engines {
		o := e.at(t)
		s := open(t, o)
		require.NoError(t, s.Ping(t.Context()))
		var c persistence.Contents
		if o.DatabaseURL != "" {
			snapshot, err := persistence.TakeSnapshot(t.Context(), o)
			require.NoError(t, err)
			c = snapshot.Contents
			require.Positive(t, snapshot.Major)
			require.NoError(t, snapshot.Close())
		} else {
			to := filepath.Join(t.TempDir(), "copy")
			require.NoError(t, persistence.CopyFile(t.Context(), o.Path, to, func(int64, int64) {}))
			var err error
			c, err = persistence.CheckFile(t.Context(), to)
			require.NoError(t, err)
		}
		require.Equal(t, persistence.NewestSchema(), c.Schema)
		for _, table := range persistence.Tables() {
			if table != "goose_db_version" {
				require.Contains(t, c.Rows, table)
			}
		}
		require.Len(t, c.Rows, len(persistence.Tables())-1)
	}
}
