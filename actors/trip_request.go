package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// Under an immediate policy, a trip's first search comes before its first transaction, so that one
// transaction holds the request and the first wave: drivers receive it after one disk sync, not
// two. If the node dies in between, nothing has been acknowledged. A policy that gathers several
// trips must not delay the acknowledgement: it commits the request alone, and the wave follows.

// unsearched is a request that waits for its first search.
type unsearched struct {
	request tripCommand
	trip    ride.Trip // the state that the request creates
	rider   *actor.PID
}

// searchFirst starts the first search of a new trip. A request that would be refused is decided at
// once. A repeated request shares the search under way, and the reply goes to the latest sender.
func (a *tripActor) searchFirst(ctx actor.Context, m tripCommand) (begun bool) {
	request, ok := m.Command.(ride.RequestTrip)
	if !ok || !request.Rules.Policy.Immediate() || len(m.Also) > 0 || a.trip.Version > 0 || a.doubtful {
		return false
	}
	if a.unsearched != nil {
		if m.Key.Generation < a.unsearched.request.Key.Generation {
			return true // from an actor that has been replaced
		}
		a.unsearched.request, a.unsearched.rider = m, ctx.Sender()
		return true
	}
	events, effects, err := ride.Decide(a.trip, time.Now(), request)
	if err != nil {
		return false
	}
	for _, effect := range effects {
		if wave, ok := effect.(ride.FindCandidates); ok {
			a.unsearched = &unsearched{request: m, trip: ride.Fold(a.trip, events), rider: ctx.Sender()}
			// Register as waiting before searching, so that one or the other sees a driver who
			// turns up.
			a.await(ctx, request.Request)
			a.find(ctx, wave, &a.unsearched.trip, 4*request.Rules.Policy.Cap)
			return true
		}
	}
	return false
}

// requestWith hands on the request with the wave that its first search has planned. The request goes
// through the mailbox, so that it has its sender again.
func (a *tripActor) requestWith(ctx actor.Context, first ride.OfferWave) {
	b := a.unsearched
	a.unsearched = nil
	b.request.Also = []ride.Command{first}
	if b.rider == nil {
		ctx.Send(ctx.Self(), b.request)
		return
	}
	ctx.RequestWithCustomSender(ctx.Self(), b.request, b.rider)
}

// await registers the trip as waiting for a driver.
func (a *tripActor) await(ctx actor.Context, r ride.Request) {
	if cell := a.pickupCell(r.Pickup); cell != 0 {
		a.waits = cell
		a.sys.place.Await(cell, Waiter{Trip: a.id, Class: r.Class, PID: ctx.Self()})
	}
}
