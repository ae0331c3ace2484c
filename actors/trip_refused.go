package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// unavailable gives up on a command for now. The outcome is unknown to the client too, which finds
// out by repeating the id.
func (a *tripActor) unavailable(ctx actor.Context, m tripCommand, err error) {
	a.log(m, err)
	// If nothing was written, the cache is still valid and every timer runs, so an overloaded store
	// need not serve a reload as well. What no client will repeat is derived again.
	switch unwritten := errors.Is(err, ride.ErrStoreFull) || errors.Is(err, ride.ErrUnavailable); {
	case !a.loaded || !unwritten:
		a.distrust(ctx)
	case m.Key.ID == "":
		a.again(ctx)
	}
	if m.Key.ID != "" {
		ctx.Respond(tripResult{Key: m.Key, Reply: refusal(ride.ErrUnavailable)})
	}
}

// withdrawBusy handles a match that the database refused because the driver has another active
// trip: the offer ends, the trip keeps searching, and a driver who tried to accept gets the
// refusal.
func (a *tripActor) withdrawBusy(ctx actor.Context, m tripCommand, events []ride.Event) {
	var offer ride.OfferID
	for _, e := range events {
		switch e := e.(type) {
		case ride.Matched:
			offer = e.Offer
		case ride.Exchanged:
			offer = e.Offer
		}
	}
	now := ride.Clean(time.Now())
	withdraw := ride.WithdrawOffer{Offer: offer, Reason: ride.ReasonDriverBusy}
	next, effects, _ := ride.Decide(a.trip, now, withdraw)
	if len(next) == 0 {
		a.settle(ctx, m, ride.ErrDriverBusy)
		return
	}
	after := ride.Fold(a.trip, next)
	reply := refusal(ride.ErrDriverBusy)
	err := a.commit(m, now, &after, next, reply)
	switch {
	case err == nil:
		a.adopt(ctx, &after, m.Key, effects, reply)
	case errors.Is(err, ride.ErrCommandSeen):
		a.repeat(ctx, m)
	default:
		a.unavailable(ctx, m, err)
	}
}
