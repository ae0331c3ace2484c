package persistence

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/ride"
)

const (
	tokenColumns = `hash, family, account_id, created_at, expires_at`

	// A family lives as long as its youngest token.
	sqlSaveFamily = `INSERT INTO token_families (id, account_id, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
		WHERE token_families.expires_at < excluded.expires_at`
	sqlSaveToken = `INSERT INTO refresh_tokens (` + tokenColumns + `) VALUES ($1, $2, $3, $4, $5)`
	// Changes nothing, but locks the row: the rotations of one family take turns, on
	// whichever node they are.
	sqlLockFamily = `UPDATE token_families SET expires_at = expires_at
		WHERE id = (SELECT family FROM refresh_tokens WHERE hash = $1) RETURNING revoked_at IS NOT NULL`
	sqlReadRotation = `SELECT t.hash, t.family, t.account_id, t.created_at, t.expires_at, COALESCE(t.spent_at, 0), COALESCE(t.spent_for, ''),
			COALESCE(n.hash, ''), n.hash IS NOT NULL AND n.spent_at IS NULL
		FROM refresh_tokens t LEFT JOIN refresh_tokens n ON n.hash = t.replaced_by WHERE t.hash = $1`
	sqlSpendToken    = `UPDATE refresh_tokens SET spent_at = $1 WHERE hash = $2 AND spent_at IS NULL`
	sqlReplaceToken  = `UPDATE refresh_tokens SET replaced_by = $1, spent_for = NULLIF($2, '') WHERE hash = $3`
	sqlRevokeFamily  = `UPDATE token_families SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL`
	sqlRevokeAccount = `UPDATE token_families SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL`
	sqlTokensFrom    = `UPDATE accounts SET tokens_from = $1 WHERE id = $2 AND tokens_from < $1`
)

// errTokenMoved says that a token was spent under the lock that should prevent it.
var errTokenMoved = errors.New("refresh token changed under its family's lock")

// scanToken reads tokenColumns and whatever columns follow them.
func scanToken(row interface{ Scan(...any) error }, more ...any) (ride.RefreshToken, error) {
	var t ride.RefreshToken
	var created, expires int64
	dest := append([]any{&t.Hash, &t.Family, &t.Account, &created, &expires}, more...)
	if err := row.Scan(dest...); err != nil {
		return ride.RefreshToken{}, err
	}
	t.CreatedAt, t.ExpiresAt = fromMicros(created), fromMicros(expires)
	return t, nil
}

func saveToken(ctx context.Context, tx *sql.Tx, t ride.RefreshToken) error {
	if _, err := tx.ExecContext(ctx, sqlSaveFamily, t.Family, string(t.Account), micros(t.ExpiresAt)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, sqlSaveToken, t.Hash, t.Family, string(t.Account), micros(t.CreatedAt), micros(t.ExpiresAt))
	return err
}

// SaveRefreshToken adds the first token of a family, and so the family.
func (s *Store) SaveRefreshToken(ctx context.Context, t ride.RefreshToken) error {
	return s.tx(ctx, "save refresh token", func(tx *sql.Tx) error { return saveToken(ctx, tx, t) })
}

// RotateRefreshToken implements auth.RefreshTokens.
func (s *Store) RotateRefreshToken(ctx context.Context, hash, attempt string, next ride.RefreshToken, grace time.Duration) (ride.RefreshToken, error) {
	const op = "rotate refresh token"
	if !validText(hash) {
		return ride.RefreshToken{}, fmt.Errorf("%s: %w", op, ride.ErrNotFound)
	}
	var r rotation
	reused := false
	err := s.tx(ctx, op, func(tx *sql.Tx) error {
		now := s.now()
		var err error
		if r, err = readRotation(ctx, tx, hash); err != nil {
			return err
		}
		victim, err := r.spends(now, attempt, grace)
		if errors.Is(err, ride.ErrTokenReused) {
			reused = true // and the transaction must be kept
			if _, err = tx.ExecContext(ctx, sqlRevokeFamily, micros(now), r.token.Family); err != nil {
				return err
			}
			return s.stampAccount(ctx, tx, r.token.Account)
		}
		if err != nil {
			return err
		}
		return rotate(ctx, tx, r.token, attempt, victim, next, now)
	})
	switch {
	case err != nil:
		return ride.RefreshToken{}, err
	case reused:
		return r.token, fmt.Errorf("%s: %w", op, ride.ErrTokenReused)
	}
	return r.token, nil
}

// rotation is what the database knows about a presented token.
type rotation struct {
	token     ride.RefreshToken
	revoked   bool      // the family
	spentAt   time.Time // zero: not yet
	spentFor  string    // hash of the attempt that spent it, empty if it named none
	successor string    // hash of the token given out for it, empty if there is none
	unused    bool      // the successor was neither presented nor replaced
}

// readRotation locks the token's family and reads the token.
func readRotation(ctx context.Context, tx *sql.Tx, hash string) (r rotation, err error) {
	if err = tx.QueryRowContext(ctx, sqlLockFamily, hash).Scan(&r.revoked); err != nil {
		return r, err
	}
	var spentAt int64
	r.token, err = scanToken(tx.QueryRowContext(ctx, sqlReadRotation, hash), &spentAt, &r.spentFor, &r.successor, &r.unused)
	if spentAt != 0 {
		r.spentAt = fromMicros(spentAt)
	}
	return r, err
}

// spends names the token that makes room for a new one: the one presented, or its
// unused successor, if the attempt that got that one is repeated because it never learned
// of it. Otherwise it says why not.
func (r rotation) spends(now time.Time, attempt string, grace time.Duration) (hash string, err error) {
	live := !r.revoked && now.Before(r.token.ExpiresAt)
	switch {
	case r.spentAt.IsZero() && live:
		return r.token.Hash, nil
	case r.spentAt.IsZero():
		return "", sql.ErrNoRows
	case live && r.unused && now.Sub(r.spentAt) < grace && r.repeats(attempt):
		return r.successor, nil
	}
	return "", ride.ErrTokenReused
}

// repeats tells whether the attempt is the one that spent the token. Who names none
// repeats none.
func (r rotation) repeats(attempt string) bool {
	return attempt != "" && subtle.ConstantTimeCompare([]byte(attempt), []byte(r.spentFor)) == 1
}

// rotate spends the victim for the attempt and puts next in the place of the token presented.
func rotate(ctx context.Context, tx *sql.Tx, presented ride.RefreshToken, attempt, victim string, next ride.RefreshToken, now time.Time) error {
	res, err := tx.ExecContext(ctx, sqlSpendToken, micros(now), victim)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errTokenMoved, err) // cannot be: the family is locked
	}
	if _, err := tx.ExecContext(ctx, sqlReplaceToken, next.Hash, attempt, presented.Hash); err != nil {
		return err
	}
	next.Family, next.Account = presented.Family, presented.Account
	return saveToken(ctx, tx, next)
}

// RefreshToken reads a token in any state without spending it.
func (s *Store) RefreshToken(ctx context.Context, hash string) (ride.RefreshToken, error) {
	if !validText(hash) {
		return ride.RefreshToken{}, fmt.Errorf("read refresh token: %w", ride.ErrNotFound)
	}
	var spent int64
	t, err := scanToken(s.read.QueryRowContext(ctx, `SELECT `+tokenColumns+`, COALESCE(spent_at, 0) FROM refresh_tokens WHERE hash = $1`, hash), &spent)
	if spent != 0 {
		t.SpentAt = fromMicros(spent)
	}
	return t, s.failure("read refresh token", err)
}

// RevokeFamily ends every token of a log-in; an unknown family is no error.
func (s *Store) RevokeFamily(ctx context.Context, family string) error {
	if !validText(family) {
		return nil
	}
	return s.tx(ctx, "revoke token family", func(tx *sql.Tx) error {
		var account ride.AccountID
		err := tx.QueryRowContext(ctx, sqlRevokeFamily+` RETURNING account_id`, micros(s.now()), family).Scan(&account)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil // it is unknown, or ended before
		case err != nil:
			return err
		}
		return s.stampAccount(ctx, tx, account)
	})
}

// FamilyRevoked tells whether access tokens of a family no longer count: it was
// revoked, or it is not known, as after its last refresh token ran out.
func (s *Store) FamilyRevoked(ctx context.Context, family string) (bool, error) {
	if !validText(family) {
		return true, nil
	}
	var live int
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM token_families WHERE id = $1 AND revoked_at IS NULL`,
		family).Scan(&live)
	return live == 0, s.failure("read token family", err)
}

// RevokeAccount ends every token of every log-in of an account, and with those the tokens of an
// outside issuer up to from. An earlier from than before changes nothing.
func (s *Store) RevokeAccount(ctx context.Context, id ride.AccountID, from time.Time) error {
	return s.tx(ctx, "revoke tokens of account", func(tx *sql.Tx) error {
		if err := revokeAccount(ctx, tx, id, from, s.now()); err != nil {
			return err
		}
		return s.stampAccount(ctx, tx, id)
	})
}

// revokeAccount leaves the stamp to its caller.
func revokeAccount(ctx context.Context, tx *sql.Tx, id ride.AccountID, from, now time.Time) error {
	if _, err := tx.ExecContext(ctx, sqlRevokeAccount, micros(now), string(id)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, sqlTokensFrom, micros(from), string(id))
	return err
}
