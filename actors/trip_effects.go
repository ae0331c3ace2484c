package actors

import (
	"errors"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
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
			// Enough that excluded drivers and those asked before cannot crowd out a new one.
			limit := 4*t.Rules.Policy.Cap + len(t.Excluded) + len(t.Offers)
			a.find(ctx, e, t.Request.Pickup, limit)
		case ride.SendOffer:
			a.sendOffer(ctx, &t, e.Offer)
		case ride.CloseOffer:
			if pid := a.offerees[e.Offer.Driver]; pid != nil {
				ctx.Send(pid, offerEnded{Trip: t.ID, Offer: e.Offer})
				delete(a.offerees, e.Offer.Driver)
			}
			a.sys.stats.offerEnded(e.Offer.State)
		case ride.BindDriver:
			if pid := a.offerees[e.Driver]; pid != nil {
				a.driver = pid
			}
		case ride.ReleaseDriver:
			a.releaseDriver(ctx, &t)
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
}

// sendOffer sends an offer to its driver's actor, as the search found it. After a restart there has
// been no search yet; the driver then gets the offer when it connects.
func (a *tripActor) sendOffer(ctx actor.Context, t *ride.Trip, o ride.Offer) {
	if pid := a.search.found[o.Driver]; pid != nil {
		a.offerees[o.Driver] = pid
	}
	if pid := a.offerees[o.Driver]; pid != nil {
		ctx.Send(pid, offerMade{Trip: t, Offer: o})
		a.sys.stats.offerMade()
	}
}

// releaseDriver frees the driver. A driver who gave the trip back receives nothing more about it;
// one whose trip ended still does.
func (a *tripActor) releaseDriver(ctx actor.Context, t *ride.Trip) {
	if a.driver == nil {
		return
	}
	givenBack := t.Driver == nil
	ctx.Send(a.driver, driverReleased{Trip: t.ID, GivenBack: givenBack, Version: t.Version})
	if givenBack {
		a.driver = nil
	}
}

func (a *tripActor) publish(ctx actor.Context, t *ride.Trip, change string) {
	if a.rider != nil {
		ctx.Send(a.rider, tripUpdate{Trip: t, Change: change})
	}
	if a.driver != nil && t.Driver != nil {
		ctx.Send(a.driver, tripUpdate{Trip: t, Change: change, Rider: a.rider})
	}
}

func (a *tripActor) idleLater(ctx actor.Context) {
	a.timers.After("idle", a.sys.cfg.TripIdle, a.sys.sender(ctx.Self(), tripIdle{a.trip.Version}))
}

// maxAttaching bounds the parties that wait for a trip to be loaded: its rider, its driver and the
// drivers who may hold an offer.
const maxAttaching = 512

// onAttach notes a party's current PID and brings the party up to date.
func (a *tripActor) onAttach(ctx actor.Context, m tripAttach) {
	if err := a.load(ctx); err != nil {
		// The party is connected and waits for an update: keep it for later.
		if errors.Is(err, ride.ErrUnavailable) && len(a.attaching) < maxAttaching {
			a.attaching[m.Account] = m
		}
		return
	}
	t := a.trip
	switch {
	case m.Offer != "":
		o, ok := t.Offer(m.Offer)
		switch {
		case !ok || o.Driver != m.Account:
		case o.State.Ended():
			ctx.Send(m.PID, offerEnded{Trip: t.ID, Offer: *o})
		default:
			a.offerees[m.Account] = m.PID
		}
	case m.Account == t.Request.Rider.ID:
		a.rider = m.PID
		ctx.Send(m.PID, tripUpdate{Trip: &t})
		if a.driver != nil && t.Status.Occupied() {
			ctx.Send(a.driver, tripUpdate{Trip: &t, Rider: a.rider})
		}
	case m.Account == t.DriverID():
		a.driver = m.PID
		ctx.Send(m.PID, tripUpdate{Trip: &t, Rider: a.rider})
	}
	if t.Status.Final() {
		a.idleLater(ctx)
	}
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
	if a.load(ctx) != nil {
		return
	}
	if o, ok := a.trip.Offer(m.Offer); ok && o.Driver == m.Driver && o.State.Ended() {
		ctx.Respond(offerEnded{Trip: a.id, Offer: *o})
	}
	if a.trip.Status.Final() {
		a.idleLater(ctx)
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
	// found holds the PIDs of the drivers of the last finished search: at most a few dozen,
	// replaced by the next search.
	found map[ride.AccountID]*actor.PID
	timer *time.Timer
	next  uint64
	// again is set when the search under way may have missed a new driver.
	again bool
}

func (s *searching) stop() {
	s.query = nil
	if s.timer != nil {
		s.timer.Stop()
	}
}

// find begins the search for a wave, for limit drivers in each cell, and abandons a search under
// way.
func (a *tripActor) find(ctx actor.Context, e ride.FindCandidates, pickup geo.Point, limit int) {
	a.search.stop()
	a.search.next++
	a.search.again = false
	q, done, err := a.sys.begin(ctx, a.search.next, pickup, e.Ring, limit, false)
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

// plan ends the search with the drivers found so far. Under an immediate policy the trip's actor
// plans the wave. A policy that gathers several trips would hand the need and the candidates to a
// planner here, and receive the finished ride.OfferWave in a tripCommand.
func (a *tripActor) plan(ctx actor.Context) {
	q := a.search.query
	a.search.stop()
	if a.unsearched == nil && a.load(ctx) != nil {
		return
	}
	drivers, candidates := a.sys.ways(a.id, q)
	a.search.found = make(map[ride.AccountID]*actor.PID, len(drivers))
	for _, d := range drivers {
		a.search.found[d.Driver] = d.PID
	}
	t := &a.trip
	if a.unsearched != nil {
		t = &a.unsearched.trip
	}
	wave := ride.OfferWave{
		Wave: a.search.wave.Wave, Ring: a.search.wave.Ring,
		Considered: ride.Plan(t.Rules.Policy, []ride.Need{t.Need(time.Now())}, candidates)[0],
		Cells:      q.cells, Passed: a.sys.city.PassedOver(q.report(a.search.wave.Ring, t.Request.Class, t.Excluded)),
	}
	if a.unsearched != nil {
		a.requestWith(ctx, wave)
	} else {
		a.run(ctx, tripCommand{Command: wave})
	}
	if a.search.again {
		a.search.again = false
		ctx.Send(ctx.Self(), driverNearby{})
	}
}
