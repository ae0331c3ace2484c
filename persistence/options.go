package persistence

import (
	"log/slog"
	"time"
)

// Options says where the store is and how it behaves. The zero value of every field
// but Path and DatabaseURL means its default.
type Options struct {
	// Path is the SQLite file; it and its directory are made when missing, readable
	// by their owner only. Used when DatabaseURL is empty.
	Path string
	// DatabaseURL is a Postgres URL or keyword string, as libpq knows them.
	DatabaseURL string
	// DatabaseDirectURL leads to the same database past the pooler that DatabaseURL leads to,
	// for work that needs a dedicated session. Empty: DatabaseURL leads to Postgres itself.
	DatabaseDirectURL string

	routed, pooled bool // see postgresRoute

	// Own makes the store the only one of its kind on the database: a server's. Stores
	// without it, of commands beside a server, may be open meanwhile.
	Own bool
	// OwnerPatience is how long Open waits for an owner that is just ending. 2 s by default
	// on SQLite; 5 s on Postgres, which on a busy machine notices only after a moment that a
	// process was killed.
	OwnerPatience time.Duration
	// Disowned is called at most once for each time that an owner finds another one in its
	// place: on Postgres, after the loss of the lock's session. Trips stay whole, because
	// each transition is compared with the database, but this server must end. It must not
	// block. Nil: none.
	Disowned func(error)
	// Admit may refuse to open what was found, before anything is made or changed. Nil: opens
	// everything.
	Admit func(Found) error
	// PoolSize bounds the connections: all of them on Postgres (default 10, at least
	// 2), the readers on SQLite (default 4).
	PoolSize int

	// Wait is how long Open waits for a Postgres that takes no connections yet; zero: not at
	// all. Waits is called once when it begins to; it must not block. Nil: no call.
	Wait  time.Duration
	Waits func(Cause)

	// QueueSize bounds the transitions that wait for the committer, 4096 by default: so
	// many with a client's command, three quarters of them in one area, beyond which Commit
	// returns ride.ErrStoreFull, and so many without, which wait for room.
	QueueSize int
	// BatchItems and BatchBytes bound one transaction: 128 transitions on SQLite, where
	// each takes its time and the disk is near, 512 on Postgres, and 4 MiB by default. A
	// single larger transition still goes through, alone.
	BatchItems int
	BatchBytes int
	// StatementTimeout bounds one statement on Postgres, and one wait for the file
	// lock on SQLite. 5 s by default.
	StatementTimeout time.Duration
	// ReadBack bounds how long the committer tries to learn what became of a commit
	// whose answer was lost. 3 s by default.
	ReadBack time.Duration

	// CommandAge is how long command outcomes are kept, 24 h by default and at least.
	CommandAge time.Duration
	// CommandsPerAccount bounds the outcomes that are kept of one account's commands, an
	// eighth more for a moment: the newest stay. 2,000 by default.
	CommandsPerAccount int
	// BreadcrumbAge is how long positions are kept; zero keeps them for ever.
	BreadcrumbAge time.Duration
	// TripAge and EventAge are how long ended trips, and their events and offers, are kept,
	// counted from the request; AuditAge how long audit entries are. Zero keeps them for ever.
	TripAge, EventAge, AuditAge time.Duration
	// PurgeEvery is the time between two runs of the janitor: 1 h by default, none
	// when negative.
	PurgeEvery time.Duration

	// NoHealth leaves out what Store.Health lives on: a tiny write and a read a second
	// while nothing else is written. For commands that are over soon.
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

func (o Options) withDefaults() Options {
	if o.PoolSize <= 0 {
		o.PoolSize = bySystem(o, 4, 10)
	}
	o.PoolSize = max(o.PoolSize, 2)
	o.QueueSize = orDefault(o.QueueSize, 4096)
	o.BatchItems = orDefault(o.BatchItems, bySystem(o, 128, 512))
	o.BatchBytes = orDefault(o.BatchBytes, 4<<20)
	o.StatementTimeout = orDefault(o.StatementTimeout, 5*time.Second)
	o.ReadBack = orDefault(o.ReadBack, 3*time.Second)
	o.OwnerPatience = orDefault(o.OwnerPatience, time.Duration(bySystem(o, 2, 5))*time.Second)
	o.CommandAge = max(o.CommandAge, commandAge)
	o.CommandsPerAccount = orDefault(o.CommandsPerAccount, 2000)
	if o.PurgeEvery == 0 {
		o.PurgeEvery = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func bySystem(o Options, sqlite, postgres int) int {
	if o.DatabaseURL != "" {
		return postgres
	}
	return sqlite
}

func orDefault[N int | time.Duration](n, fallback N) N {
	if n <= 0 {
		return fallback
	}
	return n
}
