package session

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/problem"
)

// credential is who a client turned out to be, and since when we know.
type credential struct {
	transport.Principal
	mark uint64 // Registry.mark from before the authentication
}

// authGate runs authentications, a bounded number at once.
type authGate struct {
	auth    Authenticator
	slots   chan struct{}
	timeout time.Duration
	log     *slog.Logger
	metrics *Metrics
}

func newAuthGate(a Authenticator, cfg Config) authGate {
	return authGate{
		auth: a, slots: make(chan struct{}, cfg.MaxAuthentications),
		timeout: cfg.AuthTimeout, log: cfg.Logger, metrics: cfg.Metrics,
	}
}

// token and ticket check one credential each.
func (g authGate) token(ctx context.Context, token string) (transport.Principal, *ride.Error) {
	return g.run(ctx, token, g.auth.Authenticate)
}

func (g authGate) ticket(ctx context.Context, ticket string) (transport.Principal, *ride.Error) {
	return g.run(ctx, ticket, g.auth.RedeemTicket)
}

func (g authGate) run(
	ctx context.Context, secret string, check func(context.Context, string) (transport.Principal, error),
) (p transport.Principal, refused *ride.Error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	began := time.Now()
	defer func() { g.metrics.authenticated(time.Since(began), refused) }()
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return p, ride.ErrUnavailable
	}
	p, err := check(ctx, secret)
	if err != nil {
		return transport.Principal{}, g.refusal(err)
	}
	return p, g.vet(p)
}

// vet does not rely on an authenticator for what would let a session live for
// ever or act without an account.
func (g authGate) vet(p transport.Principal) *ride.Error {
	switch {
	case p.Account.ID == "" || !p.Account.Role.Valid():
		g.log.Error("an authenticator returned a principal without an id or a role")
		return ride.ErrInternal
	case p.Account.Status == ride.AccountSuspended:
		return ride.ErrSuspended
	case !time.Now().Before(p.ExpiresAt):
		return ride.ErrUnauthenticated.With("The credentials have expired.")
	}
	return nil
}

// refusal is what the client may know of an error.
func (g authGate) refusal(err error) *ride.Error {
	refused, known := problem.Refusal(err)
	if !known {
		g.log.Error("authentication failed", "error", err)
	}
	return refused
}

// headerCredential checks the handshake's Authorization header. Without one
// both results are nil: the connect message has to bring credentials.
func (h *Handler) headerCredential(r *http.Request) (*credential, *handshakeRefusal) {
	if len(r.Header.Values("Authorization")) == 0 {
		return nil, nil
	}
	token, ok := transport.BearerToken(r.Header)
	if !ok || len(token) > maxToken {
		return nil, credentialRefused(ride.ErrUnauthenticated.With("The Authorization header must be one Bearer token."))
	}
	mark := h.registry.mark()
	p, refused := h.auth.token(r.Context(), token)
	if refused != nil {
		return nil, credentialRefused(refused)
	}
	return &credential{p, mark}, nil
}
