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
	// Close says why (as a disconnecting event), flushes and closes the socket.
	Close(code ridepb.CloseCode, retryAfter time.Duration)
}

// Join is a session that wants in.
type Join struct {
	Account   ride.Account
	SessionID string
	ConnectID string         // id of the connect frame, for its reply
	Resume    *ridepb.Resume // nil: nothing to resume
	Out       Outbox
}

// Peer is a session's way into its account's actor. Its methods are for the session's
// reading goroutine alone and never block.
type Peer struct {
	root   *actor.RootContext
	pid    atomic.Pointer[actor.PID]
	driver bool

	mu       sync.Mutex
	position ride.Position
	fresh    bool // position has not been taken
	ready    positionReady
}

// positionReady tells a driver's actor that its session holds a new position. At most
// one is on its way for each session.
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
		due   time.Time // when its session refuses it for want of an answer
	}
)

// answerWithin is how long a session waits for the answer to a frame.
const answerWithin = 10 * time.Second

// expired reports whether a frame waited here for so long that its client was refused: it
// asks again if it still wants that.
func (m framed) expired() bool { return time.Now().After(m.due) }

// Command hands over a frame with an id; its reply arrives on the outbox. The frame is
// the actor's from then on.
func (p *Peer) Command(f *ridepb.ClientFrame) {
	p.root.Send(p.pid.Load(), framed{peer: p, frame: f, due: time.Now().Add(answerWithin)})
}

// Location hands over a driver's position, whose fields the caller has checked; only the
// latest is kept. It refuses a position of an account that is no driver, with
// ride.ErrWrongRole.
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

// Leave says that the socket is gone. Called once, last.
func (p *Peer) Leave() { p.root.Send(p.pid.Load(), left{p}) }
