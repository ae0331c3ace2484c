package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// engine is what differs between SQLite and Postgres.
type engine interface {
	// apply writes a batch in one transaction and sets every item's outcome. It
	// returns what kept the whole batch from being written, nil if nothing did. Only
	// the committer's goroutine calls it.
	apply(batch []*item) error
	// setBased reports whether apply writes its items at once rather than in turn.
	setBased() bool
	// violated names the unique constraint that an error speaks of, or is empty.
	violated(err error) string
	// unavailable reports whether the engine could not be reached, was too slow or
	// could not write.
	unavailable(err error) bool
	// cause names what an error that kept a batch from being written means.
	cause(err error) Cause
}

// executor runs the statements of one transaction, one at a time.
type executor interface {
	// exec returns the number of rows changed.
	exec(ctx context.Context, text string, args ...any) (int64, error)
	// query reads one row; sql.ErrNoRows when there is none.
	query(ctx context.Context, text string, args []any, dest ...any) error
}

// The statements of one item.
const (
	sqlCommandSeen   = `SELECT COUNT(*) FROM commands WHERE account_id = $1 AND command_id = $2`
	sqlInsertCommand = `INSERT INTO commands (account_id, command_id, digest, reply, at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	// A trip that exists is stale before its rider is busy: hence the condition.
	sqlInsertTrip = `INSERT INTO trips (id, rider_id, driver_id, status, version, fence, class,
			requested_at, updated_at, ended_at, wake_at, search, state)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT),
			CAST($6 AS BIGINT), CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS BIGINT), CAST($10 AS BIGINT),
			CAST($11 AS BIGINT), CAST($12 AS TEXT), CAST($13 AS TEXT)
		WHERE NOT EXISTS (SELECT 1 FROM trips WHERE id = $1)`
	// A final trip stays as it is, but for ratings.
	sqlUpdateTrip = `UPDATE trips SET status = $1, version = $2, updated_at = $3, wake_at = $4, state = $5,
			driver_id = $6, ended_at = $7
		WHERE id = $8 AND version = $9 AND fence = $10 AND (ended_at IS NULL OR status = $1)`
	// The same, but only if the trip does not end and keeps its driver: it leaves most
	// indexes alone.
	sqlStepTrip = `UPDATE trips SET status = $1, version = $2, updated_at = $3, wake_at = $4, state = $5
		WHERE id = $8 AND version = $9 AND fence = $10 AND (ended_at IS NULL OR status = $1)
			AND driver_id IS NOT DISTINCT FROM $6 AND ended_at IS NOT DISTINCT FROM $7`
	sqlInsertEvent = `INSERT INTO trip_events (trip_id, version, kind, at, data) VALUES ($1, $2, $3, $4, $5)`
	sqlInsertWave  = `INSERT INTO wave_candidates (trip_id, version, at, data) VALUES ($1, $2, $3, $4)`
	sqlUpsertOffer = `INSERT INTO offers (id, trip_id, driver_id, state, expires_at, data)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at, data = excluded.data`
	sqlAddRating = `UPDATE accounts SET rating_sum = rating_sum + $1, rating_count = rating_count + 1 WHERE id = $2`
	sqlProbe     = `INSERT INTO write_checks (node, at) VALUES ('', $1) ON CONFLICT (node) DO UPDATE SET at = excluded.at`
	// A driver who is about to move to another trip: the unique index is checked row by row.
	sqlReleaseTrip = `UPDATE trips SET driver_id = NULL WHERE id = $1 AND version = $2 AND fence = $3 AND ended_at IS NULL`
	sqlActivate    = `UPDATE trips SET fence = fence + 1 WHERE id = $1 RETURNING fence, state`

	sqlEventThere   = `SELECT COUNT(*) FROM trip_events WHERE trip_id = $1 AND version = $2 AND kind = $3 AND at = $4 AND data = $5`
	sqlCommandThere = `SELECT COUNT(*) FROM commands WHERE account_id = $1 AND command_id = $2 AND digest = $3 AND at = $4`
)

// itemStatements are the texts above that an engine may prepare beforehand.
var itemStatements = []string{sqlCommandSeen, sqlInsertCommand, sqlInsertTrip, sqlUpdateTrip, sqlStepTrip, sqlInsertEvent, sqlInsertWave,
	sqlUpsertOffer, sqlAddRating, sqlReleaseTrip, sqlActivate, sqlProbe}

// decideItem writes what may be refused: an activation, or the trip, once its
// command is known to be new. A refusal leaves nothing written, for a statement that
// fails undoes itself (on Postgres it undoes the transaction: there a savepoint must
// stand around it).
func decideItem(ctx context.Context, x executor, it *item) error {
	if it.probe {
		_, err := x.exec(ctx, sqlProbe, micros(time.Now()))
		return err
	}
	if it.activate != "" {
		return x.query(ctx, sqlActivate, []any{string(it.activate)}, &it.newFence, &it.state)
	}
	if err := isFresh(ctx, x, it.command); err != nil {
		return err
	}
	if it.trip == nil {
		return nil
	}
	return writeTrip(ctx, x, it)
}

// isFresh returns ride.ErrCommandSeen if the command has an outcome already. Nil is fresh.
func isFresh(ctx context.Context, x executor, c *ride.CommandRecord) error {
	if c == nil {
		return nil
	}
	var n int
	err := x.query(ctx, sqlCommandSeen, []any{string(c.Account), c.ID}, &n)
	if err == nil && n > 0 {
		return ride.ErrCommandSeen
	}
	return err
}

// recordItem writes what follows from decideItem's success. On any error the caller
// must undo both.
func recordItem(ctx context.Context, x executor, it *item) error {
	for _, e := range it.events {
		if _, err := x.exec(ctx, sqlInsertEvent, e.trip, e.version, e.kind, e.at, e.data); err != nil {
			return err
		}
	}
	for _, w := range it.waves {
		if _, err := x.exec(ctx, sqlInsertWave, w.trip, w.version, w.at, w.data); err != nil {
			return err
		}
	}
	for _, o := range it.offers {
		if _, err := x.exec(ctx, sqlUpsertOffer, o.id, o.trip, o.driver, o.state, o.expiresAt, o.data); err != nil {
			return err
		}
	}
	for _, r := range it.ratings {
		if _, err := x.exec(ctx, sqlAddRating, r.stars, r.about); err != nil {
			return err
		}
	}
	c := it.command
	if c == nil {
		return nil
	}
	n, err := x.exec(ctx, sqlInsertCommand, string(c.Account), c.ID, c.Digest, replyBytes(c), micros(c.At))
	if err == nil && n == 0 {
		return ride.ErrCommandSeen // another node was faster
	}
	return err
}

// writeItem writes one item. On any error the caller must undo what it wrote.
func writeItem(ctx context.Context, x executor, it *item) error {
	if it.parts != nil {
		return writeGroup(ctx, x, it)
	}
	if err := decideItem(ctx, x, it); err != nil {
		return err
	}
	return recordItem(ctx, x, it)
}

func writeTrip(ctx context.Context, x executor, it *item) error {
	t := it.trip
	if it.prev == 0 {
		n, err := x.exec(ctx, sqlInsertTrip, t.id, t.rider, t.driver, t.status, t.version, t.fence, t.class,
			t.requestedAt, t.updatedAt, t.endedAt, t.wakeAt, t.search, t.state)
		return staleIfNone(n, err)
	}
	args := []any{t.status, t.version, t.updatedAt, t.wakeAt, t.state, t.driver, t.endedAt, t.id, it.prev, it.fence}
	if it.step {
		if n, err := x.exec(ctx, sqlStepTrip, args...); err != nil || n > 0 {
			return err
		}
	}
	n, err := x.exec(ctx, sqlUpdateTrip, args...)
	return staleIfNone(n, err)
}

func staleIfNone(rows int64, err error) error {
	if err == nil && rows == 0 {
		return ride.ErrStale
	}
	return err
}

// replyBytes is never nil: the column holds no NULL.
func replyBytes(c *ride.CommandRecord) []byte {
	if c.Reply == nil {
		return []byte{}
	}
	return c.Reply
}

// failAll gives every item the same outcome.
func failAll(batch []*item, err error) {
	for _, it := range batch {
		it.err = err
	}
}

// refused turns the error of one item into the refusal that it means; nil if it is
// none, so that the whole batch must fail.
func refused(eng engine, err error) error {
	if isRefusal(err) || errors.Is(err, ride.ErrNotFound) {
		return err
	}
	return refusalOf(eng.violated(err))
}

// refusalOfItem is refused, but an activation that finds no row names its trip.
func refusalOfItem(eng engine, it *item, err error) error {
	if it.activate != "" && errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("trip %s: %w", it.activate, ride.ErrNotFound)
	}
	refusal := refused(eng, err)
	var culprit *ride.TripError
	if refusal != nil && !errors.As(refusal, &culprit) && errors.As(err, &culprit) {
		return &ride.TripError{Trip: culprit.Trip, Err: refusal}
	}
	return refusal
}

// readBackItems sets the outcome of items whose commit was not answered, from what
// the database holds now that the transaction is known to be over. A refusal may rest
// on what an item before it wrote; where that is not certainly there, it is to be tried
// again, for a refused item has written nothing.
func readBackItems(ctx context.Context, x executor, batch []*item, failed error) {
	var refusals []*item
	lost := false
	for _, it := range batch {
		if it.err != nil {
			refusals = append(refusals, it)
			continue
		}
		there, err := isThere(ctx, x, it)
		switch {
		case err != nil:
			it.err = fmt.Errorf("commit: %w: %w", ride.ErrUnknownOutcome, err)
		case !there:
			it.err = failed
		}
		lost = lost || it.err != nil
	}
	if lost {
		failAll(refusals, failed)
	}
}

// isWritten reports whether the transaction of a batch was committed, now that it is known to be over: by one item
// that leaves a trace, since all share its fate. A batch without one may be repeated without harm, so it counts as
// not written.
func isWritten(ctx context.Context, x executor, batch []*item) (bool, error) {
	for _, it := range batch {
		if it.err == nil && (len(it.events) > 0 || it.command != nil || it.parts != nil) {
			return isThere(ctx, x, it)
		}
	}
	return false, nil
}

// isThere looks for what only this item can have written: its last event or its
// command. An item with neither (an activation, a changed wake time) may be
// repeated without harm, so it counts as not written.
func isThere(ctx context.Context, x executor, it *item) (bool, error) {
	var n int
	switch {
	case it.parts != nil:
		return isThere(ctx, x, it.parts[0]) // the parts share their fate
	case len(it.events) > 0:
		e := it.events[len(it.events)-1]
		err := x.query(ctx, sqlEventThere, []any{e.trip, e.version, e.kind, e.at, e.data}, &n)
		return n > 0, err
	case it.command != nil:
		c := it.command
		err := x.query(ctx, sqlCommandThere, []any{string(c.Account), c.ID, c.Digest, micros(c.At)}, &n)
		return n > 0, err
	}
	return false, nil
}
