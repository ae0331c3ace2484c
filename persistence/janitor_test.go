package persistence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence/pgtest"
)

// takenAt is when the purge's turn was taken last, in microseconds of the database's clock.
func takenAt(t *testing.T, s *Store) (at int64) {
	t.Helper()
	require.NoError(t, s.read.QueryRowContext(t.Context(), `SELECT taken_at FROM turns WHERE name = 'purge'`).Scan(&at))
	return at
}

// Janitors of one Postgres take turns: one purges at a time and in a period, and the end of one in
// its turn does not keep the others from the next.
func TestJanitorsTakeTurns(t *testing.T) {
	t.Parallel()
	o := Edited(DefaultPostgres(pgtest.Start(t)), func(o *Options) { o.PurgeEvery = 0 })
	a, err := Open(t.Context(), o)
	require.NoError(t, err)
	b := openAt(t, o)
	ours := func(s *Store, once time.Duration) bool {
		t.Helper()
		ours, err := s.takeTurn(t.Context(), "purge", once)
		require.NoError(t, err)
		return ours
	}
	require.True(t, ours(a, time.Hour))
	require.False(t, ours(b, time.Hour))
	require.False(t, ours(a, time.Hour))
	require.NoError(t, a.Close()) // without having purged
	first := takenAt(t, b)
	const period = time.Second // a turn ends with it, also where a slow machine has not finished
	eventually(t, "the next turn", func() bool { return ours(b, period) })
	require.GreaterOrEqual(t, takenAt(t, b)-first, period.Microseconds())

	// Two at work: together they purge no more often than one alone, and expired records go.
	require.NoError(t, b.Commit(t.Context(), note(1, 1))) // of 1970
	began := takenAt(t, b)
	x, y := openAt(t, Edited(o, func(o *Options) { o.PurgeEvery = period })), openAt(t, Edited(o, func(o *Options) { o.PurgeEvery = period }))
	eventually(t, "expired records are gone", func() bool {
		_, err := b.Command(t.Context(), "a", "1")
		return err != nil
	})
	var n int64
	eventually(t, "many turns", func() bool {
		n = x.Stats().Purges + y.Stats().Purges
		return n >= 5
	})
	took := time.Duration(takenAt(t, b)-began) * time.Microsecond
	require.LessOrEqual(t, n, int64(took/turn(period))+1)
}

// A janitor alone purges in every period; a turn ends before the next one begins.
func TestTurn(t *testing.T) {
	for _, every := range []time.Duration{time.Second, 10 * time.Minute, time.Hour} {
		require.Less(t, turn(every), every)
		require.Greater(t, 2*turn(every), every)
	}
	s := openAt(t, Edited(TempSQLite(t), func(o *Options) { o.PurgeEvery = time.Millisecond }))
	eventually(t, "an embedded database has one janitor", func() bool { return s.Stats().Purges > 1 })
}
