package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/ride"
)

type token struct {
	ride.RefreshToken
	spentAt   time.Time // zero: not yet
	spentFor  string    // hash of the attempt; empty: none
	successor string    // hash; empty: none
}

// SaveRefreshToken implements auth.RefreshTokens.
func (s *Store) SaveRefreshToken(ctx context.Context, t ride.RefreshToken) error {
	if err := s.enter(ctx, "SaveRefreshToken"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.tokens[t.Hash] = token{RefreshToken: t}
	return nil
}

// RotateRefreshToken implements auth.RefreshTokens. The clock is the successor's
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

// RefreshToken implements auth.RefreshTokens.
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

// RevokeFamily implements auth.RefreshTokens.
func (s *Store) RevokeFamily(ctx context.Context, family string) error {
	if err := s.enter(ctx, "RevokeFamily"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.revoked[family] = true
	return nil
}

// FamilyRevoked implements auth.RefreshTokens.
func (s *Store) FamilyRevoked(ctx context.Context, family string) (bool, error) {
	if err := s.enter(ctx, "FamilyRevoked"); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	return s.revoked[family], nil
}

// RevokeAccount implements auth.RefreshTokens.
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
