package persistence

import (
	"context"
	"fmt"

	"github.com/hexhail/hexhail/ride"
)

// ClaimSession implements actors.Sessions. One statement raises the generation and keeps the former
// process, so that sessions that start at once each get a generation of their own.
func (s *Store) ClaimSession(ctx context.Context, account ride.AccountID, node, incarnation string) (ride.SessionClaim, error) {
	const op = "claim session"
	if !validText(string(account), node, incarnation) {
		return ride.SessionClaim{}, fmt.Errorf("%s: %w", op, ride.ErrInvalidArgument)
	}
	var c ride.SessionClaim
	err := s.write.QueryRowContext(ctx, s.shared(`INSERT INTO live_sessions (account_id, node, incarnation, generation, since)
		VALUES ($1, $2, $3, 1, {now})
		ON CONFLICT (account_id) DO UPDATE SET
			generation = live_sessions.generation + 1, since = excluded.since,
			node = excluded.node, incarnation = excluded.incarnation,
			former_node = live_sessions.node, former_incarnation = live_sessions.incarnation
		RETURNING generation, former_node, former_incarnation`), string(account), node, incarnation).
		Scan(&c.Generation, &c.FormerNode, &c.FormerIncarnation)
	return c, s.failure(op, err)
}
