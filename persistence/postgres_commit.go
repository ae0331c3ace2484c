package persistence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hexhail/hexhail/ride"
)

// postgresEngine writes batches over a dedicated connection.
type postgresEngine struct {
	pool     *pgxpool.Pool
	begin    string        // what begins a transaction behind a pooler; empty: the usual
	limit    time.Duration // of one attempt
	readBack time.Duration
}

func (e *postgresEngine) setBased() bool { return true }

// commitTries bounds how often a batch is retried after a deadlock or on a
// connection that turned out to be dead.
const commitTries = 3

// apply writes the batch as sets. When the server refuses that, as when a unique constraint
// is violated because another node was faster, the batch is written item by item.
func (e *postgresEngine) apply(batch []*item) error {
	write := writer(writeSets)
	var err error
	for range commitTries {
		failAll(batch, nil)
		var final bool
		if final, err = e.attempt(batch, write); err == nil || final {
			return err
		}
		switch {
		case isServerError(err) && !e.unavailable(err):
			write = writeEach // one item is at fault; the others must not suffer
		case isRetryable(err):
		default:
			return e.fail(batch, err)
		}
	}
	return e.fail(batch, err)
}

func (e *postgresEngine) fail(batch []*item, err error) error {
	err = wrap(e, "commit", err)
	failAll(batch, err)
	return err
}

// writer writes a batch in a transaction, sets the items' refusals, and returns the
// transaction's id, by which its fate can be asked for later.
type writer func(context.Context, pgx.Tx, []*item) (xid string, err error)

// sqlXid gives the transaction's id, for good: it outlives the connection.
const sqlXid = `SELECT pg_current_xact_id()::text`

// sqlStatus gives what became of a transaction. Older servers say that it is committed a moment before
// others see what it wrote, which lasts as long as a wait for a standby.
const sqlStatus = `SELECT pg_xact_status(x), pg_visible_in_snapshot(x, pg_current_snapshot()) FROM (SELECT $1::text::xid8 AS x) AS t`

// attempt runs one transaction. When final, the outcomes are set even if err is not nil;
// else nothing was written.
func (e *postgresEngine) attempt(batch []*item, write writer) (final bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), e.limit)
	defer cancel()
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: e.begin})
	if err != nil {
		return false, err
	}
	xid, err := write(ctx, tx, batch)
	if err != nil {
		_ = tx.Rollback(ctx) // a connection that cannot is closed
		return false, err
	}
	err = tx.Commit(ctx)
	if err == nil || !isUnanswered(err) {
		return false, err
	}
	return true, e.resolve(batch, xid, err)
}

// isUnanswered reports whether the error of a COMMIT leaves its outcome open. An
// ERROR of the server does not; when it ends the session (FATAL) it may have
// committed before.
func isUnanswered(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Severity != "ERROR"
	}
	return !errors.Is(err, pgx.ErrTxCommitRollback)
}

// isRetryable reports whether the same batch may succeed at once: after a deadlock
// with another node, or on a fresh connection, also where this process stood still for too long. The
// commit was not tried.
func isRetryable(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return slices.Contains([]string{"40P01", "40001", "57P01", "25P03"}, pe.Code)
	}
	return isConnError(err) && !errors.Is(err, context.DeadlineExceeded)
}

func isServerError(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe)
}

func isConnError(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}

// resolve asks the server what became of a transaction whose COMMIT was not
// answered, over a new connection and for a bounded time. That its number is committed is
// not enough: a server that crashes forgets the numbers whose records it had not made
// durable, and gives them out again, so it may be another node's transaction.
func (e *postgresEngine) resolve(batch []*item, xid string, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), e.readBack)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		var status *string
		var visible bool
		err := e.pool.QueryRow(ctx, sqlStatus, xid).Scan(&status, &visible)
		var pe *pgconn.PgError
		switch {
		case err == nil && status != nil && *status == "committed" && !visible: // soon
		case err == nil && status != nil && *status == "committed":
			var ours bool
			if ours, err = isWritten(ctx, poolExecutor{e}, batch); err == nil && ours {
				return nil
			} else if err == nil {
				return e.fail(batch, fmt.Errorf("%w: %w", ride.ErrUnavailable, cause))
			}
		case err == nil && status != nil && *status == "aborted":
			return e.fail(batch, fmt.Errorf("%w: %w", ride.ErrUnavailable, cause))
		case err == nil && status == nil, errors.As(err, &pe) && pe.Code == "22023":
			// Another server answers, which does not know this transaction: a failover.
			// What is there was written; the outcome of the rest is unknown.
			unknown := fmt.Errorf("commit: %w: %w", ride.ErrUnknownOutcome, cause)
			readBackItems(ctx, poolExecutor{e}, batch, unknown)
			return unknown
		}
		select {
		case <-ctx.Done():
			unknown := fmt.Errorf("commit: %w: %w", ride.ErrUnknownOutcome, errors.Join(cause, err))
			for _, it := range batch {
				if it.err == nil { // a refusal holds either way
					it.err = unknown
				}
			}
			return unknown
		case <-time.After(pause):
		}
	}
}

// writeEach writes item by item under savepoints.
func writeEach(ctx context.Context, tx pgx.Tx, batch []*item) (xid string, err error) {
	e := &postgresEngine{} // for its names of errors alone
	for _, it := range batch {
		sp, err := tx.Begin(ctx) // of a transaction, this is a savepoint
		if err != nil {
			return "", err
		}
		err = writeItem(ctx, txExecutor{sp}, it)
		if err == nil {
			if err := sp.Commit(ctx); err != nil {
				return "", err
			}
			continue
		}
		if it.err = refusalOfItem(e, it, err); it.err == nil {
			if !isServerError(err) || e.unavailable(err) {
				return "", err
			}
			it.err = wrap(e, "commit", err) // its own fault
		}
		if err := sp.Rollback(ctx); err != nil {
			return "", err
		}
	}
	err = tx.QueryRow(ctx, sqlXid).Scan(&xid)
	return xid, err
}

// txExecutor is an executor on a transaction.
type txExecutor struct{ tx pgx.Tx }

func (x txExecutor) exec(ctx context.Context, text string, args ...any) (int64, error) {
	tag, err := x.tx.Exec(ctx, text, args...)
	return tag.RowsAffected(), err
}

func (x txExecutor) query(ctx context.Context, text string, args []any, dest ...any) error {
	return x.tx.QueryRow(ctx, text, args...).Scan(dest...)
}

// poolExecutor is an executor whose statements are transactions of their own.
type poolExecutor struct{ e *postgresEngine }

func (x poolExecutor) exec(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = pgx.BeginTxFunc(ctx, x.e.pool, pgx.TxOptions{BeginQuery: x.e.begin}, func(tx pgx.Tx) error {
		n, err = txExecutor{tx}.exec(ctx, text, args...)
		return err
	})
	return n, err
}

func (x poolExecutor) query(ctx context.Context, text string, args []any, dest ...any) error {
	return pgx.BeginTxFunc(ctx, x.e.pool, pgx.TxOptions{BeginQuery: x.e.begin}, func(tx pgx.Tx) error {
		return txExecutor{tx}.query(ctx, text, args, dest...)
	})
}
