package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
)

// Service recognises people. All methods are safe for concurrent use; errors that are
// no *ride.Error mean that the store could not be reached.
type Service struct {
	cfg       Config
	accounts  Accounts
	refresh   RefreshTokens
	places    Places
	failures  Failures
	tickets   Tickets
	tokens    *tokens
	passwords *Passwords
	guard     *guard
	outside   map[string]*outsideIssuer // by issuer; fixed after construction
	early     *early
	renewals  *renewals
	placesKey []byte // what known places are hashed with
	failsKey  []byte // what failed log-ins are counted by
	stop      context.CancelFunc
}

// New makes a service. For each outside issuer with a JWKS URL it fetches the keys and
// keeps them fresh until Close.
func New(cfg Config, keys Keys, store Store) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.complete()
	if keys.sign == nil {
		return nil, fmt.Errorf("%w: no signing key", ErrConfig)
	}
	passwords, err := NewPasswords(cfg.Password)
	if err != nil {
		return nil, err
	}
	placesKey, err := derivedKey(keys, "hexhail known places")
	if err != nil {
		return nil, err
	}
	failsKey, err := derivedKey(keys, "hexhail failed log-ins")
	if err != nil {
		return nil, err
	}
	guard, err := newGuard(cfg.Guard, cfg.Now)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Service{
		cfg: cfg, accounts: store, refresh: store, places: store, failures: store, tickets: cfg.Tickets,
		tokens: newTokens(cfg, keys), passwords: passwords, guard: guard,
		outside: make(map[string]*outsideIssuer), early: newEarly(), renewals: newRenewals(cfg.AccessTTL),
		placesKey: placesKey, failsKey: failsKey, stop: stop,
	}
	for _, o := range cfg.Outside {
		if s.outside[o.Issuer], err = newOutsideIssuer(ctx, cfg, o); err != nil {
			stop()
			return nil, err
		}
	}
	return s, nil
}

// Close stops what keeps outside issuers' keys fresh.
func (s *Service) Close() { s.stop() }

// Authenticate returns the principal of an access token, ours or an outside issuer's. It
// returns ride.ErrUnauthenticated for every invalid token, ride.ErrSuspended, or
// an error of the store.
func (s *Service) Authenticate(ctx context.Context, token string) (transport.Principal, error) {
	issuer, err := peekIssuer(token)
	if err != nil {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	if issuer != s.cfg.Issuer {
		return s.authenticateOutside(ctx, issuer, token)
	}
	c, err := s.tokens.verify(token)
	if err != nil {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	p := transport.Principal{
		Account: ride.Account{ID: ride.AccountID(c.Subject)}, Family: c.Family, ExpiresAt: c.ExpiresAt.Time,
	}
	if p, err = s.recheck(ctx, p); err != nil {
		return transport.Principal{}, err
	}
	if p.Account.Role != c.Role {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	return p, nil
}

// recheck tells whether what a token or a ticket names still counts, and brings its account
// up to date. It runs once for each request and handshake. An open socket does not ask again: its
// server compares it with the database whenever its account changes, on whichever server that is,
// and the session registry closes it.
func (s *Service) recheck(ctx context.Context, p transport.Principal) (transport.Principal, error) {
	if !s.cfg.Now().Before(p.ExpiresAt.Add(s.cfg.Leeway)) {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	return s.standing(ctx, p)
}

// StillCounts returns nil while the account and the log-in of an authenticated principal count, and
// otherwise the error that Authenticate would return. It does not look at ExpiresAt: an answer that
// takes long may outlast its token.
func (s *Service) StillCounts(ctx context.Context, p transport.Principal) error {
	now, err := s.standing(ctx, p)
	if err == nil && now.Account.Role != p.Account.Role {
		err = ride.ErrUnauthenticated
	}
	return err
}

// standing is recheck whatever the token's age.
func (s *Service) standing(ctx context.Context, p transport.Principal) (transport.Principal, error) {
	if p.Family != "" {
		revoked, err := s.refresh.FamilyRevoked(ctx, p.Family)
		if err != nil && !errors.Is(err, ride.ErrNotFound) {
			return transport.Principal{}, fmt.Errorf("look for revocation: %w", err)
		}
		if revoked || err != nil {
			// A suspended account's families are revoked too; it may know why.
			if _, err := s.activeAccount(ctx, p.Account.ID); errors.Is(err, ride.ErrSuspended) {
				return transport.Principal{}, err
			}
			return transport.Principal{}, ride.ErrUnauthenticated
		}
	}
	a, err := s.activeAccount(ctx, p.Account.ID)
	if err != nil {
		return transport.Principal{}, err
	}
	p.Account = a
	if LoggedOut(p) {
		return transport.Principal{}, ride.ErrUnauthenticated
	}
	return p, nil
}

func (s *Service) activeAccount(ctx context.Context, id ride.AccountID) (ride.Account, error) {
	a, err := s.accounts.Account(ctx, id)
	switch {
	case errors.Is(err, ride.ErrNotFound):
		return ride.Account{}, ride.ErrUnauthenticated
	case err != nil:
		return ride.Account{}, fmt.Errorf("read account: %w", err)
	case a.Status != ride.AccountActive:
		return ride.Account{}, ride.ErrSuspended
	}
	return a, nil
}
