package persistence

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Servers on one Postgres share more than trips, and their clocks may differ: what they all judge
// by age is stored and read by the database's clock.

// shared puts the time in microseconds in place of {now} in a statement: by the clock that all
// stores on this database share. That is Postgres' own, or this machine's for the embedded database,
// which has one server.
func (s *Store) shared(text string) string {
	now := sqlNow
	if !s.isPostgres() {
		now = strconv.FormatInt(micros(s.now()), 10)
	}
	return strings.ReplaceAll(text, "{now}", now)
}

func (s *Store) isPostgres() bool { return s.check == nil }

// sharedTime reads that clock.
func (s *Store) sharedTime(ctx context.Context) (time.Time, error) {
	var now int64
	err := s.read.QueryRowContext(ctx, s.shared(`SELECT {now}`)).Scan(&now)
	return fromMicros(now), err
}

// Agree makes sure that all servers on the database use the same value of a setting. The first
// value is recorded. If another one is recorded, accept decides about that: nil replaces it with
// the caller's value, an error is returned and leaves it. Servers that start at once take turns.
func (s *Store) Agree(ctx context.Context, name, value string, accept func(recorded string) error) error {
	var refused error
	err := s.tx(ctx, "agree on "+name, func(tx *sql.Tx) error {
		insert := s.shared(`INSERT INTO cluster_settings (name, value, at) VALUES ($1, $2, {now}) ON CONFLICT (name) DO NOTHING`)
		if _, err := tx.ExecContext(ctx, insert, name, value); err != nil {
			return err
		}
		// Changes nothing, but locks the row.
		var recorded string
		const lock = `UPDATE cluster_settings SET value = value WHERE name = $1 RETURNING value`
		if err := tx.QueryRowContext(ctx, lock, name).Scan(&recorded); err != nil {
			return err
		}
		if recorded == value {
			return nil
		}
		if refused = accept(recorded); refused != nil {
			return refused
		}
		_, err := tx.ExecContext(ctx, s.shared(`UPDATE cluster_settings SET value = $2, at = {now} WHERE name = $1`), name, value)
		return err
	})
	if refused != nil {
		return refused
	}
	return err
}

// Setting returns the recorded value of a setting, empty if there is none.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := s.read.QueryRowContext(ctx, `SELECT value FROM cluster_settings WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, s.failure("read setting "+name, err)
}

// purgeLogIns deletes what has expired by the shared clock: tickets and failed log-ins.
func (s *Store) purgeLogIns(ctx context.Context) (int64, error) {
	now, err := s.sharedTime(ctx)
	if err != nil {
		return 0, err
	}
	tickets, err := s.purge(ctx, `DELETE FROM tickets WHERE hash IN
		(SELECT hash FROM tickets WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, micros(now))
	if err != nil {
		return tickets, err
	}
	failures, err := s.trimFailures(ctx, failuresKept)
	return tickets + failures, err
}
