package persistence

import (
	"context"
	"database/sql"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// KnownPlaces implements auth.Places.
func (s *Store) KnownPlaces(ctx context.Context, id ride.AccountID, since time.Time) ([]string, error) {
	if !validText(string(id)) {
		return nil, nil
	}
	places, err := list(ctx, s.read, func(r *sql.Rows) (place string, err error) {
		return place, r.Scan(&place)
	}, `SELECT place FROM known_places WHERE account_id = $1 AND seen_at >= $2`, string(id), micros(since))
	return places, s.failure("read known places", err)
}

// SavePlaces implements auth.Places.
func (s *Store) SavePlaces(ctx context.Context, id ride.AccountID, places []string, at time.Time, keep int) error {
	return s.tx(ctx, "save known places", func(tx *sql.Tx) error {
		for _, p := range places {
			if _, err := tx.ExecContext(ctx, `INSERT INTO known_places (account_id, place, seen_at) VALUES ($1, $2, $3)
				ON CONFLICT (account_id, place) DO UPDATE SET seen_at = excluded.seen_at`, string(id), p, micros(at)); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM known_places WHERE account_id = $1 AND place NOT IN
			(SELECT place FROM known_places WHERE account_id = $1 ORDER BY seen_at DESC, place LIMIT $2)`, string(id), keep)
		return err
	})
}
