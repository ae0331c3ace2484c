package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Join hands a session to its account's actor, which replies on the outbox. In a cluster it first
// blocks on the store, because a rider and a driver have one session on all nodes together. The
// error is ride.ErrShuttingDown, or wraps ride.ErrUnavailable if the store cannot be reached.
func (s *System) Join(ctx context.Context, j Join) (*Inbox, error) {
	p := &Inbox{root: s.root, driver: j.Account.Role == ride.RoleDriver}
	p.ready.inbox = p
	if s.nodes != nil && j.Account.Role != ride.RoleOperator {
		if err := s.claimSession(ctx, j.Account.ID, p); err != nil {
			return nil, err
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, ride.ErrShuttingDown
	}
	s.enter(j, p)
	return p, nil
}

// claimSession makes a session its account's newest in the database.
func (s *System) claimSession(ctx context.Context, account ride.AccountID, p *Inbox) error {
	c, cancel := context.WithTimeout(ctx, s.cfg.StoreTimeout)
	defer cancel()
	claim, err := s.store.ClaimSession(c, account, s.nodes.self.Address, s.nodes.self.Incarnation)
	if err != nil {
		s.cfg.Log.Log(context.Background(), logLevel(err), "session cannot be claimed", "account", account, "error", err)
		return fmt.Errorf("%w: claim session: %w", ride.ErrUnavailable, err)
	}
	p.generation, p.succeeds = claim.Generation, claim.FormerNode != ""
	if former := (Member{claim.FormerNode, claim.FormerIncarnation}); p.succeeds && former != s.nodes.self {
		p.former = former
	}
	return nil
}

func (s *System) enter(j Join, p *Inbox) {
	s.place.Claim(j.Account.ID, func(claim uint64) *actor.PID { return s.spawnPerson(j.Account, claim) }, func(pid *actor.PID) {
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

func (s *System) spawnPerson(a ride.Account, claim uint64) *actor.PID {
	switch a.Role {
	case ride.RoleDriver:
		return s.host.Spawn(s.kinds.driver, func() runtime.Shell { return newDriver(s.shared, a, claim) })
	case ride.RoleRider:
		return s.host.Spawn(s.kinds.rider, func() runtime.Shell { return newRider(s.shared, a, claim) })
	default:
		return s.host.Spawn(s.kinds.operator, func() runtime.Shell { return &operatorActor{person: newPerson(s.shared, a, claim)} })
	}
}

// AccountChanged sends a changed account to its actor on this node, if there is one. It does not
// block.
func (s *System) AccountChanged(a ride.Account) {
	s.place.Find(a.ID, func(pid *actor.PID) { s.root.Send(pid, accountChanged{a}) })
}
