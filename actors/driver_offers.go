package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// hold keeps an offer until it ends. It returns the reason for which this driver cannot take it, or an empty
// one: it is held. This alone makes an offer exclusive: trips that saw this driver at the same moment, on
// whichever nodes, ask this actor, and it takes one.
func (d *driverActor) hold(t *ride.Trip, o *ride.Offer) (refused string) {
	if _, held := d.offers[o.ID]; held {
		return ""
	}
	now := time.Now()
	switch n, alone := d.binding(now); {
	case alone, o.Exclusive && n > 0:
		return ride.ReasonDriverHeld
	case len(d.offers) >= d.sys.cfg.MaxOffers:
		return ride.ReasonTooManyOffers
	}
	shown, err := view.Offer(t, o, d.sys.cfg.Resolution)
	if err != nil {
		d.sys.cfg.Log.Error("offer cannot be shown", "offer", o.ID, "error", err)
		return ride.ReasonTooManyOffers
	}
	d.offers[o.ID] = &heldOffer{trip: t.ID, shown: shown, expires: o.ExpiresAt, asked: now, exclusive: o.Exclusive}
	return ""
}

// binding counts the offers that bind this driver, and reports whether one of them is exclusive. An offer whose
// trip says nothing after its expiry does not bind: that trip's node may be gone.
func (d *driverActor) binding(now time.Time) (n int, alone bool) {
	for _, o := range d.offers {
		if now.Before(o.expires.Add(lostOffer)) {
			n++
			alone = alone || o.exclusive
		}
	}
	return n, alone
}

// heldAlone reports whether an exclusive offer keeps this driver from getting others.
func (d *driverActor) heldAlone(now time.Time) bool {
	_, alone := d.binding(now)
	return alone
}

// surplus is an open offer of the database that this driver cannot take beside another.
type surplus struct {
	trip  ride.TripID
	offer ride.OfferID
}

// handBackSurplus tells the trips of surplus offers, so that they need not wait for their expiry.
func (d *driverActor) handBackSurplus(ctx actor.Context) {
	for _, s := range d.surplus {
		d.withdraw(ctx, s.trip, s.offer, ride.ReasonDriverHeld)
	}
	d.surplus = nil
}

// onOffer takes an offer and sends it to the client, or hands it back if this driver cannot take
// it: dispatch saw the driver's state of a moment ago.
func (d *driverActor) onOffer(ctx actor.Context, m offerMade) {
	if d.ended.has(m.Offer.ID) {
		return // a former actor has passed it on after its end
	}
	if _, held := d.offers[m.Offer.ID]; held {
		d.confirm(ctx, m) // sent again by a trip that was reloaded, or that does not know
		return
	}
	switch {
	case d.gone || !d.online || d.account.MayDrive() != nil:
		d.withdraw(ctx, m.Trip.ID, m.Offer.ID, ride.ReasonDriverGone)
		return
	case d.active != nil:
		d.withdraw(ctx, m.Trip.ID, m.Offer.ID, ride.ReasonDriverBusy)
		return
	}
	if refused := d.hold(m.Trip, &m.Offer); refused != "" {
		d.withdraw(ctx, m.Trip.ID, m.Offer.ID, refused)
		return
	}
	d.emit(offerReceived(d.offers[m.Offer.ID]))
	d.confirm(ctx, m)
	d.syncCell(ctx)
	if d.timers["tick"] == nil {
		d.tickLater(ctx)
	}
}

// confirm tells a trip of another node that its offer has arrived.
func (d *driverActor) confirm(ctx actor.Context, m offerMade) {
	if !d.sys.place.Owns(m.Trip.ID) {
		d.claimOffer(ctx, m.Trip.ID, m.Offer.ID)
	}
}

func offerReceived(o *heldOffer) *ridepb.Event {
	return &ridepb.Event{Body: &ridepb.Event_OfferReceived{OfferReceived: &ridepb.OfferReceived{Offer: o.shown}}}
}

// onOfferEnded tells the client how its offer ended, exactly once.
func (d *driverActor) onOfferEnded(ctx actor.Context, m offerEnded) {
	d.ended.add(m.Offer.ID, time.Now())
	if _, held := d.offers[m.Offer.ID]; !held {
		return // already reported, or never shown
	}
	delete(d.offers, m.Offer.ID)
	if m.Offer.State == ride.OfferWon && d.active == nil {
		// The trip's own message is on its way, or lost.
		ctx.Send(d.sys.place.Trip(m.Trip), d.attachment(m.Trip))
	}
	d.emit(&ridepb.Event{Body: &ridepb.Event_OfferClosed{OfferClosed: &ridepb.OfferClosed{
		OfferId: string(m.Offer.ID), TripId: string(m.Trip),
		Outcome: view.Outcome(m.Offer.State), Reason: m.Offer.Reason,
	}}})
	d.syncCell(ctx)
}

// endedOffers are the offers whose ends came in the last minutes. An offer that its trip has sent again, or that
// a former actor has passed on, may come after its end; it must not open a second time.
type endedOffers struct {
	newer, older map[ride.OfferID]struct{}
	turned       time.Time // when newer began
}

// endedKept is for how long an end is remembered at least. A trip sends an offer again for maxRepeats times
// repeatOfferAfter; the rest is for messages that are slow.
const endedKept = time.Minute

// add notes an end.
func (e *endedOffers) add(id ride.OfferID, now time.Time) {
	if e.newer == nil || now.Sub(e.turned) >= endedKept {
		e.older, e.newer, e.turned = e.newer, make(map[ride.OfferID]struct{}), now
	}
	e.newer[id] = struct{}{}
}

// has reports whether an end was noted.
func (e *endedOffers) has(id ride.OfferID) bool {
	_, newer := e.newer[id]
	_, older := e.older[id]
	return newer || older
}

// forwardOffer sends the driver's response to an offer to its trip. A malformed id is answered like
// an unknown one.
func (d *driverActor) forwardOffer(ctx actor.Context, m framed, id ride.OfferID, c ride.Command) {
	trip, ok := id.Trip()
	if !ok {
		d.refuse(m, refusal(ride.ErrNotFound))
		return
	}
	d.forward(ctx, m, trip, c)
}

// withdraw hands an offer back.
func (d *driverActor) withdraw(ctx actor.Context, trip ride.TripID, id ride.OfferID, reason string) {
	ctx.Send(d.sys.place.Trip(trip), tripCommand{Command: ride.WithdrawOffer{Offer: id, Reason: reason}})
}

// withdrawOffers hands back all offers; their trips then send their ends.
func (d *driverActor) withdrawOffers(ctx actor.Context, reason string) {
	for id, o := range d.offers {
		d.withdraw(ctx, o.trip, id, reason)
	}
}

// askAfterOffers queries the trips of offers that are past their expiry: the message with the end
// may have been lost with an actor that crashed or moved. An offer that lasts for long may have ended
// before, so its trip is asked as often as an active one, and learns where its end is to go.
func (d *driverActor) askAfterOffers(ctx actor.Context) {
	now := time.Now()
	for id, o := range d.offers {
		switch {
		case now.After(o.expires.Add(lostOffer)) && now.After(o.asked.Add(lostOffer)):
			o.asked = now
			ctx.Request(d.sys.place.Trip(o.trip), offerQuery{Offer: id, Driver: d.account.ID})
		case now.After(o.asked.Add(d.sys.cfg.AttachEvery)):
			o.asked = now
			d.claimOffer(ctx, o.trip, id)
		}
	}
}
