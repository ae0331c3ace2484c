package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// SaveTicket implements auth.Tickets. Tickets that an account asks for at the same moment may
// exceed its bound by as many as there are connections.
func (s *Store) SaveTicket(ctx context.Context, t ride.Ticket, life time.Duration, most int) (expires time.Time, err error) {
	const op = "save ticket"
	if !validText(t.Hash, string(t.Account), t.Family) {
		return time.Time{}, fmt.Errorf("%s: %w", op, ride.ErrInvalidArgument)
	}
	text := s.shared(`INSERT INTO tickets (hash, account_id, family, issued_at, token_expires_at, expires_at)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS BIGINT),
			{now} + CAST($6 AS BIGINT)
		WHERE (SELECT COUNT(*) FROM tickets WHERE account_id = $2) < $7
		RETURNING expires_at`)
	for first := true; ; first = false {
		var at int64
		err := s.write.QueryRowContext(ctx, text, t.Hash, string(t.Account), t.Family, orNull(t.TokenIssuedAt), micros(t.TokenExpiresAt),
			life.Microseconds(), most).Scan(&at)
		switch {
		case err == nil:
			return fromMicros(at), nil
		case !errors.Is(err, sql.ErrNoRows):
			return time.Time{}, s.failure(op, err)
		case !first:
			return time.Time{}, ride.ErrUnavailable.With("Too many unused tickets.")
		}
		// Expired tickets count until they are deleted, so that no account has more rows than
		// tickets, however rarely the janitor runs.
		expired := s.shared(`DELETE FROM tickets WHERE account_id = $1 AND expires_at <= {now}`)
		if _, err := s.write.ExecContext(ctx, expired, string(t.Account)); err != nil {
			return time.Time{}, s.failure(op, err)
		}
	}
}

// TakeTicket implements auth.Tickets.
func (s *Store) TakeTicket(ctx context.Context, hash string) (ride.Ticket, error) {
	const op = "take ticket"
	if !validText(hash) {
		return ride.Ticket{}, fmt.Errorf("%s: %w", op, ride.ErrNotFound)
	}
	t := ride.Ticket{Hash: hash}
	var issued sql.NullInt64
	var tokenExpires int64
	var valid bool
	err := s.write.QueryRowContext(ctx, s.shared(`DELETE FROM tickets WHERE hash = $1
		RETURNING account_id, family, issued_at, token_expires_at, expires_at > {now}`), hash).
		Scan(&t.Account, &t.Family, &issued, &tokenExpires, &valid)
	switch {
	case err != nil:
		return ride.Ticket{}, s.failure(op, err)
	case !valid:
		return ride.Ticket{}, fmt.Errorf("%s: it has expired: %w", op, ride.ErrNotFound)
	}
	if issued.Valid {
		t.TokenIssuedAt = fromMicros(issued.Int64)
	}
	t.TokenExpiresAt = fromMicros(tokenExpires)
	return t, nil
}
