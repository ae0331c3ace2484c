package memstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// SaveRefreshToken implements transport.Accounts.
func (s *Store) SaveRefreshToken(ctx context.Context, t ride.RefreshToken) error {
	if err := s.enter(ctx, "SaveRefreshToken"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.tokens[t.Hash] = token{RefreshToken: t}
	return nil
}

// RotateRefreshToken implements transport.Accounts. The clock is the successor's
// creation time.
func (s *Store) RotateRefreshToken(ctx context.Context, hash, attempt string, next ride.RefreshToken, grace time.Duration) (ride.RefreshToken, error) {
	if err := s.enter(ctx, "RotateRefreshToken"); err != nil {
		return ride.RefreshToken{}, err
	}
	defer s.mu.Unlock()
	t, ok := s.tokens[hash]
	live := ok && !s.revoked[t.Family] && next.CreatedAt.Before(t.ExpiresAt)
	successor, replaced := s.tokens[t.successor]
	again := attempt != "" && attempt == t.spentFor && next.CreatedAt.Sub(t.spentAt) < grace
	switch {
	case live && t.spentAt.IsZero():
		t.spentAt, t.spentFor = next.CreatedAt, attempt
	case ok && t.spentAt.IsZero(), !ok:
		return ride.RefreshToken{}, fmt.Errorf("refresh token: %w", ride.ErrNotFound)
	case live && replaced && successor.spentAt.IsZero() && again:
		successor.spentAt = next.CreatedAt
		s.tokens[t.successor] = successor
	default:
		s.revoked[t.Family] = true
		return t.RefreshToken, fmt.Errorf("refresh token: %w", ride.ErrTokenReused)
	}
	t.successor = next.Hash
	s.tokens[hash] = t
	next.Family, next.Account = t.Family, t.Account
	s.tokens[next.Hash] = token{RefreshToken: next}
	return t.RefreshToken, nil
}

// RefreshToken implements transport.Accounts.
func (s *Store) RefreshToken(ctx context.Context, hash string) (ride.RefreshToken, error) {
	if err := s.enter(ctx, "RefreshToken"); err != nil {
		return ride.RefreshToken{}, err
	}
	defer s.mu.Unlock()
	t, ok := s.tokens[hash]
	if !ok {
		return ride.RefreshToken{}, fmt.Errorf("refresh token: %w", ride.ErrNotFound)
	}
	t.SpentAt = t.spentAt
	return t.RefreshToken, nil
}

// RevokeFamily implements transport.Accounts.
func (s *Store) RevokeFamily(ctx context.Context, family string) error {
	if err := s.enter(ctx, "RevokeFamily"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.revoked[family] = true
	return nil
}

// FamilyRevoked implements transport.Accounts.
func (s *Store) FamilyRevoked(ctx context.Context, family string) (bool, error) {
	if err := s.enter(ctx, "FamilyRevoked"); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	return s.revoked[family], nil
}

// RevokeAccount implements transport.Accounts.
func (s *Store) RevokeAccount(ctx context.Context, id ride.AccountID, from time.Time) error {
	if err := s.enter(ctx, "RevokeAccount"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.revokeAccount(id)
	if a, ok := s.accounts[id]; ok && a.TokensFrom.Before(from) {
		a.TokensFrom = from
		s.accounts[id] = a
	}
	return nil
}

func (s *Store) revokeAccount(id ride.AccountID) {
	for _, t := range s.tokens {
		if t.Account == id {
			s.revoked[t.Family] = true
		}
	}
}

// SavePhoto implements transport.Accounts.
func (s *Store) SavePhoto(ctx context.Context, p ride.Photo) error {
	if err := s.enter(ctx, "SavePhoto"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.photos[p.ID] = p
	return nil
}

// Photo implements transport.Accounts.
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

// DeletePhoto implements transport.Accounts.
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

// AddAudit implements transport.Accounts.
func (s *Store) AddAudit(ctx context.Context, e ride.AuditEntry) error {
	if err := s.enter(ctx, "AddAudit"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if len(e.Detail) > 1000 || !valid(e.Action, e.Subject, e.Detail) {
		return ride.ErrInvalidArgument
	}
	e.ID = int64(len(s.audit) + 1)
	s.audit = append(s.audit, e)
	return nil
}

// ListAudit implements transport.Accounts.
func (s *Store) ListAudit(ctx context.Context, f ride.AuditFilter) ([]ride.AuditEntry, string, error) {
	if err := s.enter(ctx, "ListAudit"); err != nil {
		return nil, "", err
	}
	defer s.mu.Unlock()
	var all []ride.AuditEntry
	for _, e := range s.audit {
		if (f.Actor == "" || e.Actor == f.Actor) && (f.Action == "" || e.Action == f.Action) && (f.Subject == "" || e.Subject == f.Subject) &&
			(f.From.IsZero() || !e.At.Before(f.From)) && (f.To.IsZero() || e.At.Before(f.To)) {
			all = append(all, e)
		}
	}
	return paged(all, f.Page, func(e ride.AuditEntry) (time.Time, string) {
		return time.Unix(e.ID, 0), strconv.FormatInt(e.ID, 10)
	})
}
