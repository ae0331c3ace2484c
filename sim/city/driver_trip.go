package city

import (
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/report"
)

// seeOffer decides on an offer.
func (d *driver) seeOffer(o *ridepb.Offer, replayed bool) {
	d.city.Stats.Offers.Add(1)
	if !replayed {
		d.city.book.sawOffer(o.GetTripId())
	}
	plan := d.city.will.Offer(d.key, d.offered)
	d.offered++
	if plan.Answer == Ignore {
		d.offers[o.GetId()] = func() {}
		return
	}
	think := d.city.clock.real(plan.After)
	due := time.Now().Add(think)
	d.offers[o.GetId()] = d.later(think, func() {
		// Checked now, because a visitor may have come since the offer did.
		hold := d.city.courteous(o, d.skew)
		if hold == 0 {
			d.answer(o, plan, due)
			return
		}
		d.offers[o.GetId()] = d.later(hold, func() { d.answer(o, plan, due.Add(hold)) })
	})
}

// answer accepts or declines an offer that is still open.
func (d *driver) answer(o *ridepb.Offer, plan OfferPlan, due time.Time) {
	if d.trip != "" || !d.available() || d.city.ending.Load() {
		return
	}
	r := check.Record{Trip: o.GetTripId(), Offer: o.GetId()}
	if plan.Answer == Decline {
		r.Op = "decline"
		d.city.Stats.Declines.Add(1)
		no := &ridepb.DeclineOffer{OfferId: o.GetId()}
		d.do(r, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_DeclineOffer{DeclineOffer: no}}, func(*ridepb.Reply) {})
		return
	}
	r.Op = "accept"
	d.city.Stats.Accepts.Add(1)
	d.city.book.accepting(o.GetTripId(), d.account, due)
	d.plans[o.GetTripId()] = plan
	yes := &ridepb.AcceptOffer{OfferId: o.GetId()}
	d.do(r, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_AcceptOffer{AcceptOffer: yes}}, func(reply *ridepb.Reply) {
		if reply.GetError() != nil {
			d.city.Stats.LostRaces.Add(1)
		}
		// A win comes as an event, too, and in order with what follows it.
	})
}

// adopt continues a trip in its current state.
func (d *driver) adopt(t *ridepb.Trip) {
	plan := d.plans[t.GetId()]
	d.halt()
	d.forget()
	clear(d.plans)
	d.trip, d.plan, d.pinTries = t.GetId(), plan, 0
	d.pickup, d.dropoff = fromPB(t.GetPickup()), fromPB(t.GetDropoff())
	d.estimates = [2]time.Duration{seconds(t.GetPickupEtaS()), seconds(t.GetEstimate().GetDurationS())}
	if d.visited, d.within = d.city.visitor(t.GetRider().GetId()), pickupTime; d.visited {
		d.plan.GiveBackAt = 0
	}
	switch t.GetStatus() {
	case ridepb.Trip_matched:
		d.drive(d.pickup, d.arrive)
		if d.plan.GiveBackAt > 0 {
			d.step(time.Duration(d.plan.GiveBackAt*float64(d.way.Duration())), d.giveBack)
		}
	case ridepb.Trip_arrived:
		d.board()
	case ridepb.Trip_in_progress:
		d.ride()
	}
}

// command sends a command of the trip, and calls then if it succeeds and the driver still has the
// trip.
func (d *driver) command(op string, f *ridepb.ClientFrame, then func(*ridepb.Reply)) {
	trip := d.trip
	d.do(check.Record{Op: op, Trip: trip}, f, func(reply *ridepb.Reply) {
		if d.trip != trip {
			return
		}
		if e := reply.GetError(); e != nil && e.GetCode() != "wrong_pin" && e.GetCode() != "pin_required" {
			// The driver's view of the trip is outdated, for instance because the rider has
			// cancelled. An update is in flight.
			d.idle()
			return
		}
		then(reply)
	})
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// compare counts how long the drive that has just ended took, against the server's estimate.
func (d *driver) compare(estimate time.Duration, stat *report.Estimates) {
	if estimate > 0 && !d.visited && !d.way.crow {
		stat.Add(estimate, d.way.Duration())
	}
}

func (d *driver) arrive() {
	d.compare(d.estimates[0], &d.city.Stats.PickupETA)
	f := &ridepb.ClientFrame{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: d.trip}}}
	d.command("arrived", f, func(*ridepb.Reply) { d.board() })
}

func (d *driver) giveBack() {
	f := &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: d.trip, Reason: "changed my mind"}}}
	d.command("cancel", f, func(*ridepb.Reply) { d.idle() })
}

// board waits until the rider is in.
func (d *driver) board() {
	d.forget()
	d.halt()
	_, wait := d.city.book.kerb(d.trip)
	if d.visited {
		wait = time.Duration(float64(kerbTime) * d.city.cfg.Speed)
	}
	d.step(wait, d.depart)
}

// The driver asks for the PIN again while the rider's app does not show it.
const (
	maxPINTries = 5
	pinPause    = time.Second // real
)

func (d *driver) depart() {
	pin, _ := d.city.book.kerb(d.trip)
	if d.visited {
		pin = d.city.saidPIN(d.trip)
	}
	f := &ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: d.trip, Pin: pin}}}
	d.command("start", f, func(reply *ridepb.Reply) {
		d.pinTries++
		switch {
		case reply.GetError() == nil:
			d.ride()
		case d.pinTries < maxPINTries:
			d.steps = append(d.steps, d.later(pinPause, d.depart))
		default: // the rider's app never showed it: another driver may have more luck
			d.giveBack()
		}
	})
}

func (d *driver) ride() {
	d.forget()
	d.within = rideTime
	d.drive(d.dropoff, d.finish)
}

func (d *driver) finish() {
	d.compare(d.estimates[1], &d.city.Stats.RideETA)
	trip, stars := d.trip, d.plan.Stars
	f := &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: trip}}}
	d.do(check.Record{Op: "complete", Trip: trip}, f, func(reply *ridepb.Reply) {
		if d.trip == trip {
			d.idle()
		}
		if reply.GetError() == nil && stars > 0 {
			d.rate(trip, stars)
		}
	})
}

// rate gives the other party its stars.
func (a *agent) rate(trip string, stars uint32) {
	f := &ridepb.ClientFrame{Body: &ridepb.ClientFrame_RateTrip{RateTrip: &ridepb.RateTrip{TripId: trip, Stars: stars}}}
	a.do(check.Record{Op: "rate", Trip: trip}, f, func(*ridepb.Reply) {})
}
