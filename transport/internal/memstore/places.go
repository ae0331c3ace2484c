package memstore

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// KnownPlaces implements auth.Places.
func (s *Store) KnownPlaces(ctx context.Context, id ride.AccountID, since time.Time) ([]string, error) {
	if err := s.enter(ctx, "KnownPlaces"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var out []string
	for place, at := range s.places[id] {
		if !at.Before(since) {
			out = append(out, place)
		}
	}
	return out, nil
}

// SavePlaces implements auth.Places.
func (s *Store) SavePlaces(ctx context.Context, id ride.AccountID, places []string, at time.Time, keep int) error {
	if err := s.enter(ctx, "SavePlaces"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if s.places == nil {
		s.places = map[ride.AccountID]map[string]time.Time{}
	}
	all := s.places[id]
	if all == nil {
		all = map[string]time.Time{}
		s.places[id] = all
	}
	for _, p := range places {
		all[p] = at
	}
	newest := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[b].Compare(all[a]) })
	for _, p := range newest[min(keep, len(newest)):] {
		delete(all, p)
	}
	return nil
}
