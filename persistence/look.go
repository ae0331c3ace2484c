package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Found is what stands at a place before a store opens there.
type Found struct {
	// Schema is the newest step that is applied; 0: there is no database yet, or an empty one.
	Schema int64
	// Oldest is the newest step that a program must know to run on it; 0: all of them.
	Oldest int64
	// InUse means that the database is in use: it holds people other than operators, or trips.
	InUse bool
	// Remains are files that only a database leaves beside it, although there is none.
	Remains []string
}

// Look says what stands where a store would open, and makes nothing. ErrDamaged if that is
// no database, ErrTooOld with Schema and Oldest if this program cannot run on it.
func Look(ctx context.Context, o Options) (Found, error) {
	f, err := look(ctx, o)
	if err != nil {
		return f, fmt.Errorf("look at the database: %w", damage(err))
	}
	return f, nil
}

// admit asks whether to open what is there.
func admit(ctx context.Context, o Options) error {
	if o.Admit == nil {
		return nil
	}
	f, err := Look(ctx, o)
	if err != nil {
		return err
	}
	return o.Admit(f)
}

func look(ctx context.Context, o Options) (f Found, err error) {
	if o.DatabaseURL != "" {
		conf, err := pgx.ParseConfig(o.sessionURL())
		if err != nil {
			return f, fmt.Errorf("read database URL: %w", err)
		}
		if conf.ConnectTimeout == 0 {
			conf.ConnectTimeout = o.connectWithin()
		}
		return lookInto(ctx, stdlib.OpenDB(*conf),
			`SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'goose_db_version'`)
	}
	if fileLength(o.Path) == 0 {
		for _, end := range []string{"-wal", ".owner", ".migrate"} {
			if st, err := os.Stat(o.Path + end); err == nil && (end != "-wal" || st.Size() > 0) {
				f.Remains = append(f.Remains, o.Path+end)
			}
		}
		return f, nil
	}
	db, err := sql.Open("sqlite", lookingDSN(o.Path))
	if err != nil {
		return f, err
	}
	return lookInto(ctx, db, `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'`)
}

// lookingDSN opens a file beside a server, for reading.
func lookingDSN(path string) string {
	return fileURI(path, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)", "query_only(ON)", "wal_autocheckpoint(0)"}})
}

// lookInto closes the database.
func lookInto(ctx context.Context, db *sql.DB, begun string) (f Found, err error) {
	defer func() { err = errors.Join(err, db.Close()) }()
	var n int
	if err := db.QueryRowContext(ctx, begun).Scan(&n); err != nil || n == 0 {
		return f, err
	}
	if err := db.QueryRowContext(ctx, sqlSchema).Scan(&f.Schema); err != nil || f.Schema == 0 {
		return f, err
	}
	c, err := compatOf(ctx, db, f.Schema)
	if f.Oldest = c.oldest; err != nil {
		return f, err
	}
	if err := c.suits(NewestSchema()); err != nil {
		return f, err // its tables may have changed
	}
	err = db.QueryRowContext(ctx, `SELECT CASE WHEN EXISTS (SELECT 1 FROM accounts WHERE role <> 'operator')
		OR EXISTS (SELECT 1 FROM token_families) OR EXISTS (SELECT 1 FROM trips) THEN 1 ELSE 0 END`).Scan(&n)
	f.InUse = n > 0
	return f, err
}

// sqlSchema is the newest step that is applied.
const sqlSchema = `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied`
