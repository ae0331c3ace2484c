package transport

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Principal is who stands behind a request, as authentication found out.
type Principal struct {
	Account ride.Account
	// Family is the log-in that the token descends from; empty for outside issuers.
	Family string
	// IssuedAt is when an outside issuer made the token; zero if it does not say, or the token
	// is ours.
	IssuedAt time.Time
	// ExpiresAt is when the credentials cease to count, also in mid-connection.
	ExpiresAt time.Time
}

// Router is how sockets reach the actors.
type Router interface {
	// Join hands a new session to its account's actor, which answers on out: first the reply to
	// connect, then missed events, then new ones. An older session of a rider or a driver is closed
	// as replaced; operators have several. It returns an error only when no actor can take the
	// session (ride.ErrShuttingDown, ride.ErrUnavailable).
	Join(ctx context.Context, j Join) (Inbox, error)
}

// Join is a session that wants in.
type Join struct {
	Principal Principal
	SessionID string
	ConnectID string         // id of the connect frame, for its reply
	Resume    *ridepb.Resume // nil: nothing to resume
	Out       Outbox
}

// Inbox is a session's way into its account's actor. All methods are for the session's
// reader goroutine alone and never block.
type Inbox interface {
	// Command hands over a frame with an id. Its reply arrives on the outbox. The
	// frame belongs to the account's actor from then on.
	Command(f *ridepb.ClientFrame)
	// Location hands over a driver's position, whose fields are checked; only the latest is kept.
	// The error is a *ride.Error if the account is not a driver's.
	Location(p ride.Position) error
	// Leave says that the socket is gone. Called once, last.
	Leave()
}

// Outbox is an actor's way to a session. All methods may be called from any
// goroutine and never block; after the session's end they do nothing.
type Outbox interface {
	Reply(r *ridepb.Reply)
	// Event queues an event. Event and frame contents must not change afterwards.
	Event(e *ridepb.Event)
	// Moved queues a driver_moved event, replacing one that is still waiting.
	Moved(e *ridepb.Event)
	// Backlog is how many bytes wait to be written, or are being written.
	Backlog() int
	// Close says why (as a disconnecting event), flushes and closes the socket.
	Close(code ridepb.CloseCode, retryAfter time.Duration)
}
