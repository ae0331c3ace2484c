package eval

import (
	"errors"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// errNotCarried means that a command had no effect that must have one.
var errNotCarried = errors.New("a command had no effect")

// proposal is the offer of a trip whose driver is on its way, and what its acceptance sets off.
type proposal struct {
	id   ride.OfferID
	then []dispatch.Move
}

// propose asks a free driver to take the place of a trip's own, who goes on meanwhile.
func (r *replay) propose(o dispatch.Offer) {
	i, d := number(o.Trip), &r.drivers[number(o.Driver)]
	t := &r.trips[i]
	id := ride.NewOfferID(t.live.ID, len(t.live.Offers)+1)
	t.proposal = &proposal{id, o.Then}
	err := r.try(i, ride.OfferExchange{Left: t.atDoor - r.now, Considered: ride.Considered{
		Driver: o.Driver, Point: r.w.At[d.place], DistanceM: o.DistanceM, ETA: o.ETA, DoorM: o.DistanceM, DoorETA: o.ETA, Verdict: ride.VerdictOffered,
	}})
	if err != nil {
		t.proposal = nil
		r.tally.refused++
	}
}

// promised are the moves that wait for an offer's acceptance.
func (t *trip) promised(id ride.OfferID) []dispatch.Move {
	if t.proposal == nil || t.proposal.id != id {
		return nil
	}
	return t.proposal.then
}

// exchange carries out moves together, or none of them: the trips decide. yes is the offer by which the first move's driver
// was asked; empty: it was not.
func (r *replay) exchange(moves []dispatch.Move, yes ride.OfferID) bool {
	all := make([]ride.Move, len(moves))
	for j, m := range moves {
		i, k := number(m.Trip), number(m.To)
		t, d := &r.trips[i], &r.drivers[k]
		if t.live == nil || t.met || !r.mayMove(d, yes != "" && j == 0) {
			r.tally.refused++
			return false
		}
		at, lead := d.place, time.Duration(0)
		if d.state == coming {
			at, lead = r.along(&r.trips[d.trip], d.trip, r.now)
		}
		all[j] = ride.Move{Trip: *t.live, Card: d.card, Way: max(time.Second, lead+r.way(at, r.requests[i].From).Duration), Left: t.atDoor - r.now}
	}
	all[0].Offer = yes
	done, err := ride.DecideExchange(r.clock(), all)
	if err != nil {
		r.tally.refused++
		return false
	}
	for _, m := range all {
		if m.Trip.Status == ride.StatusMatched {
			r.release(number(m.Trip.ID), number(m.Trip.DriverID()))
		}
	}
	r.exchanging = true
	for _, m := range done {
		i := number(m.Trip.ID)
		trip := m.Trip
		r.trips[i].live = &trip
		r.carryOut(i, m.Effects)
	}
	r.exchanging = false
	return true
}

// mayMove reports whether a driver can set out now: it is on its way to a pickup, or free and asked by this offer alone.
func (r *replay) mayMove(d *driver, asked bool) bool {
	if d.state == coming {
		return len(d.offers) == 0
	}
	return d.state == waiting && (len(d.offers) == 0 || asked && len(d.offers) == 1)
}

// release calls a driver off its way to a trip's pickup. It is free at the next corner.
func (r *replay) release(i, k int32) {
	t, d := &r.trips[i], &r.drivers[k]
	if d.state != coming || d.trip != i {
		return
	}
	at, lead := r.along(t, i, r.now)
	d.empty += r.now + lead - t.setOut
	d.state, d.trip, d.place, d.freeAt = riding, none, at, r.now+lead
	d.gen++
	r.agenda.add(event{at: d.freeAt, what: driverFree, who: k, gen: d.gen})
}
