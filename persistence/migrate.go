package persistence

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Direction is what Migrate does.
type Direction string

// The directions. Up brings the schema to this program's version unless it is newer, Down takes
// one migration back and loses what it held, Status only looks.
const (
	Up     Direction = "up"
	Down   Direction = "down"
	Status Direction = "status"
)

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string // empty: a newer program's, which this one does not know
	Applied bool
	At      time.Time // when it was applied; zero when it was not
}

// Migrate moves the schema and returns all migrations as they are afterwards. It
// holds a lock while it works, so that several nodes may start at once. No store
// need be open. ErrTooOld if the schema is newer than this program, and the program cannot run on
// it or d is Down.
func Migrate(ctx context.Context, o Options, d Direction) (out []Migration, err error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("migrate %s: %w", d, err)
	}
	if o, err = postgresRoute(ctx, o.complete()); err != nil {
		return nil, fmt.Errorf("migrate %s: %w", d, err)
	}
	if d == Down { // no server may run on what it takes away
		now := o.alone()
		now.OwnerPatience = 0 // a person waits
		ours, err := takeOwner(ctx, now)
		if err != nil {
			return nil, fmt.Errorf("migrate %s: %w", d, err)
		}
		defer func() { err = errors.Join(err, ours.release()) }()
	}
	m, err := openForMigration(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("migrate %s: %w", d, o.explained(err))
	}
	out, err = m.run(ctx, d)
	if err := errors.Join(err, m.close()); err != nil {
		return nil, fmt.Errorf("migrate %s: %w", d, err)
	}
	return out, nil
}

// migrator is a database that is open for schema changes.
type migrator struct {
	db      *sql.DB
	files   fs.FS
	dialect goose.Dialect
	locker  lock.SessionLocker // of Postgres
	unlock  func() error       // of SQLite; nil on Postgres
}

func (m *migrator) close() error {
	if m.unlock == nil {
		return m.db.Close()
	}
	return errors.Join(m.unlock(), m.db.Close())
}

func openForMigration(ctx context.Context, o Options) (*migrator, error) {
	if o.DatabaseURL != "" {
		db, locker, err := postgresForMigration(ctx, o)
		return &migrator{db: db, files: o.migrationsOf(), dialect: goose.DialectPostgres, locker: locker}, err
	}
	if err := makeFile(o.Path); err != nil {
		return nil, err
	}
	unlock, err := lockSQLite(ctx, o)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", sqliteDSN(o, false))
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	db.SetMaxOpenConns(1)
	return &migrator{db: db, files: o.migrationsOf(), dialect: goose.DialectSQLite3, unlock: unlock}, nil
}

// lockSQLite holds the one write lock of an empty database beside the real one:
// goose works in several transactions, which the real one's lock would not span.
func lockSQLite(ctx context.Context, o Options) (func() error, error) {
	o.Path += ".migrate"
	if err := makeFile(o.Path); err != nil {
		return nil, err
	}
	// Not in WAL mode: who waits for the lock waits, but two that turn a new file into
	// one with a WAL at the same time fail at once.
	db, err := sql.Open("sqlite", fileURI(o.Path, url.Values{
		"_txlock": {"immediate"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", time.Minute.Milliseconds())},
	}))
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

func (m *migrator) run(ctx context.Context, d Direction) ([]Migration, error) {
	// Looking needs no lock, and goose waits a whole second for one that is taken.
	look, err := goose.NewProvider(m.dialect, m.db, m.files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, err
	}
	current, newest, err := m.check(ctx, look, d)
	if err != nil {
		return nil, err
	}
	change := look
	if m.locker != nil {
		change, err = goose.NewProvider(m.dialect, m.db, m.files, goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(m.locker))
		if err != nil {
			return nil, err
		}
	}
	switch d {
	case Up:
		if current < newest {
			_, err = change.Up(ctx)
		}
	case Down:
		if _, err = change.Down(ctx); errors.Is(err, goose.ErrNoNextVersion) {
			err = nil // there was nothing to take back
		}
	case Status:
	default:
		return nil, fmt.Errorf("unknown direction %q", d)
	}
	if err != nil {
		return nil, err
	}
	if _, _, err := m.check(ctx, look, Status); err != nil { // a newer program may have been faster
		return nil, err
	}
	return m.migrations(ctx, look)
}

func (m *migrator) migrations(ctx context.Context, p *goose.Provider) ([]Migration, error) {
	list, err := p.Status(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Migration, len(list))
	for i, s := range list {
		out[i] = Migration{Version: s.Source.Version, Name: s.Source.Path,
			Applied: s.State == goose.StateApplied, At: s.AppliedAt}
	}
	return m.unknown(ctx, out)
}
