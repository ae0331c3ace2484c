package backup

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence"
	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// onPostgres is a place whose database is a new schema, with an account called name.
func onPostgres(t *testing.T, name string) Place {
	t.Helper()
	p := place(t)
	p.Store.DatabaseURL = pgtest.Start(t)
	if name == "" {
		return p
	}
	s, err := persistence.Open(t.Context(), p.Store)
	require.NoError(t, err)
	require.NoError(t, s.CreateAccount(t.Context(), ride.Account{
		ID: ride.AccountID(name), Role: ride.RoleRider, Status: ride.AccountActive, Username: name, FirstName: name + "\n\\.\nCOPY x FROM stdin;",
	}, "hash"))
	require.NoError(t, s.Close())
	require.NoError(t, os.MkdirAll(p.DataDir, 0o700))
	return p
}

// On Postgres, force replaces Hexhail's tables in one transaction; without it nothing changes.
func TestPostgresBackup(t *testing.T) {
	from := made(t, onPostgres(t, "ana"))
	to := onPostgres(t, "bob")
	_, err := restore(t, to, from, quiet())
	require.ErrorIs(t, err, ErrOccupied)
	require.True(t, holds(t, to, "bob"))
	rep, err := restore(t, to, from, forced())
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.Rows["accounts"])
	require.True(t, holds(t, to, "ana"))
	require.False(t, holds(t, to, "bob"))
	require.True(t, rep.NoKey)

	_, err = restore(t, place(t), from, quiet())
	require.ErrorContains(t, err, "this backup is of a Postgres database")
	_, err = restore(t, onPostgres(t, ""), made(t, lived(t, "ana")), quiet())
	require.ErrorContains(t, err, "this backup is of an embedded database")
	_, err = Write(t.Context(), onPostgres(t, ""), filepath.Join(t.TempDir(), "backup"), quiet())
	require.ErrorIs(t, err, persistence.ErrNoDatabase)

	owned := to.Store
	owned.Own = true
	s, err := persistence.Open(t.Context(), owned)
	require.NoError(t, err)
	_, err = restore(t, to, from, forced())
	require.ErrorIs(t, err, persistence.ErrOwned)
	require.NoError(t, s.Close())
}

// A snapshot also counts tables that only another program knows.
func TestSnapshotCountsMoreTables(t *testing.T) {
	p := onPostgres(t, "ana")
	alter(t, p, toNewer)
	s, err := persistence.TakeSnapshot(t.Context(), p.Store, "later", "no'such\"table")
	require.NoError(t, err)
	require.EqualValues(t, 1, s.Rows["later"])
	require.EqualValues(t, 1, s.Rows["accounts"])
	require.EqualValues(t, 9999, s.Schema)
	require.Positive(t, s.Oldest)
	require.NoError(t, s.Close())
}

// Without suitable tools, the error says which are needed and what to run elsewhere.
func TestNoPostgresTools(t *testing.T) {
	_, err := findTools(t.Context(), 99, "pg_dump", "pg_restore")
	require.ErrorIs(t, err, ErrNoTools)
	require.ErrorContains(t, err, "99")
	_, err = findTools(t.Context(), 15, "hexhail_no_tool")
	require.ErrorContains(t, err, "install hexhail_no_tool of version 15 or newer")
}

// The commands get the target's schema; rows do not change.
func TestScript(t *testing.T) {
	const in = "SET transaction_timeout = 0;\nCREATE TABLE a.trips (\n    id text DEFAULT 'x'::text\n);\nALTER TABLE ONLY a.trips\n" +
		"COPY a.trips (id) FROM stdin;\nALTER TABLE a.trips\na.trips\n\\.\nSELECT pg_catalog.setval('a.seq', 8, true);\n"
	const out = "CREATE TABLE \"b\".trips (\n    id text DEFAULT 'x'::text\n);\nALTER TABLE ONLY \"b\".trips\n" +
		"COPY \"b\".trips (id) FROM stdin;\nALTER TABLE a.trips\na.trips\n\\.\nSELECT pg_catalog.setval('\"b\".seq', 8, true);\n"
	got, err := io.ReadAll(newScript(strings.NewReader(in), "a", "b"))
	require.NoError(t, err)
	require.Equal(t, out, string(got))

	long := "COPY a.photos (data) FROM stdin;\n" + strings.Repeat("a. b", 1<<16) + "\n\\.\nSELECT a.f();\n"
	got, err = io.ReadAll(newScript(strings.NewReader(long), "a", "b"))
	require.NoError(t, err)
	require.Equal(t, strings.Replace(strings.Replace(long, "COPY a.", `COPY "b".`, 1), "SELECT a.", `SELECT "b".`, 1), string(got))
	got, err = io.ReadAll(newScript(strings.NewReader(in), "a", "a"))
	require.NoError(t, err)
	require.Equal(t, strings.Join(strings.SplitAfter(in, "\n")[1:], ""), string(got))
}

// Every form of address reaches the tools through the environment.
func TestLibpqEnv(t *testing.T) {
	for address, want := range map[string]map[string]string{
		"postgres://me:p%20w@db.example:5433/city?sslmode=require&search_path=a,b&pool_max_conns=4": {
			"PGHOST": "db.example", "PGPORT": "5433", "PGUSER": "me", "PGPASSWORD": "p w", "PGDATABASE": "city",
			"PGSSLMODE": "require", "PGOPTIONS": "-csearch_path=a,b",
		},
		`host=/run/postgresql user=me password='it\'s' dbname=city sslmode=disable`: {
			"PGHOST": "/run/postgresql", "PGUSER": "me", "PGPASSWORD": "it's", "PGDATABASE": "city", "PGSSLMODE": "disable",
		},
		"postgres://me:x@one:1,two:2/city?sslmode=disable": {"PGHOST": "one,two", "PGPORT": "1,2", "PGTARGETSESSIONATTRS": "read-write"},
	} {
		got := make(map[string]string)
		for _, v := range libpqEnv(address) {
			key, value, _ := strings.Cut(v, "=")
			got[key] = value
		}
		for key, value := range want {
			require.Equal(t, value, got[key], "%s of %s", key, address)
		}
	}
}
