package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Join hands a session to its account's actor, which replies on the outbox. The only error is
// ride.ErrShuttingDown.
func (s *System) Join(_ context.Context, j Join) (*Inbox, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, ride.ErrShuttingDown
	}
	p := &Inbox{root: s.root, driver: j.Account.Role == ride.RoleDriver}
	p.ready.inbox = p
	s.enter(j, p)
	return p, nil
}

func (s *System) enter(j Join, p *Inbox) {
	s.place.Claim(j.Account.ID, func(generation uint64) *actor.PID { return s.spawnPerson(j.Account, generation) }, func(pid *actor.PID) {
		p.pid.Store(pid)
		s.root.Send(pid, joined{join: j, inbox: p})
	})
}

// joinAgain joins a session that reached a stopping actor to the account's current one.
func (s *System) joinAgain(j Join, p *Inbox) {
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
		return s.host.Spawn(s.kinds.driver, func() runtime.Shell { return newDriver(s.shared, a, generation) })
	case ride.RoleRider:
		return s.host.Spawn(s.kinds.rider, func() runtime.Shell { return newRider(s.shared, a, generation) })
	default:
		return s.host.Spawn(s.kinds.operator, func() runtime.Shell { return &operatorActor{person: newPerson(s.shared, a, generation)} })
	}
}

// AccountChanged sends a changed account to its actor on this node, if there is one. It does not
// block.
func (s *System) AccountChanged(a ride.Account) {
	s.place.Find(a.ID, func(pid *actor.PID) { s.root.Send(pid, accountChanged{a}) })
}
