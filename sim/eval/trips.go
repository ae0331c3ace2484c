package eval

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// none is no trip and no driver.
const none int32 = -1

// trip is a trip with its driver's way to the pickup, and what remains of it once it has ended.
type trip struct {
	live   *ride.Trip // the trip itself while it lives; the domain is its only judge
	timers [len(timerKinds)]time.Duration
	driver int32
	// from, setOut and atDoor are the drive to the pickup: from where, when, and when it ends.
	from           Place
	setOut, atDoor time.Duration
	answers        []Answer // that the drivers of its offers would give, by number

	matchedAt, waited time.Duration // after the request
	served, met       bool          // it got a driver; the driver has arrived
	offers, exchanges int

	proposal *proposal // the newest
	listed   bool      // among those on their way
}

// timerKinds are the timers of a trip by number.
var timerKinds = [...]ride.TimerKind{ride.TimerDeadline, ride.TimerWave, ride.TimerOffers, ride.TimerAward}

func timerNumber(k ride.TimerKind) int32 {
	for i, kind := range timerKinds {
		if kind == k {
			return int32(i)
		}
	}
	panic("an unknown timer: " + string(k))
}

// samePlace is how far apart the ends of a trip are at least in its record, in degrees: the domain refuses equal ones.
const samePlace = 1e-5

func (r *replay) request(i int32) {
	q, t := r.requests[i], &r.trips[i]
	from, to := r.w.At[q.From], r.w.At[q.To]
	if from == to {
		to.Lat += samePlace
	}
	t.live = new(ride.Trip)
	r.open = append(r.open, i)
	r.demand.add(r.now, r.w.cells[q.From])
	r.hasten(q.From)
	metres := r.w.Metres(q.From, q.To)
	fare, err := r.rules.Tariff.Price(metres, q.Ride)
	if err != nil {
		r.fail(i, err)
		return
	}
	id := fmt.Sprintf("%07d", i)
	r.do(i, ride.RequestTrip{
		ID: ride.TripID("t" + id), Rules: r.rules, Estimate: ride.Estimate{DistanceM: metres, Duration: q.Ride, Fare: fare},
		Request: ride.Request{
			Rider: ride.RiderCard{ID: ride.AccountID("r" + id), FirstName: "R"}, Pickup: from, Dropoff: to, Class: tariff.Class, Passengers: 1,
		},
	})
}

// do lets a trip carry out a command, and carries out what follows.
func (r *replay) do(i int32, c ride.Command) bool {
	t := &r.trips[i]
	if t.live == nil {
		return false
	}
	before := t.live.Version
	if err := r.try(i, c); err != nil {
		if !stale(err) {
			r.fail(i, err)
		}
		return false
	}
	return t.live == nil || t.live.Version > before
}

// try is do for a command that a living trip may refuse.
func (r *replay) try(i int32, c ride.Command) error {
	t := &r.trips[i]
	events, effects, err := ride.Decide(*t.live, r.clock(), c)
	if err != nil {
		return err //nolint:wrapcheck // the callers look at the domain's own errors
	}
	*t.live = ride.Fold(*t.live, events)
	r.carryOut(i, effects)
	return nil
}

// stale reports a refusal that is a matter of course: what was answered has ended at the same moment.
func stale(err error) bool {
	return errors.Is(err, ride.ErrOfferClosed) || errors.Is(err, ride.ErrOfferTaken)
}

func (r *replay) carryOut(i int32, effects []ride.Effect) {
	t := &r.trips[i]
	t.exchanges = len(t.live.Exchanges)
	for _, effect := range effects {
		switch e := effect.(type) {
		case ride.FindCandidates:
			if !r.o.Policy.Zoned() {
				r.find(i, e)
			}
		case ride.SendOffer:
			r.ask(i, e.Offer)
		case ride.CloseOffer:
			r.unask(i, e.Offer)
		case ride.ReleaseDriver:
			r.release(i, number(e.Driver))
		case ride.BindDriver:
			r.bind(i, number(e.Driver))
		case ride.SetTimer:
			at := e.Timer.At.Sub(epoch)
			n := timerNumber(e.Timer.Kind)
			t.timers[n] = at
			r.agenda.add(event{at: max(at, r.now), what: tripTimer, who: i, which: n, gen: uint32(at / time.Millisecond)})
		case ride.StopTimer:
			t.timers[timerNumber(e.Kind)] = -1
		case ride.Finish:
			t.live, t.answers = nil, nil
		}
	}
}

// tick is a timer of a trip that fired.
func (r *replay) tick(e event) {
	t := &r.trips[e.who]
	at := t.timers[e.which]
	if t.live == nil || at < 0 || uint32(at/time.Millisecond) != e.gen {
		return
	}
	t.timers[e.which] = -1
	r.do(e.who, ride.Tick{Timer: ride.Timer{Kind: timerKinds[e.which], At: epoch.Add(at)}})
}

// ask brings an offer to its driver, who hands it back or draws an answer.
func (r *replay) ask(i int32, o ride.Offer) {
	t, k := &r.trips[i], number(o.Driver)
	d := &r.drivers[k]
	n := offerNumber(o.ID)
	for len(t.answers) <= n {
		t.answers = append(t.answers, Silent)
	}
	switch {
	case !r.mayAsk(d):
		r.later(i, ride.WithdrawOffer{Offer: o.ID, Reason: ride.ReasonDriverBusy})
		return
	case len(d.offers) >= r.room():
		reason := ride.ReasonTooManyOffers
		if r.exclusive {
			reason = ride.ReasonDriverHeld
		}
		r.later(i, ride.WithdrawOffer{Offer: o.ID, Reason: reason})
		return
	}
	before := 0
	for j := range t.live.Offers[:n] {
		if t.live.Offers[j].Driver == o.Driver {
			before++
		}
	}
	answer, after := r.o.People.answer(r.seed, int(i), int(k), before, r.toPickup(d, r.requests[i].From))
	if r.now+after >= o.ExpiresAt.Sub(epoch) && after > 0 {
		answer = Silent
	}
	t.answers[n] = answer
	t.offers++
	d.asked++
	r.hold(k, held{i, int32(n)})
	if answer != Silent {
		r.agenda.add(event{at: r.now + after, what: offerAnswered, who: i, which: int32(n), yes: answer})
	}
}

// offerNumber is an offer's index within its trip.
func offerNumber(id ride.OfferID) int {
	trip, _ := id.Trip()
	n, err := strconv.Atoi(string(id)[len(trip)+1:])
	if err != nil {
		panic("an offer without a number: " + string(id))
	}
	return n - 1
}

// unask tells a driver that an offer has ended.
func (r *replay) unask(i int32, o ride.Offer) {
	t, k, n := &r.trips[i], number(o.Driver), offerNumber(o.ID)
	if !r.letGo(k, held{i, int32(n)}) {
		return // it was handed back
	}
	if o.State == ride.OfferWithdrawn && t.answers[n] == Yes {
		r.tally.thrownAway++
	}
}

// answered is a driver's answer.
func (r *replay) answered(e event) {
	t := &r.trips[e.who]
	if t.live == nil {
		return
	}
	o := &t.live.Offers[e.which]
	if o.State != ride.OfferOpen {
		return
	}
	k := number(o.Driver)
	if e.yes == No {
		r.do(e.who, ride.DeclineOffer{Offer: o.ID, Driver: o.Driver})
		return
	}
	if then := t.promised(o.ID); len(then) > 0 {
		id := o.ID
		moves := append([]dispatch.Move{{Trip: t.live.ID, To: o.Driver}}, then...)
		if !r.exchange(moves, id) {
			r.do(e.who, ride.WithdrawOffer{Offer: id, Reason: ride.ReasonTaken})
		}
		return
	}
	r.accept(e.who, o.ID, k)
}

// accept is a driver's yes. The offers that it holds of other trips are handed back.
func (r *replay) accept(i int32, id ride.OfferID, k int32) bool {
	d := &r.drivers[k]
	if !r.do(i, ride.AcceptOffer{Offer: id, Card: d.card}) {
		return false
	}
	if r.trips[i].driver != k {
		return true // an award is pending
	}
	for _, h := range d.offers {
		r.later(h.trip, ride.WithdrawOffer{Offer: ride.NewOfferID(r.trips[h.trip].live.ID, int(h.offer)+1), Reason: ride.ReasonDriverBusy})
	}
	return true
}
