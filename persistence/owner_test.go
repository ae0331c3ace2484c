package persistence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// One server owns a file, under any name by which another finds it; commands may open it
// meanwhile, and the next server after the owner's end.
func TestOneOwnerOfAFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "hexhail.db")
	first, err := Open(t.Context(), Owning(DefaultSQLite(path)))
	require.NoError(t, err)

	byDir := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, byDir))
	byFile := filepath.Join(t.TempDir(), "other.db")
	require.NoError(t, os.Symlink(path, byFile))
	for _, name := range []string{dir + "/../data/./hexhail.db", filepath.Join(byDir, "hexhail.db"), byFile} {
		_, err := Open(t.Context(), Edited(DefaultSQLite(name), func(o *Options) { o.Own, o.OwnerPatience = true, 0 }))
		require.ErrorIs(t, err, ErrOwned, name)
		require.ErrorContains(t, err, fmt.Sprintf("(pid %d, since 2", os.Getpid()), name)
	}
	_, err = Migrate(t.Context(), DefaultSQLite(path), Down)
	require.ErrorIs(t, err, ErrOwned, "the schema is not taken from under a server")
	st, err := os.Stat(path + ".owner")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	require.NoError(t, os.Remove(path+".owner"))
	_, err = Open(t.Context(), Edited(DefaultSQLite(path), func(o *Options) { o.Own, o.OwnerPatience = true, 0 }))
	require.ErrorIs(t, err, ErrOwned, "removing the file does not let another server in")

	beside, err := Open(t.Context(), DefaultSQLite(path))
	require.NoError(t, err)
	require.NoError(t, beside.Close())
	require.NoError(t, first.Commit(t.Context(), note(1, 1)))
	require.NoError(t, first.Owned())

	require.NoError(t, first.Close())
	again := openAt(t, Owning(DefaultSQLite(path)))
	_, err = again.Command(t.Context(), "a", "1")
	require.NoError(t, err)
}

// A server that cannot open its store does not keep the lock.
func TestAFailedStartOwnsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hexhail.db")
	require.NoError(t, os.WriteFile(path, []byte("this is no database, but long enough to be taken for one by its size"), 0o600))
	_, err := Open(t.Context(), Owning(DefaultSQLite(path)))
	require.Error(t, err)
	require.NoError(t, os.Remove(path))
	openAt(t, Owning(DefaultSQLite(path)))
}

// An owner that ends slowly keeps the lock until its last transition is written; the next
// one can start right then.
func TestOwnerThatEndsSlowly(t *testing.T) {
	for name, database := range map[string]func(t *testing.T) Options{
		"sqlite":   func(t *testing.T) Options { return TempSQLite(t) },
		"postgres": func(t *testing.T) Options { return DefaultPostgres(pgtest.Start(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := database(t)
			begun, goOn := make(chan struct{}), make(chan struct{})
			slow := where
			slow.Own = true
			slow.Observe = func(int, time.Duration, error) { close(begun); <-goOn }
			first, err := Open(t.Context(), slow)
			require.NoError(t, err)
			committed, ended := make(chan error, 1), make(chan error, 1)
			go func() { committed <- first.Commit(t.Context(), note(1, 1)) }()
			<-begun
			go func() { ended <- first.Close() }()

			next := where
			next.Own, next.OwnerPatience = true, 0
			_, err = Open(t.Context(), next)
			require.ErrorIs(t, err, ErrOwned)
			next.OwnerPatience = time.Minute
			close(goOn)
			require.NoError(t, <-ended)
			require.NoError(t, <-committed)
			second := openAt(t, next)
			_, err = second.Command(t.Context(), "a", "1")
			require.NoError(t, err)
		})
	}
}

// The same on Postgres, where the lock is a session's: what becomes of that is noticed.
func TestOneOwnerOfPostgres(t *testing.T) {
	t.Parallel()
	disowned := make(chan error, 1)
	o := Edited(DefaultPostgres(pgtest.Start(t)), func(o *Options) {
		o.Own = true
		o.Disowned = func(err error) { disowned <- err }
	})
	first, err := Open(t.Context(), o)
	require.NoError(t, err)
	hasty := o
	hasty.OwnerPatience = 0
	_, err = Open(t.Context(), hasty)
	require.ErrorIs(t, err, ErrOwned)
	require.ErrorContains(t, err, fmt.Sprintf("(hexhail, pid %d on ", os.Getpid()))
	_, err = Migrate(t.Context(), o, Down)
	require.ErrorIs(t, err, ErrOwned)
	openAt(t, DefaultPostgres(o.DatabaseURL))
	openAt(t, Owning(DefaultPostgres(pgtest.Start(t)))) // another schema is another city

	// Without a rival the lock is taken again as soon as its session is lost.
	endOwner(t, first)
	eventually(t, "lost", func() bool { return first.Owned() != nil })
	eventually(t, "held again", func() bool { return first.Owned() == nil })

	// A rival that waits for the lock gets it.
	rival, err := pgx.Connect(t.Context(), o.DatabaseURL)
	require.NoError(t, err)
	defer func() { _ = rival.Close(t.Context()) }()
	got := make(chan error, 1)
	go func() {
		_, err := rival.Exec(t.Context(), `SELECT pg_advisory_lock(`+sqlOwnerKey+`)`)
		got <- err
	}()
	eventually(t, "the rival waits", func() bool {
		var n int
		err := first.read.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1`, rival.PgConn().PID()).Scan(&n)
		return err == nil && n == 1
	})
	endOwner(t, first)
	require.NoError(t, <-got)
	require.ErrorIs(t, <-disowned, ErrOwned)
	require.ErrorIs(t, first.Owned(), ErrOwned)
	require.NoError(t, first.Commit(t.Context(), note(1, 1)), "what protects trips is in the database")

	require.NoError(t, rival.Close(t.Context()))
	require.NoError(t, first.Close())
	again := openAt(t, Edited(o, func(o *Options) { o.OwnerPatience = time.Minute }))
	_, err = again.Command(t.Context(), "a", "1")
	require.NoError(t, err)
	require.NoError(t, again.AddAudit(t.Context(), ride.AuditEntry{Detail: "x"}))
}

// The servers of a cluster share the lock; a server outside of it and they refuse each other.
func TestMembersShareADatabase(t *testing.T) {
	t.Parallel()
	var log LockedLog
	disowned := make(chan error, 1)
	alone := Edited(Owning(DefaultPostgres(pgtest.Start(t))), func(o *Options) { o.OwnerPatience = 0 })
	member := Edited(alone, func(o *Options) { o.Member, o.Log = true, slog.New(slog.NewTextHandler(&log, nil)) })
	first, err := Open(t.Context(), Edited(member, func(o *Options) {
		o.Disowned = func(err error) { disowned <- err }
	}))
	require.NoError(t, err)
	who := fmt.Sprintf("(hexhail, pid %d on ", os.Getpid())
	refused := func(o Options, says ...string) {
		t.Helper()
		_, err := Open(t.Context(), o)
		require.ErrorIs(t, err, ErrOwned)
		for _, s := range says {
			require.ErrorContains(t, err, s)
		}
	}
	refused(alone, "as a member of a cluster "+who, "): stop it first")
	second, err := Open(t.Context(), member)
	require.NoError(t, err)
	refused(alone, "as a member of a cluster "+who, ", and 1 more): stop all of them first")
	_, err = Migrate(t.Context(), member, Down)
	require.ErrorIs(t, err, ErrOwned, "the schema is not taken from under a cluster")
	_, err = Claim(t.Context(), member)
	require.ErrorIs(t, err, ErrOwned, "nor are the data")
	require.NoError(t, first.Commit(t.Context(), note(1, 1)))
	require.NoError(t, second.Commit(t.Context(), note(2, 1)))

	// A member takes a lost lock again beside the others.
	endSession(t, second, first)
	eventually(t, "lost", func() bool { return first.Owned() != nil })
	eventually(t, "held again", func() bool { return first.Owned() == nil })
	require.NoError(t, second.Owned())
	require.NoError(t, second.Close())

	// A server outside of the cluster that takes it instead ends the member.
	rival, err := pgx.Connect(t.Context(), alone.DatabaseURL)
	require.NoError(t, err)
	defer func() { _ = rival.Close(t.Context()) }()
	got := make(chan error, 1)
	go func() {
		_, err := rival.Exec(t.Context(), `SELECT pg_advisory_lock(`+sqlOwnerKey+`)`)
		got <- err
	}()
	eventually(t, "the rival waits", func() bool {
		var n int
		err := first.read.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1`, rival.PgConn().PID()).Scan(&n)
		return err == nil && n == 1
	})
	endSession(t, first, first)
	require.NoError(t, <-got)
	require.ErrorIs(t, <-disowned, ErrOwned)
	require.ErrorIs(t, first.Owned(), ErrOwned)
	require.NoError(t, first.Close())
	refused(member, "but not as a member of a cluster (session ", "): stop it first")
	require.NoError(t, rival.Close(t.Context()))

	lone := openAt(t, Edited(alone, func(o *Options) { o.OwnerPatience = time.Minute }))
	refused(member, "but not as a member of a cluster "+who)
	require.NoError(t, lone.Commit(t.Context(), note(3, 1)))
	require.NotContains(t, log.String(), "run out of connections")
}

// A member's former session is not in its way.
func TestMembersFormerSession(t *testing.T) {
	t.Parallel()
	o := Edited(Owning(DefaultPostgres(pgtest.Start(t))), func(o *Options) { o.Member = true }).complete()
	w := &postgresOwner{o: o, log: o.Log}
	require.NoError(t, w.take(t.Context()))
	former := w.conn
	require.NoError(t, w.take(t.Context()))
	require.NoError(t, former.Close(t.Context()))
	require.NoError(t, w.conn.Close(t.Context()))
}

// A member that stands still or is cut off in the middle of a transaction gives up what it has locked before
// the others give up waiting, also through a pooler; its next attempt has a fresh connection.
func TestMembersThatStandStillHoldNothing(t *testing.T) {
	t.Parallel()
	base := pgtest.Start(t)
	direct := Edited(Owning(DefaultPostgres(base)), func(o *Options) { o.Member = true })
	for name, member := range map[string]func(t *testing.T) Options{
		"direct": func(*testing.T) Options { return direct },
		"through a pooler": func(t *testing.T) Options {
			pooled := pgtest.Pooler(t, base, "transaction", lenient)
			return Edited(direct, func(o *Options) { o.DatabaseURL, o.DatabaseDirectURL = pooled, base })
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := member(t)
			still, other := openAt(t, o), openAt(t, o)
			eng := still.eng.(*postgresEngine)
			begin := func(locks int) pgx.Tx {
				tx, err := eng.pool.BeginTx(t.Context(), pgx.TxOptions{BeginQuery: eng.begin})
				require.NoError(t, err)
				t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // its store waits for it
				_, err = tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, locks)
				require.NoError(t, err)
				return tx
			}
			// Silent between two statements.
			tx := begin(42)
			_, err := other.write.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock(42)`)
			if err != nil { // the silence may end too late for one wait on a busy machine, but not for two
				_, err = other.write.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock(42)`)
			}
			require.NoError(t, err, "it waits for as long as a lock may take at most")
			_, err = tx.Exec(t.Context(), `SELECT 1`)
			require.True(t, isRetryable(err), "%v", err)
			require.Error(t, tx.Commit(t.Context()))
			require.NoError(t, still.Commit(t.Context(), note(len(name), 1)))

			// Silent while a statement waits for a lock that is never free.
			keeper, err := pgx.Connect(t.Context(), base)
			require.NoError(t, err)
			defer func() { require.NoError(t, keeper.Close(context.Background())) }()
			_, err = keeper.Exec(t.Context(), `SELECT pg_advisory_lock(43)`)
			require.NoError(t, err)
			tx = begin(42)
			waited := make(chan error, 1)
			go func() {
				_, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(43)`)
				waited <- err
			}()
			eventually(t, "the wait", func() bool {
				var waits bool
				require.NoError(t, keeper.QueryRow(t.Context(),
					`SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 43 AND NOT granted)`).Scan(&waits))
				return waits
			})
			// The other's wait may end in the moment in which the lock is given up, but not twice.
			if _, err = other.write.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock(42)`); err != nil {
				_, err = other.write.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock(42)`)
			}
			require.NoError(t, err)
			err = <-waited
			require.Error(t, err)
			require.True(t, eng.unavailable(err), "%v", err)
			require.NoError(t, tx.Rollback(t.Context()))
			require.NoError(t, still.Commit(t.Context(), note(100+len(name), 1)))
		})
	}
}

// A member says so when one more like it could leave Postgres without connections.
func TestMembersCountTheirConnections(t *testing.T) {
	t.Parallel()
	o := Edited(Owning(DefaultPostgres(pgtest.Start(t))), func(o *Options) { o.Member = true })
	var most int
	s := openAt(t, o)
	require.NoError(t, s.read.QueryRowContext(t.Context(), `SELECT current_setting('max_connections')::int`).Scan(&most))
	for _, x := range []struct {
		conns int
		warns bool
	}{{most / 3, false}, {most/3 + 1, true}} { // two servers, and one more
		var log LockedLog
		w, err := ownPostgres(t.Context(), Edited(o, func(o *Options) {
			o.PoolSize, o.Log = x.conns, slog.New(slog.NewTextHandler(&log, nil))
		}).complete())
		require.NoError(t, err)
		require.NoError(t, w.release())
		require.Equal(t, x.warns, strings.Contains(log.String(), "run out of connections"), log.String())
	}
}

// endSession has the server end the session by which a store holds the lock; through is any store.
func endSession(t *testing.T, through, of *Store) {
	t.Helper()
	require.NoError(t, of.Owned())
	var ended bool
	require.NoError(t, through.read.QueryRowContext(t.Context(), `SELECT pg_terminate_backend($1)`, of.owner.(*postgresOwner).mine.pid).Scan(&ended))
	require.True(t, ended)
}

// endOwner has the server end the session that holds the lock.
func endOwner(t *testing.T, s *Store) {
	t.Helper()
	var ended int
	require.NoError(t, s.read.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_locks
		WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) | objid::bigint = `+sqlOwnerKey).Scan(&ended))
	require.Equal(t, 1, ended)
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	require.Eventually(t, f, time.Minute, 5*time.Millisecond, what)
}

// A session that this process has lost and Postgres has not missed is no rival.
func TestOwnersFormerSession(t *testing.T) {
	o := DefaultPostgres(pgtest.Start(t)).complete()
	w := &postgresOwner{o: o, log: o.Log, disowned: func(err error) { t.Errorf("disowned: %v", err) }}
	require.NoError(t, w.take(t.Context()))
	former := w.conn
	defer func() { _ = former.Close(t.Context()) }()
	w.conn = nil
	require.ErrorIs(t, w.take(t.Context()), errStaleSession)
	eventually(t, "the lock is ours again", func() bool {
		err := w.take(t.Context())
		require.True(t, err == nil || errors.Is(err, errStaleSession) || errors.Is(err, errReleased), "%v", err)
		return err == nil
	})
	require.Error(t, former.Ping(t.Context()))
	require.NoError(t, w.conn.Close(t.Context()))
}

// An owner that has left lets the next one in at once, however late the server notices the
// end of its session.
func TestOwnerLeavesAtOnce(t *testing.T) {
	t.Parallel()
	next := Edited(DefaultPostgres(pgtest.Start(t)), func(o *Options) { o.OwnerPatience = 0 }).complete()
	leaving := next
	leaving.DatabaseURL = lingering(t, next.DatabaseURL)
	for _, o := range []Options{leaving, next} {
		w, err := ownPostgres(t.Context(), o)
		require.NoError(t, err)
		require.NoError(t, w.release())
	}
}

// lingering is a way to a Postgres which does not notice that a client left until the test ends.
func lingering(t *testing.T, database string) string {
	t.Helper()
	conf, err := pgx.ParseConfig(database)
	require.NoError(t, err)
	network, address := pgconn.NetworkAddress(conf.Host, conf.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			all.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
			all.Go(func() {
				_, _ = io.Copy(deaf{server}, client)
				<-t.Context().Done()
				_ = server.Close()
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	port := l.Addr().(*net.TCPAddr).Port
	u, err := url.Parse(database)
	require.NoError(t, err)
	q := u.Query()
	q.Set("host", "127.0.0.1")
	q.Set("port", strconv.Itoa(port))
	u.RawQuery = q.Encode()
	return u.String()
}

// deaf passes everything on but a client's good-bye, which is a message of its own.
type deaf struct{ io.Writer }

func (d deaf) Write(b []byte) (int, error) {
	if _, err := d.Writer.Write(bytes.TrimSuffix(b, []byte("X\x00\x00\x00\x04"))); err != nil {
		return 0, err
	}
	return len(b), nil
}
