package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hexhail/hexhail/ride"
)

// sqliteEngine writes through the one connection that SQLite's single writer needs;
// the accounts' statements queue for the same connection.
type sqliteEngine struct {
	write    *sql.DB
	path     string
	prepared map[string]*sql.Stmt // on write's one connection; used by apply alone
	readBack time.Duration
}

// openSQLite makes or opens the file and returns a writer of one connection, a pool of
// readers and the checkpointer's connection.
func openSQLite(ctx context.Context, o Options) (write, read, check *sql.DB, err error) {
	if err := makeFile(o.Path); err != nil {
		return nil, nil, nil, err
	}
	pools := make([]*sql.DB, 0, 3)
	patient, brief := o, o
	brief.StatementTimeout = checkpointPatience
	for _, p := range []struct {
		o        Options
		conns    int
		readOnly bool
	}{{patient, 1, false}, {patient, o.PoolSize, true}, {brief, 1, false}} {
		db, err := sql.Open("sqlite", sqliteDSN(p.o, p.readOnly))
		if err == nil {
			pools = append(pools, db)
			db.SetMaxOpenConns(p.conns)
			db.SetMaxIdleConns(p.conns)
			err = db.PingContext(ctx)
		}
		if err != nil {
			errs := []error{fmt.Errorf("open %s: %w", o.Path, err)}
			for _, db := range pools {
				errs = append(errs, db.Close())
			}
			return nil, nil, nil, errors.Join(errs...)
		}
	}
	return pools[0], pools[1], pools[2], nil
}

// makeFile makes the file with narrow rights, which SQLite copies to the files that
// it puts beside it. Rights of a file that exists are its operator's business.
func makeFile(path string) error {
	if path == "" {
		return fmt.Errorf("open store: no path given")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	// A new name is durable once its directory is; where directories cannot be
	// synced, the file system sees to it.
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

func sqliteDSN(o Options, readOnly bool) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", o.StatementTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
		// Checkpoints are the checkpointer's; pages are kept in memory, no temporary files.
		"wal_autocheckpoint(0)", "journal_size_limit(67108864)", "cache_size(-32768)", "temp_store(MEMORY)",
	}}
	if readOnly {
		q["_txlock"] = []string{"deferred"}
		q["_pragma"] = append(q["_pragma"], "query_only(ON)")
	}
	return fileURI(o.Path, q)
}

// fileURI names a database file, so that a question mark in its path is part of the name.
func fileURI(path string, q url.Values) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

func newSQLiteEngine(ctx context.Context, write *sql.DB, o Options) (*sqliteEngine, error) {
	e := &sqliteEngine{write: write, path: o.Path, prepared: make(map[string]*sql.Stmt), readBack: o.ReadBack}
	for _, text := range itemStatements {
		st, err := write.PrepareContext(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("prepare: %w", err)
		}
		e.prepared[text] = st
	}
	return e, nil
}

func (e *sqliteEngine) setBased() bool { return false }

// apply writes item by item in one transaction, with everything known beforehand that
// a refusal may rest on, for this is the only writer. Should an item fail all the same
// after it wrote something, the batch is written again under savepoints, which are
// dear, so that the others are not harmed.
func (e *sqliteEngine) apply(batch []*item) error {
	final, err := e.attempt(batch, e.writePlain)
	if final || err == nil {
		return err
	}
	if !e.unavailable(err) {
		failAll(batch, nil)
		if final, err = e.attempt(batch, e.writeGuarded); final || err == nil {
			return err
		}
	}
	err = wrap(e, "commit", err)
	failAll(batch, err)
	return err
}

// attempt runs one transaction. When final, the outcomes are set even if err is not nil;
// else nothing was written. It takes no context: with one, each statement would
// cost a goroutine, and what it waits for is a local disk.
func (e *sqliteEngine) attempt(batch []*item, write func(context.Context, sqliteTx, *item) error) (final bool, err error) {
	ctx := context.Background()
	tx, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	x := sqliteTx{tx: tx, prepared: e.prepared}
	for _, it := range batch {
		if err := write(ctx, x, it); err != nil {
			return false, errors.Join(err, rollback(tx))
		}
	}
	if err := tx.Commit(); err != nil {
		// SQLite may have kept the transaction open, which database/sql takes for
		// done: end it, or the connection stays in it.
		_, _ = e.write.ExecContext(ctx, "ROLLBACK")
		return true, e.resolve(batch, err)
	}
	return false, nil
}

// writePlain writes one item or sets its refusal. An error means that the batch is lost.
func (e *sqliteEngine) writePlain(ctx context.Context, x sqliteTx, it *item) error {
	if it.parts != nil {
		return e.writeGuarded(ctx, x, it) // a part may be refused after others were written
	}
	if it.probe {
		if err := checkRoom(ctx, x); err != nil {
			return err
		}
	}
	if err := decideItem(ctx, x, it); err != nil {
		if it.err = refusalOfItem(e, it, err); it.err == nil {
			return err
		}
		return nil
	}
	return recordItem(ctx, x, it)
}

// checkRoom finds out whether the file could grow by what a request takes, and leaves it as
// it was.
func checkRoom(ctx context.Context, x sqliteTx) error {
	for _, text := range []string{
		"SAVEPOINT room", "INSERT INTO write_checks (node, at, room) VALUES ('room', 0, printf('%.32768c', 'x'))",
		"ROLLBACK TO room", "RELEASE room",
	} {
		if _, err := x.exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// writeGuarded is writePlain for items that may fail after they wrote something.
func (e *sqliteEngine) writeGuarded(ctx context.Context, x sqliteTx, it *item) error {
	if _, err := x.exec(ctx, "SAVEPOINT item"); err != nil {
		return err
	}
	if err := writeItem(ctx, x, it); err != nil {
		if it.err = refusalOfItem(e, it, err); it.err == nil {
			if e.unavailable(err) {
				return err
			}
			it.err = wrap(e, "commit", err) // its own fault
		}
		if _, err := x.exec(ctx, "ROLLBACK TO item"); err != nil {
			return err
		}
	}
	_, err := x.exec(ctx, "RELEASE item")
	return err
}

// resolve finds out what became of a batch whose COMMIT failed.
func (e *sqliteEngine) resolve(batch []*item, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), e.readBack)
	defer cancel()
	tx, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		err := fmt.Errorf("commit: %w: %w", ride.ErrUnknownOutcome, errors.Join(cause, err))
		failAll(batch, err)
		return err
	}
	defer func() { _ = tx.Rollback() }()
	failed := wrap(e, "commit", cause)
	readBackItems(ctx, sqliteTx{tx: tx}, batch, failed)
	return failed
}

// rollback ends a transaction; SQLite may have done so itself, as on a full disk.
func rollback(tx *sql.Tx) error {
	err := tx.Rollback()
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		return nil
	}
	return err
}

// sqliteTx is an executor.
type sqliteTx struct {
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
}

func (x sqliteTx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	var res sql.Result
	var err error
	if st, ok := x.prepared[text]; ok {
		res, err = x.tx.StmtContext(ctx, st).ExecContext(ctx, args...)
	} else {
		res, err = x.tx.ExecContext(ctx, text, args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (x sqliteTx) query(ctx context.Context, text string, args []any, dest ...any) error {
	if st, ok := x.prepared[text]; ok {
		return x.tx.StmtContext(ctx, st).QueryRowContext(ctx, args...).Scan(dest...)
	}
	return x.tx.QueryRowContext(ctx, text, args...).Scan(dest...)
}

// violated reads the columns out of SQLite's message: it names those, not the index.
func (e *sqliteEngine) violated(err error) string {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return ""
	}
	switch se.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
	default:
		return ""
	}
	for columns, constraint := range sqliteConstraints {
		if strings.Contains(se.Error(), "failed: "+columns) {
			return constraint
		}
	}
	return "unknown"
}

var sqliteConstraints = map[string]string{
	"trips.rider_id":        uniqueLiveRider,
	"trips.driver_id":       uniqueActiveDriver,
	"trips.id":              uniqueTripID,
	"trip_events.trip_id":   uniqueTripVersion,
	"commands.account_id":   uniqueCommand,
	"accounts.username_key": uniqueUsername,
	"accounts.issuer":       uniqueSubject,
	"audit.id":              uniqueAuditID,
}

func (e *sqliteEngine) unavailable(err error) bool {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return false
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}
