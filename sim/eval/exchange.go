package eval

import (
	"errors"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/dispatch"
)

// errNotCarried means that a command had no effect that must have one.
var errNotCarried = errors.New("a command had no effect")

// proposal is a driver's open offer of a trip that has a driver on its way.
type proposal struct {
	offer  dispatch.Offer
	madeAt time.Duration
	asked  int32 // which of the trip's proposals
}

// propose asks a free driver to take the place of a trip's own, who goes on meanwhile.
func (r *replay) propose(o dispatch.Offer) {
	i, k := number(o.Trip), number(o.Driver)
	t, d := &r.trips[i], &r.drivers[k]
	if t.proposal != nil || t.met || !r.mayAsk(d) || d.proposed != none || len(d.offers) > 0 {
		return
	}
	t.proposed++
	t.proposal = &proposal{o, r.now, t.proposed}
	d.proposed = i
	t.offers++
	d.asked++
	// A driver's answer to a proposal is drawn as that to one more offer of the trip.
	before := int(t.proposed)
	for j := range t.live.Offers {
		if t.live.Offers[j].Driver == o.Driver {
			before++
		}
	}
	answer, after := r.o.People.answer(r.seed, int(i), int(k), before-1, r.toPickup(d, r.requests[i].From))
	if ttl := r.rules.Policy.OfferTTL; answer == Silent || after >= ttl && after > 0 {
		answer, after = Silent, ttl
	}
	r.agenda.add(event{at: r.now + after, what: proposalAnswered, who: i, which: t.proposed, yes: answer})
}

// proposalOver is the answer to a proposal, or its expiry.
func (r *replay) proposalOver(e event) {
	t := &r.trips[e.who]
	p := t.proposal
	if p == nil || p.asked != e.which {
		return
	}
	r.endProposal(e.who)
	if e.yes != Yes {
		t.refused = append(t.refused, p.offer.Driver)
		return
	}
	moves := append([]dispatch.Move{{Trip: p.offer.Trip, From: p.offer.Replaces, To: p.offer.Driver}}, p.offer.Then...)
	if !r.exchange(moves) {
		r.tally.thrownAway++
	}
}

// endProposal frees the driver of a trip's proposal.
func (r *replay) endProposal(i int32) {
	t := &r.trips[i]
	if t.proposal == nil {
		return
	}
	r.drivers[number(t.proposal.offer.Driver)].proposed = none
	t.proposal = nil
}

// moving is one move of an exchange with where its driver is.
type moving struct {
	trip, to int32
	from     int32 // the trip's driver, or none
	at       Place
	setOut   time.Duration
}

// exchange carries out moves together, or none of them: it reports which. Each trip with a driver must still have that
// one on its way, each without still look for one, and those who have drivers must wait for less time in sum.
func (r *replay) exchange(moves []dispatch.Move) bool {
	all := make([]moving, len(moves))
	var gain time.Duration
	opens := false
	for j, m := range moves {
		i, k := number(m.Trip), number(m.To)
		t, d := &r.trips[i], &r.drivers[k]
		x := moving{trip: i, to: k, from: none, at: d.place, setOut: r.now}
		switch {
		case t.live == nil || t.met:
			return false
		case m.From == "" && t.live.Status != ride.StatusRequested:
			return false
		case m.From != "" && (t.live.Status != ride.StatusMatched || t.live.DriverID() != m.From || r.drivers[t.driver].trip != i):
			return false
		}
		if d.state == coming {
			at, lead := r.along(&r.trips[d.trip], d.trip, r.now)
			x.at, x.setOut = at, r.now+lead
		} else if d.state != waiting || len(d.offers) > 0 {
			return false
		}
		if m.From != "" {
			x.from = number(m.From)
			gain += t.atDoor - (x.setOut + r.w.Drive(x.at, r.requests[i].From))
		} else {
			opens = true
		}
		all[j] = x
	}
	if gain <= 0 && !opens {
		return false
	}
	return r.carry(all)
}

// carry releases all drivers first, then gives each trip its new one.
func (r *replay) carry(all []moving) bool {
	released := make(map[int32]moving, len(all))
	for _, x := range all {
		if x.from == none {
			continue
		}
		t, d := &r.trips[x.trip], &r.drivers[x.from]
		at, lead := r.along(t, x.trip, r.now)
		released[x.from] = moving{at: at, setOut: r.now + lead}
		d.empty += r.now + lead - t.setOut
		d.gen++
		t.exchanges++
		r.tally.exchanges++
	}
	for _, x := range all {
		delete(released, x.to)
	}
	for _, x := range all {
		r.give(x)
	}
	for k, x := range released {
		r.comeBack(k, x)
	}
	return true
}

// comeBack frees a driver who was called off its way, at the next corner.
func (r *replay) comeBack(k int32, x moving) {
	d := &r.drivers[k]
	d.state, d.trip, d.place, d.freeAt = riding, none, x.at, x.setOut
	d.gen++
	r.agenda.add(event{at: x.setOut, what: driverFree, who: k, gen: d.gen})
}

// give makes a driver, wherever it is, the trip's: the former one, if there is one, is called off before.
func (r *replay) give(x moving) {
	t := &r.trips[x.trip]
	if x.from != none && !r.do(x.trip, ride.Redispatch{}) {
		r.fail(x.trip, errNotCarried)
		return
	}
	r.giving = &x
	defer func() { r.giving = nil }()
	d := &r.drivers[x.to]
	way := r.way(x.at, r.requests[x.trip].From)
	offered := r.do(x.trip, ride.OfferWave{Wave: t.live.Search.Wave + 1, Ring: t.live.Search.NextRing, Considered: []ride.Considered{{
		Driver: d.card.ID, Point: r.w.At[x.at], DistanceM: way.DistanceM, ETA: way.Duration, Verdict: ride.VerdictOffered,
	}}})
	if !offered || !r.do(x.trip, ride.AcceptOffer{Offer: ride.NewOfferID(t.live.ID, len(t.live.Offers)), Card: d.card}) {
		r.fail(x.trip, errNotCarried)
	}
}
