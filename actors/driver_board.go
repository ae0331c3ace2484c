package actors

import (
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// appear brings the driver's place on the board in line with its state. It is called
// after whatever may have changed that, also after each position: it looks before it
// writes.
func (d *driverActor) appear(now time.Time) {
	if d.gone || !d.online && d.active == nil {
		d.vanish()
		return
	}
	state, trip := d.standing(now)
	if d.seat != nil {
		if w := d.seat.who.Load(); w.state == state && w.trip == trip && w.cell == d.cell && w.class == d.account.Vehicle.Class {
			return
		}
	}
	who := &seated{driver: d.account.ID, class: d.account.Vehicle.Class, state: state, trip: trip, cell: d.cell}
	if d.seat != nil {
		d.sys.board.change(d.seat, who)
		return
	}
	d.seat = d.sys.board.enter(who)
	if !d.fix.receivedAt.IsZero() {
		d.seat.move(d.fix.Point, d.fix.HeadingDeg)
	}
}

// standing is what an operator sees of the driver, and its trip.
func (d *driverActor) standing(now time.Time) (ridepb.CityDriver_State, ride.TripID) {
	switch {
	case d.active != nil:
		return ridepb.CityDriver_on_trip, d.active.ID
	case d.out == nil || d.fix.receivedAt.IsZero() || now.Sub(d.fix.receivedAt) >= d.sys.cfg.PositionTTL:
		return ridepb.CityDriver_unreachable, ""
	case len(d.offers) > 0:
		return ridepb.CityDriver_offered, ""
	default:
		return ridepb.CityDriver_available, ""
	}
}

// vanish takes the driver off the board.
func (d *driverActor) vanish() {
	if d.seat != nil {
		d.sys.board.leave(d.seat)
		d.seat = nil
	}
}
