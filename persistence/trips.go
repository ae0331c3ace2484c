package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// The conditions of the partial indexes, word for word, so that the planners see
// them as such.
const (
	isLive     = `ended_at IS NULL`
	isOccupied = `ended_at IS NULL AND driver_id IS NOT NULL`
)

// tripOf reads a stored state.
func tripOf(state string, fence int64) (ride.Trip, error) {
	t, err := ride.UnmarshalTrip([]byte(state))
	if err != nil {
		return ride.Trip{}, err
	}
	t.Fence = fence
	return *t, nil
}

func scanTrip(row interface{ Scan(...any) error }) (ride.Trip, error) {
	var state string
	var fence int64
	if err := row.Scan(&state, &fence); err != nil {
		return ride.Trip{}, err
	}
	return tripOf(state, fence)
}

// list runs a query and gathers its rows. The result is never nil, so that it shows
// as an empty list in JSON.
func list[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), text string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what went wrong
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Trip reads the newest committed state without raising the fence, or
// ride.ErrNotFound.
func (s *Store) Trip(ctx context.Context, id ride.TripID) (ride.Trip, error) {
	if !validText(string(id)) {
		return ride.Trip{}, fmt.Errorf("read trip: %w", ride.ErrNotFound)
	}
	t, err := scanTrip(s.read.QueryRowContext(ctx, `SELECT state, fence FROM trips WHERE id = $1`, string(id)))
	return t, s.failure("read trip", err)
}

// ActiveTrip returns the live trip that occupies this rider, or this driver;
// ride.ErrNotFound if none does.
func (s *Store) ActiveTrip(ctx context.Context, account ride.AccountID, role ride.Role) (ride.Trip, error) {
	var text string
	switch role {
	case ride.RoleRider:
		text = `SELECT state, fence FROM trips WHERE rider_id = $1 AND ` + isLive
	case ride.RoleDriver:
		text = `SELECT state, fence FROM trips WHERE driver_id = $1 AND ` + isOccupied
	default:
		return ride.Trip{}, fmt.Errorf("read active trip of a %s: %w", role, ride.ErrNotFound)
	}
	t, err := scanTrip(s.read.QueryRowContext(ctx, text, string(account)))
	return t, s.failure("read active trip", err)
}

// Command reads a command's outcome; ride.ErrNotFound if it has none.
func (s *Store) Command(ctx context.Context, account ride.AccountID, id string) (ride.CommandRecord, error) {
	if !validText(id) {
		return ride.CommandRecord{}, fmt.Errorf("read command: %w", ride.ErrNotFound)
	}
	c := ride.CommandRecord{Account: account, ID: id}
	var at int64
	err := s.read.QueryRowContext(ctx,
		`SELECT digest, reply, at FROM commands WHERE account_id = $1 AND command_id = $2`,
		string(account), id).Scan(&c.Digest, &c.Reply, &at)
	if err != nil {
		return ride.CommandRecord{}, s.failure("read command", err)
	}
	c.At = fromMicros(at)
	return c, nil
}

func scanTripID(r *sql.Rows) (ride.TripID, error) {
	var id ride.TripID
	err := r.Scan(&id)
	return id, err
}

// Overdue pages by id through the live trips whose wake time lies before t.
func (s *Store) Overdue(ctx context.Context, t time.Time, after ride.TripID, limit int) ([]ride.TripID, error) {
	out, err := list(ctx, s.read, scanTripID,
		`SELECT id FROM trips WHERE wake_at IS NOT NULL AND wake_at < $1 AND id > $2 ORDER BY id LIMIT $3`,
		micros(t), string(after), limit)
	return out, s.failure("list overdue trips", err)
}

// LiveTrips pages through all live trips by id.
func (s *Store) LiveTrips(ctx context.Context, after ride.TripID, limit int) ([]ride.TripID, error) {
	out, err := list(ctx, s.read, scanTripID,
		`SELECT id FROM trips WHERE `+isLive+` AND id > $1 ORDER BY id LIMIT $2`, string(after), limit)
	return out, s.failure("list live trips", err)
}

// TripEvents returns a trip's history in order, empty if it is no longer kept;
// ride.ErrNotFound if there is no such trip.
func (s *Store) TripEvents(ctx context.Context, id ride.TripID) ([]ride.StoredEvent, error) {
	if !validText(string(id)) {
		return nil, fmt.Errorf("list trip events: %w", ride.ErrNotFound)
	}
	out, err := list(ctx, s.read, func(r *sql.Rows) (ride.StoredEvent, error) {
		var e ride.StoredEvent
		var kind, data string
		if err := r.Scan(&e.Version, &kind, &data); err != nil {
			return e, err
		}
		var err error
		e.Event, err = ride.UnmarshalEvent(kind, []byte(data))
		return e, err
	}, `SELECT version, kind, data FROM trip_events WHERE trip_id = $1 ORDER BY version`, string(id))
	if err == nil && len(out) == 0 { // its events may have been pruned
		var one int
		err = s.read.QueryRowContext(ctx, `SELECT 1 FROM trips WHERE id = $1`, string(id)).Scan(&one)
	}
	if err == nil {
		err = s.addCandidates(ctx, id, out)
	}
	return out, s.failure("list trip events", err)
}

// addCandidates completes the waves among a trip's events with what they considered, as
// far as that is still kept.
func (s *Store) addCandidates(ctx context.Context, id ride.TripID, events []ride.StoredEvent) error {
	type row struct {
		version    int64
		considered []ride.Considered
	}
	rows, err := list(ctx, s.read, func(r *sql.Rows) (row, error) {
		var w row
		var data string
		if err := r.Scan(&w.version, &data); err != nil {
			return w, err
		}
		if err := json.Unmarshal([]byte(data), &w.considered); err != nil {
			return w, fmt.Errorf("unmarshal candidates: %w", err)
		}
		return w, nil
	}, `SELECT version, data FROM wave_candidates WHERE trip_id = $1`, string(id))
	if err != nil {
		return err
	}
	kept := make(map[int64][]ride.Considered, len(rows))
	for _, w := range rows {
		kept[w.version] = w.considered
	}
	for i := range events {
		if w, ok := events[i].Event.(ride.WavePlanned); ok && kept[events[i].Version] != nil {
			w.Considered = kept[events[i].Version]
			events[i].Event = w
		}
	}
	return nil
}

// ListTrips returns a page, newest first, and the cursor of the next one, empty at
// the end. A bad cursor, limit or text is ride.ErrInvalidArgument.
func (s *Store) ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error) {
	limit, from, err := window(f.Page)
	if err != nil {
		return nil, "", err
	}
	q, err := tripQuery(f)
	if err != nil {
		return nil, "", err
	}
	text := q.page(`SELECT state, fence FROM trips`, "requested_at", "id", limit, from)
	trips, err := list(ctx, s.read, func(r *sql.Rows) (ride.Trip, error) { return scanTrip(r) }, text, q.args...)
	if err != nil {
		return nil, "", s.failure("list trips", err)
	}
	next := ""
	if len(trips) > limit {
		trips = trips[:limit]
		last := &trips[limit-1]
		next = cursor{micros(last.RequestedAt), string(last.ID)}.encode()
	}
	return trips, next, nil
}

// CountTrips counts the trips that a filter selects, whatever its page, and stops at most. A bad text
// is ride.ErrInvalidArgument.
func (s *Store) CountTrips(ctx context.Context, f ride.TripFilter, most int) (int, error) {
	q, err := tripQuery(f)
	if err != nil {
		return 0, err
	}
	text := q.whole(`SELECT 1 FROM trips`) + " LIMIT " + q.arg(most)
	var n int
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (`+text+`) counted`, q.args...).Scan(&n)
	return n, s.failure("count trips", err)
}

func tripQuery(f ride.TripFilter) (*query, error) {
	if err := checkFilter("q", f.Text); err != nil {
		return nil, err
	}
	if err := checkFilter("account", string(f.Account)); err != nil {
		return nil, err
	}
	q := &query{}
	if f.Account != "" {
		a := q.arg(string(f.Account))
		q.and("(rider_id = " + a + " OR driver_id = " + a + ")")
	}
	if len(f.Statuses) > 0 {
		chosen := make([]string, len(f.Statuses))
		for i, s := range f.Statuses {
			chosen[i] = q.arg(string(s))
		}
		q.and("status IN (" + strings.Join(chosen, ", ") + ")")
	}
	if f.Live {
		q.and(isLive)
	}
	if f.Text != "" {
		text := q.arg(contains(f.Text)) + ` ESCAPE '\'`
		person := `(SELECT id FROM accounts WHERE search LIKE ` + text + ` OR LOWER(plate) LIKE ` + text + `)`
		q.and("(search LIKE " + text + " OR rider_id IN " + person + " OR driver_id IN " + person + ")")
	}
	if !f.From.IsZero() {
		q.and("requested_at >= " + q.arg(micros(f.From)))
	}
	if !f.To.IsZero() {
		q.and("requested_at < " + q.arg(micros(f.To)))
	}
	return q, nil
}

// maxOpenOffers bounds the offers returned for one driver.
const maxOpenOffers = 200

func marshalOffer(o ride.Offer) (string, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("marshal offer: %w", err)
	}
	return string(b), nil
}

// OpenOffers returns a driver's open, unexpired offers with their trips, the one that
// expires first in front.
func (s *Store) OpenOffers(ctx context.Context, driver ride.AccountID) ([]ride.OpenOffer, error) {
	out, err := list(ctx, s.read, func(r *sql.Rows) (ride.OpenOffer, error) {
		var o ride.OpenOffer
		var data, state string
		var fence int64
		if err := r.Scan(&data, &state, &fence); err != nil {
			return o, err
		}
		if err := json.Unmarshal([]byte(data), &o.Offer); err != nil {
			return o, fmt.Errorf("unmarshal offer: %w", err)
		}
		var err error
		o.Trip, err = tripOf(state, fence)
		return o, err
	}, `SELECT o.data, t.state, t.fence FROM offers o JOIN trips t ON t.id = o.trip_id
		WHERE o.driver_id = $1 AND o.state = 'open' AND o.expires_at > $2
		ORDER BY o.expires_at, o.id LIMIT $3`, string(driver), micros(s.now()), maxOpenOffers)
	return out, s.failure("list open offers", err)
}

// AddBreadcrumbs writes positions in one transaction; duplicates (the same trip and
// device time) are ignored. Points are kept to 1e-7 degrees, as the protocol has them.
func (s *Store) AddBreadcrumbs(ctx context.Context, b []ride.Breadcrumb) error {
	if len(b) == 0 {
		return nil
	}
	for _, c := range b {
		if !validText(string(c.Trip)) || math.Abs(c.Point.Lat) > 90 || math.Abs(c.Point.Lng) > 180 {
			return ride.ErrInvalidPoint
		}
	}
	return s.tx(ctx, "add breadcrumbs", func(tx *sql.Tx) error {
		st, err := tx.PrepareContext(ctx, `INSERT INTO breadcrumbs (trip_id, at, lat_e7, lng_e7, accuracy_m, received_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`)
		if err != nil {
			return err
		}
		for _, c := range b {
			lat, lng := c.Point.E7()
			if _, err := st.ExecContext(ctx, string(c.Trip), micros(c.At), int64(lat), int64(lng),
				wholeMetres(c.AccuracyM), receivedMicros(c)); err != nil {
				return err
			}
		}
		return st.Close()
	})
}

// wholeMetres rounds an accuracy up, so that a poor one is never better than it was.
func wholeMetres(m float64) int64 {
	return int64(math.Ceil(min(max(m, 0), math.MaxInt32)))
}

func receivedMicros(b ride.Breadcrumb) int64 {
	if b.ReceivedAt.IsZero() {
		return 0
	}
	return micros(b.ReceivedAt)
}

// maxTrack bounds a track; a longer one is thinned evenly, its ends kept.
const maxTrack = 10_000

// TripTrack returns the breadcrumbs of a trip by device time, at most 10,000 of them,
// thinned evenly. A trip without any has an empty track.
func (s *Store) TripTrack(ctx context.Context, id ride.TripID) ([]ride.Breadcrumb, error) {
	if !validText(string(id)) {
		return nil, fmt.Errorf("read track: %w", ride.ErrNotFound)
	}
	var n int64
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM breadcrumbs WHERE trip_id = $1`,
		string(id)).Scan(&n); err != nil {
		return nil, s.failure("read track", err)
	}
	// Every step-th row and the last: at most maxTrack, also when more arrive meanwhile.
	step := max(1, (n+maxTrack-2)/(maxTrack-1))
	out, err := list(ctx, s.read, func(r *sql.Rows) (ride.Breadcrumb, error) {
		var at, lat, lng, accuracy, received int64
		if err := r.Scan(&at, &lat, &lng, &accuracy, &received); err != nil {
			return ride.Breadcrumb{}, err
		}
		b := ride.Breadcrumb{Trip: id, At: fromMicros(at), Point: geo.FromE7(int32(lat), int32(lng)), AccuracyM: float64(accuracy)}
		if received != 0 {
			b.ReceivedAt = fromMicros(received)
		}
		return b, nil
	}, `SELECT at, lat_e7, lng_e7, accuracy_m, received_at FROM (
			SELECT at, lat_e7, lng_e7, accuracy_m, received_at, ROW_NUMBER() OVER (ORDER BY at) AS n, COUNT(*) OVER () AS total
			FROM breadcrumbs WHERE trip_id = $1) numbered
		WHERE (n - 1) % $2 = 0 OR n = total ORDER BY at LIMIT $3`, string(id), step, maxTrack)
	return out, s.failure("read track", err)
}
