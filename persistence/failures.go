package persistence

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/hexhail/hexhail/ride"
)

const (
	// failuresKept bounds the counts of failed log-ins: those with the latest failures stay.
	failuresKept = 60_000
	// failuresSlack is how many failures a store records between two removals, so that the bound
	// holds between two runs of the janitor. Each makes three rows at most.
	failuresSlack = 500
)

// LogInFailures implements auth.Failures.
func (s *Store) LogInFailures(ctx context.Context, keys []string) (map[string]ride.FailureCount, error) {
	out := make(map[string]ride.FailureCount, len(keys))
	if len(keys) == 0 || !validText(keys...) {
		return out, nil
	}
	q := &query{}
	marks := make([]string, len(keys))
	for i, key := range keys {
		marks[i] = q.arg(key)
	}
	_, err := list(ctx, s.read, func(r *sql.Rows) (struct{}, error) {
		var key string
		var n, last, age int64
		err := r.Scan(&key, &n, &last, &age)
		out[key] = ride.FailureCount{N: int(n), Last: fromMicros(last), Age: time.Duration(max(0, age)) * time.Microsecond}
		return struct{}{}, err
	}, s.shared(`SELECT key, n, last_at, {now} - last_at FROM log_in_failures
		WHERE key IN (`+strings.Join(marks, ", ")+`) AND expires_at > {now}`), q.args...)
	return out, s.failure("read failed log-ins", err)
}

// AddLogInFailure implements auth.Failures.
func (s *Store) AddLogInFailure(ctx context.Context, keys []string, forget time.Duration) (map[string]ride.FailureCount, error) {
	out := make(map[string]ride.FailureCount, len(keys))
	if len(keys) == 0 || !validText(keys...) {
		return out, nil
	}
	// In order, so that two failures that share keys wait for each other instead of both waiting.
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	q := &query{}
	life := `CAST(` + q.arg(forget.Microseconds()) + ` AS BIGINT)`
	rows := make([]string, len(keys))
	for i, key := range keys {
		rows[i] = `(` + q.arg(key) + `, 1, {now}, {now} + ` + life + `)`
	}
	_, err := list(ctx, s.write, func(r *sql.Rows) (struct{}, error) {
		var key string
		var n, last int64
		err := r.Scan(&key, &n, &last)
		out[key] = ride.FailureCount{N: int(n), Last: fromMicros(last)}
		return struct{}{}, err
	}, s.shared(`INSERT INTO log_in_failures (key, n, last_at, expires_at) VALUES `+strings.Join(rows, ", ")+`
		ON CONFLICT (key) DO UPDATE SET
			n = CASE WHEN log_in_failures.expires_at <= excluded.last_at THEN 1 ELSE log_in_failures.n + 1 END,
			last_at = CASE WHEN log_in_failures.last_at >= excluded.last_at THEN log_in_failures.last_at + 1 ELSE excluded.last_at END,
			expires_at = excluded.expires_at
		RETURNING key, n, last_at`), q.args...)
	if err != nil {
		return nil, s.failure("record failed log-in", err)
	}
	if s.failed.Add(1)%failuresSlack == 0 {
		if _, err := s.trimFailures(ctx, failuresKept); err != nil {
			s.log.Warn("old counts of failed log-ins cannot be deleted", "error", err)
		}
	}
	return out, nil
}

// ForgetLogInFailures implements auth.Failures.
func (s *Store) ForgetLogInFailures(ctx context.Context, key string) error {
	if !validText(key) {
		return nil
	}
	_, err := s.write.ExecContext(ctx, `DELETE FROM log_in_failures WHERE key = $1`, key)
	return s.failure("forget failed log-ins", err)
}

// trimFailures deletes the counts that have expired, and those beyond the newest keep.
func (s *Store) trimFailures(ctx context.Context, keep int) (int64, error) {
	var now, beyond int64
	err := s.read.QueryRowContext(ctx, s.shared(`SELECT {now}, COALESCE((SELECT expires_at FROM log_in_failures
		ORDER BY expires_at DESC LIMIT 1 OFFSET $1), 0)`), keep).Scan(&now, &beyond)
	if err != nil {
		return 0, err
	}
	locked := ""
	if s.isPostgres() { // a row that a failure is just raising is not old
		locked = "FOR UPDATE SKIP LOCKED"
	}
	return s.purge(ctx, `DELETE FROM log_in_failures WHERE key IN
		(SELECT key FROM log_in_failures WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 `+locked+`)`, max(now, beyond))
}
