package actors

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// setActive notes which trip occupies this account; nil for none. While there is one, this actor asks
// it for news every AttachEvery. The first time is at random within that, so that people who were
// cut off together do not ask together for ever.
func (p *person) setActive(t *ride.Trip) {
	p.active = t
	if t != nil && p.self != nil && p.timers["attach"] == nil {
		p.timers.After("attach", rand.N(p.sys.cfg.AttachEvery), p.sys.sender(p.self, attachDue{}))
	}
}

// attachment asks a trip for what this person has missed of it.
func (p *person) attachment(trip ride.TripID) tripAttach {
	return tripAttach{Account: p.account.ID, Generation: p.generation, PID: p.self, Version: p.known(trip)}
}

// onAttachDue asks the active trip for news. If there is none, the timer is not set again: a trip that
// ends does not stop the timer, so that one trip after the other needs one timer.
func (p *person) onAttachDue(ctx actor.Context, ask func(ride.TripID) tripAttach) {
	p.timers.Cancel("attach")
	if p.active == nil || p.gone {
		return
	}
	ctx.Send(p.sys.place.Trip(p.active.ID), ask(p.active.ID))
	p.timers.After("attach", p.sys.cfg.AttachEvery, p.sys.sender(ctx.Self(), attachDue{}))
}

// askAgain has a trip asked for news that were dropped because the store could not be read. Until they
// come, this actor may not know that it has a trip, and so would never ask.
func (p *person) askAgain(trip ride.TripID) {
	if p.self != nil {
		p.timers.After("news", resendAfter, p.sys.sender(p.self, newsDue{trip}))
	}
}

// onNewsDue asks a trip again, which answers with its state.
func (p *person) onNewsDue(ctx actor.Context, m newsDue) {
	p.timers.Cancel("news")
	if !p.gone && p.known(m.trip) == 0 {
		ctx.Send(p.sys.place.Trip(m.trip), p.attachment(m.trip))
	}
}

// ownersChanged tells a person's actor that the nodes' list has changed.
type ownersChanged struct{ before, now *memberTable }

// moved reports whether a trip has another owner than before.
func (m ownersChanged) moved(trip ride.TripID) bool {
	was, _ := m.before.owner(trip)
	is, ok := m.now.owner(trip)
	return ok && is != was
}

// onOwnersChanged attaches to the active trip at once if it has moved, because its new owner does not
// know this actor yet; and again a moment later, because the owner may learn of its trip later than
// this node does.
func (p *person) onOwnersChanged(ctx actor.Context, m ownersChanged, ask func(ride.TripID) tripAttach) {
	for _, cmd := range p.pending {
		if cmd.delayed == 0 && m.moved(cmd.trip) { // it may have met neither owner
			ctx.Request(p.sys.place.Trip(cmd.trip), cmd.message)
			cmd.due = time.Now().Add(resendAfter / 4) // the new owner may not know yet
		}
	}
	if p.active == nil || p.gone || !m.moved(p.active.ID) {
		return
	}
	ctx.Send(p.sys.place.Trip(p.active.ID), ask(p.active.ID))
	p.timers.After("attach", resendAfter, p.sys.sender(ctx.Self(), attachDue{}))
}

// known is the newest version of a trip that this person has; 0 for none.
func (p *person) known(trip ride.TripID) int64 {
	known := int64(0)
	if p.told.Trip == trip {
		known = p.told.Version
	}
	if p.active != nil && p.active.ID == trip {
		known = max(known, p.active.Version)
	}
	return known
}

// onTripGone forgets a trip that does not exist, and reports whether it was the active one. No event
// says so, because there is no state to show: the client connects again and gets a snapshot.
func (p *person) onTripGone(m tripGone) bool {
	if p.active == nil || p.active.ID != m.Trip {
		return false
	}
	p.setActive(nil)
	if p.out != nil {
		p.out.Close(ridepb.CloseInternal, 0)
	}
	return true
}

// attachToReplied asks for the state of a trip that a repeated reply names, if it is live or this person's
// active one, unless this person has had news of it since: a driver may have given it back. The first
// reply was lost, and with it the state that this actor has to know, such as the end of the trip that
// occupies it.
func (p *person) attachToReplied(ctx actor.Context, m tripResult) {
	t := m.Reply.GetTrip()
	id := ride.TripID(t.GetId())
	if m.Trip != nil || int64(t.GetVersion()) <= p.known(id) {
		return
	}
	if p.active != nil && p.active.ID == id || p.active == nil && view.FromStatus(t.GetStatus()).Live() {
		ctx.Send(p.sys.place.Trip(id), p.attachment(id))
	}
}
