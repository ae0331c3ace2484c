package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
)

// Tickets keep socket tickets until they are redeemed or expire. All methods are safe for
// concurrent use.
type Tickets interface {
	// SaveTicket keeps a ticket for its life, and returns when that ends. It returns
	// ride.ErrUnavailable when the account has most tickets already, or there are too many in all.
	SaveTicket(ctx context.Context, t ride.Ticket, life time.Duration, most int) (expires time.Time, err error)
	// TakeTicket removes the ticket with the hash and returns it: to one caller at most, whichever
	// process asks. ride.ErrNotFound if there is none, or it has expired.
	TakeTicket(ctx context.Context, hash string) (ride.Ticket, error)
}

// IssueTicket makes a one-use ticket that stands for the principal. It returns
// ride.ErrUnavailable when too many are open.
func (s *Service) IssueTicket(ctx context.Context, p transport.Principal) (string, time.Time, error) {
	secret, err := randomToken()
	if err != nil {
		return "", time.Time{}, err
	}
	expires, err := s.tickets.SaveTicket(ctx, ride.Ticket{
		Hash: tokenHash(secret), Account: p.Account.ID, Family: p.Family, TokenIssuedAt: p.IssuedAt, TokenExpiresAt: p.ExpiresAt,
	}, s.cfg.TicketTTL, s.cfg.MaxAccountTickets)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issue ticket: %w", err)
	}
	return secret, expires, nil
}

// RedeemTicket spends a ticket regardless of the outcome: ride.ErrUnauthenticated,
// ride.ErrSuspended or the principal, expiring with the token that bought it.
func (s *Service) RedeemTicket(ctx context.Context, secret string) (transport.Principal, error) {
	if !plausibleSecret(secret) {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	t, err := s.tickets.TakeTicket(ctx, tokenHash(secret))
	switch {
	case errors.Is(err, ride.ErrNotFound):
		return transport.Principal{}, ride.ErrUnauthenticated
	case err != nil:
		return transport.Principal{}, fmt.Errorf("redeem ticket: %w", err)
	}
	return s.recheck(ctx, transport.Principal{
		Account: ride.Account{ID: t.Account}, Family: t.Family, IssuedAt: t.TokenIssuedAt, ExpiresAt: t.TokenExpiresAt,
	})
}

// memoryTickets are the Tickets of a server that is alone on its database: they live in its memory.
type memoryTickets struct {
	now  func() time.Time
	most int // in all

	mu    sync.Mutex
	open  map[string]memoryTicket // by hash
	order []string                // hashes, oldest first
	of    map[ride.AccountID]int  // how many are open
}

type memoryTicket struct {
	ride.Ticket
	expires time.Time
}

func newMemoryTickets(most int, now func() time.Time) *memoryTickets {
	return &memoryTickets{now: now, most: most, open: make(map[string]memoryTicket), of: make(map[ride.AccountID]int)}
}

// SaveTicket implements Tickets.
func (m *memoryTickets) SaveTicket(_ context.Context, t ride.Ticket, life time.Duration, most int) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.sweep(now)
	if len(m.order) >= m.most || m.of[t.Account] >= most {
		return time.Time{}, ride.ErrUnavailable.With("Too many unused tickets.")
	}
	expires := now.Add(life)
	m.open[t.Hash] = memoryTicket{t, expires}
	m.order = append(m.order, t.Hash)
	m.of[t.Account]++
	return expires, nil
}

// TakeTicket implements Tickets.
func (m *memoryTickets) TakeTicket(_ context.Context, hash string) (ride.Ticket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	t, ok := m.open[hash]
	m.forget(hash)
	m.sweep(now)
	if !ok || !now.Before(t.expires) {
		return ride.Ticket{}, ride.ErrNotFound
	}
	return t.Ticket, nil
}

// sweep forgets what was used or has expired, from the oldest on: all live equally long. Used
// tickets count against the bound in all until the ones before them are gone: at most 30 s.
func (m *memoryTickets) sweep(now time.Time) {
	n := 0
	for _, hash := range m.order {
		if t, ok := m.open[hash]; ok && now.Before(t.expires) {
			break
		}
		m.forget(hash)
		n++
	}
	m.order = append(m.order[:0], m.order[n:]...)
}

// forget removes a ticket, if it is there.
func (m *memoryTickets) forget(hash string) {
	t, ok := m.open[hash]
	if !ok {
		return
	}
	delete(m.open, hash)
	if m.of[t.Account]--; m.of[t.Account] == 0 {
		delete(m.of, t.Account)
	}
}
