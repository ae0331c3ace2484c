package persistence

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// erasureAge is how long an erasure is carried out again, for what was under way: longer than a
// trip or a command's outcome may take by default.
const erasureAge = 48 * time.Hour

// Erase removes an account and all that names its person; figures of trips stay. The account is
// gone when it returns. What names the person in trips goes at once as far as the context lasts,
// and otherwise with the next purges, which also look for what was under way. It returns
// ride.ErrTripActive while the account has a live trip, and ride.ErrNotFound.
func (s *Store) Erase(ctx context.Context, id ride.AccountID) error {
	const op = "erase account"
	if !validText(string(id)) {
		return fmt.Errorf("%s: %w", op, ride.ErrNotFound)
	}
	e := erasure{id: id, at: s.now()}
	err := s.tx(ctx, op, func(tx *sql.Tx) error {
		a, err := scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, string(id)))
		if err != nil {
			return err
		}
		e.role = a.Role
		var live int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM trips WHERE `+isLive+` AND (rider_id = $1 OR driver_id = $1)`,
			string(id)).Scan(&live); err != nil {
			return err
		}
		if live > 0 {
			return ride.ErrTripActive
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO erasures (account_id, role, subject_hash, at, swept) VALUES ($1, $2, $3, $4, 0)`,
			string(id), string(a.Role), subjectHash(a.Issuer, a.Subject), micros(e.at)); err != nil {
			return err
		}
		if err := removeKeyed(ctx, tx, id); err != nil {
			return err
		}
		return s.stampErasure(ctx, tx, id)
	})
	if err != nil {
		return err
	}
	if err := s.forgetTrips(ctx, e); err != nil {
		s.log.Warn("an erased person's trips still hold names; the next purge goes on", "account", id, "error", err)
	}
	return nil
}

// ErasedAt tells when an outside issuer's account with this subject was last erased; zero if it
// was not, or long ago.
func (s *Store) ErasedAt(ctx context.Context, issuer, subject string) (time.Time, error) {
	var at int64
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(at), 0) FROM erasures WHERE subject_hash = $1 AND subject_hash <> ''`,
		subjectHash(issuer, subject)).Scan(&at)
	if err != nil || at == 0 {
		return time.Time{}, s.failure("look for erasure", err)
	}
	return fromMicros(at), nil
}

func subjectHash(issuer, subject string) string {
	if issuer == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return hex.EncodeToString(sum[:])
}

// erasure is an erased person.
type erasure struct {
	id    ride.AccountID
	role  ride.Role
	at    time.Time
	swept bool // what dispatch considered has been gone through
}

// removeKeyed deletes all rows that go with an account, and the words of operators about it.
func removeKeyed(ctx context.Context, tx *sql.Tx, id ride.AccountID) error {
	for _, k := range accountKeys {
		if k.erase != removeRows {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+k.table+` WHERE `+k.column+` = $1`, string(id)); err != nil { //nolint:gosec // the names are constants of accountKeys
			return fmt.Errorf("%s: %w", k.table, err)
		}
	}
	// What was done to the account stays on record, what was said about its person does not.
	_, err := tx.ExecContext(ctx, `UPDATE audit SET detail = '{}' WHERE subject = $1 AND detail <> '{}'`, string(id))
	return err
}

// finishErasures carries the recent erasures out again.
func (s *Store) finishErasures(ctx context.Context) error {
	all, err := list(ctx, s.read, func(r *sql.Rows) (erasure, error) {
		var e erasure
		var at, swept int64
		err := r.Scan(&e.id, &e.role, &at, &swept)
		e.at, e.swept = fromMicros(at), swept != 0
		return e, err
	}, `SELECT account_id, role, at, swept FROM erasures ORDER BY at`)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range all {
		errs = append(errs, s.finishErasure(ctx, e))
	}
	return errors.Join(errs...)
}

func (s *Store) finishErasure(ctx context.Context, e erasure) error {
	if err := s.tx(ctx, "erase account", func(tx *sql.Tx) error { return removeKeyed(ctx, tx, e.id) }); err != nil {
		return err
	}
	if err := s.forgetTrips(ctx, e); err != nil {
		return err
	}
	if !e.swept && e.role == ride.RoleDriver {
		if err := s.forgetCandidates(ctx, e); err != nil {
			return err
		}
	}
	if s.now().Sub(e.at) < erasureAge {
		_, err := s.write.ExecContext(ctx, `UPDATE erasures SET swept = 1 WHERE account_id = $1 AND swept = 0`, string(e.id))
		return err
	}
	// A trip of settings out of the ordinary may still be live.
	_, err := s.write.ExecContext(ctx, `DELETE FROM erasures WHERE account_id = $1 AND NOT EXISTS
		(SELECT 1 FROM trips WHERE `+isLive+` AND (rider_id = $1 OR driver_id = $1))`, string(e.id))
	return err
}
