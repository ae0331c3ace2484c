package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
)

// Tokens are what a client gets when it signs in or refreshes.
type Tokens struct {
	Access           string
	AccessExpiresAt  time.Time
	AccessLife       time.Duration // from now until then
	Refresh          string        // secret; only its hash is stored
	RefreshExpiresAt time.Time
	Family           string
}

// ReusedError means that a spent refresh token was used again, and not in a repetition that its
// grace period allows: it was copied, and its family was revoked. It unwraps to ride.ErrUnauthenticated, which is all that the
// client may learn; the caller closes the family's live socket.
type ReusedError struct {
	Account ride.AccountID
	Family  string
}

// Error implements error.
func (e *ReusedError) Error() string { return "refresh token of family " + e.Family + " reused" }

// Unwrap hides the reason from the client.
func (e *ReusedError) Unwrap() error { return ride.ErrUnauthenticated }

// begin starts a family: a log-in.
func (s *Service) begin(ctx context.Context, a ride.Account) (Tokens, error) {
	family, err := randomToken()
	if err != nil {
		return Tokens{}, err
	}
	secret, row, err := s.newRefresh(a.ID, family)
	if err != nil {
		return Tokens{}, err
	}
	if err := s.refresh.SaveRefreshToken(ctx, row); err != nil {
		return Tokens{}, fmt.Errorf("save refresh token: %w", err)
	}
	return s.tokensFor(a, secret, row)
}

func (s *Service) newRefresh(id ride.AccountID, family string) (string, ride.RefreshToken, error) {
	secret, err := randomToken()
	if err != nil {
		return "", ride.RefreshToken{}, err
	}
	now := ride.Clean(s.cfg.Now())
	return secret, ride.RefreshToken{
		Hash: tokenHash(secret), Family: family, Account: id,
		CreatedAt: now, ExpiresAt: now.Add(s.cfg.RefreshTTL),
	}, nil
}

func (s *Service) tokensFor(a ride.Account, secret string, row ride.RefreshToken) (Tokens, error) {
	access, exp, err := s.tokens.issue(a, row.Family)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		Access: access, AccessExpiresAt: exp, AccessLife: exp.Sub(s.cfg.Now()),
		Refresh: secret, RefreshExpiresAt: row.ExpiresAt, Family: row.Family,
	}, nil
}

// Refresh spends a refresh token for a new pair. The attempt is a secret that the client
// chose for this token before it sent it, or empty. Within Config.RefreshGrace the same
// attempt gets another pair as long as the refresh token of the one before was not used,
// which then no longer counts: so an answer that was lost can be asked for again. Without
// the attempt a second use is reuse. It returns ride.ErrUnauthenticated, a *ReusedError,
// a *TooSoonError, which spends nothing, or ride.ErrSuspended.
func (s *Service) Refresh(ctx context.Context, token, attempt string) (ride.Account, Tokens, error) {
	fail := func(err error) (ride.Account, Tokens, error) { return ride.Account{}, Tokens{}, err }
	if !plausibleSecret(token) {
		return fail(ride.ErrUnauthenticated)
	}
	hash := tokenHash(token)
	if err := s.mayRenew(ctx, hash); err != nil {
		return fail(err)
	}
	secret, next, err := s.newRefresh("", "") // the store puts in the spent token's
	if err != nil {
		return fail(err)
	}
	spent, err := s.refresh.RotateRefreshToken(ctx, hash, attemptHash(attempt), next, max(0, s.cfg.RefreshGrace))
	switch {
	case errors.Is(err, ride.ErrTokenReused):
		return fail(&ReusedError{Account: spent.Account, Family: spent.Family})
	case errors.Is(err, ride.ErrNotFound):
		return fail(ride.ErrUnauthenticated)
	case err != nil:
		return fail(fmt.Errorf("rotate refresh token: %w", err))
	}
	next.Family, next.Account = spent.Family, spent.Account
	a, err := s.activeAccount(ctx, spent.Account)
	if err != nil {
		return fail(err)
	}
	t, err := s.tokensFor(a, secret, next)
	return a, t, err
}

// LogOut ends the log-in that the principal's token descends from. Tokens of an outside issuer
// descend from none that we know of: all those of the account end that were made until now. The
// caller closes the live sockets of p.Family, which is empty then and stands for all.
func (s *Service) LogOut(ctx context.Context, p transport.Principal) error {
	if p.Family == "" {
		return s.LogOutAccount(ctx, p.Account.ID)
	}
	if err := s.refresh.RevokeFamily(ctx, p.Family); err != nil {
		return fmt.Errorf("revoke family: %w", err)
	}
	return nil
}

// LogOutAccount ends every log-in of an account, and the tokens of an outside issuer that were
// made until now. The caller closes live sockets.
func (s *Service) LogOutAccount(ctx context.Context, id ride.AccountID) error {
	now := s.cfg.Now()
	from := now
	if s.early != nil {
		from = s.early.until(id, now)
	}
	if err := s.refresh.RevokeAccount(ctx, id, ride.Clean(from)); err != nil {
		return fmt.Errorf("revoke account: %w", err)
	}
	return nil
}

// randomToken is 32 random bytes in URL-safe base64: 43 characters.
func randomToken() (string, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("random token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// tokenHash is how a secret of 256 random bits is stored: it cannot be guessed, so a
// plain hash is enough.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// attemptHash is how an attempt is stored; none is the empty text. It needs to withstand
// guessing for the grace alone.
func attemptHash(attempt string) string {
	if attempt == "" {
		return ""
	}
	return tokenHash(attempt)
}

func plausibleSecret(s string) bool {
	if len(s) != 43 {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil
}
