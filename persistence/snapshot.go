package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Snapshot is what a Postgres database holds at one instant, for a tool that copies just
// that. It holds a transaction open until Close.
type Snapshot struct {
	Contents
	ID    string // as pg_dump --snapshot takes it
	Space string // the schema in Postgres's sense: where the tables are
	Major int    // of the server's version, such as 17
	Bytes int64  // of the tables with their indexes

	db   *sql.DB
	conn *sql.Conn
}

// TakeSnapshot opens a snapshot of a Postgres database, with the rows of the tables that this
// program knows and of more that the caller names: those of a newer schema. ErrNoDatabase if it
// holds no tables of ours.
func TakeSnapshot(ctx context.Context, o Options, more ...string) (s *Snapshot, err error) {
	conf, err := pgx.ParseConfig(o.sessionURL())
	if err != nil {
		return nil, fmt.Errorf("read database URL: %w", err)
	}
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = o.connectWithin()
	}
	s = &Snapshot{db: stdlib.OpenDB(*conf)}
	if err := s.take(ctx, more); err != nil {
		return nil, errors.Join(fmt.Errorf("take a snapshot: %w", err), s.Close())
	}
	return s, nil
}

func (s *Snapshot) take(ctx context.Context, more []string) (err error) {
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	const begin = `BEGIN READ ONLY, ISOLATION LEVEL REPEATABLE READ; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0`
	if _, err := s.conn.ExecContext(ctx, begin); err != nil {
		return err
	}
	const about = `SELECT pg_export_snapshot(), current_schema(), current_setting('server_version_num')::int / 10000,
		COALESCE((SELECT SUM(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind = 'r' AND n.nspname = current_schema()), 0)`
	if err := s.conn.QueryRowContext(ctx, about).Scan(&s.ID, &s.Space, &s.Major, &s.Bytes); err != nil {
		return err
	}
	s.Contents, err = contents(ctx, s.conn, `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY ($1)`, append(Tables(), more...))
	if err == nil && s.Schema == 0 {
		err = ErrNoDatabase
	}
	return err
}

// Close ends the snapshot.
func (s *Snapshot) Close() error {
	if s.conn == nil {
		return s.db.Close()
	}
	_, err := s.conn.ExecContext(context.Background(), "ROLLBACK")
	return errors.Join(err, s.conn.Close(), s.db.Close())
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// Tables are all tables that a store may have, the one of its schema's version included.
func Tables() []string {
	out := []string{"goose_db_version"}
	for _, text := range migrationTexts() {
		for _, m := range createTable.FindAllStringSubmatch(text, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

// NewestSchema is the newest step of the schema that this program knows.
func NewestSchema() int64 { return newestIn(Options{}.migrationsOf()) }

// migrationTexts are the embedded migrations.
func migrationTexts() []string {
	files := Options{}.migrationsOf()
	names := migrationNames(files)
	out := make([]string, 0, len(names))
	for _, n := range names {
		text, _ := fs.ReadFile(files, n) // embedded
		out = append(out, string(text))
	}
	return out
}

// Server says what a Postgres server is.
type Server struct {
	Space string // where a store's tables are, or would be
	Major int    // of its version
}

// LookAtServer asks a Postgres server what it is.
func LookAtServer(ctx context.Context, o Options) (s Server, err error) {
	conf, err := pgx.ParseConfig(o.sessionURL())
	if err != nil {
		return s, fmt.Errorf("read database URL: %w", err)
	}
	db := stdlib.OpenDB(*conf)
	defer func() { err = errors.Join(err, db.Close()) }()
	const about = `SELECT COALESCE(current_schema(), ''), current_setting('server_version_num')::int / 10000`
	if err := db.QueryRowContext(ctx, about).Scan(&s.Space, &s.Major); err != nil {
		return s, fmt.Errorf("ask the Postgres server: %w", err)
	}
	return s, nil
}
