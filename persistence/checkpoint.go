package persistence

import (
	"context"
	"database/sql"
	"log/slog"
	"time"
)

// The write-ahead log is moved into the database file by a connection of its own, beside
// the writer: SQLite's own way is to do it within a commit, and everybody waits while the
// disk takes some thousand pages in random order. What the writer adds meanwhile stays in
// the log, so that the log would never begin anew under constant load; once it is long the
// little that is left is moved with the writer held up.
const (
	checkpointEvery = 500 * time.Millisecond
	// walPages is the length at which the log must begin anew: 32 MiB of 4 KiB pages.
	walPages = 8192
)

// checkpointer is owned by its Store, which starts and stops its goroutine.
type checkpointer struct {
	db      *sql.DB      // of one connection
	written func() int64 // rises with each transaction; the rest of what is written can wait
	log     *slog.Logger
	done    int64
}

// run moves pages until the context ends.
func (c *checkpointer) run(ctx context.Context) {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := c.written()
		if now == c.done {
			continue
		}
		if err := c.move(ctx); err != nil {
			if ctx.Err() == nil {
				c.log.Warn("the write-ahead log cannot be moved into the database", "error", err)
			}
			continue
		}
		c.done = now
	}
}

func (c *checkpointer) move(ctx context.Context) error {
	left, err := c.checkpoint(ctx, "PASSIVE")
	if err == nil && left > walPages {
		_, err = c.checkpoint(ctx, "RESTART")
	}
	return err
}

// checkpoint returns the log's length in pages. One that is busy has moved what it could.
func (c *checkpointer) checkpoint(ctx context.Context, mode string) (pages int, err error) {
	var busy, moved int
	err = c.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &moved)
	return pages, err
}
