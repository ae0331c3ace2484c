package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// ErrTooOld says that a newer program changed the schema, and that this program cannot run on it.
var ErrTooOld = errors.New("this program is too old for the database")

// compat is which programs run on a schema. Old and new programs share a database while the servers
// of a cluster are upgraded one after another, and an old program may come back after a bad upgrade.
type compat struct {
	schema int64 // the newest migration that is applied
	oldest int64 // the newest migration that a program must know; 0: that of the schema
}

// suits returns ErrTooOld unless a program that knows the migrations up to newest runs on the schema.
func (c compat) suits(newest int64) error {
	need := c.schema
	if c.oldest > 0 {
		need = min(need, c.oldest)
	}
	if newest >= need {
		return nil
	}
	return fmt.Errorf("%w: the schema has version %d and needs a program that knows version %d, but this one knows only version %d",
		ErrTooOld, c.schema, need, newest)
}

// CheckSchema returns ErrTooOld unless this program runs on a schema, which may be newer than the
// program; oldest is what the schema says that programs must know, or 0.
func CheckSchema(schema, oldest int64) error {
	return compat{schema, oldest}.suits(NewestSchema())
}

// sqlOldest is the newest migration that a program must know to run on the schema.
const sqlOldest = `SELECT COALESCE(MAX(oldest), 0) FROM schema_compat`

// compatSince is the migration that made the table of sqlOldest.
const compatSince = 10

// compatOf reads which programs run on a schema of this version.
func compatOf(ctx context.Context, db querier, schema int64) (compat, error) {
	c := compat{schema: schema}
	if schema < compatSince {
		return c, nil
	}
	err := db.QueryRowContext(ctx, sqlOldest).Scan(&c.oldest)
	return c, err
}

// migrationsOf are the files of the migrations; tests have more of them than the program embeds.
func (o Options) migrationsOf() fs.FS {
	if o.migrations != nil {
		return o.migrations
	}
	files, _ := fs.Sub(migrationFiles, "migrations") // the name is sound
	return files
}

// migrationNames are the files' names by increasing version.
func migrationNames(files fs.FS) []string {
	names, _ := fs.Glob(files, "*.sql") // the pattern is sound
	return names
}

// newestIn is the version of the newest migration.
func newestIn(files fs.FS) int64 {
	names := migrationNames(files)
	number, _, _ := strings.Cut(names[len(names)-1], "_")
	n, _ := strconv.ParseInt(number, 10, 64) // goose refuses other names
	return n
}

// unknown adds to the list of migrations those of a newer program that are applied.
func (m *migrator) unknown(ctx context.Context, known []Migration) ([]Migration, error) {
	newest := known[len(known)-1].Version
	all, err := list(ctx, m.db, func(r *sql.Rows) (Migration, error) {
		x := Migration{Applied: true}
		err := r.Scan(&x.Version, &x.At)
		return x, err
	}, `SELECT version_id, tstamp FROM goose_db_version WHERE is_applied AND version_id > $1 ORDER BY version_id`, newest)
	return append(known, all...), err
}

// check returns an error unless this program may do d to the schema as it is now.
func (m *migrator) check(ctx context.Context, p *goose.Provider, d Direction) (current, newest int64, err error) {
	if current, newest, err = p.GetVersions(ctx); err != nil || current <= newest {
		return current, newest, err
	}
	c, err := compatOf(ctx, m.db, current)
	if err != nil {
		return current, newest, err
	}
	if d == Down {
		return current, newest, fmt.Errorf("%w: the schema has version %d, and only a program that knows it can revert it, but this one knows only version %d",
			ErrTooOld, current, newest)
	}
	return current, newest, c.suits(newest)
}
