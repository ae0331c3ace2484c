package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Outbox is an actor's way to a session. All methods may be called from any goroutine,
// never block, and do nothing after the session's end.
type Outbox interface {
	Reply(r *ridepb.Reply)
	// Event queues an event, whose contents never change afterwards.
	Event(e *ridepb.Event)
	// Moved queues a driver_moved event, replacing one that is still waiting.
	Moved(e *ridepb.Event)
	// Backlog is how many bytes wait to be written, or are being written.
	Backlog() int
	// Close sends the reason (as a disconnecting event), flushes and closes the socket.
	Close(code ridepb.CloseCode, retryAfter time.Duration)
}

// Join is a session that joins its account's actor.
type Join struct {
	Account   ride.Account
	SessionID string
	ConnectID string         // id of the connect frame, for its reply
	Resume    *ridepb.Resume // nil: nothing to resume
	Out       Outbox
}

// Inbox is a session's way into its account's actor. Its methods are called by the session's reader
// goroutine only and never block.
type Inbox struct {
	root   *actor.RootContext
	pid    atomic.Pointer[actor.PID]
	driver bool
	// generation is the session's, from the database; 0: this node is alone, or it is an operator's.
	generation uint64
	// succeeds is set when the account has had a session before, which may be on another node; former
	// is that node, and zero if it is this one.
	succeeds bool
	former   Member

	mu       sync.Mutex
	position ride.Position
	fresh    bool // the actor has not taken position yet
	ready    positionReady
}

// positionReady tells a driver's actor that its session holds a new position. At most one per
// session is in flight.
type positionReady struct{ inbox *Inbox }

// Messages of a session to its person's actor, on the same node.
type (
	joined struct {
		join  Join
		inbox *Inbox
	}
	left struct{ inbox *Inbox }
	// framed is a frame with an id.
	framed struct {
		inbox *Inbox
		frame *ridepb.ClientFrame
		due   time.Time // when its session refuses it as unanswered
		// priced is the estimate of the trip that it requests; nil: not made yet.
		priced *priced
	}
)

// priced is what a trip is estimated to be.
type priced struct {
	estimate ride.Estimate
	outline  *ride.Estimate
	err      error
}

// answerWithin is how long a session waits for the reply to a frame.
const answerWithin = 10 * time.Second

// expired reports whether a frame has waited here so long that its session has refused it; the
// client asks again if it still wants that.
func (m framed) expired() bool { return time.Now().After(m.due) }

// Command hands over a frame with an id; its reply arrives on the outbox. The actor owns the frame
// from then on.
func (i *Inbox) Command(f *ridepb.ClientFrame) {
	i.root.Send(i.pid.Load(), framed{inbox: i, frame: f, due: time.Now().Add(answerWithin)})
}

// Location hands over a driver's position, whose fields the caller has checked; only the latest is
// kept. If the account is not a driver's, it returns ride.ErrWrongRole.
func (i *Inbox) Location(pos ride.Position) error {
	if !i.driver {
		return ride.ErrWrongRole
	}
	i.mu.Lock()
	waiting := i.fresh
	i.position, i.fresh = pos, true
	i.mu.Unlock()
	if !waiting {
		i.root.Send(i.pid.Load(), &i.ready)
	}
	return nil
}

func (i *Inbox) takePosition() (ride.Position, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	fresh := i.fresh
	i.fresh = false
	return i.position, fresh
}

// Leave reports that the socket is gone. It is the last call and is made once.
func (i *Inbox) Leave() { i.root.Send(i.pid.Load(), left{i}) }
