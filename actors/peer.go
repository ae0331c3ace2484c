package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/runtime"
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
	sys    *System
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

// Join hands a session to its account's actor, which answers on the outbox. The error
// is ride.ErrShuttingDown.
func (s *System) Join(_ context.Context, j Join) (*Peer, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, ride.ErrShuttingDown
	}
	p := &Peer{sys: s, driver: j.Account.Role == ride.RoleDriver}
	p.ready.peer = p
	s.enter(j, p)
	return p, nil
}

func (s *System) enter(j Join, p *Peer) {
	s.place.Claim(j.Account.ID, func(generation uint64) *actor.PID { return s.spawnPerson(j.Account, generation) }, func(pid *actor.PID) {
		p.pid.Store(pid)
		s.root.Send(pid, joined{join: j, peer: p})
	})
}

// rejoin finds a session that arrived at a stopping actor a living one.
func (s *System) rejoin(j Join, p *Peer) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		j.Out.Close(ridepb.CloseShutdown, time.Second)
		return
	}
	s.enter(j, p)
}

func (s *System) spawnPerson(a ride.Account, generation uint64) *actor.PID {
	switch a.Role {
	case ride.RoleDriver:
		return s.host.Spawn(s.kinds.driver, func() runtime.Shell { return newDriver(s, a, generation) })
	case ride.RoleRider:
		return s.host.Spawn(s.kinds.rider, func() runtime.Shell { return newRider(s, a, generation) })
	default:
		return s.host.Spawn(s.kinds.operator, func() runtime.Shell { return &operatorActor{person: newPerson(s, a, generation)} })
	}
}

// Command hands over a frame with an id; its reply arrives on the outbox. The frame is
// the actor's from then on.
func (p *Peer) Command(f *ridepb.ClientFrame) {
	p.sys.root.Send(p.pid.Load(), framed{peer: p, frame: f, due: time.Now().Add(answerWithin)})
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
		p.sys.root.Send(p.pid.Load(), &p.ready)
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
func (p *Peer) Leave() { p.sys.root.Send(p.pid.Load(), left{p}) }
