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

// Peer is a session's way into its account's actor. Its methods are called by the session's reader
// goroutine only and never block.
type Peer struct {
	root   *actor.RootContext
	pid    atomic.Pointer[actor.PID]
	driver bool

	mu       sync.Mutex
	position ride.Position
	fresh    bool // the actor has not taken position yet
	ready    positionReady
}

// positionReady tells a driver's actor that its session holds a new position. At most one per
// session is in flight.
type positionReady struct{ peer *Peer }

// Messages of a session to its person's actor, on the same node.
type (
	joined struct {
		join Join
		peer *Peer
	}
	left struct{ peer *Peer }
	// framed is a frame with an id.
	framed struct {
		peer  *Peer
		frame *ridepb.ClientFrame
		due   time.Time // when its session refuses it as unanswered
	}
)

// answerWithin is how long a session waits for the reply to a frame.
const answerWithin = 10 * time.Second

// expired reports whether a frame has waited here so long that its session has refused it; the
// client asks again if it still wants that.
func (m framed) expired() bool { return time.Now().After(m.due) }

// Command hands over a frame with an id; its reply arrives on the outbox. The actor owns the frame
// from then on.
func (p *Peer) Command(f *ridepb.ClientFrame) {
	p.root.Send(p.pid.Load(), framed{peer: p, frame: f, due: time.Now().Add(answerWithin)})
}

// Location hands over a driver's position, whose fields the caller has checked; only the latest is
// kept. If the account is not a driver's, it returns ride.ErrWrongRole.
func (p *Peer) Location(pos ride.Position) error {
	if !p.driver {
		return ride.ErrWrongRole
	}
	p.mu.Lock()
	waiting := p.fresh
	p.position, p.fresh = pos, true
	p.mu.Unlock()
	if !waiting {
		p.root.Send(p.pid.Load(), &p.ready)
	}
	return nil
}

func (p *Peer) takePosition() (ride.Position, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := p.fresh
	p.fresh = false
	return p.position, fresh
}

// Leave reports that the socket is gone. It is the last call and is made once.
func (p *Peer) Leave() { p.root.Send(p.pid.Load(), left{p}) }
