package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/ride"
)

// replaced is person.onNewerSession, and takes the driver out of its cell and the operators'
// picture. Nothing is withdrawn: the offers are the newer session's.
func (d *driverActor) replaced(ctx actor.Context, m newerSession) {
	if !d.person.onNewerSession(ctx, m) {
		return
	}
	d.online = false
	d.offers = make(map[ride.OfferID]*heldOffer)
	d.bind(nil)
	d.leaveCell(ctx)
	d.vanish()
}

// readMissed shows the client the open offers that were made to the older session after this one
// had read its own.
func (d *driverActor) readMissed(ctx actor.Context) {
	if d.gone || d.out == nil {
		return
	}
	c, cancel := d.sys.storeContext()
	defer cancel()
	open, err := d.sys.store.OpenOffers(c, d.account.ID)
	if err != nil {
		d.sys.cfg.Log.Warn("open offers cannot be read", "account", d.account.ID, "error", err)
		return
	}
	for i := range open {
		o := &open[i]
		if _, held := d.offers[o.Offer.ID]; held {
			continue
		}
		switch d.hold(&o.Trip, &o.Offer) {
		case "":
		case ride.ReasonDriverHeld:
			d.withdraw(ctx, o.Trip.ID, o.Offer.ID, ride.ReasonDriverHeld)
			continue
		default:
			continue
		}
		d.emit(offerReceived(d.offers[o.Offer.ID]))
		d.claimOffer(ctx, o.Trip.ID, o.Offer.ID)
		if d.timers["tick"] == nil {
			d.tickLater(ctx)
		}
	}
}
