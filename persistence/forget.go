package persistence

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/view"
)

// forgetPage bounds the trips, and the waves, that one read of an erasure takes.
const forgetPage = 200

// forgetTrips takes what names the person out of all ended trips that they had a part in: those
// they rode or drove, and those they were offered. Trips without a trace are left alone.
func (s *Store) forgetTrips(ctx context.Context, e erasure) error {
	var since int64 // once all was gone through, only what has moved since can hold more
	if e.swept {
		since = micros(e.at)
	}
	const ended = ` AND t.ended_at IS NOT NULL AND t.updated_at >= $3`
	// One statement for each column, so that each has its index.
	for _, text := range []string{
		`SELECT t.id FROM trips t WHERE t.rider_id = $1 AND t.id > $2` + ended + ` ORDER BY t.id LIMIT $4`,
		`SELECT t.id FROM trips t WHERE t.driver_id = $1 AND t.id > $2` + ended + ` ORDER BY t.id LIMIT $4`,
		`SELECT DISTINCT o.trip_id FROM offers o JOIN trips t ON t.id = o.trip_id
			WHERE o.driver_id = $1 AND o.trip_id > $2` + ended + ` ORDER BY o.trip_id LIMIT $4`,
	} {
		for after := ride.TripID(""); ; {
			ids, err := list(ctx, s.read, scanTripID, text, string(e.id), string(after), since, forgetPage)
			if err != nil {
				return s.failure("list trips to forget", err)
			}
			for _, id := range ids {
				if err := s.forgetTrip(ctx, id, e.id); err != nil {
					return err
				}
			}
			if len(ids) < forgetPage {
				break
			}
			after = ids[len(ids)-1]
		}
	}
	return nil
}

// forgetTrip rewrites one ended trip. Its fence rises, so that an actor that still holds the names
// in memory cannot write them back.
func (s *Store) forgetTrip(ctx context.Context, id ride.TripID, who ride.AccountID) error {
	return s.tx(ctx, "forget trip", func(tx *sql.Tx) error {
		var state string
		var fence int64
		err := tx.QueryRowContext(ctx, `UPDATE trips SET fence = fence + 1 WHERE id = $1 AND ended_at IS NOT NULL
			RETURNING state, fence`, string(id)).Scan(&state, &fence)
		if err == sql.ErrNoRows { //nolint:errorlint // Scan returns it as it is
			return nil // live: it is looked at again
		}
		if err != nil {
			return err
		}
		t, err := tripOf(state, fence)
		if err != nil {
			return err
		}
		forgotten := ride.ForgetTrip(t, who)
		if err := updateState(ctx, tx, &forgotten, state); err != nil {
			return err
		}
		if err := forgetEvents(ctx, tx, &t, who); err != nil {
			return err
		}
		if t.HadPart(who) { // also a driver who gave the trip back, or lost it to another, drove a part of the track
			if _, err := tx.ExecContext(ctx, `DELETE FROM breadcrumbs WHERE trip_id = $1`, string(id)); err != nil {
				return err
			}
		}
		if err := forgetReplies(ctx, tx, &forgotten, who); err != nil {
			return err
		}
		return forgetOffers(ctx, tx, id, who)
	})
}

func updateState(ctx context.Context, tx *sql.Tx, t *ride.Trip, before string) error {
	state, err := ride.MarshalTrip(t)
	if err != nil || string(state) == before {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE trips SET state = $1, search = $2 WHERE id = $3`, string(state), tripText(t), string(t.ID))
	return err
}

// forgetEvents rewrites the events of a trip, and what its waves considered.
func forgetEvents(ctx context.Context, tx *sql.Tx, t *ride.Trip, who ride.AccountID) error {
	type row struct {
		version    int64
		kind, data string
	}
	rows, err := listTx(ctx, tx, func(r *sql.Rows) (w row, err error) {
		err = r.Scan(&w.version, &w.kind, &w.data)
		return w, err
	}, `SELECT version, kind, data FROM trip_events WHERE trip_id = $1 ORDER BY version`, string(t.ID))
	if err != nil {
		return err
	}
	for _, w := range rows {
		e, err := ride.UnmarshalEvent(w.kind, []byte(w.data))
		if err != nil {
			return err
		}
		_, data, err := ride.MarshalEvent(ride.ForgetEvent(t, e, who))
		if err != nil {
			return err
		}
		if string(data) == w.data {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE trip_events SET data = $1 WHERE trip_id = $2 AND version = $3`,
			string(data), string(t.ID), w.version); err != nil {
			return err
		}
	}
	return nil
}

func forgetOffers(ctx context.Context, tx *sql.Tx, id ride.TripID, who ride.AccountID) error {
	type row struct{ id, data string }
	rows, err := listTx(ctx, tx, func(r *sql.Rows) (w row, err error) {
		err = r.Scan(&w.id, &w.data)
		return w, err
	}, `SELECT id, data FROM offers WHERE driver_id = $1 AND trip_id = $2`, string(who), string(id))
	if err != nil {
		return err
	}
	for _, w := range rows {
		var o ride.Offer
		if err := json.Unmarshal([]byte(w.data), &o); err != nil {
			return fmt.Errorf("unmarshal offer: %w", err)
		}
		data, err := marshalOffer(ride.ForgetOffer(o, who))
		if err != nil {
			return err
		}
		if data == w.data {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE offers SET data = $1 WHERE id = $2`, data, w.id); err != nil {
			return err
		}
	}
	return nil
}

// forgetReplies rewrites the answers that other parties of the trip got to their commands and
// that are still kept: they show the trip as it was.
func forgetReplies(ctx context.Context, tx *sql.Tx, t *ride.Trip, who ride.AccountID) error {
	type row struct {
		command string
		reply   []byte
	}
	parties := map[ride.AccountID]bool{t.Request.Rider.ID: true, t.DriverID(): true}
	for _, o := range t.Offers {
		parties[o.Driver] = true
	}
	delete(parties, who)
	delete(parties, "")
	for party := range parties {
		rows, err := listTx(ctx, tx, func(r *sql.Rows) (w row, err error) {
			err = r.Scan(&w.command, &w.reply)
			return w, err
		}, `SELECT command_id, reply FROM commands WHERE account_id = $1 AND at >= $2`, string(party), micros(t.RequestedAt))
		if err != nil {
			return err
		}
		for _, w := range rows {
			if !bytes.Contains(w.reply, []byte(t.ID)) {
				continue
			}
			without, ok, err := view.ForgetReply(w.reply, t, who)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE commands SET reply = $1 WHERE account_id = $2 AND command_id = $3`,
				without, string(party), w.command); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetCandidates takes a driver's positions out of all that dispatch considered. It reads the
// table a page at a time: nothing but its text says whom a wave considered.
func (s *Store) forgetCandidates(ctx context.Context, e erasure) error {
	type row struct {
		trip    string
		version int64
		data    string
	}
	for at := (row{}); ; {
		rows, err := list(ctx, s.read, func(r *sql.Rows) (w row, err error) {
			err = r.Scan(&w.trip, &w.version, &w.data)
			return w, err
		}, `SELECT trip_id, version, data FROM wave_candidates WHERE (trip_id, version) > ($1, $2)
			ORDER BY trip_id, version LIMIT $3`, at.trip, at.version, forgetPage)
		if err != nil {
			return s.failure("read candidates", err)
		}
		for _, w := range rows {
			if !strings.Contains(w.data, string(e.id)) {
				continue
			}
			var all []ride.Considered
			if err := json.Unmarshal([]byte(w.data), &all); err != nil {
				return fmt.Errorf("unmarshal candidates: %w", err)
			}
			data, err := json.Marshal(ride.ForgetConsidered(all, e.id))
			if err != nil {
				return fmt.Errorf("marshal candidates: %w", err)
			}
			if _, err := s.write.ExecContext(ctx, `UPDATE wave_candidates SET data = $1 WHERE trip_id = $2 AND version = $3`,
				string(data), w.trip, w.version); err != nil {
				return s.failure("forget candidates", err)
			}
		}
		if len(rows) < forgetPage {
			return nil
		}
		at = rows[len(rows)-1]
	}
}

// listTx is list within a transaction.
func listTx[T any](ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what went wrong
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
