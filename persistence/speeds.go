package persistence

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/learn"
)

// AddSpeeds adds what was learned of travel times to what all servers on this database have learned. All
// of it is added or nothing; after ride.ErrUnknownOutcome only perhaps, which does no harm.
func (s *Store) AddSpeeds(ctx context.Context, c learn.Changes) error {
	if c.IsZero() {
		return nil
	}
	factor := s.shared(fmt.Sprintf(`INSERT INTO street_speeds (kind, key, n, log_factor, updated_at)
		VALUES ($1, $2, CAST($3 AS DOUBLE PRECISION), CAST($4 AS DOUBLE PRECISION), {now} - {now} %% 86400000000)
		ON CONFLICT (kind, key) DO UPDATE SET updated_at = excluded.updated_at,
			n = %s, log_factor = %s`,
		within("street_speeds.n + excluded.n", 0, learn.MostN),
		within("street_speeds.log_factor + excluded.log_factor", -learn.MostLog, learn.MostLog)))
	hour := s.shared(`INSERT INTO street_hours (hour, rides, planned_s, actual_s, updated_at)
		VALUES ($1, CAST($2 AS DOUBLE PRECISION), CAST($3 AS DOUBLE PRECISION), CAST($4 AS DOUBLE PRECISION), {now} - {now} % 86400000000)
		ON CONFLICT (hour) DO UPDATE SET updated_at = excluded.updated_at, rides = street_hours.rides + excluded.rides,
			planned_s = street_hours.planned_s + excluded.planned_s, actual_s = street_hours.actual_s + excluded.actual_s`)
	// Only the newest few hundred rides count: what is older fades.
	const fade = `UPDATE street_hours SET planned_s = planned_s * CAST($2 AS DOUBLE PRECISION) / rides,
			actual_s = actual_s * CAST($2 AS DOUBLE PRECISION) / rides, rides = CAST($2 AS DOUBLE PRECISION)
		WHERE hour = $1 AND rides > CAST($2 AS DOUBLE PRECISION)`
	return s.tx(ctx, "add speeds", func(tx *sql.Tx) error {
		// In one order, so that servers wait for each other and not in a circle.
		keys := slices.SortedFunc(maps.Keys(c.Factors), func(a, b learn.Key) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
		})
		for _, k := range keys {
			f := learn.Factor{}.Add(c.Factors[k]) // within the bounds also where it is the first
			if _, err := tx.ExecContext(ctx, factor, string(k.Kind), k.Key, f.N, f.Log); err != nil {
				return err
			}
		}
		for h, sum := range c.Hours {
			if sum.Rides == 0 {
				continue
			}
			key := learn.HourKey(h)
			if _, err := tx.ExecContext(ctx, hour, key, sum.Rides, sum.PlannedS, sum.ActualS); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, fade, key, float64(learn.MostN)); err != nil {
				return err
			}
		}
		return nil
	})
}

// within is a value between bounds, in SQL that both engines know.
func within(value string, least, most float64) string {
	return fmt.Sprintf("CASE WHEN %[1]s < %[2]v THEN %[2]v WHEN %[1]s > %[3]v THEN %[3]v ELSE %[1]s END", value, least, most)
}

// Speeds returns what all servers on this database have learned of travel times.
func (s *Store) Speeds(ctx context.Context) (map[learn.Key]learn.Factor, error) {
	type row struct {
		key    learn.Key
		factor learn.Factor
	}
	rows, err := list(ctx, s.read, func(r *sql.Rows) (w row, err error) {
		err = r.Scan(&w.key.Kind, &w.key.Key, &w.factor.N, &w.factor.Log)
		return w, err
	}, `SELECT kind, key, n, log_factor FROM street_speeds`)
	out := make(map[learn.Key]learn.Factor, len(rows))
	for _, w := range rows {
		out[w.key] = w.factor
	}
	return out, s.failure("read speeds", err)
}

// SpeedHours returns what the newest rides of each hour of streets.HourOf took together, of all
// servers on this database.
func (s *Store) SpeedHours(ctx context.Context) (out [streets.Hours]learn.HourSum, err error) {
	type row struct {
		hour string
		sum  learn.HourSum
	}
	rows, err := list(ctx, s.read, func(r *sql.Rows) (w row, err error) {
		err = r.Scan(&w.hour, &w.sum.Rides, &w.sum.PlannedS, &w.sum.ActualS)
		return w, err
	}, `SELECT hour, rides, planned_s, actual_s FROM street_hours`)
	for _, w := range rows {
		if h, ok := learn.ParseHour(w.hour); ok {
			out[h] = w.sum
		}
	}
	return out, s.failure("read speeds by hour", err)
}

// ForgetSpeeds forgets all that was learned of travel times. Servers that run notice within a minute.
func (s *Store) ForgetSpeeds(ctx context.Context) error {
	return s.tx(ctx, "forget speeds", func(tx *sql.Tx) error {
		all := []string{`DELETE FROM street_speeds`, `DELETE FROM street_hours`}
		if s.isPostgres() { // AddSpeeds locks rows in another order: each would wait for the other
			all = append([]string{`LOCK TABLE street_speeds, street_hours IN SHARE ROW EXCLUSIVE MODE`}, all...)
		}
		for _, text := range all {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
}
