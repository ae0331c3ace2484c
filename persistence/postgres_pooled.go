package persistence

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// Behind a pooler a session keeps whatever state the last client left in it. So each
// transaction sets everything it relies on, in the same round trip that begins it, and
// no statement has a name.

// pooledBegin is the statement that begins such a transaction. The path to the tables is
// that of sessionURL, where the schema was brought up to date.
func pooledBegin(ctx context.Context, o Options, settings map[string]string) (string, error) {
	conf, err := pgx.ParseConfig(o.sessionURL())
	if err != nil {
		return "", fmt.Errorf("read database URL: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return "", fmt.Errorf("open postgres: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // nothing was written
	var path string
	if err := conn.QueryRow(ctx, `SELECT current_setting('search_path')`).Scan(&path); err != nil {
		return "", fmt.Errorf("open postgres: %w", err)
	}
	all := map[string]string{"search_path": path}
	maps.Copy(all, settings)
	maps.Copy(all, timeLimits(o))
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		calls = append(calls, fmt.Sprintf("set_config(%s, %s, true)", literal(name), literal(all[name])))
	}
	return "BEGIN; SELECT " + strings.Join(calls, ", ") + `;
		SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')`, nil
}

// literal quotes a text for SQL, whatever the session takes a backslash for.
func literal(text string) string {
	text = strings.ReplaceAll(text, "'", "''")
	if strings.Contains(text, `\`) {
		return "E'" + strings.ReplaceAll(text, `\`, `\\`) + "'"
	}
	return "'" + text + "'"
}

const (
	// memberIdle is how long a member of a cluster may leave a transaction open without a word. Postgres
	// then ends its session: a node that stands still between two statements, or is cut off, must not keep
	// the rows that it has locked from the others. A healthy node is silent for one way to Postgres and back,
	// which with more than half a second leaves no batch within its time; and a batch whose session ends is
	// written again.
	memberIdle = 2 * time.Second
	// memberLock bounds a member's wait for a lock: longer than another member may keep it idle, and shorter
	// than for a server that is alone, because a member that is cut off while it waits holds what it has
	// locked before.
	memberLock = memberIdle + time.Second
)

// timeLimits bound a statement, a wait for a lock and a forgotten transaction.
func timeLimits(o Options) map[string]string {
	limit := o.StatementTimeout
	lock, idle := limit, 4*limit
	if o.Member {
		lock, idle = min(lock, memberLock), min(idle, memberIdle)
	}
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	return map[string]string{
		"statement_timeout": ms(limit), "lock_timeout": ms(lock), "idle_in_transaction_session_timeout": ms(idle),
	}
}

// openPooledDB is stdlib.OpenDBFromPool, but everything that runs on it is a transaction that
// begins with begin, single statements as well.
func openPooledDB(pool *pgxpool.Pool, begin string) *sql.DB {
	db := sql.OpenDB(pooledConnector{stdlib.GetPoolConnector(pool), begin})
	db.SetMaxIdleConns(0) // the pool keeps them
	return db
}

type pooledConnector struct {
	driver.Connector
	begin string
}

func (c pooledConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	std, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a connection of type %T", conn), conn.Close())
	}
	return &pooledConn{Conn: std, begin: c.begin}, nil
}

// pooledConn is a connection; like any of database/sql, one goroutine at a time uses it.
type pooledConn struct {
	*stdlib.Conn
	begin string
	inTx  bool
}

// BeginTx begins a transaction with what it relies on.
func (c *pooledConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if opts != (driver.TxOptions{}) {
		return nil, errors.New("transactions through a pooler have no options")
	}
	tx, err := c.Conn.Conn().BeginTx(ctx, pgx.TxOptions{BeginQuery: c.begin})
	if err != nil {
		return nil, err
	}
	c.inTx = true
	return &pooledTx{ctx, tx, c}, nil
}

// Begin is part of driver.Conn; database/sql calls BeginTx.
func (c *pooledConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// ExecContext runs a statement, in a transaction of its own unless there is one.
func (c *pooledConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.inTx {
		return c.Conn.ExecContext(ctx, query, args)
	}
	tx, err := c.BeginTx(ctx, driver.TxOptions{})
	if err != nil {
		return nil, err
	}
	res, err := c.Conn.ExecContext(ctx, query, args)
	if err != nil {
		_ = tx.Rollback() // the first error is the one that counts
		return nil, err
	}
	return res, tx.Commit()
}

// QueryContext runs a query, in a transaction of its own unless there is one.
func (c *pooledConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.inTx {
		return c.Conn.QueryContext(ctx, query, args)
	}
	tx, err := c.BeginTx(ctx, driver.TxOptions{})
	if err != nil {
		return nil, err
	}
	rows, err := c.Conn.QueryContext(ctx, query, args)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return &pooledRows{rows, tx}, nil
}

// PrepareContext prepares nothing: a name would be another client's in the next transaction.
func (c *pooledConn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return pooledStmt{c, query}, nil
}

// Prepare is part of driver.Conn; database/sql calls PrepareContext.
func (c *pooledConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// pooledTx ends the transaction that its connection is in.
type pooledTx struct {
	ctx  context.Context // of BeginTx, as stdlib has it
	tx   pgx.Tx
	conn *pooledConn
}

func (t *pooledTx) Commit() error   { t.conn.inTx = false; return t.tx.Commit(t.ctx) }
func (t *pooledTx) Rollback() error { t.conn.inTx = false; return t.tx.Rollback(t.ctx) }

// pooledRows ends the transaction with its last row.
type pooledRows struct {
	driver.Rows
	tx driver.Tx // nil once it has ended
}

// Next returns what became of the commit where the rows end, so that Rows.Err knows.
func (r *pooledRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if errors.Is(err, io.EOF) {
		if err := r.Close(); err != nil {
			return err
		}
	}
	return err
}

// Close commits, unless the rows ended with an error.
func (r *pooledRows) Close() error {
	err := r.Rows.Close()
	tx := r.tx
	r.tx = nil
	switch {
	case tx == nil:
		return err
	case err != nil:
		_ = tx.Rollback() // the first error is the one that counts
		return err
	}
	return tx.Commit()
}

// pooledStmt is the text of a statement.
type pooledStmt struct {
	conn  *pooledConn
	query string
}

func (s pooledStmt) Close() error  { return nil }
func (s pooledStmt) NumInput() int { return -1 }

// ExecContext runs the statement.
func (s pooledStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.query, args)
}

// QueryContext runs the query.
func (s pooledStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.query, args)
}

// Exec is part of driver.Stmt; database/sql calls ExecContext.
func (s pooledStmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

// Query is part of driver.Stmt; database/sql calls QueryContext.
func (s pooledStmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}
