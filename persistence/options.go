package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"
)

// Options says where the store is and how it behaves. Begin with [DefaultSQLite] or
// [DefaultPostgres]: a zero is a zero.
type Options struct {
	// Path is the SQLite file; it and its directory are made when missing, readable
	// by their owner only. Used when DatabaseURL is empty.
	Path string
	// DatabaseURL is a Postgres URL or keyword string, as libpq knows them.
	DatabaseURL string
	// DatabaseDirectURL leads to the same database past the pooler that DatabaseURL leads to,
	// for work that needs a dedicated session. Empty: DatabaseURL leads to Postgres itself.
	DatabaseDirectURL string

	routed, pooled bool  // see postgresRoute
	migrations     fs.FS // of a test; nil: those of this program

	// Own makes the store the only one of its kind on the database: a server's. Stores
	// without it, of commands beside a server, may be open meanwhile.
	Own bool
	// Member shares Own's lock with the other servers of a cluster. A member and a server
	// without Member refuse each other. It needs Own, and Postgres.
	Member bool
	// OwnerPatience is how long Open waits for an owner that is just ending; 0: not at all.
	// Postgres on a busy machine notices only after a moment that a process was killed.
	OwnerPatience time.Duration
	// Disowned is called at most once for each time that an owner finds another one in its
	// place: on Postgres, after the loss of the lock's session. Trips stay whole, because
	// each transition is compared with the database, but this server must end. It must not
	// block. Nil: none.
	Disowned func(error)
	// Admit may refuse to open what was found, before anything is made or changed. Nil: opens
	// everything.
	Admit func(Found) error
	// PoolSize bounds the connections, at least 2: all of them on Postgres, the readers on
	// SQLite.
	PoolSize int

	// Wait is how long Open waits for a Postgres that takes no connections yet; zero: not at
	// all. Waits is called once when it begins to; it must not block. Nil: no call.
	Wait  time.Duration
	Waits func(Cause)

	// QueueSize bounds the transitions that wait for the committer, separately for those with
	// a client's command and those without. Beyond it, or beyond three quarters of it in one
	// area, Commit returns ride.ErrStoreFull for the former; the latter wait for room.
	QueueSize int
	// BatchItems and BatchBytes bound one transaction. A single larger transition still goes
	// through, alone.
	BatchItems int
	BatchBytes int
	// StatementTimeout bounds one statement on Postgres, and one wait for the file
	// lock on SQLite, in whole milliseconds.
	StatementTimeout time.Duration
	// ReadBack bounds how long the committer tries to learn what became of a commit
	// whose answer was lost.
	ReadBack time.Duration

	// CommandAge is how long command outcomes are kept, at least 24 h.
	CommandAge time.Duration
	// CommandsPerAccount bounds the outcomes that are kept of one account's commands, an
	// eighth more for a moment: the newest stay.
	CommandsPerAccount int
	// BreadcrumbAge is how long positions are kept; zero keeps them for ever.
	BreadcrumbAge time.Duration
	// TripAge and EventAge are how long ended trips, and their events and offers, are kept,
	// counted from the request; AuditAge how long audit entries are. Zero keeps them for ever.
	TripAge, EventAge, AuditAge time.Duration
	// PurgeEvery is the time between two runs of the janitor; of all stores on one Postgres, one
	// runs. 0: it does not run.
	PurgeEvery time.Duration

	// NoHealth leaves out what Store.Health and Store.Clock live on: a tiny write and a read a
	// second while nothing else is written, and a read every ten. For commands that are over soon.
	NoHealth bool

	// Observe is called for every batch: how many transitions, how long the transaction
	// took, and what kept the whole batch from being written, if anything did. It
	// is called from the committer's goroutine and must not block. Nil: not called.
	Observe func(size int, took time.Duration, err error)
	// Now is the clock; nil: time.Now. It may be called from any goroutine.
	Now func() time.Time
	// Log gets what the store does on its own; nil: slog.Default.
	Log *slog.Logger
}

// commandAge is P3's promise; operators may only keep outcomes for longer.
const commandAge = 24 * time.Hour

// DefaultSQLite is a complete Options for an embedded database in the file at path. Its
// transactions hold fewer transitions: each takes its time, and the disk is near.
func DefaultSQLite(path string) Options {
	o := defaults()
	o.Path, o.PoolSize, o.BatchItems, o.OwnerPatience = path, 4, 128, 2*time.Second
	return o
}

// DefaultPostgres is a complete Options for the database that url leads to.
func DefaultPostgres(url string) Options {
	o := defaults()
	o.DatabaseURL, o.PoolSize, o.BatchItems, o.OwnerPatience = url, 16, 512, 5*time.Second
	return o
}

// defaults are the values that both databases share.
func defaults() Options {
	return Options{
		QueueSize: 4096, BatchBytes: 4 << 20, StatementTimeout: 5 * time.Second, ReadBack: 3 * time.Second,
		CommandAge: commandAge, CommandsPerAccount: 2000, BreadcrumbAge: 90 * 24 * time.Hour, PurgeEvery: 10 * time.Minute,
	}
}

// ErrOptions means that an Options is invalid.
var ErrOptions = errors.New("store options")

// Validate returns an error that wraps ErrOptions if o is invalid. Open, Claim and Migrate call
// it.
func (o Options) Validate() error {
	switch {
	case o.Path == "" && o.DatabaseURL == "":
		return fmt.Errorf("%w: neither a file nor a database URL", ErrOptions)
	case o.PoolSize < 2:
		return fmt.Errorf("%w: the pool needs at least 2 connections, not %d", ErrOptions, o.PoolSize)
	case o.Member && (o.DatabaseURL == "" || !o.Own):
		return fmt.Errorf("%w: only servers on Postgres can share a database", ErrOptions)
	case min(o.QueueSize, o.BatchItems, o.BatchBytes) < 1:
		return fmt.Errorf("%w: the queue and its batches need room", ErrOptions)
	case o.StatementTimeout < time.Millisecond || o.ReadBack <= 0: // Postgres takes 0 ms as no bound
		return fmt.Errorf("%w: statements and reading back need time", ErrOptions)
	case o.CommandAge < commandAge || o.CommandsPerAccount < 1:
		return fmt.Errorf("%w: command outcomes must be kept for at least %v, and at least one for each account", ErrOptions, commandAge)
	case min(o.OwnerPatience, o.Wait, o.BreadcrumbAge, o.TripAge, o.EventAge, o.AuditAge, o.PurgeEvery) < 0:
		return fmt.Errorf("%w: a duration is negative", ErrOptions)
	}
	return nil
}

// connectWithin bounds one attempt to connect to Postgres, unless the URL says so. A command whose
// statements may take long must not wait as long for a host that does not answer.
func (o Options) connectWithin() time.Duration {
	return min(o.StatementTimeout, defaults().StatementTimeout)
}

// complete fills in the usual clock and log.
func (o Options) complete() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}
