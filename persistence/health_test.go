package persistence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/persistence/pgtest"
	"github.com/hexhail/hexhail/ride"
)

// until waits for a verdict, with a safety net.
func until(t *testing.T, s *Store, what string, holds func(Health) bool) Health {
	t.Helper()
	var h Health
	require.Eventually(t, func() bool { h = s.Health(); return holds(h) }, time.Minute, 20*time.Millisecond, what)
	return h
}

func failing(c Cause) func(Health) bool {
	return func(h Health) bool { return h.Failing && h.Cause == c }
}

func well(h Health) bool { return h.Cause == CauseNone && !h.Wrote.IsZero() }

// TestHealthNamesTheCause: the cause that prevents writes is named, even without traffic, and
// the store recovers on its own once the cause is gone.
func TestHealthNamesTheCause(t *testing.T) {
	t.Parallel()
	type fault struct {
		name string
		want Cause
		make func(t *testing.T, s *Store) (repair func())
	}
	statement := func(breaks, mends string) func(*testing.T, *Store) func() {
		return func(t *testing.T, s *Store) func() {
			exec := func(text string) {
				_, err := s.write.ExecContext(t.Context(), text)
				require.NoError(t, err)
			}
			exec(breaks)
			return func() { exec(mends) }
		}
	}
	// raise has each write fail as the server would have it fail.
	raise := func(code string) func(*testing.T, *Store) func() {
		return statement(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '`+code+`'; END $$;
			CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON write_checks FOR EACH ROW EXECUTE FUNCTION fail();
			CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON commands FOR EACH ROW EXECUTE FUNCTION fail()`,
			`DROP FUNCTION fail CASCADE`)
	}
	for engine, faults := range map[string][]fault{
		"sqlite": {
			{"read-only", CauseReadOnly, statement("PRAGMA query_only = ON", "PRAGMA query_only = OFF")},
			{"full", CauseDiskFull, statement("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000")},
			{"locked", CauseLocked, func(t *testing.T, s *Store) func() {
				other, err := s.check.Conn(t.Context())
				require.NoError(t, err)
				_, err = other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
				require.NoError(t, err)
				return func() {
					_, err := other.ExecContext(t.Context(), "ROLLBACK")
					require.NoError(t, errors.Join(err, other.Close()))
				}
			}},
			{"renamed", CauseMoved, func(t *testing.T, s *Store) func() {
				path := s.comm.health.path
				require.NoError(t, os.Rename(path, path+".old"))
				return func() { require.NoError(t, os.Rename(path+".old", path)) }
			}},
		},
		"postgres": {
			{"read-only", CauseReadOnly, raise("25006")},
			{"full", CauseDiskFull, raise("53100")},
			{"no privilege", CauseDenied, raise("42501")},
			{"pooler", CauseRejected, raise("42P05")},
		},
	} {
		for _, f := range faults {
			t.Run(engine+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				o := Edited(TempSQLite(t), func(o *Options) { o.StatementTimeout = 500 * time.Millisecond })
				if engine == "postgres" {
					o = DefaultPostgres(pgtest.Start(t))
				}
				s := openAt(t, o)
				until(t, s, "well at first", well)
				repair := f.make(t, s)
				h := until(t, s, "trouble", failing(f.want))
				require.NotEmpty(t, h.Cause.Sentence())
				require.False(t, h.Since.IsZero())
				repair()
				until(t, s, "well again", well)
				require.NoError(t, s.Commit(t.Context(), note(1, 1)))
			})
		}
	}
}

// TestHealthOfAServer: a Postgres that is frozen, read-only or gone.
func TestHealthOfAServer(t *testing.T) {
	t.Parallel()
	pg := pgtest.NewServer(t)
	s := openAt(t, Edited(DefaultPostgres(pg.URL()), func(o *Options) { o.StatementTimeout = 2 * time.Second }))
	until(t, s, "well at first", well)

	thaw, err := pg.Freeze()
	require.NoError(t, err)
	t.Cleanup(thaw)
	until(t, s, "frozen", failing(CauseNoAnswer))
	thaw()
	until(t, s, "thawed", well)

	exec := func(statements ...string) {
		for _, text := range append(statements, "SELECT pg_reload_conf()") {
			_, err := s.read.ExecContext(t.Context(), text)
			require.NoError(t, err)
		}
	}
	exec("ALTER SYSTEM SET default_transaction_read_only = on")
	until(t, s, "read-only", failing(CauseReadOnly))
	require.ErrorIs(t, s.Commit(t.Context(), note(1, 1)), ride.ErrUnavailable)
	exec("ALTER SYSTEM RESET default_transaction_read_only")
	until(t, s, "takes writes", well)

	require.NoError(t, pg.Crash())
	until(t, s, "gone", failing(CauseUnreachable))
	require.NoError(t, pg.Resume())
	until(t, s, "back", well)
}

// TestHealthIsQuiet: an idle store writes one small row a second at most, its file does not
// grow by that, and it does not count.
func TestHealthIsQuiet(t *testing.T) {
	t.Parallel()
	s := openAt(t, TempSQLite(t))
	first := until(t, s, "first", well)
	until(t, s, "second", func(h Health) bool { return h.Wrote.After(first.Wrote) })
	require.Zero(t, s.Stats().Batches)
	var rows, pages int
	require.NoError(t, s.read.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM write_checks").Scan(&rows))
	require.NoError(t, s.read.QueryRowContext(t.Context(), "PRAGMA freelist_count").Scan(&pages))
	require.Equal(t, 1, rows)
	require.Zero(t, pages, "the room that is tried is not taken")
}

// scripted is an engine whose next outcomes a test says.
type scripted struct {
	slowEngine
	fail, odd, refuse atomic.Pointer[error]
	takes             atomic.Int64 // ns
	probes            atomic.Int64
	forgiving         atomic.Bool // writes of ours work all the same
}

func (e *scripted) apply(batch []*item) error {
	time.Sleep(time.Duration(e.takes.Load())) // of synctest's clock
	probe := batch[0].probe
	if probe {
		e.probes.Add(1)
	}
	if err := e.fail.Load(); err != nil && !(probe && e.forgiving.Load()) {
		failAll(batch, *err)
		return *err
	}
	for _, set := range []*atomic.Pointer[error]{&e.odd, &e.refuse} {
		if err := set.Load(); err != nil && !probe {
			failAll(batch, *err)
		}
	}
	return nil
}

func (e *scripted) cause(error) Cause { return CauseDiskFull }

// judged runs f beside the judge of a store with a scripted engine, on synctest's clock.
func judged(t *testing.T, f func(t *testing.T, e *scripted, s *Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := &scripted{}
		s := &Store{eng: e, log: slog.New(slog.DiscardHandler)}
		s.comm = newCommitter(e, Edited(DefaultSQLite("unopened"), func(o *Options) { o.Log = s.log }).complete())
		ctx, stop := context.WithCancel(t.Context())
		s.startHealth(ctx, func(context.Context) error { return nil })
		f(t, e, s)
		stop()
		s.helpers.Wait()
		s.comm.close()
	})
}

// send commits a command and lets the judge judge.
func send(t *testing.T, s *Store) error {
	t.Helper()
	it := bare()
	it.command = &ride.CommandRecord{}
	err := s.comm.submit(t.Context(), it)
	time.Sleep(healthTick)
	return err
}

func set(p *atomic.Pointer[error], err error) { p.Store(&err) }

// TestHealthRules: what turns readiness and what does not.
func TestHealthRules(t *testing.T) {
	broken := fmt.Errorf("%w: disk", ride.ErrUnavailable)
	t.Run("one failure is none", func(t *testing.T) {
		judged(t, func(t *testing.T, e *scripted, s *Store) {
			require.NoError(t, send(t, s))
			for range 5 {
				set(&e.fail, broken)
				require.Error(t, send(t, s))
				e.fail.Store(nil)
				require.False(t, s.Health().Failing)
				require.NoError(t, send(t, s))
			}
		})
	})
	t.Run("refusals are none", func(t *testing.T) {
		judged(t, func(t *testing.T, e *scripted, s *Store) {
			for _, err := range []error{ride.ErrStale, ride.ErrRiderBusy, ride.ErrCommandSeen, ride.ErrInvalidArgument, ride.ErrNotFound} {
				set(&e.refuse, err)
				for range 20 {
					require.ErrorIs(t, send(t, s), err)
					require.Equal(t, CauseNone, s.Health().Cause)
				}
			}
		})
	})
	t.Run("each item for itself", func(t *testing.T) {
		judged(t, func(t *testing.T, e *scripted, s *Store) {
			set(&e.odd, errors.New("prepared statement exists"))
			for range 6 {
				require.Error(t, send(t, s))
			}
			require.True(t, s.Health().Failing)
		})
	})
	t.Run("within 5 s, idle or not", func(t *testing.T) {
		judged(t, func(t *testing.T, e *scripted, s *Store) {
			time.Sleep(3 * time.Second)
			require.Positive(t, e.probes.Load())
			set(&e.fail, broken)
			time.Sleep(5 * time.Second)
			require.Equal(t, CauseDiskFull, s.Health().Cause)
			e.fail.Store(nil)
			time.Sleep(2 * time.Second)
			require.Equal(t, CauseNone, s.Health().Cause)
			e.takes.Store(int64(time.Hour)) // it hangs
			time.Sleep(5 * time.Second)
			require.True(t, s.Health().Failing)
			require.Equal(t, CauseSlow, s.Health().Cause, "reads are answered")
			time.Sleep(time.Hour)
		})
	})
	t.Run("no write of ours while people write", func(t *testing.T) {
		judged(t, func(t *testing.T, e *scripted, s *Store) {
			for range 50 {
				require.NoError(t, send(t, s))
			}
			require.Zero(t, e.probes.Load())
		})
	})
	t.Run("ours fits and theirs does not", func(t *testing.T) {
		judged(t, func(t *testing.T, e *scripted, s *Store) {
			e.forgiving.Store(true)
			set(&e.fail, broken)
			turns := 0
			was := false
			for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); {
				if !s.Health().Failing {
					require.Error(t, send(t, s)) // clients come where it says ready
				} else {
					time.Sleep(healthTick)
				}
				if is := s.Health().Failing; is != was {
					was = is
					turns++
				}
			}
			require.Less(t, turns, 40, "each relapse is waited out for longer, up to a minute")
			e.fail.Store(nil)
			time.Sleep(calmMost + 5*time.Second)
			require.False(t, s.Health().Failing)
		})
	})
	t.Run("slow is no failure", func(t *testing.T) {
		judged(t, func(t *testing.T, e *scripted, s *Store) {
			e.takes.Store(int64(2 * time.Second))
			for range 4 {
				require.NoError(t, send(t, s))
			}
			require.Equal(t, Health{Cause: CauseSlow, Since: s.Health().Since, Wrote: s.Health().Wrote}, s.Health())
			e.takes.Store(0)
			for range 4 {
				require.NoError(t, send(t, s))
			}
			require.Equal(t, CauseNone, s.Health().Cause)
		})
	})
}
