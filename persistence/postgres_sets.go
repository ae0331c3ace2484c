package persistence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hexhail/hexhail/ride"
)

// The set-based statements. The arrays of one statement have equal lengths, one
// element for each row.
const (
	setCommands = `INSERT INTO commands (account_id, command_id, digest, reply, at)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bigint[])
		ON CONFLICT DO NOTHING RETURNING account_id, command_id`
	setForget = `DELETE FROM commands c USING unnest($1::text[], $2::text[]) AS u(account_id, command_id)
		WHERE c.account_id = u.account_id AND c.command_id = u.command_id`
	setActivations = `UPDATE trips SET fence = fence + 1 WHERE id = ANY($1::text[]) RETURNING id, fence, state`
	setInserts     = `INSERT INTO trips (id, rider_id, driver_id, status, version, fence, class,
			requested_at, updated_at, ended_at, wake_at, search, state)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
			$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[])
		ON CONFLICT DO NOTHING RETURNING id`
	// The last condition foresees a busy driver; without it the index would end the
	// transaction, and the whole batch with it.
	setUpdates = `UPDATE trips t SET driver_id = u.driver_id, status = u.status, version = u.version,
			updated_at = u.updated_at, ended_at = u.ended_at, wake_at = u.wake_at, state = u.state
		FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[],
				$7::bigint[], $8::bigint[], $9::bigint[], $10::text[])
			AS u(id, prev, fence, driver_id, status, version, updated_at, ended_at, wake_at, state)
		WHERE t.id = u.id AND t.version = u.prev AND t.fence = u.fence
			AND (t.ended_at IS NULL OR t.status = u.status)
			AND (u.ended_at IS NOT NULL OR NOT EXISTS (
				SELECT 1 FROM trips o WHERE o.driver_id = u.driver_id AND o.id <> u.id AND o.ended_at IS NULL))
		RETURNING t.id`
	// Of trips that were not written: is it there as it should have been for an
	// update, or there at all for an insert?
	setWhy = `SELECT u.id, EXISTS (SELECT 1 FROM trips t WHERE t.id = u.id AND (u.prev = 0
			OR (t.version = u.prev AND t.fence = u.fence AND (t.status = u.status
				OR t.ended_at IS NULL))))
		FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS u(id, prev, fence, status)`
	setEvents = `INSERT INTO trip_events (trip_id, version, kind, at, data)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])`
	setWaves = `INSERT INTO wave_candidates (trip_id, version, at, data)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])`
	setOffers = `INSERT INTO offers (id, trip_id, driver_id, state, expires_at, data)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at, data = excluded.data`
	setRatings = `UPDATE accounts a SET rating_sum = a.rating_sum + u.stars, rating_count = a.rating_count + u.n
		FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS u(id, stars, n) WHERE a.id = u.id`
)

// writeSets writes a batch in which no two items contend for the same thing, with a
// few statements whatever its size: first what decides who is refused, then the
// rest for those who are not.
func writeSets(ctx context.Context, tx pgx.Tx, batch []*item) (xid string, err error) {
	grouped := func(it *item) bool { return it.parts != nil }
	if groups := chosen(batch, grouped); len(groups) > 0 {
		if _, err := writeEach(ctx, tx, groups); err != nil {
			return "", err
		}
		batch = chosen(batch, func(it *item) bool { return !grouped(it) })
	}
	if err := writeCommands(ctx, tx, batch); err != nil {
		return "", err
	}
	written := make(map[string]bool)
	if err := writeTrips(ctx, tx, batch, written); err != nil {
		return "", err
	}
	if err := explainRefusals(ctx, tx, batch, written); err != nil {
		return "", err
	}
	return writeRest(ctx, tx, batch)
}

// column gathers one value of each row.
func column[R, V any](rows []R, value func(R) V) []V {
	out := make([]V, len(rows))
	for i, r := range rows {
		out[i] = value(r)
	}
	return out
}

// chosen are the items that hold.
func chosen(batch []*item, holds func(*item) bool) []*item {
	var out []*item
	for _, it := range batch {
		if holds(it) {
			out = append(out, it)
		}
	}
	return out
}

func account(it *item) string   { return string(it.command.Account) }
func commandID(it *item) string { return it.command.ID }

func writeCommands(ctx context.Context, tx pgx.Tx, batch []*item) error {
	items := chosen(batch, func(it *item) bool { return it.command != nil })
	if len(items) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, setCommands, column(items, account), column(items, commandID),
		column(items, func(it *item) string { return it.command.Digest }),
		column(items, func(it *item) []byte { return replyBytes(it.command) }),
		column(items, func(it *item) int64 { return micros(it.command.At) }))
	if err != nil {
		return err
	}
	fresh := make(map[[2]string]bool, len(items))
	var a, id string
	if _, err := pgx.ForEachRow(rows, []any{&a, &id}, func() error {
		fresh[[2]string{a, id}] = true
		return nil
	}); err != nil {
		return err
	}
	for _, it := range items {
		if !fresh[[2]string{account(it), it.command.ID}] {
			it.err = ride.ErrCommandSeen
		}
	}
	return nil
}

// writeTrips inserts, updates and activates, in one round trip, and notes the ids of
// the trips that it wrote.
func writeTrips(ctx context.Context, tx pgx.Tx, batch []*item, written map[string]bool) error {
	b := &pgx.Batch{}
	note := func(rows pgx.Rows) error {
		var id string
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error { written[id] = true; return nil })
		return err
	}
	trips := func(insert bool) []*item {
		return chosen(batch, func(it *item) bool {
			return it.err == nil && it.trip != nil && (it.prev == 0) == insert
		})
	}
	if items := trips(true); len(items) > 0 {
		b.Queue(setInserts, insertColumns(items)...).Query(note)
	}
	if items := trips(false); len(items) > 0 {
		b.Queue(setUpdates, updateColumns(items)...).Query(note)
	}
	if items := chosen(batch, func(it *item) bool { return it.activate != "" }); len(items) > 0 {
		ids := column(items, func(it *item) string { return string(it.activate) })
		b.Queue(setActivations, ids).Query(func(rows pgx.Rows) error { return noteActivations(rows, items) })
	}
	if slices.ContainsFunc(batch, func(it *item) bool { return it.probe }) {
		b.Queue(sqlProbe, micros(time.Now()))
	}
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

func insertColumns(items []*item) []any {
	trips := column(items, func(it *item) *tripRow { return it.trip })
	return []any{
		column(trips, func(t *tripRow) string { return t.id }),
		column(trips, func(t *tripRow) string { return t.rider }),
		column(trips, func(t *tripRow) *string { return t.driver }),
		column(trips, func(t *tripRow) string { return t.status }),
		column(trips, func(t *tripRow) int64 { return t.version }),
		column(trips, func(t *tripRow) int64 { return t.fence }),
		column(trips, func(t *tripRow) string { return t.class }),
		column(trips, func(t *tripRow) int64 { return t.requestedAt }),
		column(trips, func(t *tripRow) int64 { return t.updatedAt }),
		column(trips, func(t *tripRow) *int64 { return t.endedAt }),
		column(trips, func(t *tripRow) *int64 { return t.wakeAt }),
		column(trips, func(t *tripRow) string { return t.search }),
		column(trips, func(t *tripRow) string { return t.state }),
	}
}

func updateColumns(items []*item) []any {
	return []any{
		column(items, func(it *item) string { return it.trip.id }),
		column(items, func(it *item) int64 { return it.prev }),
		column(items, func(it *item) int64 { return it.fence }),
		column(items, func(it *item) *string { return it.trip.driver }),
		column(items, func(it *item) string { return it.trip.status }),
		column(items, func(it *item) int64 { return it.trip.version }),
		column(items, func(it *item) int64 { return it.trip.updatedAt }),
		column(items, func(it *item) *int64 { return it.trip.endedAt }),
		column(items, func(it *item) *int64 { return it.trip.wakeAt }),
		column(items, func(it *item) string { return it.trip.state }),
	}
}

func noteActivations(rows pgx.Rows, items []*item) error {
	type found struct {
		fence int64
		state string
	}
	byID := make(map[string]found, len(items))
	var id string
	var f found
	if _, err := pgx.ForEachRow(rows, []any{&id, &f.fence, &f.state}, func() error {
		byID[id] = f
		return nil
	}); err != nil {
		return err
	}
	for _, it := range items {
		f, ok := byID[string(it.activate)]
		if !ok {
			it.err = fmt.Errorf("trip %s: %w", it.activate, ride.ErrNotFound)
		}
		it.newFence, it.state = f.fence, f.state
	}
	return nil
}

// explainRefusals finds out why trips were not written.
func explainRefusals(ctx context.Context, tx pgx.Tx, batch []*item, written map[string]bool) error {
	items := chosen(batch, func(it *item) bool {
		return it.err == nil && it.trip != nil && !written[it.trip.id]
	})
	if len(items) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, setWhy,
		column(items, func(it *item) string { return it.trip.id }),
		column(items, func(it *item) int64 { return it.prev }),
		column(items, func(it *item) int64 { return it.fence }),
		column(items, func(it *item) string { return it.trip.status }))
	if err != nil {
		return err
	}
	there := make(map[string]bool, len(items))
	var id string
	var is bool
	if _, err := pgx.ForEachRow(rows, []any{&id, &is}, func() error { there[id] = is; return nil }); err != nil {
		return err
	}
	for _, it := range items {
		switch insert := it.prev == 0; {
		case insert && !there[it.trip.id]:
			it.err = ride.ErrRiderBusy
		case !insert && there[it.trip.id]:
			it.err = ride.ErrDriverBusy
		default:
			it.err = ride.ErrStale
		}
	}
	return nil
}

// writeRest writes what follows from the trips that were written, and takes back the
// commands of those that were not. The same round trip brings the transaction's id.
func writeRest(ctx context.Context, tx pgx.Tx, batch []*item) (xid string, err error) {
	var events []eventRow
	var waves []waveRow
	var offers []offerRow
	stars, counts := make(map[string]int64), make(map[string]int64)
	for _, it := range batch {
		if it.err != nil {
			continue
		}
		events, offers = append(events, it.events...), append(offers, it.offers...)
		waves = append(waves, it.waves...)
		for _, r := range it.ratings {
			stars[r.about] += r.stars
			counts[r.about]++
		}
	}
	b := &pgx.Batch{}
	if len(events) > 0 {
		b.Queue(setEvents,
			column(events, func(e eventRow) string { return e.trip }),
			column(events, func(e eventRow) int64 { return e.version }),
			column(events, func(e eventRow) string { return e.kind }),
			column(events, func(e eventRow) int64 { return e.at }),
			column(events, func(e eventRow) string { return e.data }))
	}
	if len(waves) > 0 {
		b.Queue(setWaves,
			column(waves, func(w waveRow) string { return w.trip }),
			column(waves, func(w waveRow) int64 { return w.version }),
			column(waves, func(w waveRow) int64 { return w.at }),
			column(waves, func(w waveRow) string { return w.data }))
	}
	if len(offers) > 0 {
		b.Queue(setOffers,
			column(offers, func(o offerRow) string { return o.id }),
			column(offers, func(o offerRow) string { return o.trip }),
			column(offers, func(o offerRow) string { return o.driver }),
			column(offers, func(o offerRow) string { return o.state }),
			column(offers, func(o offerRow) int64 { return o.expiresAt }),
			column(offers, func(o offerRow) string { return o.data }))
	}
	if len(stars) > 0 {
		ids := slices.Sorted(maps.Keys(stars)) // in one order on all nodes
		b.Queue(setRatings, ids,
			column(ids, func(id string) int64 { return stars[id] }),
			column(ids, func(id string) int64 { return counts[id] }))
	}
	forget := chosen(batch, func(it *item) bool {
		return it.command != nil && it.err != nil && !errors.Is(it.err, ride.ErrCommandSeen)
	})
	if len(forget) > 0 {
		b.Queue(setForget, column(forget, account), column(forget, commandID))
	}
	b.Queue(sqlXid).QueryRow(func(row pgx.Row) error { return row.Scan(&xid) })
	err = tx.SendBatch(ctx, b).Close()
	return xid, err
}
