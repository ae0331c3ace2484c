package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

var _ movable = (*driverActor)(nil)

// describe implements movable.
func (d *driverActor) describe(h *handover) {
	now := time.Now()
	out := &driverHandover{Online: d.online, RouteTrip: d.guide.trip, RouteRevision: d.guide.revision}
	if !d.fix.receivedAt.IsZero() {
		position := d.fix.Position
		out.Position, out.Age = &position, now.Sub(d.fix.receivedAt)
	}
	for _, o := range d.offers {
		out.Offers = append(out.Offers, handedOffer{Trip: o.trip, Shown: o.shown, Left: o.expires.Sub(now), Exclusive: o.exclusive})
	}
	h.Driver = out
}

// succeed implements movable. Offers are taken that the database may not show any more: the client has
// yet to receive their ends.
func (d *driverActor) succeed(ctx actor.Context, h *handover) {
	d.leaveCell(ctx)
	d.online = false
	d.offers = make(map[ride.OfferID]*heldOffer)
	d.bind(nil)
	d.guide = guide{question: d.guide.question + 1}
	if !d.person.succeed(h) || h.Driver == nil {
		return
	}
	now := time.Now()
	d.online = h.Driver.Online
	d.guide.trip, d.guide.revision = h.Driver.RouteTrip, h.Driver.RouteRevision
	if p := h.Driver.Position; p != nil {
		received := now.Add(-max(0, h.Driver.Age))
		if d.filter.Check(p.Point, p.DeviceTime, received) == geo.Accepted {
			_, taken, _ := d.filter.Last()
			d.fix = fix{*p, taken, received}
		}
	}
	for _, o := range h.Driver.Offers {
		if len(d.offers) < d.sys.cfg.MaxOffers {
			d.offers[ride.OfferID(o.Shown.GetId())] = &heldOffer{trip: o.Trip, shown: o.Shown, expires: now.Add(o.Left), asked: now, exclusive: o.Exclusive}
		}
	}
}
