package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// Where the policy is immediate, a trip's first search comes before its first transaction, so
// that the request and the first wave of offers are written at once: that is one wait for the
// disk until drivers hear of it, not two. Should the node die in between, nothing was
// acknowledged. A policy that gathers several trips must not keep a rider waiting for the
// acknowledgement: its request is committed alone, and the wave follows.

// birth is a request that waits for its first search.
type birth struct {
	request tripCommand
	trip    ride.Trip // as the request makes it
	rider   *actor.PID
}

// bear begins the life of a trip. A request that would be refused is decided at once. One
// that is repeated while the first still searches waits for the same search, whose answer
// goes to whoever asked last.
func (a *tripActor) bear(ctx actor.Context, m tripCommand) (begun bool) {
	request, ok := m.Command.(ride.RequestTrip)
	if !ok || !request.Rules.Policy.Immediate() || len(m.Also) > 0 || a.trip.Version > 0 || a.doubtful {
		return false
	}
	if a.birth != nil {
		a.birth.request, a.birth.rider = m, ctx.Sender()
		return true
	}
	events, effects, err := ride.Decide(a.trip, time.Now(), request)
	if err != nil {
		return false
	}
	for _, effect := range effects {
		if wave, ok := effect.(ride.FindCandidates); ok {
			a.birth = &birth{request: m, trip: ride.Fold(a.trip, events), rider: ctx.Sender()}
			// Waiting first, then searching: a driver who turns up is seen by one or the other.
			a.await(ctx, request.Request)
			a.find(ctx, wave, request.Request.Pickup, 4*request.Rules.Policy.Cap)
			return true
		}
	}
	return false
}

// born hands the request on with the wave that its first search allows. It goes through
// the mailbox so that it has its sender again.
func (a *tripActor) born(ctx actor.Context, first ride.OfferWave) {
	b := a.birth
	a.birth = nil
	b.request.Also = []ride.Command{first}
	if b.rider == nil {
		ctx.Send(ctx.Self(), b.request)
		return
	}
	ctx.RequestWithCustomSender(ctx.Self(), b.request, b.rider)
}

// await takes the trip among those that wait for a driver.
func (a *tripActor) await(ctx actor.Context, r ride.Request) {
	if cell := a.pickupCell(r.Pickup); cell != 0 {
		a.waits = cell
		a.sys.place.Await(cell, Waiter{Trip: a.id, Class: r.Class, PID: ctx.Self()})
	}
}
