package city

import (
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/check"
	"github.com/hexhail/hexhail/sim/client"
	"github.com/hexhail/hexhail/sim/demand"
)

// driver is one driver and its car.
type driver struct {
	agent
	from  time.Duration // when the shift begins
	trace *demand.Trace // moves along it while idle; nil: cruises

	way   Way
	since time.Duration // when the way began, simulated
	shift bool          // has begun
	hail  func()        // cancels the next look at whether a street-hail passenger is in the car
	told  bool          // that the driver is online, as the server last confirmed
	// toggling says that a reply to going online or offline is pending.
	toggling bool
	tick     func()    // cancels the next position
	due      time.Time // of the next position

	offers  map[string]func() // cancels the answer, by open offer
	offered int               // offers so far
	idles   int               // idle periods so far
	drives  int               // ways so far
	plan    OfferPlan         // of the trip
	visited bool              // the trip is a visitor's
	within  time.Duration     // how long the present drive should last for a visitor, in real time
	pace    float64           // how many times slower than usual it drives; 1 except for visitors
	plans   map[string]OfferPlan

	trip      string
	version   uint32
	pickup    geo.Point
	dropoff   geo.Point
	estimates [2]time.Duration // the server's estimates of the way to the pickup and of the ride; 0: none
	pinTries  int
	steps     []func() // cancel the next steps of the trip or of the idle period
}

var _ client.Handler = (*driver)(nil)

func newDriver(c *City, t demand.Taxi, trace *demand.Trace) *driver {
	start := geo.Place{Point: t.At}
	if trace == nil {
		start = c.cfg.Router.Park(t.At)
	}
	return &driver{
		agent: newAgent(c, "driver", t.ID),
		from:  t.From, shift: t.From <= 0, trace: trace, way: stand(start), pace: 1, hail: func() {},
		offers: make(map[string]func()), plans: make(map[string]OfferPlan),
	}
}

// begin starts the shift. The city's clock has begun.
func (d *driver) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shift = true
	if d.trip == "" {
		d.idle()
	}
	if d.connected && d.available() != d.told {
		d.online(d.told)
	}
}

// available is whether the driver wants to be online: during its shift, unless a street-hail
// passenger is in the car.
func (d *driver) available() bool {
	if !d.shift || d.trip != "" || !d.traced() {
		return d.shift
	}
	_, occupied := d.trace.At(d.city.clock.now())
	return !occupied
}

// traced is whether the driver follows its trace: not during a trip, nor on the way back from one.
func (d *driver) traced() bool { return d.trace != nil && d.trip == "" && len(d.steps) == 0 }

// watchTrace goes online or offline as the trace says, now and at its next change.
func (d *driver) watchTrace() {
	d.hail()
	if d.closed || !d.traced() {
		return
	}
	now := d.city.clock.now()
	if at, ok := d.trace.Change(now); ok {
		d.hail = d.later(d.city.clock.real(at-now), d.watchTrace)
	}
	if d.connected && d.available() != d.told {
		d.online(d.told)
	}
}

// Connected implements client.Handler.
func (d *driver) Connected(c *ridepb.Connected, first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.met(c, first)
	if !c.GetResumed() {
		known := d.offers
		d.offers = make(map[string]func(), len(c.GetOpenOffers()))
		for _, o := range c.GetOpenOffers() {
			if cancel, ok := known[o.GetId()]; ok {
				d.offers[o.GetId()] = cancel
				delete(known, o.GetId())
			} else {
				d.seeOffer(o, false)
			}
		}
		for _, cancel := range known {
			cancel()
		}
	}
	switch t := c.GetActiveTrip(); {
	case t == nil && d.trip != "":
		d.idle()
	case t != nil && t.GetId() != d.trip:
		d.adopt(t)
	}
	d.online(c.GetOnline())
}

// online makes the driver online or offline at the server as the driver wants, and starts its
// positions.
func (d *driver) online(is bool) {
	d.setTold(is)
	now := time.Now()
	switch want := d.available(); {
	case want && !is:
		on := &ridepb.GoOnline{Location: location(d.place(d.city.clock.now()), 0, now)}
		d.toggle("online", true, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: on}})
	case !want && is:
		d.toggle("offline", false, &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}})
	}
	if d.tick == nil {
		// Spread over the interval; otherwise all drivers would send at once.
		d.due = now.Add(time.Duration(d.city.spread(d.key) * float64(d.city.cfg.IdleInterval)))
		d.schedule()
	}
}

// toggle goes online or offline, and back if the driver has changed its mind since.
func (d *driver) toggle(op string, on bool, f *ridepb.ClientFrame) {
	if d.toggling {
		return // its reply checks again
	}
	d.toggling = true
	d.do(check.Record{Op: op}, f, func(r *ridepb.Reply) {
		d.toggling = false
		if r.GetDone() != nil {
			d.setTold(on)
			if d.connected && d.available() != on {
				d.online(on)
			}
		}
	})
}

func (d *driver) setTold(on bool) {
	if on != d.told {
		d.told = on
		if on {
			d.city.Stats.Online.Add(1)
		} else {
			d.city.Stats.Online.Add(-1)
		}
	}
}

// schedule plans the next position.
func (d *driver) schedule() {
	d.tick = d.later(time.Until(d.due), d.tell)
}

// tell sends the position that is due.
func (d *driver) tell() {
	if d.city.silent.Load() {
		return
	}
	interval := d.city.cfg.IdleInterval
	if d.trip != "" {
		interval = d.city.cfg.TripInterval
	}
	if d.visited {
		interval /= 2 // a visitor is watching
	}
	if d.connected && (d.available() || d.trip != "") {
		sim := d.city.clock.at(d.due)
		p, before := d.place(sim), d.place(sim-time.Second)
		if d.client.SendLocation(location(p, min(d.pace*geo.DistanceM(before.Point, p.Point), 99), d.due)) {
			d.city.Stats.LocationUpdates.Add(1)
			if d.city.cfg.Reach != nil {
				d.record(check.Record{What: check.Placed, Lat: p.Point.Lat, Lng: p.Point.Lng})
			}
		}
	}
	d.due = d.due.Add(interval)
	if late := time.Since(d.due); late > interval {
		d.due = time.Now() // skip missed positions: only the current one counts
		d.city.Stats.Skipped.Add(1)
	}
	d.schedule()
}

// place is where the driver is at a simulated time.
func (d *driver) place(sim time.Duration) geo.Place {
	if d.traced() {
		p, _ := d.trace.At(sim)
		next, _ := d.trace.At(sim + time.Minute)
		at := geo.Place{Point: p}
		if p != next {
			at.Heading = geo.HeadingOf(geo.BearingDeg(p, next))
		}
		return at
	}
	return d.way.At(sim - d.since)
}

// drive drives to a place and calls arrived there.
func (d *driver) drive(to geo.Point, arrived func()) {
	now := d.city.clock.now()
	way := d.city.cfg.Router.Way(d.place(now), to)
	if way.crow {
		d.city.offMap()
	}
	d.take(way, now, arrived)
}

// take drives a way that begins where the driver is, as fast as this driver does.
func (d *driver) take(way Way, now time.Duration, arrived func()) {
	way = way.slower(d.city.will.Drive(d.key, d.drives))
	d.drives++
	if d.pace = 1; d.visited {
		d.pace = d.city.pace(way.Duration(), d.within)
	}
	d.way, d.since = way.slower(d.pace), now
	d.step(d.way.Duration(), arrived)
}

// halt stops the driver where it is.
func (d *driver) halt() {
	now := d.city.clock.now()
	d.way, d.since = stand(d.place(now)), now
}

// step calls f after a simulated time, unless the trip or the idle period ends first.
func (d *driver) step(after time.Duration, f func()) {
	d.steps = append(d.steps, d.later(d.city.clock.real(after), f))
}

// forget cancels the next steps.
func (d *driver) forget() {
	for _, cancel := range d.steps {
		cancel()
	}
	d.steps = d.steps[:0]
}

// idle is a driver without a trip: it follows its trace, cruises or waits.
func (d *driver) idle() {
	d.halt()
	d.forget()
	d.trip, d.version, d.visited, d.pace = "", 0, false, 1
	clear(d.plans)
	if d.city.clock.start.Load() == nil || d.closed {
		return
	}
	if d.trace != nil {
		if p, _ := d.trace.At(d.city.clock.now()); p != d.way.end.Point {
			d.drive(p, d.rejoin)
		}
		d.watchTrace()
		return
	}
	bearing, metres, wait := d.city.will.Idle(d.key, d.idles)
	d.idles++
	if metres > 0 {
		now := d.city.clock.now()
		here := d.place(now)
		to := d.city.within(geo.Destination(here.Point, bearing, metres), here.Point)
		if way := d.city.cfg.Router.Way(here, to); !way.crow { // no car cruises on a river
			d.take(way, now, func() {})
		}
	}
	d.step(wait, d.idle)
}

// rejoin follows the trace from here on.
func (d *driver) rejoin() {
	d.forget()
	d.watchTrace()
}

// Event implements client.Handler.
func (d *driver) Event(e *ridepb.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.news(e)
	replayed := e.GetSeq() <= d.replayTo
	switch b := e.GetBody().(type) {
	case *ridepb.Event_OfferReceived:
		d.seeOffer(b.OfferReceived.GetOffer(), replayed)
	case *ridepb.Event_OfferClosed:
		if cancel, ok := d.offers[b.OfferClosed.GetOfferId()]; ok {
			cancel()
			delete(d.offers, b.OfferClosed.GetOfferId())
		}
	case *ridepb.Event_TripUpdated:
		if !replayed { // the snapshot is newer
			d.tripNews(b.TripUpdated.GetTrip())
		}
	}
}

// tripNews reacts to an update of the trip.
func (d *driver) tripNews(t *ridepb.Trip) {
	switch on := occupied(t.GetStatus()); {
	case t.GetId() != d.trip && on:
		d.adopt(t)
	case t.GetId() == d.trip && !on:
		d.idle()
	}
}
