package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"
)

// errElsewhere means that another node owns the trip. This actor has stood down and does not reply.
var errElsewhere = errors.New("another node owns the trip")

// elsewhere reports whether another node owns the trip. If so, this actor stands down: it
// stops without touching the trip's fence, which would take the trip from its owner.
func (a *tripActor) elsewhere(ctx actor.Context) bool {
	if a.sys.place.Owns(a.id) {
		return false
	}
	a.loaded, a.unsearched, a.handedBack = false, nil, nil
	if !a.gone {
		a.gone = true
		a.retire(ctx)
	}
	switch ctx.Message().(type) {
	case tripCommand, tripAttach, offerQuery, operatorAct, exchangeProposal, exchangeOffer, exchangeAsk:
		owner := a.sys.place.Trip(a.id)
		if ctx.Sender() == nil {
			ctx.Send(owner, passedOn{ctx.Message()})
		} else {
			ctx.RequestWithCustomSender(owner, passedOn{ctx.Message()}, ctx.Sender())
		}
	}
	return true
}
