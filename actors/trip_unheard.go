package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// An offer that is lost on its way to another node would count as one that the driver let expire. So
// the driver's actor confirms it, by attaching, and its trip sends it again until then.

// offersUnheard is the time to send unconfirmed offers again.
type offersUnheard struct{}

const (
	repeatOfferAfter = time.Second
	// maxRepeats is how often an offer is sent again: its driver's node may be gone.
	maxRepeats = 5
)

// expectHeard notes an offer that its driver must confirm.
func (a *tripActor) expectHeard(ctx actor.Context, id ride.OfferID) {
	if a.unheard == nil {
		a.unheard = make(map[ride.OfferID]int)
	}
	if _, known := a.unheard[id]; !known {
		a.unheard[id] = 0
	}
	if a.timers["unheard"] == nil {
		a.timers.After("unheard", repeatOfferAfter, a.sys.sender(ctx.Self(), offersUnheard{}))
	}
}

// repeatOffers sends the unconfirmed offers again. A trip that is not loaded sends all open offers
// once it is.
func (a *tripActor) repeatOffers(ctx actor.Context) {
	a.timers.Cancel("unheard")
	if !a.loaded {
		return
	}
	t := a.trip // a copy: the next command must not change what is sent
	for id, n := range a.unheard {
		o, ok := t.Offer(id)
		if !ok || o.State.Ended() || n == maxRepeats || a.offerees[o.Driver].pid == nil {
			delete(a.unheard, id)
			continue
		}
		a.unheard[id] = n + 1
		ctx.Send(a.offerees[o.Driver].pid, offerMade{Trip: &t, Offer: *o})
	}
	if len(a.unheard) > 0 {
		a.timers.After("unheard", repeatOfferAfter, a.sys.sender(ctx.Self(), offersUnheard{}))
	}
}
