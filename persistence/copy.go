package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrNoDatabase says that there is nothing to copy.
	ErrNoDatabase = errors.New("there is no database")
	// ErrDamaged says that a file is no database, or one that is broken.
	ErrDamaged = errors.New("the database is damaged")
)

// copyPages is how many pages one step copies: 8 MiB, which then go to the disk. If all were
// written at the end, each commit of a server would wait for that.
const copyPages = 2048

// CopyFile copies the embedded database at path to a file that does not exist yet, as it
// stands at one instant, while others write. It returns once the copy is on the disk; when
// it fails, the caller removes what there is of it. Progress is called with bytes, now and
// then. ErrNoDatabase if there is nothing to copy.
//
// SQLite's backup restarts at every write, unless its connection holds a
// read transaction: then it takes as long as reading the file. The log cannot restart
// meanwhile and grows with each write.
func CopyFile(ctx context.Context, path, to string, progress func(done, total int64)) (err error) {
	if fileLength(path)+fileLength(path+"-wal") == 0 {
		return fmt.Errorf("%w at %s", ErrNoDatabase, path)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	db, err := sql.Open("sqlite", lookingDSN(path))
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("copy the database: %w", damage(err))
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := copyAll(ctx, conn, out, progress); err != nil {
		return fmt.Errorf("copy the database: %w", damage(err))
	}
	return nil
}

// copyAll copies what one read transaction sees.
func copyAll(ctx context.Context, conn *sql.Conn, out *os.File, progress func(done, total int64)) (err error) {
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		_, end := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, end)
	}()
	var tables, size int64
	if err := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err // this read is where the transaction begins
	}
	if tables == 0 {
		return ErrNoDatabase
	}
	if err := conn.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&size); err != nil {
		return err
	}
	return conn.Raw(func(driver any) error {
		source, ok := driver.(interface {
			NewBackup(to string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the database's driver cannot copy")
		}
		// The copy is not read before it is complete, so it needs no journal.
		b, err := source.NewBackup(fileURI(out.Name(), url.Values{"_pragma": {"journal_mode(OFF)", "synchronous(OFF)"}}))
		if err != nil {
			return err
		}
		err = copySteps(ctx, b, out, func() {
			progress(int64(b.PageCount()-b.Remaining())*size, int64(b.PageCount())*size)
		})
		return errors.Join(err, b.Finish(), out.Sync())
	})
}

func copySteps(ctx context.Context, b *sqlite.Backup, out *os.File, stepped func()) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if more, err = b.Step(copyPages); err != nil {
			return err
		}
		if more { // at the end it counts nothing
			stepped()
		}
		if err := out.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// Contents is what a database holds, as far as copies are compared by it.
type Contents struct {
	Schema int64            // the newest step that is applied
	Oldest int64            // the newest step that a program must know to run on it; 0: all of them
	Rows   map[string]int64 // by table
}

// CheckFile reads a whole embedded database and returns what it holds. No process may have
// it open, and there must be no log beside it. ErrDamaged if the database is not sound.
func CheckFile(ctx context.Context, path string) (c Contents, err error) {
	db, err := sql.Open("sqlite", fileURI(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}))
	if err != nil {
		return c, fmt.Errorf("check the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var verdict string
	switch err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); {
	case err != nil:
		return c, fmt.Errorf("check the database: %w", damage(err))
	case verdict != "ok":
		return c, fmt.Errorf("check the database: %w: %s", ErrDamaged, verdict)
	}
	if c, err = contents(ctx, db, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`); err != nil {
		return c, fmt.Errorf("check the database: %w", damage(err))
	}
	return c, nil
}

// contents counts the rows of the tables that a query names.
func contents(ctx context.Context, db querier, tables string, args ...any) (Contents, error) {
	c := Contents{Rows: make(map[string]int64)}
	rows, err := db.QueryContext(ctx, tables, args...)
	if err != nil {
		return c, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return c, err
		}
		c.Rows[name] = 0
	}
	if err := rows.Err(); err != nil {
		return c, err
	}
	for name := range c.Rows {
		var n int64
		if err := db.QueryRowContext(ctx, fmt.Sprintf(`SELECT COUNT(*) FROM "%s"`, name)).Scan(&n); err != nil {
			return c, err
		}
		c.Rows[name] = n
	}
	if _, ok := c.Rows["goose_db_version"]; !ok {
		return c, nil
	}
	delete(c.Rows, "goose_db_version")
	if err := db.QueryRowContext(ctx, sqlSchema).Scan(&c.Schema); err != nil {
		return c, err
	}
	runs, err := compatOf(ctx, db, c.Schema)
	c.Oldest = runs.oldest
	return c, err
}

// querier is a pool, a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

// damage adds ErrDamaged to SQLite's own words for it.
func damage(err error) error {
	var se *sqlite.Error
	if errors.As(err, &se) && (se.Code()&0xff == sqlite3.SQLITE_NOTADB || se.Code()&0xff == sqlite3.SQLITE_CORRUPT) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// fileLength is a file's length in bytes; 0 when there is none.
func fileLength(path string) int64 {
	st, err := os.Stat(path)
	if err != nil || st.IsDir() {
		return 0
	}
	return st.Size()
}
