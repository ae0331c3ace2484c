package persistence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

func openAt(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// note is a transition that is nothing but a command's outcome of some size.
func note(n, size int) ride.Transition {
	return ride.Transition{Command: &ride.CommandRecord{Account: "a", ID: fmt.Sprint(n), Reply: make([]byte, size), At: time.UnixMicro(1)}}
}

// TestDiskFull: nothing is acknowledged on a full disk, and the same store works
// again when there is room. SQLite's own quota stands for the disk: it fails at
// the same places, with the same code.
func TestDiskFull(t *testing.T) {
	s := openAt(t, TempSQLite(t))
	quota := func(pages int) {
		t.Helper()
		_, err := s.write.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages))
		require.NoError(t, err)
	}
	quota(1) // SQLite takes the file's size instead
	var failed error
	n := 0
	for ; failed == nil && n < 1000; n++ {
		failed = s.Commit(t.Context(), note(n, 20_000))
	}
	require.ErrorIs(t, failed, ride.ErrUnavailable)
	require.ErrorContains(t, failed, "full")
	require.NoError(t, s.AddAudit(t.Context(), ride.AuditEntry{Detail: "x"}), "an entry that fits is taken")
	_, err := s.Command(t.Context(), "a", fmt.Sprint(n-1))
	require.ErrorIs(t, err, ride.ErrNotFound, "what was refused is not there")
	require.ErrorIs(t, s.SavePhoto(t.Context(), ride.Photo{ID: "p", Data: make([]byte, 100_000)}), ride.ErrUnavailable)

	quota(1_000_000)
	require.NoError(t, s.Commit(t.Context(), note(n-1, 20_000)))
	for i := range n {
		_, err := s.Command(t.Context(), "a", fmt.Sprint(i))
		require.NoError(t, err)
	}
}

// TestReadOnly: a database that takes no writes is unavailable for them and still
// read.
func TestReadOnly(t *testing.T) {
	for name, c := range map[string]struct {
		o           Options
		off, on     string
		alsoCommits bool
	}{
		"sqlite": {TempSQLite(t),
			"PRAGMA query_only = ON", "PRAGMA query_only = OFF", true},
		"postgres": {DefaultPostgres(pgtest.Start(t)),
			"SET default_transaction_read_only = on", "SET default_transaction_read_only = off", false},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.PoolSize = 2 // on Postgres: one for the committer, one for all others
			s := openAt(t, c.o)
			_, err := s.write.ExecContext(t.Context(), c.off)
			require.NoError(t, err)
			require.ErrorIs(t, s.SavePhoto(t.Context(), ride.Photo{ID: "p"}), ride.ErrUnavailable)
			if c.alsoCommits {
				require.ErrorIs(t, s.Commit(t.Context(), note(1, 1)), ride.ErrUnavailable)
			}
			require.NoError(t, s.Ping(t.Context()))
			_, err = s.write.ExecContext(t.Context(), c.on)
			require.NoError(t, err)
			require.NoError(t, s.SavePhoto(t.Context(), ride.Photo{ID: "p"}))
			require.NoError(t, s.Commit(t.Context(), note(1, 1)))
		})
	}
}

// TestEndedContext: a caller whose time is up has written nothing, and the error says so.
func TestEndedContext(t *testing.T) {
	s := openAt(t, TempSQLite(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Trip(ctx, "t")
	require.ErrorIs(t, err, ride.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.Commit(ctx, note(1, 1)), ride.ErrUnavailable)
	require.ErrorIs(t, s.SavePhoto(ctx, ride.Photo{ID: "p"}), ride.ErrUnavailable)
	_, err = s.Command(t.Context(), "a", "1")
	require.ErrorIs(t, err, ride.ErrNotFound)
}

// TestClosed: a closed store refuses everything as unavailable.
func TestClosed(t *testing.T) {
	for name, o := range map[string]Options{
		"sqlite":   TempSQLite(t),
		"postgres": DefaultPostgres(pgtest.Start(t)),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), o)
			require.NoError(t, err)
			require.NoError(t, s.Close())
			require.NoError(t, s.Close())
			require.ErrorIs(t, s.Commit(t.Context(), note(1, 1)), ride.ErrUnavailable)
			_, err = s.Activate(t.Context(), "t")
			require.ErrorIs(t, err, ride.ErrUnavailable)
			require.ErrorIs(t, s.Ping(t.Context()), ride.ErrUnavailable)
			require.ErrorIs(t, s.SavePhoto(t.Context(), ride.Photo{ID: "p"}), ride.ErrUnavailable)
		})
	}
}

// TestSQLiteSettings: what makes an acknowledgement mean something, and who may read.
func TestSQLiteSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd ?#% name", "hexhail.db")
	s := openAt(t, DefaultSQLite(path))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		require.NoError(t, s.write.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		require.Equal(t, want, got, pragma)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700} {
		st, err := os.Stat(p)
		require.NoError(t, err)
		require.Equal(t, want, st.Mode().Perm(), p)
	}
}

// TestPostgresSettings: no connection may acknowledge before the disk has it, whatever
// the URL asks for.
func TestPostgresSettings(t *testing.T) {
	s := openAt(t, DefaultPostgres(pgtest.Start(t)+"&synchronous_commit=off"))
	for setting, want := range map[string]string{"synchronous_commit": "on", "statement_timeout": "5s", "lock_timeout": "5s"} {
		var got string
		require.NoError(t, s.read.QueryRowContext(t.Context(), "SHOW "+setting).Scan(&got))
		require.Equal(t, want, got, setting)
		require.NoError(t, s.eng.(*postgresEngine).pool.QueryRow(t.Context(), "SHOW "+setting).Scan(&got))
		require.Equal(t, want, got, setting)
	}
}

// TestPurge: what is kept for a time goes after it, and not before.
func TestPurge(t *testing.T) {
	for name, o := range map[string]Options{
		"sqlite":   TempSQLite(t),
		"postgres": DefaultPostgres(pgtest.Start(t)),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.UnixMicro(1_800_000_000_000_000).UTC()
			now := start
			o.Now = func() time.Time { return now }
			o.BreadcrumbAge, o.PurgeEvery, o.NoHealth = time.Hour, 0, true
			s := openAt(t, o)
			const n = purgeChunk + 10 // more than one chunk
			batch := make([]*item, n)
			for i := range batch {
				tr := note(i, 1)
				tr.Command.At = start
				batch[i], _ = newItem(tr)
			}
			require.NoError(t, s.eng.apply(batch))
			require.NoError(t, s.AddBreadcrumbs(t.Context(), []ride.Breadcrumb{{Trip: "t", At: start}}))
			trip := ride.Trip{ID: "t", Version: 1, Status: ride.StatusRequested}
			require.NoError(t, s.Commit(t.Context(), ride.Transition{Trip: &trip, Events: []ride.Event{
				ride.WavePlanned{At: start, Wave: 1, Considered: []ride.Considered{{Driver: "d", Verdict: ride.VerdictOffered}}},
			}}))
			require.NoError(t, s.SaveRefreshToken(t.Context(),
				ride.RefreshToken{Hash: "h", Family: "f", CreatedAt: start, ExpiresAt: start.Add(48 * time.Hour)}))
			for _, step := range []struct {
				after time.Duration
				want  int64
			}{{0, 0}, {time.Hour, 0}, {time.Hour + 1000, 2}, {24 * time.Hour, 0}, {25 * time.Hour, n}, {49 * time.Hour, 2}} {
				now = start.Add(step.after)
				got, err := s.Purge(t.Context())
				require.NoError(t, err)
				require.Equal(t, step.want, got, step.after)
			}
			events, err := s.TripEvents(t.Context(), "t")
			require.NoError(t, err)
			require.Equal(t, ride.WavePlanned{At: start, Wave: 1}, events[0].Event, "the event stays, what it considered does not")
			revoked, err := s.FamilyRevoked(t.Context(), "f")
			require.NoError(t, err)
			require.True(t, revoked)
		})
	}
}

// TestFaultyItemAlone: an item that fails in an unforeseen way (here its event is
// there already, as after a manual repair) harms no other item of its batch.
func TestFaultyItemAlone(t *testing.T) {
	for name, o := range map[string]Options{
		"sqlite":   TempSQLite(t),
		"postgres": DefaultPostgres(pgtest.Start(t)),
	} {
		t.Run(name, func(t *testing.T) {
			s := openAt(t, o)
			_, err := s.write.ExecContext(t.Context(),
				`INSERT INTO trip_events (trip_id, version, kind, at, data) VALUES ('faulty', 1, 'arrived', 1, '{}')`)
			require.NoError(t, err)
			_, err = s.write.ExecContext(t.Context(), `ALTER TABLE offers RENAME COLUMN data TO gone`)
			require.NoError(t, err)
			var batch []*item
			for _, id := range []ride.TripID{"a", "faulty", "broken", "b"} {
				trip := ride.Trip{ID: id, Version: 1, Status: ride.StatusRequested}
				trip.Request.Rider.ID = ride.AccountID(id)
				tr := ride.Transition{Trip: &trip, Events: []ride.Event{ride.Arrived{At: time.UnixMicro(1)}},
					Command: &ride.CommandRecord{Account: "x", ID: string(id), At: time.UnixMicro(1)}}
				if id == "broken" {
					tr.Offers = []ride.OfferRow{{Trip: id, Offer: ride.Offer{ID: "broken.1"}}}
				}
				it, err := newItem(tr)
				require.NoError(t, err)
				batch = append(batch, it)
			}
			require.NoError(t, s.eng.apply(batch))
			require.NoError(t, batch[0].err)
			require.ErrorIs(t, batch[1].err, ride.ErrStale)
			require.Error(t, batch[2].err)
			require.NotErrorIs(t, batch[2].err, ride.ErrUnavailable, "trying again does not help")
			require.NoError(t, batch[3].err)
			for id, there := range map[string]bool{"a": true, "b": true, "faulty": false, "broken": false} {
				_, err := s.Trip(t.Context(), ride.TripID(id))
				require.Equal(t, there, err == nil, id)
				_, err = s.Command(t.Context(), "x", id)
				require.Equal(t, there, err == nil, id)
			}
		})
	}
}

// TestJanitor: the store purges automatically while it is open.
func TestJanitor(t *testing.T) {
	s := openAt(t, Edited(TempSQLite(t), func(o *Options) { o.PurgeEvery = time.Millisecond }))
	require.NoError(t, s.Commit(t.Context(), note(1, 1))) // of 1970
	require.Eventually(t, func() bool {
		_, err := s.Command(t.Context(), "a", "1")
		return errors.Is(err, ride.ErrNotFound)
	}, time.Minute, time.Millisecond)
}

// holds is a database that holds what an item wrote, or not.
type holds int

func (holds) exec(context.Context, string, ...any) (int64, error) { return 0, nil }
func (h holds) query(_ context.Context, _ string, _ []any, dest ...any) error {
	*dest[0].(*int) = int(h)
	return nil
}

// A refusal that rests on what the same transaction wrote counts only if that is there.
func TestARefusalOfALostBatchDoesNotCount(t *testing.T) {
	for _, there := range []holds{0, 1} {
		batch := []*item{{events: []eventRow{{trip: "a"}}}, {err: ride.ErrDriverBusy}, {err: ride.ErrCommandSeen}}
		readBackItems(t.Context(), there, batch, ride.ErrUnavailable)
		want := []error{nil, ride.ErrDriverBusy, ride.ErrCommandSeen}
		if there == 0 {
			want = []error{ride.ErrUnavailable, ride.ErrUnavailable, ride.ErrUnavailable}
		}
		for i, it := range batch {
			require.ErrorIs(t, it.err, want[i])
		}
	}
}

// TestAnotherTransactionsNumber: after a crash Postgres gives out numbers again that it had not made durable. What
// another transaction committed under the number of a lost one is no answer to the lost one's clients.
func TestAnotherTransactionsNumber(t *testing.T) {
	s := openAt(t, Edited(DefaultPostgres(pgtest.Start(t)), func(o *Options) { o.NoHealth, o.ReadBack = true, time.Minute }))
	e := s.eng.(*postgresEngine)
	tx, err := e.pool.Begin(t.Context())
	require.NoError(t, err)
	others := []*item{commandItem(t, 1), commandItem(t, 2)}
	xid, err := writeSets(t.Context(), tx, others)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))

	lost := []*item{commandItem(t, 3), {err: ride.ErrDriverBusy}, {activate: "a"}}
	require.ErrorIs(t, e.resolve(lost, xid, context.DeadlineExceeded), ride.ErrUnavailable)
	for _, it := range lost {
		require.ErrorIs(t, it.err, ride.ErrUnavailable)
	}
	require.ErrorIs(t, e.resolve([]*item{{activate: "a"}}, xid, context.DeadlineExceeded), ride.ErrUnavailable, "it leaves no trace")
	require.NoError(t, e.resolve(append(others, &item{activate: "a"}), xid, context.DeadlineExceeded), "all of a transaction, or nothing")
	require.NoError(t, others[0].err)
}

func commandItem(t *testing.T, n int) *item {
	t.Helper()
	it, err := newItem(note(n, 1))
	require.NoError(t, err)
	return it
}
