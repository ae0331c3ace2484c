package actors

import (
	"time"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// appear updates the driver's marker in the operators' picture. It is called after anything that
// may change the marker, including each position, and writes only what has changed.
func (d *driverActor) appear(now time.Time) {
	if d.gone || !d.online && d.active == nil {
		d.vanish()
		return
	}
	state, trip := d.standing(now)
	held := state == ridepb.CityDriver_offered && d.heldAlone(now)
	if d.marker != nil {
		if was := d.marker.Driver(); was.State == state && was.Trip == trip && was.Held == held && was.Cell == d.cell && was.Class == d.account.Vehicle.Class {
			return
		}
	}
	is := &city.Driver{ID: d.account.ID, Class: d.account.Vehicle.Class, State: state, Trip: trip, Cell: d.cell, Held: held}
	if d.marker != nil {
		d.sys.city.Drivers.Change(d.marker, is)
		return
	}
	d.marker = d.sys.city.Drivers.Enter(is)
	if !d.fix.receivedAt.IsZero() {
		d.marker.Move(d.fix.Point, d.fix.HeadingDeg)
	}
}

// standing returns the driver's state as operators see it, and the driver's trip.
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

// vanish takes the driver out of the operators' picture.
func (d *driverActor) vanish() {
	if d.marker != nil {
		d.sys.city.Drivers.Leave(d.marker)
		d.marker = nil
	}
}
