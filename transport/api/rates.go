package api

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/problem"
)

// Rate is a number of requests a second, and how many may come at once. The zero Rate sets
// no bound.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Rates bounds requests. Addresses are IPv4 addresses and IPv6 /64 networks.
type Rates struct {
	// Address bounds all requests of one address, but for those that draw a map: Tiles bounds them.
	Address, Tiles Rate
	// Account bounds all requests of one account.
	Account Rate
	// SignIn bounds log-ins, refreshes and sign-ups of one address.
	SignIn Rate
	// Photo bounds uploads of one account.
	Photo Rate
	// Remember bounds the addresses and accounts kept for each.
	Remember int
}

// DefaultRates is a complete Rates.
func DefaultRates() Rates {
	return Rates{
		Address: Rate{20, 60}, Tiles: Rate{200, 600}, Account: Rate{20, 60}, SignIn: Rate{0.5, 30}, Photo: Rate{0.2, 5},
		Remember: 20_000,
	}
}

// Unlimited sets no bound: for simulations that come from one address.
func Unlimited() Rates { return Rates{Remember: 1} }

// limiter bounds the requests of many keys. Safe for concurrent use.
type limiter struct {
	rate Rate
	now  func() time.Time
	mu   sync.Mutex
	keys *simplelru.LRU[string, *rate.Limiter]
}

func newLimiter(r Rate, remember int, now func() time.Time) (*limiter, error) {
	keys, err := simplelru.NewLRU[string, *rate.Limiter](remember, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: rates to remember: %w", ErrConfig, err)
	}
	return &limiter{rate: r, now: now, keys: keys}, nil
}

// allow spends one request of a key; the error is a *problem.Problem with how long to wait.
func (l *limiter) allow(key string) error {
	if l.rate == (Rate{}) {
		return nil
	}
	l.mu.Lock()
	b, ok := l.keys.Get(key)
	if !ok {
		b = rate.NewLimiter(rate.Limit(l.rate.PerSecond), max(1, l.rate.Burst))
		l.keys.Add(key, b)
	}
	l.mu.Unlock()
	now := l.now()
	res := b.ReserveN(now, 1)
	wait := res.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	res.CancelAt(now)
	return problem.Of(ride.ErrTooMany.With("Too many requests; slow down.")).After(wait)
}
