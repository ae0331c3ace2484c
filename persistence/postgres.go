package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/lock"
)

// postgresConfig reads the URL and sets what every connection must have. Behind a pooler
// connections have nothing: there it returns what begins each transaction instead.
func postgresConfig(ctx context.Context, o Options, conns int) (c *pgxpool.Config, begin string, err error) {
	c, err = pgxpool.ParseConfig(o.DatabaseURL)
	if err != nil {
		return nil, "", fmt.Errorf("read database URL: %w", err) // pgx leaves the password out
	}
	c.MaxConns = int32(min(conns, 1000))
	c.MinConns = 0
	if c.ConnConfig.RuntimeParams["application_name"] == "" {
		c.ConnConfig.RuntimeParams["application_name"] = "hexhail"
	}
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = o.connectWithin()
	}
	if !o.pooled {
		maps.Copy(c.ConnConfig.RuntimeParams, timeLimits(o))
		c.AfterConnect = requireDurability
		return c, "", nil
	}
	if c.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // which names nothing
	}
	begin, err = pooledBegin(ctx, o, withoutSettings(c.ConnConfig))
	return c, begin, err
}

// requireDurability makes sure that a commit on this connection is on disk when it is
// answered; a server that is set to do even more is left alone.
func requireDurability(ctx context.Context, conn *pgx.Conn) error {
	var mode string
	if err := conn.QueryRow(ctx, `SHOW synchronous_commit`).Scan(&mode); err != nil {
		return fmt.Errorf("read synchronous_commit: %w", err)
	}
	if mode == "on" || mode == "remote_apply" {
		return nil
	}
	if _, err := conn.Exec(ctx, `SET synchronous_commit = on`); err != nil {
		return fmt.Errorf("set synchronous_commit: %w", err)
	}
	return nil
}

// openPostgres opens two pools: one connection that is the committer's alone, so that
// readers never keep a transition waiting, and the others.
func (s *Store) openPostgres(ctx context.Context, o Options) error {
	conf, begin, err := postgresConfig(ctx, o, o.PoolSize-1)
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return fmt.Errorf("open postgres: %w", err)
	}
	commitConf := conf.Copy()
	commitConf.MaxConns = 1
	commits, err := pgxpool.NewWithConfig(ctx, commitConf)
	if err != nil {
		pool.Close()
		return fmt.Errorf("open postgres: %w", err)
	}
	open := func(p *pgxpool.Pool) *sql.DB { return stdlib.OpenDBFromPool(p) }
	if o.pooled {
		open = func(p *pgxpool.Pool) *sql.DB { return openPooledDB(p, begin) }
	}
	db := open(pool)
	s.read, s.write, s.listenURL = db, db, o.sessionURL()
	s.eng = &postgresEngine{pool: commits, begin: begin, limit: o.StatementTimeout, readBack: o.ReadBack}
	s.closers = []func() error{db.Close, closed(pool), closed(commits)}
	if err := s.checkServer(ctx); err != nil {
		return errors.Join(s.failure("open postgres", err), db.Close(), closed(pool)(), closed(commits)())
	}
	return nil
}

func closed(p *pgxpool.Pool) func() error {
	return func() error { p.Close(); return nil }
}

// minServer is the oldest server that can be asked what became of a transaction.
const minServer = 130000

// checkServer refuses a server that is too old, and warns when Postgres does not flush its
// disk: then no client can promise anything.
func (s *Store) checkServer(ctx context.Context) error {
	var version int
	if err := s.read.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return err
	}
	if version < minServer {
		return fmt.Errorf("this Postgres is older than version %d", minServer/10000)
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		var v string
		if err := s.read.QueryRowContext(ctx, `SELECT current_setting($1)`, name).Scan(&v); err != nil {
			return err
		}
		if v != "on" {
			s.log.Warn("this Postgres server may lose acknowledged trips when it crashes", name, v)
		}
	}
	return nil
}

// postgresForMigration opens a database without time limits, for schema changes may
// take long, and returns goose's lock for them, whose key is the schema's.
func postgresForMigration(ctx context.Context, o Options) (*sql.DB, lock.SessionLocker, error) {
	conf, err := pgx.ParseConfig(o.sessionURL())
	if err != nil {
		return nil, nil, fmt.Errorf("read database URL: %w", err)
	}
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = 10 * time.Second
	}
	db := stdlib.OpenDB(*conf)
	var key int64
	err = db.QueryRowContext(ctx, `SELECT hashtextextended('hexhail ' || current_schema(), 0)`).Scan(&key)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(key), lock.WithLockTimeout(1, migrationPatience))
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, locker, nil
}

// migrationPatience is how many seconds a program waits for another that migrates.
const migrationPatience = 600

// violated names the unique constraint, by the schema's name for it.
func (e *postgresEngine) violated(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "23505" {
		return pe.ConstraintName
	}
	return ""
}

// unavailable: an error that the server did not send is one of the connection. Of the
// server's own, the classes say whether it could not do its work (08 connection, 25
// read-only, 40 deadlock, 53 disk or memory full, 55 locks, 57 shut-down and
// time-outs, 58 its disk, XX damaged) or would not (all others).
func (e *postgresEngine) unavailable(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		var ce *pgconn.ConnectError
		return errors.As(err, &ce) || isConnError(err)
	}
	if pe.Code == "42501" {
		return true // no privilege: the operator's to give back
	}
	switch pe.Code[:2] {
	case "08", "25", "28", "3D", "40", "53", "55", "57", "58", "XX":
		return true
	}
	return false
}
