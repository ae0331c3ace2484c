package session

import (
	"context"
	"errors"
	"fmt"
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

// Config bounds what sockets may do. Begin with [DefaultConfig]: a zero is a zero. It
// must not change after [New].
type Config struct {
	// MaxSockets bounds the open sockets, with those still in their handshake.
	MaxSockets int
	// MaxPerAddress bounds those of one client address; an IPv6 address counts
	// with its /64 network. Loopback addresses have no bound: they are proxies
	// and tools of the operator's own. 0: no bound.
	MaxPerAddress int
	// ClientAddr tells the IP address of a request's client; requests for which it
	// tells none share one. Nil: a clientaddr.Finder that trusts no proxy.
	ClientAddr func(*http.Request) string
	// Origins are the web pages that may connect, beside those of the same host:
	// exact origins such as "https://app.example.com".
	Origins []string

	// ConnectTimeout is how long the first message may take.
	ConnectTimeout time.Duration
	// AuthTimeout bounds one authentication, the wait for its turn included, and
	// JoinTimeout the hand-over to the account's actor.
	AuthTimeout, JoinTimeout time.Duration
	// MaxAuthentications bounds the authentications that run at once.
	MaxAuthentications int

	// CommandRate and CommandBurst limit all messages but locations, per second.
	// Beyond them: too_many_requests.
	CommandRate, CommandBurst int
	// LocationRate and LocationBurst limit locations, per second. Beyond them
	// locations are dropped without a word.
	LocationRate, LocationBurst int
	// FrameRate and FrameBurst limit all frames per second. Beyond them
	// the session ends with too_many_errors.
	FrameRate, FrameBurst int
	// AnswerWithin is how long an actor may take to answer a frame, connect included; then
	// the client is refused with unavailable, and repeating the id returns the outcome.
	AnswerWithin time.Duration
	// MaxInFlight bounds the commands without a reply.
	MaxInFlight int
	// MaxRefused bounds the refused frames in a row.
	MaxRefused int

	// RetryAfterMin and RetryAfterSpread say when clients should come back from a
	// shutdown or an overload: after the first plus a random part of the second.
	RetryAfterMin, RetryAfterSpread time.Duration

	// Socket bounds each connection; its SlowCode and SilentCode are set here.
	Socket ws.Config
	// Logger gets a line at info level for each session's end. Nil: none.
	Logger *slog.Logger
	// Metrics counts. Nil: unregistered counters.
	Metrics *Metrics
	// Answered is called after each reply to a command about a trip, on the goroutine that
	// sends the reply: it must not block. Nil: answers are not observed, at no cost.
	Answered func(Answered)
}

// DefaultConfig is a complete Config.
func DefaultConfig() Config {
	return Config{
		MaxSockets: 20_000, MaxPerAddress: 1_000,
		ConnectTimeout: 5 * time.Second, AuthTimeout: 5 * time.Second, JoinTimeout: 5 * time.Second,
		MaxAuthentications: 64,
		CommandRate:        20, CommandBurst: 50,
		LocationRate: 10, LocationBurst: 20,
		FrameRate: 200, FrameBurst: 400,
		AnswerWithin: 10 * time.Second, MaxInFlight: 64, MaxRefused: 20,
		RetryAfterMin: 2 * time.Second, RetryAfterSpread: 4 * time.Second,
		Socket: ws.DefaultConfig(),
	}
}

// ErrConfig says that a Config cannot work.
var ErrConfig = errors.New("session configuration")

// Validate returns an error that wraps ErrConfig or ws.ErrConfig unless sockets can work by c.
func (c Config) Validate() error {
	switch {
	case c.MaxSockets <= 0 || c.MaxPerAddress < 0 || c.MaxAuthentications <= 0 || c.MaxInFlight <= 0 || c.MaxRefused <= 0:
		return fmt.Errorf("%w: sockets, authentications and frames need room", ErrConfig)
	case c.ConnectTimeout <= 0 || c.AuthTimeout <= 0 || c.JoinTimeout <= 0 || c.AnswerWithin <= 0:
		return fmt.Errorf("%w: connecting and answering need time", ErrConfig)
	case min(c.CommandRate, c.CommandBurst, c.LocationRate, c.LocationBurst, c.FrameRate, c.FrameBurst) <= 0:
		return fmt.Errorf("%w: a rate lets nothing through", ErrConfig)
	case c.RetryAfterMin <= 0 || c.RetryAfterSpread < 0:
		return fmt.Errorf("%w: clients need a time to come back", ErrConfig)
	}
	return c.Socket.Validate()
}

// complete fills in what no configuration names.
func (c Config) complete() Config {
	if c.ClientAddr == nil {
		c.ClientAddr = clientaddr.Finder{}.Of
	}
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
