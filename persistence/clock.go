package persistence

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// clockEvery is the time between two comparisons of this server's clock with the database's,
	// clockWithin the time that one may take, and clockTries how often one that finds a difference is
	// repeated at once: a machine that stood still for a moment must not count.
	clockEvery  = 10 * time.Second
	clockWithin = 5 * time.Second
	clockTries  = 3

	// clockNoted is the difference beyond which a server warns.
	clockNoted = 250 * time.Millisecond
)

// ClockDifferenceMost is the difference between clocks beyond which a server must not serve clients:
// deadlines, offers and the grace of refresh tokens are times of whichever server wrote them.
const ClockDifferenceMost = 2 * time.Second

// ClockDifference is how far this server's clock is from the database's.
type ClockDifference struct {
	Ahead       time.Duration // negative: this server's clock is behind
	Uncertainty time.Duration // either way: half of the round trip to the database
	Since       time.Time     // when it came to be beyond what is noted; zero: it is not
}

// Least is the least that the clocks can differ by, however long the answer took.
func (d ClockDifference) Least() time.Duration { return max(d.Ahead.Abs()-d.Uncertainty, 0) }

// clockWatch keeps the newest comparison and logs each episode once. Safe for concurrent use.
type clockWatch struct {
	log *slog.Logger

	mu   sync.Mutex
	last ClockDifference
}

// Clock is the newest comparison of this server's clock with the database's. It is zero before the
// first one, and on SQLite, whose clock is the server's.
func (s *Store) Clock() ClockDifference {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	return s.clock.last
}

// startClock starts the goroutine that compares clocks until the context ends; none on SQLite.
func (s *Store) startClock(ctx context.Context) {
	if !s.Notifies() {
		return
	}
	s.helpers.Go(func() {
		tick := time.NewTicker(clockEvery)
		defer tick.Stop()
		for {
			s.compareClocks(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// compareClocks compares the clocks. A database that does not answer leaves the last comparison as it
// is: what that means is for Health to say.
func (s *Store) compareClocks(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, clockWithin)
	defer cancel()
	best, err := s.compareOnce(ctx)
	for try := 1; err == nil && try < clockTries && best.Least() > clockNoted; try++ {
		var again ClockDifference
		if again, err = s.compareOnce(ctx); err == nil && again.Least() < best.Least() {
			best = again
		}
	}
	if err == nil {
		s.clock.note(best, s.now())
	}
}

// compareOnce asks the database for its clock. It answered at some moment of the round trip, so the
// middle of that is wrong by half of it at most.
func (s *Store) compareOnce(ctx context.Context) (ClockDifference, error) {
	began := time.Now()
	there, err := s.databaseNow(ctx)
	here := s.now()
	half := time.Since(began) / 2
	return ClockDifference{Ahead: here.Add(-half).Sub(there), Uncertainty: half}, err
}

// note keeps a comparison and says when an episode begins, gets worse or ends.
func (w *clockWatch) note(d ClockDifference, now time.Time) {
	w.mu.Lock()
	was := w.last
	if d.Least() > clockNoted {
		if d.Since = was.Since; d.Since.IsZero() {
			d.Since = now
		}
	}
	w.last = d
	w.mu.Unlock()
	says := []any{"ahead", d.Ahead.Round(time.Millisecond), "uncertainty", d.Uncertainty.Round(time.Millisecond)}
	switch {
	case d.Least() > ClockDifferenceMost && was.Least() <= ClockDifferenceMost:
		w.log.Error("not ready: this server's clock and the database's are too far apart", says...)
	case d.Least() > clockNoted && was.Since.IsZero():
		w.log.Warn("this server's clock and the database's differ", says...)
	case d.Since.IsZero() && !was.Since.IsZero():
		w.log.Info("this server's clock and the database's agree again", says...)
	}
}
