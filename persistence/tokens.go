package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/hexhail/hexhail/ride"
)

const (
	tokenColumns = `hash, family, account_id, created_at, expires_at`

	// A family lives as long as its youngest token.
	sqlSaveFamily = `INSERT INTO token_families (id, account_id, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
		WHERE token_families.expires_at < excluded.expires_at`
	sqlSaveToken  = `INSERT INTO refresh_tokens (` + tokenColumns + `) VALUES ($1, $2, $3, $4, $5)`
	sqlSpendToken = `UPDATE refresh_tokens SET spent_at = $1
		WHERE hash = $2 AND spent_at IS NULL AND expires_at > $1
			AND EXISTS (SELECT 1 FROM token_families f WHERE f.id = refresh_tokens.family AND f.revoked_at IS NULL)
		RETURNING ` + tokenColumns
	sqlReadToken     = `SELECT ` + tokenColumns + `, COALESCE(spent_at, 0) FROM refresh_tokens WHERE hash = $1`
	sqlRevokeFamily  = `UPDATE token_families SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL`
	sqlRevokeAccount = `UPDATE token_families SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL`
)

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

// RotateRefreshToken spends the token with the hash and saves its successor, in one
// transaction; the successor is of the same family and account, whatever next says.
// It returns the spent token. If the token was spent before, the whole family is
// revoked and ride.ErrTokenReused is returned with the token; an unknown,
// expired or revoked one gives ride.ErrNotFound.
func (s *Store) RotateRefreshToken(ctx context.Context, hash string, next ride.RefreshToken) (ride.RefreshToken, error) {
	const op = "rotate refresh token"
	if !validText(hash) {
		return ride.RefreshToken{}, fmt.Errorf("%s: %w", op, ride.ErrNotFound)
	}
	var spent ride.RefreshToken
	reused := false
	err := s.tx(ctx, op, func(tx *sql.Tx) error {
		now := micros(s.now())
		var err error
		spent, err = scanToken(tx.QueryRowContext(ctx, sqlSpendToken, now, hash))
		if err == nil {
			next.Family, next.Account = spent.Family, spent.Account
			return saveToken(ctx, tx, next)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var spentAt int64
		if spent, err = scanToken(tx.QueryRowContext(ctx, sqlReadToken, hash), &spentAt); err != nil {
			return err
		}
		if spentAt == 0 {
			return sql.ErrNoRows // expired, or its family is revoked
		}
		reused = true
		_, err = tx.ExecContext(ctx, sqlRevokeFamily, now, spent.Family)
		return err
	})
	switch {
	case err != nil:
		return ride.RefreshToken{}, err
	case reused:
		return spent, fmt.Errorf("%s: %w", op, ride.ErrTokenReused)
	}
	return spent, nil
}

// RefreshToken reads a token without spending it, whatever has become of it.
func (s *Store) RefreshToken(ctx context.Context, hash string) (ride.RefreshToken, error) {
	if !validText(hash) {
		return ride.RefreshToken{}, fmt.Errorf("read refresh token: %w", ride.ErrNotFound)
	}
	t, err := scanToken(s.read.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM refresh_tokens WHERE hash = $1`, hash))
	return t, s.failure("read refresh token", err)
}

// RevokeFamily ends every token of a log-in; an unknown family is no error.
func (s *Store) RevokeFamily(ctx context.Context, family string) error {
	if !validText(family) {
		return nil
	}
	_, err := s.write.ExecContext(ctx, sqlRevokeFamily, micros(s.now()), family)
	return s.failure("revoke token family", err)
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

// RevokeAccount ends every token of every log-in of an account.
func (s *Store) RevokeAccount(ctx context.Context, id ride.AccountID) error {
	_, err := s.write.ExecContext(ctx, sqlRevokeAccount, micros(s.now()), string(id))
	return s.failure("revoke tokens of account", err)
}
