package memstore

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// failures is a count of failed log-ins.
type failures struct {
	n                 int
	at, last, expires time.Time // last is at, or a moment later than the failure before
}

// LogInFailures implements auth.Failures.
func (s *Store) LogInFailures(ctx context.Context, keys []string) (map[string]ride.FailureCount, error) {
	if err := s.enter(ctx, "LogInFailures"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	out := make(map[string]ride.FailureCount)
	now := s.now()
	for _, key := range keys {
		if f, ok := s.failures[key]; ok && now.Before(f.expires) {
			out[key] = ride.FailureCount{N: f.n, Last: f.last, Age: now.Sub(f.at)}
		}
	}
	return out, nil
}

// AddLogInFailure implements auth.Failures.
func (s *Store) AddLogInFailure(ctx context.Context, keys []string, forget time.Duration) (map[string]ride.FailureCount, error) {
	if err := s.enter(ctx, "AddLogInFailure"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if s.failures == nil {
		s.failures = make(map[string]failures)
	}
	out := make(map[string]ride.FailureCount)
	now := s.now()
	for _, key := range keys {
		f := s.failures[key]
		if !now.Before(f.expires) {
			f.n = 0
		}
		last := now
		if !last.After(f.last) { // each failure is later than the one before
			last = f.last.Add(time.Microsecond)
		}
		s.failures[key] = failures{f.n + 1, now, last, now.Add(forget)}
		out[key] = ride.FailureCount{N: f.n + 1, Last: last}
	}
	return out, nil
}

// ForgetLogInFailures implements auth.Failures.
func (s *Store) ForgetLogInFailures(ctx context.Context, key string) error {
	if err := s.enter(ctx, "ForgetLogInFailures"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	delete(s.failures, key)
	return nil
}
