package memstore

import (
	"context"
	"fmt"

	"github.com/hexhail/hexhail/ride"
)

// SavePhoto implements api.Photos.
func (s *Store) SavePhoto(ctx context.Context, p ride.Photo) error {
	if err := s.enter(ctx, "SavePhoto"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.photos[p.ID] = p
	return nil
}

// Photo implements api.Photos.
func (s *Store) Photo(ctx context.Context, id string) (ride.Photo, error) {
	if err := s.enter(ctx, "Photo"); err != nil {
		return ride.Photo{}, err
	}
	defer s.mu.Unlock()
	p, ok := s.photos[id]
	if !ok {
		return ride.Photo{}, fmt.Errorf("photo: %w", ride.ErrNotFound)
	}
	return p, nil
}

// DeletePhoto implements storetest.Accounts.
func (s *Store) DeletePhoto(ctx context.Context, id string) error {
	if err := s.enter(ctx, "DeletePhoto"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.photos[id]; !ok {
		return fmt.Errorf("photo: %w", ride.ErrNotFound)
	}
	delete(s.photos, id)
	return nil
}
