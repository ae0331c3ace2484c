package persistence

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// prunePage bounds the trips that one transaction of the janitor takes: it is the only writer
// meanwhile.
const prunePage = 50

// eventCursor is how far the events of old trips are pruned.
type eventCursor struct {
	at int64
	id string
}

// pruneTrips deletes trips, or their events and offers alone, that are older than they are
// kept. A live trip is not touched, however old.
func (s *Store) pruneTrips(ctx context.Context, now time.Time) (total int64, err error) {
	if s.tripAge > 0 {
		text := `SELECT requested_at, id FROM trips WHERE requested_at < $1 AND ended_at IS NOT NULL ORDER BY requested_at, id LIMIT $2`
		for {
			page, err := list(ctx, s.read, scanEventCursor, text, micros(now.Add(-s.tripAge)), prunePage)
			if err != nil {
				return total, err
			}
			n, err := s.pruneTrip(ctx, page, append(slices.Clip(detailsOfTrips), `DELETE FROM breadcrumbs WHERE trip_id = $1`,
				`DELETE FROM trips WHERE id = $1 AND ended_at IS NOT NULL`))
			if total += n; err != nil {
				return total, err
			}
			if len(page) < prunePage {
				break
			}
		}
	}
	if s.eventAge <= 0 {
		return total, nil
	}
	n, err := s.pruneEvents(ctx, now)
	return total + n, err
}

// detailsOfTrips are the rows that say how a trip came about. An offer's id begins with its
// trip's.
var detailsOfTrips = []string{
	`DELETE FROM trip_events WHERE trip_id = $1`,
	`DELETE FROM wave_candidates WHERE trip_id = $1`,
	`DELETE FROM offers WHERE id > $1 || '.' AND id < $1 || '/'`,
}

// pruneEvents goes on from where it was in this process's life: what it has been through holds
// no more.
func (s *Store) pruneEvents(ctx context.Context, now time.Time) (total int64, err error) {
	// Trips end in another order than they begin: before the oldest live one all have ended.
	var oldest sql.NullInt64
	if err := s.read.QueryRowContext(ctx, `SELECT MIN(requested_at) FROM trips WHERE `+isLive).Scan(&oldest); err != nil {
		return 0, err
	}
	before := micros(now.Add(-s.eventAge))
	if oldest.Valid {
		before = min(before, oldest.Int64)
	}
	for {
		page, err := list(ctx, s.read, scanEventCursor, `SELECT requested_at, id FROM trips
			WHERE (requested_at, id) > ($1, $2) AND requested_at < $3 AND ended_at IS NOT NULL
			ORDER BY requested_at, id LIMIT $4`, s.prunedTo.at, s.prunedTo.id, before, prunePage)
		if err != nil {
			return total, err
		}
		n, err := s.pruneTrip(ctx, page, detailsOfTrips)
		if total += n; err != nil {
			return total, err
		}
		if len(page) > 0 {
			s.prunedTo = page[len(page)-1]
		}
		if len(page) < prunePage {
			return total, nil
		}
	}
}

func scanEventCursor(r *sql.Rows) (c eventCursor, err error) {
	err = r.Scan(&c.at, &c.id)
	return c, err
}

// pruneTrip runs the statements for each of the trips, all in one transaction.
func (s *Store) pruneTrip(ctx context.Context, trips []eventCursor, statements []string) (total int64, err error) {
	if len(trips) == 0 {
		return 0, nil
	}
	err = s.tx(ctx, "prune trips", func(tx *sql.Tx) error {
		for _, t := range trips {
			for _, text := range statements {
				res, err := tx.ExecContext(ctx, text, t.id)
				if err != nil {
					return fmt.Errorf("delete: %w", err)
				}
				n, err := res.RowsAffected()
				if err != nil {
					return err
				}
				total += n
			}
		}
		return nil
	})
	return total, err
}
