package session

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/transport"
	"github.com/hexhail/hexhail/transport/clientaddr"
	"github.com/hexhail/hexhail/transport/ws"
)

// Authenticator finds out who stands behind credentials. Its methods are called
// from many goroutines, at most Config.MaxAuthentications at once, and must
// honour the context's deadline. Errors that wrap a *ride.Error reach the client
// as that error; any other is an internal one, and logged.
type Authenticator interface {
	// Authenticate checks an access token.
	Authenticate(ctx context.Context, token string) (transport.Principal, error)
	// RedeemTicket spends a one-use ticket.
	RedeemTicket(ctx context.Context, ticket string) (transport.Principal, error)
}

// Config bounds what sockets may do. The zero value means the defaults; it must
// not change after [New].
type Config struct {
	// MaxSockets bounds the open sockets, with those still in their handshake.
	// Default 20,000.
	MaxSockets int
	// MaxPerAddress bounds those of one client address; an IPv6 address counts
	// with its /64 network. Loopback addresses have no bound: they are proxies
	// and tools of the operator's own. Default 1,000; negative: no bound.
	MaxPerAddress int
	// ClientAddr tells the IP address of a request's client; requests for which it
	// tells none share one. Default: a clientaddr.Finder that trusts no proxy.
	ClientAddr func(*http.Request) string
	// Origins are the web pages that may connect, beside those of the same host:
	// exact origins such as "https://app.example.com".
	Origins []string

	// ConnectTimeout is how long the first message may take. Default 5 s.
	ConnectTimeout time.Duration
	// AuthTimeout bounds one authentication, the wait for its turn included, and
	// JoinTimeout the hand-over to the account's actor. Default 5 s each.
	AuthTimeout, JoinTimeout time.Duration
	// MaxAuthentications bounds the authentications that run at once. Default 64.
	MaxAuthentications int

	// CommandRate and CommandBurst limit all messages but locations, per second.
	// Beyond them: too_many_requests. Default 20 and 50.
	CommandRate, CommandBurst int
	// LocationRate and LocationBurst limit locations, per second. Beyond them
	// locations are dropped without a word. Default 10 and 20.
	LocationRate, LocationBurst int
	// FrameRate and FrameBurst limit whatever is sent, per second. Beyond them
	// the session ends with too_many_errors. Default 200 and 400.
	FrameRate, FrameBurst int
	// AnswerWithin is how long an actor may take to answer a frame, connect included; then
	// the client is refused with unavailable, and the same id tells what became of it.
	// Default 10 s.
	AnswerWithin time.Duration
	// MaxInFlight bounds the commands without a reply. Default 64.
	MaxInFlight int
	// MaxRefused bounds the refused frames in a row. Default 20.
	MaxRefused int

	// RetryAfterMin and RetryAfterSpread say when clients should come back from a
	// shutdown or an overload: after the first plus a random part of the second.
	// Default 1 s and 4 s.
	RetryAfterMin, RetryAfterSpread time.Duration

	// Socket bounds each connection; its SlowCode and SilentCode are set here.
	Socket ws.Config
	// Logger gets a line at info level for each session's end. Default: nobody.
	Logger *slog.Logger
	// Metrics counts. Default: counters that nobody reads.
	Metrics *Metrics
}

func (c Config) withDefaults() Config {
	setDefault(&c.MaxSockets, 20_000)
	setDefault(&c.MaxPerAddress, 1_000)
	if c.ClientAddr == nil {
		c.ClientAddr = clientaddr.Finder{}.Of
	}
	setDefault(&c.ConnectTimeout, 5*time.Second)
	setDefault(&c.AuthTimeout, 5*time.Second)
	setDefault(&c.JoinTimeout, 5*time.Second)
	setDefault(&c.MaxAuthentications, 64)
	setDefault(&c.CommandRate, 20)
	setDefault(&c.CommandBurst, 50)
	setDefault(&c.LocationRate, 10)
	setDefault(&c.LocationBurst, 20)
	setDefault(&c.FrameRate, 200)
	setDefault(&c.FrameBurst, 400)
	setDefault(&c.AnswerWithin, 10*time.Second)
	setDefault(&c.MaxInFlight, 64)
	setDefault(&c.MaxRefused, 20)
	setDefault(&c.RetryAfterMin, time.Second)
	setDefault(&c.RetryAfterSpread, 4*time.Second)
	c.Socket.SlowCode = ws.Code(ridepb.CloseSlowConsumer)
	c.Socket.SilentCode = ws.Code(ridepb.CloseHeartbeat)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	return c
}

func setDefault[T comparable](v *T, fallback T) {
	if *v == *new(T) {
		*v = fallback
	}
}
