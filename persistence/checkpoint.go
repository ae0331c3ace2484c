package persistence

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"sync"
	"time"
)

// A dedicated connection, beside the writer, moves the write-ahead log into the database file:
// SQLite's default is to do it within a commit, and every caller waits while the disk takes some
// thousand pages in random order. What the writer adds meanwhile stays in the log, so that the log
// would never restart under constant load; once it is long, the writer is held up while the little
// that is left is moved.
//
// The log cannot restart while a reader uses it. Our own reads are over in milliseconds; another
// process may keep one open for hours. So the writer is held up for checkpointPatience at most, and
// then less and less often: a long log costs disk, a writer that waits costs rides.
const (
	checkpointEvery = 500 * time.Millisecond
	// idleTicks is how many ticks pass between two looks at a log to which the committer
	// adds nothing: accounts, photos and other processes write, too.
	idleTicks = 10
	// walPages is the length at which the log must restart: 32 MiB of 4 KiB pages.
	walPages = 8192
	// walKeepBytes is how long the file may stay for reuse once the log has restarted.
	walKeepBytes = 64 << 20
	// checkpointPatience bounds each wait for readers, with the writer held up.
	checkpointPatience = 40 * time.Millisecond
	// backOffMost is the longest time between two attempts while a reader is in the way.
	backOffMost = 10 * time.Second
	// blockedFor is how long a reader must be in the way before a warning reports it.
	blockedFor = 2 * time.Second
	// blockedAgain is the time between two warnings.
	blockedAgain = 5 * time.Minute
)

// checkpointer is owned by its Store, which starts and stops its goroutine.
type checkpointer struct {
	db      *sql.DB      // of one connection, which waits for checkpointPatience at most
	write   *sql.DB      // the writer's one connection, held while the log restarts
	path    string       // of the database
	written func() int64 // rises with each transaction of the committer
	log     *slog.Logger

	// Only the goroutine uses these.
	done   int64
	idle   int
	pause  time.Duration // between two attempts while blocked
	next   time.Time     // of the next attempt
	warned time.Time

	mu    sync.Mutex
	since time.Time // when the log could not restart for the first time; zero: it can
}

// run moves pages until the context ends.
func (c *checkpointer) run(ctx context.Context) {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if !c.due(now) {
				continue
			}
		}
		written := c.written()
		if err := c.move(ctx); err != nil {
			if ctx.Err() == nil {
				c.log.Warn("the write-ahead log cannot be moved into the database", "error", err)
			}
			continue
		}
		c.done, c.idle = written, 0
	}
}

// due reports whether there may be something to move.
func (c *checkpointer) due(now time.Time) bool {
	if !c.blockedSince().IsZero() {
		return !now.Before(c.next)
	}
	c.idle++
	return c.written() != c.done || c.idle >= idleTicks
}

// move brings what it can into the database and has a log that is long begin again.
func (c *checkpointer) move(ctx context.Context) error {
	pages, _, err := c.checkpoint(ctx, "PASSIVE")
	if err != nil {
		return err
	}
	if pages <= walPages {
		c.free(pages)
		return nil
	}
	began, err := c.restart(ctx)
	switch {
	case err != nil:
		return err
	case began:
		c.free(0)
	default:
		c.blocked(time.Now())
	}
	return nil
}

// restart has the log begin again, with the writer held up: the writer's connection is
// taken, so that SQLite's own lock is free at once unless another process writes. It
// reports whether it succeeded, with no reader or writer in the way.
func (c *checkpointer) restart(ctx context.Context) (bool, error) {
	held, err := c.write.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = held.Close() }() // it goes back to its pool
	mode := "RESTART"
	if c.bytes() > walKeepBytes || !c.blockedSince().IsZero() {
		mode = "TRUNCATE" // it may have grown while a reader was in the way: give the disk back
	}
	_, busy, err := c.checkpoint(ctx, mode)
	return !busy, err
}

// blocked notes that a reader is in the way, backs off and warns now and then.
func (c *checkpointer) blocked(now time.Time) {
	c.mu.Lock()
	if c.since.IsZero() {
		c.since, c.pause = now, 0
	}
	since := c.since
	c.mu.Unlock()
	c.pause = min(max(2*c.pause, checkpointEvery), backOffMost)
	c.next = now.Add(c.pause)
	if now.Sub(since) < blockedFor || now.Sub(c.warned) < blockedAgain {
		return
	}
	c.warned = now
	c.log.Warn("the database's log grows: another process keeps a read transaction open, so the log cannot begin again; "+
		"rides go on, and the disk fills until that process ends it",
		"wal_bytes", c.bytes(), "blocked_since", since.UTC().Format(time.RFC3339), "readers", readersOf(c.path))
}

// free notes that no reader is in the way.
func (c *checkpointer) free(pages int) {
	c.mu.Lock()
	since := c.since
	c.since = time.Time{}
	c.mu.Unlock()
	if !since.IsZero() && !c.warned.IsZero() {
		c.log.Info("the database's log began again", "blocked_seconds", int(time.Since(since).Seconds()), "pages", pages)
		c.warned = time.Time{}
	}
}

// blockedSince is when a reader came in the way; zero: none is. Safe for concurrent use.
func (c *checkpointer) blockedSince() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since
}

// bytes is the length of the log's file; 0 when there is none. Safe for concurrent use.
func (c *checkpointer) bytes() int64 {
	st, err := os.Stat(c.path + "-wal")
	if err != nil {
		return 0
	}
	return st.Size()
}

// checkpoint returns the log's length in pages, and whether another connection was in the
// way: then it has moved what it could.
func (c *checkpointer) checkpoint(ctx context.Context, mode string) (pages int, busy bool, err error) {
	var moved int
	err = c.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &moved)
	return pages, busy, err
}
