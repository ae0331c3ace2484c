package persistence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// ownerCheckEvery is the time between two looks at the lock's session.
	ownerCheckEvery = time.Second
	// ownerCheckWithin bounds one look, and one attempt to take the lock again.
	ownerCheckWithin = 10 * time.Second
)

// sqlOwnerKey is the lock's key: two schemas of one database are two cities.
const sqlOwnerKey = `hashtextextended('hexhail owner ' || current_schema(), 0)`

// backend names a session of the server for good: pids come again, with another start.
type backend struct {
	pid   int32
	start time.Time
}

// postgresOwner holds an advisory lock on a dedicated session and looks after it: when
// the session is lost it takes the lock in another one, unless another server was
// faster. Members of a cluster hold the lock in shared mode. Its goroutine ends with release.
type postgresOwner struct {
	o        Options
	log      *slog.Logger
	disowned func(error)
	stop     context.CancelFunc
	done     chan struct{}

	mine backend   // the session that held the lock last
	conn *pgx.Conn // of the goroutine once that runs; nil: lost

	mu  sync.Mutex
	err error
}

func ownPostgres(ctx context.Context, o Options) (owner, error) {
	w := &postgresOwner{o: o, log: o.Log, disowned: o.Disowned, done: make(chan struct{})}
	for deadline := time.Now().Add(o.OwnerPatience); ; {
		err := w.take(ctx)
		if err == nil {
			break
		}
		late := time.Now().After(deadline)
		if errors.Is(err, errReleased) { // it is free: the next try gets it, however impatient
			late = time.Now().After(deadline.Add(releasedPatience))
		}
		if !errors.Is(err, ErrOwned) && !errors.Is(err, errReleased) || late {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(ownerTry):
		}
	}
	if o.Member {
		if err := w.countConnections(ctx); err != nil {
			return nil, errors.Join(err, w.conn.Close(context.WithoutCancel(ctx)))
		}
	}
	var life context.Context
	life, w.stop = context.WithCancel(context.Background()) // release calls it
	go w.run(life)
	return w, nil
}

// take connects and takes the lock.
func (w *postgresOwner) take(ctx context.Context) error {
	conf, err := pgx.ParseConfig(w.o.sessionURL())
	if err != nil {
		return fmt.Errorf("read database URL: %w", err)
	}
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = ownerCheckWithin
	}
	conf.RuntimeParams["application_name"] = fmt.Sprintf("hexhail, pid %d on %.40s", os.Getpid(), hostname())
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	if err := w.lock(ctx, conn); err != nil {
		return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	w.conn = conn
	return nil
}

// lock takes the lock in a new session, or returns ErrOwned with the name of the owner.
func (w *postgresOwner) lock(ctx context.Context, conn *pgx.Conn) error {
	// A machine that vanishes must not hold the lock until TCP's own two hours are over.
	const lively = `SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 4`
	if _, err := conn.Exec(ctx, lively); err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	query := `SELECT pg_try_advisory_lock(` + sqlOwnerKey + `), pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()`
	if w.o.Member {
		query = strings.Replace(query, "advisory_lock(", "advisory_lock_shared(", 1)
	}
	var ours bool
	var b backend
	if err := conn.QueryRow(ctx, query).Scan(&ours, &b.pid, &b.start); err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	if ours {
		w.mine = b
		return nil
	}
	by, err := holderOf(ctx, conn, w.o.Member)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errReleased
	case err != nil:
		return fmt.Errorf("lock the database: %w", err)
	case by.pid == w.mine.pid && by.start.Equal(w.mine.start):
		// Our own former session, which the server has not missed yet: after a partition
		// of the network, or while Postgres stood still. (A member's is not in the way.)
		_, err := conn.Exec(ctx, `SELECT pg_terminate_backend($1)`, by.pid)
		return errors.Join(errStaleSession, err)
	}
	return by.refusal(w.o.Member)
}

// releasedPatience is how long a released lock may take to be free.
const releasedPatience = 5 * time.Second

// The lock is free in a moment: it is just being released, or held by a session that this
// process has lost.
var (
	errReleased     = errors.New("lock the database: its owner is just leaving")
	errStaleSession = errors.New("lock the database: this server's former session still holds the lock")
)

// holder is a session that holds the lock.
type holder struct {
	backend
	name    string
	member  bool // of a cluster: it shares the lock
	sharers int  // with it; 1 when it is the only one
}

// refusal names the holder to a server that cannot run beside it.
func (h holder) refusal(member bool) error {
	switch {
	case h.member && h.sharers > 1:
		return fmt.Errorf("%w as a member of a cluster (%s, and %d more): stop all of them first, or give this one another database", ErrOwned, h.name, h.sharers-1)
	case h.member:
		return fmt.Errorf("%w as a member of a cluster (%s): stop it first, or give this one another database", ErrOwned, h.name)
	case member:
		return fmt.Errorf("%w, but not as a member of a cluster (%s): stop it first, or give this one another database", ErrOwned, h.name)
	}
	return fmt.Errorf("%w (%s): stop it first, or give this one another database", ErrOwned, h.name)
}

// sqlOwnerLocks are the sessions that hold the lock, in any mode.
const sqlOwnerLocks = `pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND (l.classid::bigint << 32) | l.objid::bigint = ` + sqlOwnerKey

// holderOf names a session that keeps the lock from this server: any for a server alone, one
// that does not share it for a member. pgx.ErrNoRows when none does.
func holderOf(ctx context.Context, conn *pgx.Conn, member bool) (h holder, err error) {
	// Of other roles' sessions only the pid may be visible.
	const query = `SELECT l.pid, COALESCE(a.backend_start, 'epoch'), COALESCE(NULLIF(a.application_name, ''), 'session ' || l.pid)
			|| COALESCE(' from ' || host(a.client_addr), ''), l.mode = 'ShareLock', count(*) OVER ()
		FROM (SELECT * FROM ` + sqlOwnerLocks + `) l LEFT JOIN pg_stat_activity a USING (pid)
		WHERE l.mode <> 'ShareLock' OR NOT $1 ORDER BY l.pid`
	err = conn.QueryRow(ctx, query, member).Scan(&h.pid, &h.start, &h.name, &h.member, &h.sharers)
	return h, err
}

// countConnections warns when the servers that share the database, and one more that starts
// while another is being replaced, may open more connections than Postgres takes. Behind a
// pooler their number is the pooler's affair.
func (w *postgresOwner) countConnections(ctx context.Context) error {
	if w.o.pooled {
		return nil
	}
	const query = `SELECT count(*), current_setting('max_connections')::int FROM ` + sqlOwnerLocks
	var servers, most int
	if err := w.conn.QueryRow(ctx, query).Scan(&servers, &most); err != nil {
		return fmt.Errorf("count the servers of the database: %w", err)
	}
	if need := (servers + 1) * w.o.PoolSize; need > most {
		w.log.Warn("Postgres may run out of connections: raise its max_connections, or lower database-conns",
			"servers", servers, "database_conns", w.o.PoolSize, "needed_for_one_more", need, "max_connections", most)
	}
	return nil
}

// run looks after the lock until the context ends, then gives it back.
func (w *postgresOwner) run(ctx context.Context) {
	defer close(w.done)
	tick := time.NewTicker(ownerCheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if w.conn != nil {
				w.unlock(context.WithoutCancel(ctx))
			}
			return
		case <-tick.C:
			w.look(ctx)
		}
	}
}

// unlock gives the lock back and ends its session. The server notices the end of a session a
// moment later, more on a busy machine, and until then would keep the next owner out: so the
// lock is given back in words first. It ends with the session either way.
func (w *postgresOwner) unlock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, ownerCheckWithin)
	defer cancel()
	_, _ = w.conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
	_ = w.conn.Close(ctx)
}

// look asks the session for a sign of life, or takes the lock in another one.
func (w *postgresOwner) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, ownerCheckWithin)
	defer cancel()
	if w.conn != nil {
		err := w.conn.Ping(ctx)
		if err == nil || errors.Is(ctx.Err(), context.Canceled) {
			return
		}
		_ = w.conn.Close(ctx) // it is broken
		w.conn = nil
		w.note(fmt.Errorf("the session that held the database's lock was lost: %w", err))
		return // the next look has time of its own
	}
	err := w.take(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	w.note(err)
}

// note keeps why the lock is not held, and says when that changes.
func (w *postgresOwner) note(err error) {
	w.mu.Lock()
	before := w.err
	w.err = err
	w.mu.Unlock()
	switch {
	case err == nil && before != nil:
		w.log.Info("the database's lock is held again")
	case errors.Is(err, ErrOwned) && !errors.Is(before, ErrOwned):
		w.log.Error("another server took the database while this one had lost its lock", "error", err)
		if w.disowned != nil {
			w.disowned(err)
		}
	case err != nil && before == nil:
		w.log.Warn("the database's lock is lost; this server is not ready until it holds it again", "error", err)
	}
}

func (w *postgresOwner) lost() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *postgresOwner) release() error {
	w.stop()
	<-w.done
	return nil
}
