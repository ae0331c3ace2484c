package persistence

import (
	"context"
	"fmt"
	"time"
)

// purgeChunk bounds one deletion, so that it never holds writers up for long.
const purgeChunk = 500

// placeAge is how long a place stays known after the last log-in there.
const placeAge = 90 * 24 * time.Hour

// startJanitor starts the goroutine that ends with the context; none if every is 0.
func (s *Store) startJanitor(ctx context.Context, every time.Duration, shared bool) {
	if every == 0 {
		return
	}
	s.helpers.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			s.clean(ctx, every, shared)
		}
	})
}

// clean purges, unless the database is shared and another janitor does so in this period. A turn
// ends before the next one can begin, so that two never purge at once: what is left by then is
// the next turn's. A janitor that dies in its turn holds nothing up.
func (s *Store) clean(ctx context.Context, every time.Duration, shared bool) {
	if shared {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, turn(every))
		defer cancel()
		switch ours, err := s.takeTurn(ctx, "purge", turn(every)); {
		case err != nil && ctx.Err() == nil:
			s.log.Warn("expired records are not purged", "error", err)
			return
		case !ours:
			return
		}
	}
	s.purges.Add(1)
	if n, err := s.Purge(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn("purge of expired records failed", "deleted", n, "error", err)
	}
}

// turn is how long a turn lasts: less than the period, because timers and answers vary, and a
// janitor that comes a moment early would skip a whole period.
func turn(every time.Duration) time.Duration { return every - every/10 }

// sqlNow is the database's clock in microseconds, which is one for all servers.
const sqlNow = `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint`

// takeTurn reports whether the chore of this name is this store's to do, once in this time on
// all servers of a Postgres. It is one statement, which any pooler takes.
func (s *Store) takeTurn(ctx context.Context, name string, once time.Duration) (bool, error) {
	const query = `INSERT INTO turns (name, taken_at) VALUES ($1, ` + sqlNow + `)
		ON CONFLICT (name) DO UPDATE SET taken_at = excluded.taken_at WHERE turns.taken_at <= excluded.taken_at - $2`
	res, err := s.write.ExecContext(ctx, query, name, once.Microseconds())
	if err != nil {
		return false, s.failure("take a turn", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Purge deletes what is older than its retention, chunk by chunk: command outcomes, also those
// beyond their number, refresh tokens and tickets that ran out, old failed log-ins and, where configured, breadcrumbs, candidates,
// audit entries, events and whole trips; and it finishes what erased people left. It returns how
// many rows it deleted. Only the janitor needs to call it.
func (s *Store) Purge(ctx context.Context) (int64, error) {
	now := s.now()
	jobs := []purgeJob{
		{`DELETE FROM commands WHERE (account_id, command_id) IN
			(SELECT account_id, command_id FROM commands WHERE at < $1 ORDER BY at LIMIT $2)`, now.Add(-s.commandAge)},
		{`DELETE FROM refresh_tokens WHERE hash IN
			(SELECT hash FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, now},
		{`DELETE FROM token_families WHERE id IN
			(SELECT id FROM token_families WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, now},
		{`DELETE FROM known_places WHERE (account_id, place) IN
			(SELECT account_id, place FROM known_places WHERE seen_at < $1 ORDER BY seen_at LIMIT $2)`, now.Add(-placeAge)},
	}
	if s.breadcrumbAge > 0 {
		// Tracks and the candidates of each round of offers show where drivers were.
		for _, text := range []string{
			`DELETE FROM breadcrumbs WHERE (trip_id, at) IN
				(SELECT trip_id, at FROM breadcrumbs WHERE at < $1 ORDER BY at LIMIT $2)`,
			`DELETE FROM wave_candidates WHERE (trip_id, version) IN
				(SELECT trip_id, version FROM wave_candidates WHERE at < $1 ORDER BY at LIMIT $2)`,
		} {
			jobs = append(jobs, purgeJob{text, now.Add(-s.breadcrumbAge)})
		}
	}
	if s.auditAge > 0 {
		// The newest entry stays, so that numbers go on rising.
		jobs = append(jobs, purgeJob{`DELETE FROM audit WHERE id IN
			(SELECT id FROM audit WHERE at < $1 AND id < (SELECT MAX(id) FROM audit) ORDER BY at LIMIT $2)`, now.Add(-s.auditAge)})
	}
	var total int64
	for _, j := range jobs {
		n, err := s.purge(ctx, j.text, micros(j.before))
		total += n
		if err != nil {
			return total, s.failure("purge", err)
		}
	}
	n, err := s.purgeLogIns(ctx)
	if total += n; err != nil {
		return total, s.failure("purge log-ins", err)
	}
	n, err = s.trimAll(ctx)
	if total += n; err != nil {
		return total, s.failure("trim outcomes", err)
	}
	n, err = s.pruneTrips(ctx, now)
	if total += n; err != nil {
		return total, s.failure("prune trips", err)
	}
	return total, s.failure("finish erasures", s.finishErasures(ctx))
}

// purgeJob deletes at most $2 rows from before the time $1.
type purgeJob struct {
	text   string
	before time.Time
}

func (s *Store) purge(ctx context.Context, text string, before int64) (total int64, err error) {
	for {
		res, err := s.write.ExecContext(ctx, text, before, purgeChunk)
		if err != nil {
			return total, fmt.Errorf("delete: %w", err)
		}
		n, err := res.RowsAffected()
		total += n
		if err != nil || n < purgeChunk {
			return total, err
		}
	}
}
