package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// place is where the driver is, with its direction if it moves.
func (f fix) place() geo.Place {
	p := geo.Place{Point: f.Point, AccuracyM: float64(f.AccuracyM)}
	if f.SpeedMPS >= movesFromMPS && f.HeadingDeg != 0 {
		p.Heading = geo.HeadingOf(float64(f.HeadingDeg))
	}
	return p
}

// movesFromMPS is the speed in metres per second from which a heading says where a car goes.
const movesFromMPS = 2

// positionStale is the time to check whether the driver's position has gone stale.
type positionStale struct{}

// onPosition takes the newest position from the session.
func (d *driverActor) onPosition(ctx actor.Context, from *Inbox) {
	p, ok := from.takePosition()
	if !ok || from != d.session {
		return
	}
	if d.move(ctx, p) {
		d.syncCell(ctx)
	}
}

// move runs a position through the filter and reports whether it was accepted.
func (d *driverActor) move(ctx actor.Context, p ride.Position) bool {
	now := time.Now()
	if d.filter.Check(p.Point, p.DeviceTime, now) != geo.Accepted {
		d.sys.stats.positionIgnored()
		return false
	}
	d.sys.stats.positionTaken()
	_, at, _ := d.filter.Last()
	d.fix = fix{p, at, now}
	if d.marker != nil {
		d.marker.Move(p.Point, p.HeadingDeg)
	}
	if d.timers["stale"] == nil {
		d.timers.After("stale", d.sys.cfg.PositionTTL, d.sys.sender(ctx.Self(), positionStale{}))
	}
	if d.active != nil {
		d.serveTrip(ctx, now)
	}
	return true
}

// serveTrip passes the newest position to the trip's rider, its track and its odometer.
func (d *driverActor) serveTrip(ctx actor.Context, now time.Time) {
	t := d.active
	accuracy := float64(d.fix.AccuracyM)
	if d.ride.trip == t.ID {
		d.ride.add(geo.Spot{Point: d.fix.Point, AccuracyM: accuracy, At: now})
	}
	d.sys.crumbs.add(ride.Breadcrumb{
		Trip: t.ID, At: ride.Clean(d.fix.takenAt), Point: d.fix.Point, AccuracyM: accuracy, ReceivedAt: ride.Clean(now),
	})
	d.advance(ctx, now)
	d.showRider(ctx, now)
}

// showRider sends the newest position to the trip's rider. Until this actor knows the rider's, it waits:
// in a cluster a client may be faster than the message that brings it.
func (d *driverActor) showRider(ctx actor.Context, now time.Time) {
	if d.unshown = d.rider == nil; d.unshown || now.Sub(d.movedAt) < movedInterval(d.rider, ctx.Self()) {
		return
	}
	t := d.active
	d.movedAt = now
	ahead, revision := d.ahead()
	ctx.Send(d.rider, driverMoved{
		Trip: t.ID, Driver: d.account.ID, Point: d.fix.Point, HeadingDeg: d.fix.HeadingDeg,
		ETA: ahead.Duration, LeftM: ahead.DistanceM, Revision: revision, DeviceTime: d.fix.takenAt,
	})
}

// movedInterval is the least time between two positions to a rider.
func movedInterval(rider, driver *actor.PID) time.Duration {
	if rider.Address != driver.Address {
		return movedFarEvery
	}
	return movedEvery
}

// available reports whether dispatch may offer trips to this driver: online, with a
// session, a fresh position, no trip, and room for another offer, which an exclusive one leaves none for.
func (d *driverActor) available(now time.Time) bool {
	return d.online && d.account.MayDrive() == nil && d.out != nil && !d.gone && d.active == nil &&
		!d.fix.receivedAt.IsZero() && now.Sub(d.fix.receivedAt) < d.sys.cfg.PositionTTL &&
		len(d.offers) < d.sys.cfg.MaxOffers && !d.heldAlone(now)
}

// syncCell enters, updates or leaves the driver's cell to match its state. It is called after
// anything that may have changed that state.
func (d *driverActor) syncCell(ctx actor.Context) {
	now := time.Now()
	d.moveCell(ctx, now)
	d.appear(now)
}

func (d *driverActor) moveCell(ctx actor.Context, now time.Time) {
	if !d.available(now) {
		d.leaveCell(ctx)
		d.watchAge(ctx, now)
		return
	}
	d.watchAge(ctx, now)
	cell, _, err := d.tracker.Update(d.fix.Point)
	if err != nil {
		d.leaveCell(ctx)
		return
	}
	entered := cell != d.cell
	if entered {
		d.leaveCell(ctx)
		d.cell, d.pid = cell, d.sys.place.EnterCell(cell)
		d.put = cellPut{}
	}
	load, _ := d.binding(now)
	shown := d.shown.update(cell, d.fix.Point, now)
	if d.put.PID != nil && d.put.Load == load && d.put.Shown == shown && d.put.Generation == d.generation && d.put.Class == d.account.Vehicle.Class &&
		geo.DistanceM(d.put.Point, d.fix.Point) < putEveryM {
		return
	}
	place := d.sys.snapped(d.fix.place())
	d.put = cellPut{
		Driver: d.account.ID, Generation: d.generation, PID: ctx.Self(),
		Class: d.account.Vehicle.Class, Point: d.fix.Point, Heading: place.Heading, Snap: place.Snap, Load: load, Shown: shown,
	}
	ctx.Send(d.pid, d.put)
	if entered {
		d.showUp(ctx)
	}
}

// maxShowUps bounds the waiting trips that are notified of one driver.
const maxShowUps = 8

// showUp notifies nearby trips that wait for a driver. It runs after the cell has been updated, so
// that their searches find this driver.
func (d *driverActor) showUp(ctx actor.Context) {
	disk, err := d.cell.Disk(d.sys.rules.Load().Policy.RingMax)
	if err != nil {
		return // their next waves find this driver anyway
	}
	for _, pid := range d.sys.place.Waiting(disk, d.account.Vehicle.Class, maxShowUps) {
		ctx.Send(pid, driverNearby{})
	}
}

// leaveCell takes the driver out of its cell, if it is in one.
func (d *driverActor) leaveCell(ctx actor.Context) {
	if d.cell == 0 {
		return
	}
	ctx.Send(d.pid, cellDrop{Driver: d.account.ID, Generation: d.generation})
	d.sys.place.LeaveCell(d.cell)
	d.cell, d.pid = 0, nil
}

// watchAge keeps one timer running while the position can still go stale. A new position does not
// reset the timer; when it fires, it is set again for the remaining time.
func (d *driverActor) watchAge(ctx actor.Context, now time.Time) {
	if d.fix.receivedAt.IsZero() {
		return
	}
	left := d.sys.cfg.PositionTTL - now.Sub(d.fix.receivedAt)
	if left <= 0 {
		d.timers.Cancel("stale")
		return
	}
	if d.timers["stale"] == nil {
		d.timers.After("stale", left, d.sys.sender(ctx.Self(), positionStale{}))
	}
}
