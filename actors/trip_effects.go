package actors

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// carryOut carries out a decision's effects, in order, once the decision is on disk.
func (a *tripActor) carryOut(ctx actor.Context, effects []ride.Effect) {
	if len(effects) == 0 {
		return
	}
	t := a.trip // a copy: the next command must not change what is sent
	for _, effect := range effects {
		switch e := effect.(type) {
		case ride.FindCandidates:
			if t.Rules.Policy.Immediate() || !a.leave(ctx, e) {
				a.find(ctx, e, &t, searchLimit(&t))
			}
		case ride.SendOffer:
			a.sendOffer(ctx, &t, e.Offer)
		case ride.CloseOffer:
			if to := a.offerees[e.Offer.Driver]; to.pid != nil {
				ctx.Send(to.pid, offerEnded{Trip: t.ID, Offer: e.Offer})
				delete(a.offerees, e.Offer.Driver)
			}
			a.sys.stats.offerEnded(e.Offer.State)
		case ride.BindDriver:
			to := a.offerees[e.Driver]
			a.driver.learn(e.Driver, to.pid, to.generation)
		case ride.ReleaseDriver:
			a.releaseDriver(ctx, &t, e.Driver)
		case ride.Publish:
			a.publish(ctx, &t, e.Change)
		case ride.SetTimer:
			a.timers.After(string(e.Timer.Kind), time.Until(e.Timer.At), a.sys.sender(ctx.Self(), tripTick{e.Timer}))
		case ride.StopTimer:
			a.timers.Cancel(string(e.Kind))
		case ride.Finish:
			a.idleLater(ctx)
		}
	}
	a.followMatch(ctx)
}

// searchLimit is how many drivers of a cell a search asks for: enough that excluded drivers and those
// asked before cannot crowd out a new one.
func searchLimit(t *ride.Trip) int {
	return 4*t.Rules.Policy.Cap + len(t.Excluded) + len(t.Offers)
}

// sendOffer sends an offer to its driver's actor, as the search found it. After a restart there has
// been no search yet; the driver then gets the offer when it connects.
func (a *tripActor) sendOffer(ctx actor.Context, t *ride.Trip, o ride.Offer) {
	to, found := a.offerees[o.Driver], a.search.found[o.Driver]
	if to.learn(found.pid, found.generation) {
		a.offerees[o.Driver] = to
	}
	if to.pid != nil {
		ctx.Send(to.pid, offerMade{Trip: t, Offer: o})
		a.sys.stats.offerMade()
		if to.pid.Address != ctx.Self().Address {
			a.expectHeard(ctx, o.ID)
		}
	}
}

// releaseDriver frees a driver who does not have the trip any more. The driver of a trip that has
// ended still gets its updates, the first of which frees it: with a message of its own, the driver
// would not ask for an update that is lost.
func (a *tripActor) releaseDriver(ctx actor.Context, t *ride.Trip, driver ride.AccountID) {
	to := a.driver
	if to.driver != driver {
		to = a.former // another driver has accepted in its place
	}
	a.former = driving{}
	if to.driver != driver || t.DriverID() == driver {
		return
	}
	// After a reload the release need not be the newest event. If its version cannot be read, the driver
	// asks in a moment.
	if at, err := a.releasedAt(driver); err == nil && at.version > 0 && to.pid != nil {
		ctx.Send(to.pid, driverReleased{Trip: t.ID, Driver: driver, Version: at.version, Reason: at.reason})
	}
	if a.driver.driver == driver {
		a.driver = driving{}
	}
}

func (a *tripActor) publish(ctx actor.Context, t *ride.Trip, change string) {
	if a.rider.pid != nil {
		ctx.Send(a.rider.pid, tripUpdate{Trip: t, Change: change})
	}
	if a.driver.pid != nil && a.driver.driver == t.DriverID() {
		ctx.Send(a.driver.pid, tripUpdate{Trip: t, Change: change, Rider: a.rider.pid})
	}
}

func (a *tripActor) idleLater(ctx actor.Context) {
	a.timers.After("idle", a.sys.cfg.TripIdle, a.sys.sender(ctx.Self(), tripIdle{a.trip.Version}))
}

// tripHandBack ends the gathering of offers that were handed back.
type tripHandBack struct{}

// handBackWithin is how long an offer handed back waits for others.
const handBackWithin = 50 * time.Millisecond

// onHandBack takes back an offer that its driver could not take. When many trips ask the same few
// drivers, most offers come back, a wave's almost together. They are gathered, because each
// transition rewrites the trip.
func (a *tripActor) onHandBack(ctx actor.Context, w ride.WithdrawOffer) {
	if slices.Contains(a.handedBack, ride.Command(w)) {
		return
	}
	a.handedBack = append(a.handedBack, w)
	switch open := a.openOffers(); {
	case len(a.handedBack) >= open:
		a.withdraw(ctx) // no other offer is open
	case a.timers["handback"] == nil:
		a.timers.After("handback", handBackWithin, a.sys.sender(ctx.Self(), tripHandBack{}))
	}
}

func (a *tripActor) openOffers() (n int) {
	for _, o := range a.trip.Offers {
		if !o.State.Ended() {
			n++
		}
	}
	return n
}

// withdraw commits the withdrawal of the offers handed back.
func (a *tripActor) withdraw(ctx actor.Context) {
	all := a.handedBack
	a.handedBack = nil
	a.timers.Cancel("handback")
	if len(all) > 0 {
		a.onCommand(ctx, tripCommand{Command: all[0], Also: all[1:]})
	}
}

// onOfferQuery tells a driver that missed its offer's end how it ended.
func (a *tripActor) onOfferQuery(ctx actor.Context, m offerQuery) {
	if err := a.load(ctx); err != nil {
		a.unknown(ctx, ctx.Sender(), err)
		return
	}
	if o, ok := a.trip.Offer(m.Offer); ok && o.Driver == m.Driver && o.State.Ended() {
		ctx.Respond(offerEnded{Trip: a.id, Offer: *o})
	}
}

// onOperator carries out an operator's command and replies.
func (a *tripActor) onOperator(ctx actor.Context, m operatorAct) {
	if err := a.load(ctx); err != nil {
		if !errors.Is(err, errElsewhere) {
			ctx.Respond(operatorDone{Err: err})
		}
		return
	}
	events, _, err := ride.Decide(a.trip, time.Now(), m.Command)
	if err != nil {
		ctx.Respond(operatorDone{Err: err})
		return
	}
	before := a.trip.Version
	a.run(ctx, tripCommand{Command: m.Command})
	if a.gone {
		return
	}
	if len(events) > 0 && (!a.loaded || a.trip.Version == before) {
		ctx.Respond(operatorDone{Err: ride.ErrUnavailable})
		return
	}
	t := a.trip
	ctx.Respond(operatorDone{Trip: &t})
}

// searching is a trip's search for candidates, one at a time.
type searching struct {
	query *search
	wave  ride.FindCandidates
	// found holds the actors of the drivers of the last finished search: at most a few dozen,
	// replaced by the next search.
	found map[ride.AccountID]speaker
	timer *time.Timer
	next  uint64
	// again is set when the search under way may have missed a new driver.
	again bool
}

func (s *searching) stop() {
	s.query = nil
	s.halt()
}

// halt stops waiting for cells.
func (s *searching) halt() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

// find begins the search for a wave of a trip, for limit drivers in each cell, and abandons a search
// under way.
func (a *tripActor) find(ctx actor.Context, e ride.FindCandidates, t *ride.Trip, limit int) {
	a.search.stop()
	a.search.next++
	a.search.again = false
	var x *explain
	if a.sys.reaches != nil { // there are other nodes
		x = &explain{Class: t.Request.Class, Ring: e.Ring, Excluded: t.Excluded}
	}
	q, done, err := a.sys.begin(ctx, a.search.next, t.Request.Pickup, e.Ring, limit, nearnessOf(t.Rules.Policy), x)
	if err != nil {
		// Every search gets a plan, this one an empty one, so that the trip continues.
		a.sys.cfg.Log.Error("trip cannot search", "trip", a.id, "error", err)
		q = &search{id: a.search.next}
	}
	a.search.query, a.search.wave = q, e
	if done {
		a.plan(ctx)
		return
	}
	a.search.timer = time.AfterFunc(a.sys.cfg.SearchTimeout, a.sys.sender(ctx.Self(), searchOver{q.id}))
}

// plan ends the search with the drivers found so far, and has the ways to them estimated. The search is over
// when they are in.
func (a *tripActor) plan(ctx actor.Context) {
	q := a.search.query
	if q.routing {
		return
	}
	a.search.halt()
	q.unite()
	q.routing = true
	if len(q.drivers) == 0 {
		a.search.stop()
		a.planWave(ctx, q, ways{})
		return
	}
	offload(a.sys, ctx, func(c context.Context) ways { return a.sys.ways(c, a.id, q) }, func(ctx actor.Context, w ways) {
		if a.search.query == q { // otherwise another search has replaced it
			a.search.stop()
			a.planWave(ctx, q, w)
		}
	})
}

// planWave chooses among the drivers that the trip has found itself.
func (a *tripActor) planWave(ctx actor.Context, q *search, w ways) {
	if a.unsearched == nil && a.load(ctx) != nil {
		return
	}
	a.search.found = make(map[ride.AccountID]speaker, len(w.drivers))
	for _, d := range w.drivers {
		// A driver may be in two cells: moving between them, or through an actor that has been
		// replaced without its knowledge.
		if to := a.search.found[d.Driver]; to.learn(d.PID, d.Generation) {
			a.search.found[d.Driver] = to
		}
	}
	t := &a.trip
	if a.unsearched != nil {
		t = &a.unsearched.trip
	}
	wave := ride.OfferWave{
		Wave: a.search.wave.Wave, Ring: a.search.wave.Ring,
		Considered: ride.Plan(t.Rules.Policy, []ride.Need{t.Need(time.Now())}, w.candidates)[0],
		Cells:      q.cells, Passed: q.withPassed(a.sys.city.PassedOver(q.report(a.search.wave.Ring, t.Request.Class, t.Excluded))),
	}
	switch {
	case a.unsearched == nil:
		a.run(ctx, tripCommand{Command: wave})
	case t.Rules.Policy.Immediate():
		a.requestWith(ctx, wave)
	case ample(q.area, a.unsearched.clearM, wave.Considered):
		a.sys.stats.matching.firstBy.WithLabelValues(firstAtOnce).Inc()
		a.requestWith(ctx, wave)
	default:
		a.requestAlone(ctx)
	}
	if a.search.again {
		a.search.again = false
		ctx.Send(ctx.Self(), driverNearby{})
	}
}
