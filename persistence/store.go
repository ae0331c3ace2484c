package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Store is the database. All methods are safe for concurrent use; the owner of the
// Store calls Close once, after its users have stopped.
type Store struct {
	eng   engine
	write *sql.DB // accounts and breadcrumbs; trips go through comm
	read  *sql.DB
	check *sql.DB // the checkpointer's; nil on Postgres
	comm  *committer
	wal   *checkpointer // nil on Postgres
	now   func() time.Time
	log   *slog.Logger

	commandAge, breadcrumbAge, tripAge, eventAge, auditAge time.Duration
	outcomes                                               *outcomes
	prunedTo                                               eventCursor  // of the janitor
	purges                                                 atomic.Int64 // that the janitor began
	failed                                                 atomic.Int64 // log-ins recorded as failed

	owner owner // nil: this store is not the server's

	listenURL string // where a session may listen; empty on SQLite
	clock     clockWatch

	closed    atomic.Bool // whatever fails afterwards fails for that
	closeOnce sync.Once
	closeErr  error
	closers   []func() error // in the order in which Close calls them
	stop      context.CancelFunc
	helpers   sync.WaitGroup // the janitor, the checkpointer and what looks at health and clocks
}

// Open opens the store, brings its schema up to date unless that is newer than this program, and starts its committer,
// its janitor and, on SQLite, its checkpointer. The context bounds the opening alone.
// With Options.Own it returns ErrOwned while another such store is open. ErrTooOld if the schema
// is newer, and this program cannot run on it.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.complete()
	if o.DatabaseURL != "" && o.Wait > 0 {
		if err := waitForPostgres(ctx, o); err != nil {
			return nil, err
		}
	}
	o, err := postgresRoute(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.DatabaseURL == "" { // the owner's lock would leave a file
		if err := admit(ctx, o); err != nil {
			return nil, err
		}
	}
	if !o.Own {
		return openStore(ctx, o)
	}
	lock, err := takeOwner(ctx, o)
	if err != nil {
		return nil, o.explained(err)
	}
	s, err := openStore(ctx, o)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	s.owner = lock
	s.closers = append(s.closers, lock.release)
	return s, nil
}

func openStore(ctx context.Context, o Options) (*Store, error) {
	if o.DatabaseURL != "" {
		if err := admit(ctx, o); err != nil {
			return nil, err
		}
	}
	steps, err := Migrate(ctx, o, Up)
	if err != nil {
		return nil, err
	}
	if at, known := steps[len(steps)-1].Version, newestIn(o.migrationsOf()); at > known {
		o.Log.Warn("the schema is newer than this program, which still runs on it", "schema", at, "program", known)
	}
	s := &Store{now: o.Now, log: o.Log, clock: clockWatch{log: o.Log}, commandAge: o.CommandAge, breadcrumbAge: o.BreadcrumbAge,
		outcomes: newOutcomes(o.CommandsPerAccount), tripAge: o.TripAge, eventAge: o.EventAge, auditAge: o.AuditAge}
	if o.DatabaseURL != "" {
		err = s.openPostgres(ctx, o)
	} else {
		err = s.openSQLite(ctx, o)
	}
	if err != nil {
		return nil, o.explained(err)
	}
	s.comm = newCommitter(s.eng, o)
	var life context.Context
	life, s.stop = context.WithCancel(context.Background()) // Close calls it
	s.startJanitor(life, o.PurgeEvery, o.DatabaseURL != "")
	s.startTrimmer(life)
	if o.DatabaseURL == "" {
		s.comm.health.path = o.Path
		s.comm.health.file, _ = os.Stat(o.Path) // without it, a move goes unnoticed
	}
	if !o.NoHealth {
		s.startHealth(life, s.Ping)
		s.startClock(life)
	}
	if s.check != nil {
		s.wal = &checkpointer{db: s.check, write: s.write, path: o.Path, written: s.comm.batches.Load, log: o.Log}
		s.helpers.Go(func() { s.wal.run(life) })
	}
	return s, nil
}

func (s *Store) openSQLite(ctx context.Context, o Options) error {
	var err error
	if s.write, s.read, s.check, err = openSQLite(ctx, o); err != nil {
		return err
	}
	// The readers go first, so that the writer's close can fold the log into the file.
	s.closers = []func() error{s.check.Close, s.read.Close, s.write.Close}
	if s.eng, err = newSQLiteEngine(ctx, s.write, o); err != nil {
		return errors.Join(err, s.check.Close(), s.read.Close(), s.write.Close())
	}
	return nil
}

// Close refuses new transitions, writes those that are queued, stops its helpers and
// closes the database. It is safe to call again.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.stop()
		s.helpers.Wait()
		s.comm.close()
		s.closed.Store(true)
		var errs []error
		for _, c := range s.closers {
			errs = append(errs, c())
		}
		if err := errors.Join(errs...); err != nil {
			s.closeErr = fmt.Errorf("close store: %w", err)
		}
	})
	return s.closeErr
}

// Ping reports whether the database answers; ride.ErrUnavailable if it does not.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.failure("ping", s.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one))
}

// Owned reports whether this store still holds its owner's lock: nil when it does, or was
// opened without.
func (s *Store) Owned() error {
	if s.owner == nil {
		return nil
	}
	return s.owner.lost()
}

// Stats is what the committer has done since Open, and how the embedded database's log is.
type Stats struct {
	Queued   int   // items that wait now
	Capacity int   // of the queue
	Batches  int64 // transactions, failed ones as well
	Items    int64 // transitions and activations in them
	Failures int64 // transactions of which nothing was written
	Purges   int64 // turns of this store's janitor

	LogBytes     int64     // of the write-ahead log's file; 0 on Postgres
	BlockedSince time.Time // when another reader came in the way of the log; zero: none is
}

// Stats returns the committer's counters.
func (s *Store) Stats() Stats {
	c := s.comm
	out := Stats{Queued: c.queue.len(), Capacity: 2 * c.queue.most,
		Batches: c.batches.Load(), Items: c.items.Load(), Failures: c.failures.Load(), Purges: s.purges.Load()}
	if s.wal != nil {
		out.LogBytes, out.BlockedSince = s.wal.bytes(), s.wal.blockedSince()
	}
	return out
}

// Commit writes one transition durably, all of it or nothing: it returns when the
// transaction that holds it is on disk. It returns ride.ErrStale, ride.ErrRiderBusy,
// ride.ErrDriverBusy, ride.ErrCommandSeen or ride.ErrStoreFull when nothing was
// written and cannot be; ride.ErrUnavailable when nothing was written and it may be
// tried again; and ride.ErrUnknownOutcome when only a read can tell.
func (s *Store) Commit(ctx context.Context, t ride.Transition) error {
	it, err := newItem(t)
	if err != nil {
		return err
	}
	err = s.comm.submit(ctx, it)
	if err == nil && t.Command != nil {
		s.outcomes.note(t.Command.Account)
	}
	return s.failure("commit", err)
}

// CommitAll is Commit for existing trips that are written together, all of them or none. Drivers may move
// among them. A refusal that one trip is to blame for is a *ride.TripError.
func (s *Store) CommitAll(ctx context.Context, ts []ride.Transition) error {
	it, err := newGroup(ts)
	if err != nil {
		return err
	}
	err = s.comm.submit(ctx, it)
	if err == nil && it.command != nil {
		s.outcomes.note(it.command.Account)
	}
	return s.failure("commit", err)
}

// Activate raises the trip's fence, durably, and returns the newest state with it.
// ride.ErrNotFound if there is no such trip.
func (s *Store) Activate(ctx context.Context, id ride.TripID) (ride.Trip, error) {
	if id == "" || !validText(string(id)) {
		return ride.Trip{}, fmt.Errorf("activate trip: %w", ride.ErrNotFound)
	}
	it := &item{activate: id, size: len(id) + 100, keys: []string{"t/" + string(id)}, done: make(chan struct{})}
	err := s.comm.submit(ctx, it)
	if errors.Is(err, ride.ErrUnknownOutcome) {
		// A fence that rose in vain does no harm, so the caller may just try again.
		err = fmt.Errorf("%w: %s", ride.ErrUnavailable, err.Error())
	}
	if err != nil {
		return ride.Trip{}, s.failure("activate trip", err)
	}
	return tripOf(it.state, it.newFence)
}

// tx runs f in one transaction on the writer.
func (s *Store) tx(ctx context.Context, op string, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return s.failure(op, err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the first error is the one that counts
		return s.failure(op, err)
	}
	return s.failure(op, tx.Commit())
}
