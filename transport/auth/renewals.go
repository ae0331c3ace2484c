package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/hexhail/hexhail/ride"
)

const (
	// renewalsAtOnce is how often one log-in may be renewed at once: pages that are loaded
	// again and again, answers that are lost.
	renewalsAtOnce = 60
	// renewalsPerLife is how often it may be renewed in the life of one access token after that.
	renewalsPerLife = 4
	// renewalsRemembered bounds the log-ins remembered.
	renewalsRemembered = 20_000
)

// renewals bounds how often a log-in is renewed: each refresh token stays stored until it
// would have expired, so that its second use is noticed. Safe for concurrent use.
type renewals struct {
	every rate.Limit
	mu    sync.Mutex
	of    *simplelru.LRU[string, *rate.Limiter] // by family
}

func newRenewals(life time.Duration) *renewals {
	of, _ := simplelru.NewLRU[string, *rate.Limiter](renewalsRemembered, nil) // fails for no size alone
	return &renewals{every: rate.Every(life / renewalsPerLife), of: of}
}

// wait counts a renewal of the family, or says when to come back.
func (r *renewals) wait(family string, now time.Time) time.Duration {
	r.mu.Lock()
	l, ok := r.of.Get(family)
	if !ok {
		l = rate.NewLimiter(r.every, renewalsAtOnce)
		r.of.Add(family, l)
	}
	r.mu.Unlock()
	turn := l.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait > 0 {
		turn.CancelAt(now)
	}
	return wait
}

// mayRenew refuses the token of a log-in that was renewed too often, without spending it. What is
// wrong with the token is for its rotation to find: one whose grace is over is a copy, and says
// so however often it comes.
func (s *Service) mayRenew(ctx context.Context, hash string) error {
	t, err := s.refresh.RefreshToken(ctx, hash)
	switch {
	case errors.Is(err, ride.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read refresh token: %w", err)
	}
	now := s.cfg.Now()
	if !t.SpentAt.IsZero() && now.Sub(t.SpentAt) >= s.cfg.RefreshGrace {
		return nil
	}
	if wait := s.renewals.wait(t.Family, now); wait > 0 {
		return &TooSoonError{RetryAfter: wait, Reason: ride.ErrTooMany.With("This log-in is renewed too often; wait before trying again.")}
	}
	return nil
}
