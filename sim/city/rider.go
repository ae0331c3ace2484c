package city

import (
	"time"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/client"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/report"
)

// rider is one rider's app. When a trip is over, it takes the next request of the city.
type rider struct {
	agent
	wish    *wish // nil: free
	trip    string
	version uint32
	status  ridepb.Trip_Status
	spent   bool // the patience ran out before the trip's id was known
}

// wish is a request that a rider wants to make.
type wish struct {
	demand.Request
	due    time.Time
	plan   RiderPlan
	waited bool // longer than the rider's patience, for a visitor
}

var _ client.Handler = (*rider)(nil)

func newRider(c *City, id string) *rider { return &rider{agent: newAgent(c, "rider", id)} }

// take gives a free rider a request.
func (r *rider) take(w *wish) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wish, r.trip, r.version, r.status, r.spent = w, "", 0, 0, false
	r.later(time.Until(w.due), func() { r.request(w) })
}

func (r *rider) request(w *wish) {
	if r.city.ending.Load() {
		return
	}
	r.city.Stats.Due.Add(1)
	q := &ridepb.RequestTrip{
		Pickup: pb(w.Pickup), Dropoff: pb(w.Dropoff), Passengers: uint32(w.Passengers), VehicleClass: w.Class,
		PickupAddress: w.PickupAddress, DropoffAddress: w.DropoffAddress,
	}
	call := check.Record{Op: "request"}
	if r.city.cfg.Reach != nil {
		call.Lat, call.Lng = w.Pickup.Lat, w.Pickup.Lng
	}
	r.do(call, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: q}}, func(reply *ridepb.Reply) {
		t := reply.GetTrip()
		if t == nil {
			r.free()
			return
		}
		r.city.book.acknowledged(t.GetId(), w.due, w.plan)
		if r.trip == "" {
			r.trip = t.GetId()
			r.onTrip(t)
		}
		if r.spent {
			r.giveUp(w)
		}
	})
	r.later(r.city.clock.real(w.plan.Patience), func() { r.giveUp(w) })
}

// giveUp cancels a request that no driver has taken.
func (r *rider) giveUp(w *wish) {
	switch {
	case r.wish != w || r.city.ending.Load():
	case r.trip == "":
		r.spent = true
	case r.status != ridepb.Trip_requested:
	case !w.waited && r.city.near(w.Class, w.Pickup):
		w.waited = true
		r.later(callPatience, func() { r.giveUp(w) })
	default:
		r.cancel(w, "waited too long")
	}
}

// leave cancels a request that no driver has taken, as the city ends.
func (r *rider) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wish != nil && r.trip != "" && r.status == ridepb.Trip_requested {
		r.send(r.wish, "the simulation ends")
	}
}

func (r *rider) cancel(w *wish, why string) {
	if r.wish == w && !r.city.ending.Load() {
		r.send(w, why)
	}
}

// send sends a cancellation.
func (r *rider) send(w *wish, why string) {
	f := &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: r.trip, Reason: why}}}
	r.do(check.Record{Op: "cancel", Trip: r.trip}, f, func(reply *ridepb.Reply) {
		// The trip's end arrives before this reply, unless it was lost with a history: then only
		// the refusal shows it.
		if reply.GetError() != nil && r.wish == w && r.status == ridepb.Trip_requested {
			r.free()
		}
	})
}

// Connected is part of client.Handler.
func (r *rider) Connected(c *ridepb.Connected, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.met(c, first)
	switch t := c.GetActiveTrip(); {
	case t != nil && t.GetId() == r.trip:
		r.onTrip(t)
	case t == nil && r.trip != "" && !c.GetResumed():
		r.free() // how it ended is lost
	}
}

// Event is part of client.Handler.
func (r *rider) Event(e *ridepb.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch b := e.GetBody().(type) {
	case *ridepb.Event_DriverMoved:
		report.Since(&r.city.Stats.LocationLatency, b.DriverMoved.GetDeviceTime().AsTime())
		return // it is not numbered
	case *ridepb.Event_TripUpdated:
		t := b.TripUpdated.GetTrip()
		if b.TripUpdated.GetChange() == "matched" && e.GetSeq() > r.replayTo {
			r.city.book.notified(t)
		}
		r.news(e)
		if r.wish != nil && r.trip == "" && t.GetStatus() == ridepb.Trip_requested {
			r.trip = t.GetId() // the event arrived before the reply
		}
		if t.GetId() == r.trip {
			r.onTrip(t)
		}
		return
	}
	r.news(e)
}

// onTrip reacts to the trip's state.
func (r *rider) onTrip(t *ridepb.Trip) {
	if t.GetVersion() <= r.version || r.wish == nil {
		return
	}
	before := r.status
	r.version, r.status = t.GetVersion(), t.GetStatus()
	w := r.wish
	switch {
	case r.status == ridepb.Trip_matched && before != ridepb.Trip_matched && w.plan.CancelAfter > 0 &&
		!r.city.visitor(t.GetDriver().GetId()):
		r.later(r.city.clock.real(w.plan.CancelAfter), func() {
			if r.wish == w && (r.status == ridepb.Trip_matched || r.status == ridepb.Trip_arrived) {
				r.cancel(w, "changed my mind")
			}
		})
	case r.status == ridepb.Trip_completed && w.plan.Stars > 0:
		r.rate(r.trip, w.plan.Stars)
		r.free()
	case ended(r.status):
		r.free()
	}
}

// free lets the rider take another request.
func (r *rider) free() {
	if r.wish != nil {
		r.wish, r.trip, r.status = nil, "", 0
		r.city.pool.give(r)
	}
}
