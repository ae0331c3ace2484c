// Package memstore is a store in memory for the tests of transport's packages. It keeps
// the contracts of the interfaces by which auth and api reach a store, and nothing else.
package memstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Store is an empty store when zero. Safe for concurrent use. Set its exported fields
// before use.
type Store struct {
	// Fail, when it returns an error, is what every method returns; the argument is
	// the method's name.
	Fail func(method string) error
	// Now is the clock; nil: time.Now.
	Now func() time.Time

	mu       sync.Mutex
	accounts map[ride.AccountID]account
	photos   map[string]ride.Photo
	tokens   map[string]token // by hash
	revoked  map[string]bool  // by family
	audit    []ride.AuditEntry
	trips    map[ride.TripID]trip
	calls    []string
	erased   map[string]time.Time // by issuer and subject
	places   map[ride.AccountID]map[string]time.Time
	failures map[string]failures // by key
}

// enter locks the store for a method; the caller unlocks it when err is nil.
func (s *Store) enter(ctx context.Context, method string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ride.ErrUnavailable, err)
	}
	if s.Fail != nil {
		if err := s.Fail(method); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.calls = append(s.calls, method)
	if s.accounts == nil {
		s.accounts, s.photos = map[ride.AccountID]account{}, map[string]ride.Photo{}
		s.tokens, s.revoked = map[string]token{}, map[string]bool{}
		s.trips = map[ride.TripID]trip{}
	}
	return nil
}

// Calls returns the names of the methods called so far, in order.
func (s *Store) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}
