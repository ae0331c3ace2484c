package eval

import (
	"slices"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// driving is what a driver does.
type driving uint8

const (
	waiting driving = iota // stands at its place, free
	coming                 // drives to the pickup of its trip
	riding                 // has a rider, or comes back from an exchange: it is free at freeAt, at its place
)

// held is an open offer: a trip, and the offer's index.
type held struct{ trip, offer int32 }

type driver struct {
	card   ride.DriverCard
	state  driving
	place  Place         // where it stands, or where it will be free
	freeAt time.Duration // when that is, unless it stands
	trip   int32         // that it drives to, or that it carries
	next   int32         // that it takes after the ride
	offers []held
	gen    uint32 // of its drive: events of an older one are out of date
	inCell bool

	asked       int
	empty, full time.Duration // driven without and with a rider
}

// maxOffers is how many offers one driver may hold where none is exclusive, as of a server by default.
const maxOffers = 8

// room is how many offers one driver may hold.
func (r *replay) room() int {
	if r.exclusive {
		return 1
	}
	return maxOffers
}

// mayAsk reports whether a driver may be asked at all: it is free, or in a ride without a next trip where zones plan.
func (r *replay) mayAsk(d *driver) bool {
	return d.state == waiting || r.o.Policy.Zoned() && d.state == riding && d.next == none
}

// toPickup is how long a driver who may be asked really takes to a place, from now on.
func (r *replay) toPickup(d *driver, to Place) time.Duration {
	return r.lead(d) + r.w.Drive(d.place, to)
}

// lead is how long a driver takes until it can set out from its place.
func (r *replay) lead(d *driver) time.Duration {
	if d.state == waiting {
		return 0
	}
	return max(0, d.freeAt-r.now)
}

// hold gives a driver an open offer.
func (r *replay) hold(k int32, h held) {
	d := &r.drivers[k]
	d.offers = append(d.offers, h)
	r.show(k)
}

// letGo takes an offer from a driver; false if it does not hold it.
func (r *replay) letGo(k int32, h held) bool {
	d := &r.drivers[k]
	i := slices.Index(d.offers, h)
	if i < 0 {
		return false
	}
	d.offers = slices.Delete(d.offers, i, i+1)
	r.show(k)
	return true
}

// appear makes a driver free where it is.
func (r *replay) appear(k int32) {
	d := &r.drivers[k]
	d.state, d.trip = waiting, none
	d.gen++
	r.show(k)
}

// show keeps the driver in its cell exactly while it may be found there, and wakes trips where it appears.
func (r *replay) show(k int32) {
	d := &r.drivers[k]
	is := d.state == waiting && len(d.offers) < r.room()
	if is == d.inCell {
		return
	}
	d.inCell = is
	cell := r.w.cells[d.place]
	here := r.cells[cell]
	if is {
		r.cells[cell] = append(here, k)
		r.wake(cell)
		return
	}
	i := slices.Index(here, k)
	here[i] = here[len(here)-1]
	r.cells[cell] = here[:len(here)-1]
}

// bind gives a driver a trip: it sets out now, or after its ride.
func (r *replay) bind(i, k int32) {
	t, d := &r.trips[i], &r.drivers[k]
	if !t.served {
		t.served, t.matchedAt = true, r.now-r.requests[i].At
	}
	t.driver = k
	if r.exchanging {
		r.setOut(i, k, d.place, r.now+r.lead(d))
		return
	}
	if d.state == riding {
		d.next = i
		t.from, t.setOut = d.place, d.freeAt
		t.atDoor = d.freeAt + r.w.Drive(d.place, r.requests[i].From)
		return
	}
	r.setOut(i, k, d.place, r.now)
}

// setOut sends a driver from a place, which it leaves at a time not before now, to a trip's pickup.
func (r *replay) setOut(i, k int32, from Place, at time.Duration) {
	t, d, q := &r.trips[i], &r.drivers[k], r.requests[i]
	d.state, d.trip, d.next = coming, i, none
	d.gen++
	r.show(k)
	t.driver, t.from, t.setOut = k, from, at
	t.atDoor = at + r.w.Drive(from, q.From)
	d.place, d.freeAt = q.To, t.atDoor+q.Ride
	r.agenda.add(event{at: t.atDoor, what: driverAtDoor, who: k, gen: d.gen})
	if !t.listed {
		t.listed = true
		r.onWay = append(r.onWay, i)
	}
}

// atDoor is a driver's arrival at the pickup. The rider gets in.
func (r *replay) atDoor(e event) {
	d := &r.drivers[e.who]
	if d.gen != e.gen || d.state != coming {
		return
	}
	i := d.trip
	t, q := &r.trips[i], r.requests[i]
	d.state = riding
	d.empty += t.atDoor - t.setOut
	d.full += q.Ride
	t.met, t.waited = true, r.now-q.At
	if !r.do(i, ride.MarkArrived{Driver: d.card.ID}) || !r.do(i, ride.StartTrip{Driver: d.card.ID}) {
		r.fail(i, errNotCarried)
		return
	}
	r.agenda.add(event{at: d.freeAt, what: driverFree, who: e.who, gen: d.gen})
}

// freed is the end of a ride.
func (r *replay) freed(e event) {
	d := &r.drivers[e.who]
	if d.gen != e.gen || d.state != riding {
		return
	}
	if i := d.trip; i != none {
		if !r.do(i, ride.CompleteTrip{Driver: d.card.ID, TravelledM: r.w.Metres(r.requests[i].From, r.requests[i].To)}) {
			r.fail(i, errNotCarried)
			return
		}
	}
	if d.next != none {
		r.setOut(d.next, e.who, d.place, r.now)
		return
	}
	r.appear(e.who)
}
