package actors

import (
	"errors"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// An exchange of drivers concerns several trips, which may live on several nodes. The first of them, by id,
// decides for all: it asks the others for their states, decides and writes all of them in one transaction,
// each on the version and fence that it was told. Nothing is locked meanwhile: if any trip has moved on,
// nothing is written. The others then read what was written. They do so by themselves a moment after they
// were asked if the message that says so is lost, or if the one that decided has ended.

// exchanging is an exchange that this trip decides, while the others have not all answered.
type exchanging struct {
	id     uint64
	moves  []exchangeMove
	states map[ride.TripID]*ride.Trip
	asker  *actor.PID // who proposed it; nil: nobody waits
}

// exchangeOver is the time by which the others must have answered.
type exchangeOver struct{ id uint64 }

const (
	// exchangeWithin is how long the others may take to answer.
	exchangeWithin = time.Second
	// exchangeKnown is after which time a trip that was asked looks at its state in the store: the
	// exchange is written by then, or it never will be.
	exchangeKnown = exchangeWithin + 2*time.Second
)

// ofExchange handles what concerns exchanges.
func (a *tripActor) ofExchange(ctx actor.Context, message any) {
	switch m := message.(type) {
	case exchangeProposal:
		a.onProposal(ctx, m)
	case exchangeOffer:
		a.onExchangeOffer(ctx, m)
	case exchangeAsk:
		a.onExchangeAsk(ctx, m)
	case exchangeState:
		a.onExchangeState(ctx, m)
	case exchangeOver:
		a.onExchangeOver(ctx, m)
	case exchangeWritten:
		a.onExchangeWritten(ctx)
	}
}

// onProposal begins an exchange.
func (a *tripActor) onProposal(ctx actor.Context, m exchangeProposal) {
	switch err := a.load(ctx); {
	case errors.Is(err, errElsewhere):
		return // the owner answers
	case err != nil:
		a.answer(ctx, ctx.Sender(), err)
		return
	case a.exchange != nil:
		a.answer(ctx, ctx.Sender(), ride.ErrUnavailable)
		return
	case len(m.Moves) < 2 || len(m.Moves) > ride.MaxMoves ||
		slices.ContainsFunc(m.Moves, func(x exchangeMove) bool { return x.Trip < a.id }) ||
		!slices.ContainsFunc(m.Moves, func(x exchangeMove) bool { return x.Trip == a.id }):
		a.answer(ctx, ctx.Sender(), ride.ErrInvalidArgument.With("the first of two to %d trips decides", ride.MaxMoves))
		return
	}
	a.exchanges++
	a.exchange = &exchanging{id: a.exchanges, moves: m.Moves, states: make(map[ride.TripID]*ride.Trip), asker: ctx.Sender()}
	for _, move := range m.Moves {
		if move.Trip != a.id {
			ctx.Send(a.sys.place.Trip(move.Trip), exchangeAsk{Exchange: a.exchange.id, Asker: a.id})
		}
	}
	a.timers.After("exchange", exchangeWithin, a.sys.sender(ctx.Self(), exchangeOver{a.exchange.id}))
}

// answer tells the proposer what became of its proposal.
func (a *tripActor) answer(ctx actor.Context, asker *actor.PID, err error) {
	if asker != nil {
		ctx.Send(asker, exchangeOutcome{Err: err})
	}
}

// onExchangeAsk gives the trip that decides an exchange this one's state.
func (a *tripActor) onExchangeAsk(ctx actor.Context, m exchangeAsk) {
	if a.unsearched != nil || a.load(ctx) != nil {
		return // without an answer nothing happens
	}
	t := a.trip
	ctx.Send(a.sys.place.Trip(m.Asker), exchangeState{Exchange: m.Exchange, Trip: &t})
	a.timers.After("exchanged", exchangeKnown, a.sys.sender(ctx.Self(), exchangeWritten{}))
}

func (a *tripActor) onExchangeState(ctx actor.Context, m exchangeState) {
	x := a.exchange
	if x == nil || x.id != m.Exchange {
		return
	}
	x.states[m.Trip.ID] = m.Trip
	if len(x.states) < len(x.moves)-1 {
		return
	}
	a.exchange = nil
	a.timers.Cancel("exchange")
	err := a.load(ctx)
	switch {
	case err == nil:
		err = a.exchangeAll(ctx, x)
	case errors.Is(err, errElsewhere):
		err = ride.ErrUnavailable
	}
	a.answer(ctx, x.asker, err)
}

// onExchangeOver gives an exchange up.
func (a *tripActor) onExchangeOver(ctx actor.Context, m exchangeOver) {
	if x := a.exchange; x != nil && x.id == m.id {
		a.exchange = nil
		a.answer(ctx, x.asker, ride.ErrUnavailable)
	}
}

// exchangeAll decides and writes an exchange.
func (a *tripActor) exchangeAll(ctx actor.Context, x *exchanging) error {
	own := a.trip
	x.states[a.id] = &own
	moves, err := x.decided()
	if err != nil {
		return err
	}
	moved, err := ride.DecideExchange(time.Now(), moves)
	if err != nil {
		return err
	}
	ts := make([]ride.Transition, len(moved))
	for i := range moved {
		before, after := &moves[i].Trip, &moved[i].Trip
		ts[i] = ride.Transition{Trip: after, Prev: before.Version, Events: moved[i].Events, Offers: changedOffers(before, after), Wake: ride.Wake(*after)}
	}
	c, cancel := a.sys.storeContext()
	defer cancel()
	err = a.sys.store.CommitAll(c, ts)
	var blame *ride.TripError
	switch {
	case err == nil:
	case errors.Is(err, ride.ErrStale) && errors.As(err, &blame) && blame.Trip != a.id:
		// The others read their states again by themselves.
		return ride.ErrWrongStatus.With("A trip of the exchange has moved on.").In(string(blame.Trip))
	case errors.Is(err, ride.ErrStale), errors.Is(err, ride.ErrUnknownOutcome):
		a.sys.stats.stale.Inc()
		a.distrust(ctx)
		_ = a.load(ctx) // if it fails, it is tried again
		return ride.ErrUnavailable
	case errors.Is(err, ride.ErrStoreFull):
		return ride.ErrUnavailable
	default:
		return err
	}
	for i := range moved {
		if after := &moved[i].Trip; after.ID == a.id {
			a.adopt(ctx, after, commandKey{}, moved[i].Effects, nil)
		} else {
			a.sys.stats.transition(&moves[i].Trip, after)
			ctx.Send(a.sys.place.Trip(after.ID), exchangeWritten{})
		}
	}
	return nil
}

// decided brings the moves together with the trips' states. A driver's card is that of the trip that it has.
func (x *exchanging) decided() ([]ride.Move, error) {
	cards := make(map[ride.AccountID]ride.DriverCard)
	for _, t := range x.states {
		if t.Driver != nil {
			cards[t.Driver.ID] = *t.Driver
		}
	}
	moves := make([]ride.Move, len(x.moves))
	for i, m := range x.moves {
		t, card := x.states[m.Trip], cards[m.Driver]
		switch {
		case t == nil:
			return nil, ride.ErrInvalidArgument.With("a trip is in the exchange twice").In(string(m.Trip))
		case t.Version != m.Version:
			return nil, ride.ErrWrongStatus.With("A trip of the exchange has moved on.").In(string(m.Trip))
		case card.ID == "":
			return nil, ride.ErrInvalidArgument.With("a driver who is not on its way to a trip of the exchange must be asked").In(string(m.Trip))
		}
		moves[i] = ride.Move{Trip: *t, Card: card, Way: m.Way, Left: m.Left}
	}
	return moves, nil
}

// onExchangeWritten reads the trip again if another one may have written it, and does what follows.
func (a *tripActor) onExchangeWritten(ctx actor.Context) {
	a.timers.Cancel("exchanged")
	if !a.loaded || a.sys.place.Owns(a.id) && !a.movedOn() {
		return // it is read before it is used
	}
	a.loaded = false
	if a.load(ctx) == nil && a.trip.Status.Final() {
		a.idleLater(ctx)
	}
}

// movedOn reports whether the store has another version of the trip than this actor, as far as it can be read.
func (a *tripActor) movedOn() bool {
	c, cancel := a.sys.storeContext()
	defer cancel()
	t, err := a.sys.store.Trip(c, a.id)
	return err != nil || t.Version != a.trip.Version
}

// onExchangeOffer offers the trip to a free driver who is nearer than its own.
func (a *tripActor) onExchangeOffer(ctx actor.Context, m exchangeOffer) {
	switch err := a.load(ctx); {
	case errors.Is(err, errElsewhere):
		return
	case err != nil:
		a.answer(ctx, ctx.Sender(), err)
		return
	}
	if _, _, err := ride.Decide(a.trip, time.Now(), m.Offer); err != nil {
		a.answer(ctx, ctx.Sender(), err)
		return
	}
	driver, before := m.Offer.Considered.Driver, a.trip.Version
	to := a.offerees[driver]
	if to.learn(m.PID, m.Generation) {
		a.offerees[driver] = to
	}
	a.run(ctx, tripCommand{Command: m.Offer})
	if a.gone {
		return
	}
	if !a.loaded || a.trip.Version == before {
		a.answer(ctx, ctx.Sender(), ride.ErrUnavailable)
		return
	}
	a.answer(ctx, ctx.Sender(), nil)
}
