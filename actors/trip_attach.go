package actors

import (
	"context"
	"errors"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// Messages between actors may be lost: their receiver stops, moves to another node, or panics. So
// the parties of a live trip ask it for news from time to time, and it replies only if there are
// some. A lost message costs at most Config.AttachEvery, and nothing is sent to a client that has
// missed nothing.

// maxAttaching bounds the parties that wait for a trip to be loaded: its rider, its driver and the
// drivers who may hold an offer.
const maxAttaching = 512

// onAttach notes a party's current actor and brings the party up to date.
func (a *tripActor) onAttach(ctx actor.Context, m tripAttach) {
	if a.elsewhere(ctx) {
		return
	}
	if !a.loaded && a.timers["wake"] != nil {
		a.attachLater(m) // the store failed a moment ago, and is asked again in another
		return
	}
	if m.Version > a.trip.Version {
		a.loaded = false // another activation has written; the other parties may not know either
	}
	switch err := a.load(ctx); {
	case err == nil:
	case errors.Is(err, ride.ErrUnavailable):
		a.attachLater(m)
		return
	default:
		a.unknown(ctx, m.PID, err)
		return
	}
	switch {
	case m.Offer != "":
		a.attachOfferee(ctx, m)
	case m.Account == a.trip.Request.Rider.ID:
		a.attachRider(ctx, m)
	case m.Account == a.trip.DriverID():
		a.attachDriver(ctx, m)
	case a.lost(m.Account):
		a.attachFormer(ctx, m)
	}
}

// attachLater keeps a party that attached while the trip could not be loaded.
func (a *tripActor) attachLater(m tripAttach) {
	known, waits := a.attaching[m.Account]
	if waits && known.Generation <= m.Generation || !waits && len(a.attaching) < maxAttaching {
		a.attaching[m.Account] = m
	}
}

// unknown tells the sender of a question that the trip does not exist, if that is why it could not
// be loaded, and stops. A request that is still to be written goes on.
func (a *tripActor) unknown(ctx actor.Context, asker *actor.PID, err error) {
	if !errors.Is(err, ride.ErrNotFound) || a.unsearched != nil {
		return
	}
	if asker != nil {
		ctx.Send(asker, tripGone{a.id})
	}
	a.retire(ctx)
}

// attachOfferee notes the actor of a driver who holds an offer, and tells it of the offer's end.
func (a *tripActor) attachOfferee(ctx actor.Context, m tripAttach) {
	o, ok := a.trip.Offer(m.Offer)
	if !ok || o.Driver != m.Account {
		return
	}
	to := a.offerees[m.Account]
	if !to.learn(m.PID, m.Generation) {
		return
	}
	delete(a.unheard, m.Offer)
	switch {
	case o.State.Ended():
		ctx.Send(m.PID, offerEnded{Trip: a.id, Offer: *o})
	default:
		a.offerees[m.Account] = to
	}
}

func (a *tripActor) attachRider(ctx actor.Context, m tripAttach) {
	before := a.rider.pid
	if !a.rider.learn(m.PID, m.Generation) {
		return
	}
	if a.trip.Version > m.Version {
		t := a.trip
		ctx.Send(m.PID, tripUpdate{Trip: &t})
	}
	// The driver's positions go to the rider's current actor.
	if !sameActor(before, m.PID) && a.driver.pid != nil && a.trip.Status.Occupied() && a.driver.driver == a.trip.DriverID() {
		t := a.trip
		ctx.Send(a.driver.pid, tripUpdate{Trip: &t, Rider: m.PID})
	}
}

func (a *tripActor) attachDriver(ctx actor.Context, m tripAttach) {
	if !a.driver.learn(m.Account, m.PID, m.Generation) {
		return
	}
	if a.trip.Version > m.Version || a.rider.pid != nil && !sameActor(m.Rider, a.rider.pid) {
		t := a.trip
		ctx.Send(m.PID, tripUpdate{Trip: &t, Rider: a.rider.pid})
	}
}

// lost reports whether a driver may have lost the trip: it gave the trip back, an operator took it away,
// or the trip got a closer one.
func (a *tripActor) lost(driver ride.AccountID) bool {
	return slices.Contains(a.trip.Excluded, driver) || slices.ContainsFunc(a.trip.Exchanges, func(x ride.Exchange) bool { return x.From == driver })
}

// attachFormer tells a driver that it does not have the trip any more. What happened since is none of its
// business.
func (a *tripActor) attachFormer(ctx actor.Context, m tripAttach) {
	at, err := a.releasedAt(m.Account)
	if err != nil {
		a.sys.cfg.Log.Log(context.Background(), logLevel(err), "trip's history cannot be read", "trip", a.id, "error", err)
		return // it asks again
	}
	if at.version > m.Version {
		ctx.Send(m.PID, driverReleased{Trip: a.id, Driver: m.Account, Version: at.version, Reason: at.reason})
	}
}

// releasedAt is when a driver last lost this trip.
func (a *tripActor) releasedAt(driver ride.AccountID) (loss, error) {
	if n := len(a.trip.Excluded); a.trip.Change == ride.KindReleased && n > 0 && a.trip.Excluded[n-1] == driver {
		return loss{version: a.trip.Version}, nil
	}
	if n := len(a.trip.Exchanges); a.trip.Change == ride.KindExchanged && n > 0 && a.trip.Exchanges[n-1].From == driver {
		return loss{a.trip.Version, a.trip.Exchanges[n-1].Reason}, nil
	}
	return a.sys.releasedAt(a.id, driver)
}
