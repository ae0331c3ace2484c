package session

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/ws"
)

// Handler serves /v1/ws. It owns the sockets that it accepts until [Handler.Drain]
// has returned. Make it with [New].
type Handler struct {
	cfg      Config
	auth     authGate
	router   transport.Router
	registry *Registry
	metrics  *Metrics
	upgrader ws.Upgrader

	// ctx is over when sessions must not wait for anything any more.
	ctx    context.Context
	cancel context.CancelFunc

	moving atomic.Bool // Move was called
}

var _ http.Handler = (*Handler)(nil)

// New makes a handler that authenticates by auth and joins sessions to the
// actors behind router. The error is that of [Config.Validate].
func New(cfg Config, auth Authenticator, router transport.Router) (*Handler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.complete()
	ctx, cancel := context.WithCancel(context.Background())
	return &Handler{
		cfg:      cfg,
		auth:     newAuthGate(auth, cfg),
		router:   router,
		registry: newRegistry(cfg.MaxSockets, cfg.MaxPerAddress),
		metrics:  cfg.Metrics,
		upgrader: ws.Upgrader{Subprotocols: wire.Subprotocols(), Origins: cfg.Origins, Conn: cfg.Socket},
		ctx:      ctx,
		cancel:   cancel,
	}, nil
}

// Registry returns the live sessions.
func (h *Handler) Registry() *Registry { return h.registry }

// ServeHTTP accepts a socket. It refuses over HTTP, before the upgrade, wherever it
// can.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := credentialInQuery(r.URL); name != "" {
		h.refuse(w, queryCredential(name))
		return
	}
	addr := addressKey(h.cfg.ClientAddr(r))
	if p := h.registry.admit(addr); p != nil {
		h.refuse(w, p)
		return
	}
	served := false
	defer func() {
		if !served {
			h.registry.release(addr)
		}
	}()
	cred, p := h.headerCredential(r)
	if p != nil {
		h.refuse(w, p)
		return
	}
	conn, err := h.upgrader.Upgrade(w, r)
	if err != nil {
		h.metrics.refused(reasonHandshake)
		h.cfg.Logger.Debug("socket refused", "error", err)
		return
	}
	codec, ok := wire.ForSubprotocol(conn.Subprotocol())
	if !ok { // the upgrader agrees to nothing else
		conn.Abort()
		return
	}
	served = true
	go func() {
		defer h.registry.release(addr)
		h.serve(conn, codec, cred)
	}()
}

func (h *Handler) refuse(w http.ResponseWriter, p *handshakeRefusal) {
	h.metrics.refused(p.reason)
	p.write(w, h.retryAfter())
}

// serve runs one session to its end on the calling goroutine.
func (h *Handler) serve(conn *ws.Conn, codec wire.Codec, cred *credential) {
	s := newSession(h, conn, codec, cred)
	draining := h.registry.add(s)
	defer h.registry.remove(s)
	if draining {
		s.Close(ridepb.CloseShutdown, h.retryAfter())
	}
	s.run()
}

// Drain refuses new sockets, tells every session when to come back and closes
// it. It returns when all are gone; once ctx is over it cuts those that are left
// and returns an error. Call it once, last.
func (h *Handler) Drain(ctx context.Context) error {
	return h.drain(ctx, 0)
}

// Move is Drain for a server beside others, at which the clients go on: it closes the sessions one
// after another within a time, and asks each to come back almost at once.
func (h *Handler) Move(ctx context.Context, within time.Duration) error {
	h.moving.Store(true)
	return h.drain(ctx, within)
}

// movePause is the longest time between the ends of two sessions that move.
const movePause = 100 * time.Millisecond

func (h *Handler) drain(ctx context.Context, within time.Duration) error {
	sessions, gone := h.registry.drain()
	pause := min(within/time.Duration(max(len(sessions), 1)), movePause)
	for _, s := range sessions {
		s.Close(ridepb.CloseShutdown, h.retryAfter())
		if pause > 0 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				pause = 0
			}
		}
	}
	defer h.cancel()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	left := h.registry.all()
	for _, s := range left {
		s.conn.Abort()
	}
	return fmt.Errorf("drain sockets: %d cut: %w", len(left), ctx.Err())
}

// Draining reports whether [Handler.Drain] was called: no new sockets are taken.
func (h *Handler) Draining() bool { return h.registry.isDraining() }

// The time in which clients come back that move to another server, with jitter.
const moveAfterMin, moveAfterSpread = 50 * time.Millisecond, 450 * time.Millisecond

// retryAfter is when one client should come back.
func (h *Handler) retryAfter() time.Duration {
	if h.moving.Load() {
		return moveAfterMin + rand.N(moveAfterSpread)
	}
	return h.cfg.RetryAfterMin + rand.N(max(h.cfg.RetryAfterSpread, 1))
}

func limiter(perSecond, burst int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(perSecond), burst)
}
