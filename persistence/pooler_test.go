package persistence

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// lenient is what the usual guides have PgBouncer do with settings of a session: drop them.
const lenient = "ignore_startup_parameters = extra_float_digits, search_path, statement_timeout, lock_timeout, idle_in_transaction_session_timeout"

// A pooler is refused by name where what needs a session of its own would go through it, at
// start and for changes of the schema.
func TestPoolersAreRefusedByName(t *testing.T) {
	t.Parallel()
	base := pgtest.Start(t)
	strict := pgtest.Pooler(t, base, "transaction")
	dropping := pgtest.Pooler(t, base, "transaction", lenient)
	holding := pgtest.Pooler(t, base, "session", lenient)
	few := pgtest.Pooler(t, base, "transaction", "default_pool_size = 1")
	turning := pgtest.Pooler(t, base, "transaction", "server_round_robin = 1", "min_pool_size = 3")
	two := pgtest.Pooler(t, base, "transaction", "server_round_robin = 1", "min_pool_size = 2", "default_pool_size = 2")
	for name, url := range map[string]string{"strict": strict, "lenient": dropping, "of one session": few, "round robin": turning, "two in turn": two} {
		t.Run(name, func(t *testing.T) {
			found, err := probe(t.Context(), url)
			require.NoError(t, err)
			require.Equal(t, transactions, found)
			_, err = Open(t.Context(), Edited(DefaultPostgres(url), func(o *Options) { o.Wait = time.Minute }))
			require.ErrorIs(t, err, ErrPooler)
			require.ErrorContains(t, err, "set database-direct-url to the address of Postgres itself")
			_, err = Migrate(t.Context(), DefaultPostgres(url), Status)
			require.ErrorIs(t, err, ErrPooler)
			_, err = Open(t.Context(), Edited(DefaultPostgres(url), func(o *Options) { o.DatabaseDirectURL = url }))
			require.ErrorIs(t, err, ErrPooler)
			require.ErrorContains(t, err, "database-direct-url leads to")
		})
	}
	for url, want := range map[string]way{base: direct, holding: sessions} {
		found, err := probe(t.Context(), url)
		require.NoError(t, err)
		require.Equal(t, want, found)
	}
	_, err := Open(t.Context(), Owning(DefaultPostgres(pgtest.Pooler(t, base, "session"))))
	require.ErrorIs(t, err, ErrPooler, "a pooler of sessions that refuses settings")
	_, err = Open(t.Context(), Edited(DefaultPostgres(dropping), func(o *Options) { o.DatabaseDirectURL = pgtest.NewServer(t).URL() }))
	require.ErrorContains(t, err, "they must lead to the same one")
}

// What transactions rely on holds in each of them, whatever other clients left in the session
// that the pooler lends out; and nothing is left behind.
func TestTransactionsBringTheirSettings(t *testing.T) {
	base := pgtest.Start(t)
	url := pgtest.Pooler(t, base, "transaction", "default_pool_size = 1")
	s := openAt(t, Edited(DefaultPostgres(url), func(o *Options) { o.DatabaseDirectURL, o.Own, o.Wait, o.NoHealth = base, true, time.Minute, true }))
	other, err := probeConn(t.Context(), url)
	require.NoError(t, err)
	defer other.close()
	for _, v := range []string{"synchronous_commit = off", "search_path = pg_catalog", "statement_timeout = 0", "lock_timeout = 1"} {
		_, err := other.conn.Exec(t.Context(), "SET "+v)
		require.NoError(t, err)
	}
	for name, want := range map[string]string{"synchronous_commit": "on", "statement_timeout": "5s", "lock_timeout": "5s",
		"idle_in_transaction_session_timeout": "20s"} {
		var got string
		require.NoError(t, s.read.QueryRowContext(t.Context(), "SHOW "+name).Scan(&got))
		require.Equal(t, want, got, name)
		var commits string
		tx, err := s.eng.(*postgresEngine).pool.BeginTx(t.Context(), pgx.TxOptions{BeginQuery: s.eng.(*postgresEngine).begin})
		require.NoError(t, err)
		require.NoError(t, tx.QueryRow(t.Context(), "SHOW "+name).Scan(&commits))
		require.NoError(t, tx.Rollback(t.Context()))
		require.Equal(t, want, commits, name)
	}
	var left string
	require.NoError(t, other.conn.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&left))
	require.Equal(t, "off", left)
}

// A store behind a pooler of few sessions does what one that is not does: many transactions
// and queries at once, rows that break rules, rows that are left half read.
func TestStoreThroughAPooler(t *testing.T) {
	base := pgtest.Start(t)
	s := openAt(t, Edited(DefaultPostgres(pgtest.Pooler(t, base, "transaction", "default_pool_size = 2")), func(o *Options) { o.DatabaseDirectURL, o.Own = base, true }))
	_, err := Open(t.Context(), Edited(DefaultPostgres(base), func(o *Options) { o.Own, o.OwnerPatience = true, 0 }))
	require.ErrorIs(t, err, ErrOwned)
	done := make(chan error, 40)
	for i := range cap(done) {
		go func() {
			err := s.Commit(t.Context(), note(i, 10))
			if err == nil {
				_, err = s.Command(t.Context(), "a", fmt.Sprint(i))
			}
			if err == nil {
				err = s.AddAudit(t.Context(), ride.AuditEntry{Detail: fmt.Sprint(i)})
			}
			done <- err
		}()
	}
	for range cap(done) {
		require.NoError(t, <-done)
	}
	require.ErrorIs(t, s.Commit(t.Context(), note(1, 11)), ride.ErrCommandSeen)

	rows, err := s.read.QueryContext(t.Context(), `SELECT id FROM audit ORDER BY id`)
	require.NoError(t, err)
	require.True(t, rows.Next())
	require.NoError(t, rows.Close())
	require.NoError(t, rows.Err())
	rows, err = s.write.QueryContext(t.Context(), `DELETE FROM audit WHERE detail < '2' RETURNING id`)
	require.NoError(t, err)
	n := 0
	for rows.Next() {
		n++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, 12, n)
	var left int
	require.NoError(t, s.read.QueryRowContext(t.Context(), `SELECT count(*) FROM audit`).Scan(&left))
	require.Equal(t, cap(done)-n, left)
	_, err = s.write.ExecContext(t.Context(), `INSERT INTO commands SELECT * FROM commands`)
	require.Error(t, err)
	require.NoError(t, s.Ping(t.Context()), "the connection goes on")
}
