package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// In a cluster, each session of a rider or a driver gets a generation from the database, and the
// other nodes hear of it. The actor of an older session there closes its socket and stops. It leaves
// its offers and its trip alone: the new session's actor reads them from the database and speaks
// for them with the higher generation.

// claimDue is the time to announce the session again, because frames may be lost; then is the wait
// until the next time, 0 for none.
type claimDue struct{ then time.Duration }

const (
	claimSecond = 2 * time.Second
	claimThird  = 8 * time.Second // after the second
)

// outdated reports whether the account has a newer session than this one. Two that join at once may
// arrive in the wrong order.
func (p *person) outdated(in *Inbox) bool {
	return in.generation < p.newer || in.generation > 0 && in.generation < p.generation
}

// speakFor makes the session that joins the one for which this actor speaks to trips and cells.
func (p *person) speakFor(in *Inbox) {
	if in.generation == 0 {
		return
	}
	p.generation = in.generation
	if in.succeeds {
		p.announce(claimSecond, claimThird)
	}
}

// announce tells the other nodes of the session, and does so again.
func (p *person) announce(again, then time.Duration) {
	p.sys.announceSession(p.account.ID, p.generation)
	if again > 0 {
		p.timers.After("claim", again, p.sys.sender(p.self, claimDue{then}))
	}
}

// onClaimDue announces the session again, and looks for a trip that began through the older session
// meanwhile: its news may have gone there.
func (p *person) onClaimDue(ctx actor.Context, m claimDue) {
	p.timers.Cancel("claim")
	if p.gone {
		return
	}
	p.announce(m.then, 0)
	if p.active != nil {
		return
	}
	c, cancel := p.sys.storeContext()
	defer cancel()
	t, err := p.sys.store.ActiveTrip(c, p.account.ID, p.account.Role)
	switch {
	case err == nil:
		ctx.Send(p.sys.place.Trip(t.ID), p.attachment(t.ID))
	case !errors.Is(err, ride.ErrNotFound):
		p.sys.cfg.Log.Warn("active trip cannot be read", "account", p.account.ID, "error", err)
	}
}

// onNewerSession ends this actor if the session elsewhere is newer than its own. It reports whether
// it did.
func (p *person) onNewerSession(ctx actor.Context, m newerSession) bool {
	if m.generation <= p.newest() {
		return false
	}
	p.newer = m.generation
	p.abandon(ctx)
	if p.out != nil {
		p.out.Close(ridepb.CloseReplaced, 0)
	}
	p.attach(nil, nil)
	if p.gone {
		return true
	}
	p.setActive(nil)
	p.pending = nil // the client repeats them on the other node
	p.timers.Stop()
	p.depart(ctx)
	return true
}

// past reports whether a message comes too late for an actor that has been replaced. Only what
// concerns sessions of this node is still handled. What trips have sent goes to the actor that has
// taken over: the trips may have sent it before they knew that one.
func (p *person) past(ctx actor.Context) bool {
	if p.newer == 0 {
		return false
	}
	switch m := ctx.Message().(type) {
	case joined, framed, left, *positionReady, newerSession, *actor.Stopping:
		return false
	case tripResult, tripUpdate, offerMade, offerEnded, driverReleased, driverMoved, routeMade, tripGone:
		p.passOn(ctx, passedOn{m})
	case passedOn:
		p.passOn(ctx, m)
	}
	return true
}
