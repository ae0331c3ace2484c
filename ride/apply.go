package ride

import (
	"slices"
	"time"
)

// The stable words for why an offer or a trip ended, or a trip changed its driver.
const (
	ReasonTaken         = "taken"          // another driver won
	ReasonTripCancelled = "trip_cancelled" // the trip ended under the offer
	ReasonTripExpired   = "trip_expired"
	ReasonDriverBusy    = "driver_busy" // the driver won another trip
	ReasonDriverGone    = "driver_gone" // offline or not connected
	ReasonTooManyOffers = "too_many_offers"
	ReasonDriverHeld    = "driver_held" // the driver held another trip's offer, and never saw this one
	ReasonWentOffline   = "went_offline"
	ReasonNotAnswered   = "not_answered"
	ReasonDriverNoShow  = "driver_no_show" // the pickup's time limit passed
	ReasonRiderNoShow   = "rider_no_show"  // the boarding's time limit passed
	ReasonCloserCar     = "closer_car"     // an exchange: the new driver is nearer to this pickup
	ReasonShorterWaits  = "shorter_waits"  // an exchange: the riders of it together wait less
)

// Apply returns the trip after an event. It is total: events come from Decide
// or from the database and are taken as they are. The trip given is not changed.
func Apply(t Trip, event Event) Trip {
	t.Version++
	t.UpdatedAt, t.Change = event.When(), event.Kind()
	switch e := event.(type) {
	case Requested:
		t.ID, t.Request, t.Rules, t.Estimate, t.Outline, t.PIN = e.ID, e.Request, e.Rules, e.Estimate, e.Outline, e.PIN
		t.RequestedAt = e.At
		t.beginSearch(e.At)
	case WavePlanned:
		t.applyWave(e)
	case Accepted:
		t.setOffers(OfferAccepted, "", func(o *Offer) bool { return o.ID == e.Offer })
		if o, ok := t.Offer(e.Offer); ok {
			card := e.Card
			o.Card = &card
		}
		t.Search.AwardAt = e.AwardAt
		t.hastenSearch(e.At)
	case OffersEnded:
		t.applyOffersEnded(e)
	case Matched:
		t.applyMatched(e)
	case Exchanged:
		t.applyExchanged(e)
	case Released:
		t.exclude(e.Driver)
		t.Driver, t.PickupETA, t.PINTries = nil, 0, PINTries{}
		t.MatchedAt, t.ArrivedAt, t.Arrival = time.Time{}, time.Time{}, nil
		t.beginSearch(e.At)
	case Arrived:
		t.setOffers(OfferWithdrawn, ReasonTaken, (*Offer).pending) // those of an exchange that comes too late
		t.Status, t.ArrivedAt, t.Deadline = StatusArrived, e.At, e.At.Add(t.Rules.BoardWithin)
		t.Arrival = e.Mark
	case Started:
		t.Status, t.StartedAt, t.Deadline = StatusInProgress, e.At, e.At.Add(t.Rules.RideWithin)
		t.PINTries = PINTries{}
	case Completed:
		fare := e.Fare
		t.Fare, t.TravelledM, t.Completion = &fare, e.TravelledM, e.Mark
		t.end(StatusCompleted, e.At, "")
	case Cancelled:
		t.Cancellation = &Cancellation{By: e.By, Reason: e.Reason}
		t.end(StatusCancelled, e.At, ReasonTripCancelled)
	case Expired:
		t.end(StatusExpired, e.At, ReasonTripExpired)
	case Rated:
		if e.By == ByRider {
			t.StarsByRider = e.Stars
		} else {
			t.StarsByDriver = e.Stars
		}
	}
	return t
}

// beginSearch makes the trip look for a driver from the innermost ring.
func (t *Trip) beginSearch(at time.Time) {
	p := t.Rules.Policy
	t.Status, t.Deadline = StatusRequested, at.Add(t.Rules.SearchFor)
	t.Search.Ring, t.Search.NextRing = p.RingStart, p.RingStart
	t.Search.NextAt, t.Search.AwardAt = at, time.Time{}
}

func (t *Trip) applyWave(e WavePlanned) {
	p := t.Rules.Policy
	t.Search.Wave = e.Wave
	if !e.Exchange {
		t.Search.Ring, t.Search.NextRing = e.Ring, min(e.Ring+p.RingStep, p.RingMax)
	}
	asked := make(map[AccountID]bool, len(t.Offers))
	for i := range t.Offers {
		asked[t.Offers[i].Driver] = true
	}
	for _, o := range e.Offers {
		if !asked[o.Driver] {
			asked[o.Driver] = true
			t.Search.Asked++
		}
	}
	t.Offers = append(slices.Clip(t.Offers), e.Offers...)
	t.rest(e.At, nil)
	if e.Exchange {
		return // the trip has a driver and looks for none
	}
	t.Search.NextAt = e.At.Add(p.WaveEvery)
	switch {
	case p.oneByOne() && len(e.Offers) > 0:
		// The next driver is asked when this one has answered or not: the offer's
		// end brings the wave forward.
		t.Search.NextAt = e.Offers[0].ExpiresAt.Add(p.WaveEvery)
	case t.Search.NextRing > e.Ring && !slices.ContainsFunc(t.Offers, Offer.pending):
		// No offer is open, and wider rings are left to search. This ends at
		// RingMax.
		t.Search.NextAt = e.At
	}
}

func (t *Trip) applyOffersEnded(e OffersEnded) {
	t.setOffers(e.State, e.Reason, func(o *Offer) bool { return slices.Contains(e.Offers, o.ID) })
	switch e.State {
	case OfferDeclined:
		for _, id := range e.Offers {
			if o, ok := t.Offer(id); ok {
				t.exclude(o.Driver)
			}
		}
	case OfferWithdrawn:
		// A driver who holds another offer has left its cell before it said so, and comes back when that one
		// ends: whoever finds it again may ask it again. All others are still found as they were.
		if e.Reason != ReasonDriverHeld {
			t.rest(e.At, e.Offers)
		}
	}
	t.hastenSearch(e.At)
}

func (t *Trip) applyMatched(e Matched) {
	t.give(e.At, e.Card, e.Offer, e.PickupETA)
	if o, ok := t.Offer(e.Offer); ok {
		t.PickupETA = o.toDoor()
	}
	t.Status, t.MatchedAt, t.Deadline = StatusMatched, e.At, e.At.Add(t.Rules.PickupWithin)
	t.Search.NextAt, t.Search.AwardAt = time.Time{}, time.Time{}
}

func (t *Trip) applyExchanged(e Exchanged) {
	t.give(e.At, e.Card, e.Offer, e.PickupETA)
	t.PickupETA, t.MatchedAt = e.PickupETA, e.At // the deadline stays: an exchange puts no pickup off
	t.Exchanges = append(slices.Clip(t.Exchanges), Exchange{At: e.At, From: e.From, To: e.Card.ID, PickupETA: e.PickupETA, Left: e.Left, Reason: e.Reason})
}

// give makes a driver the trip's. Its offer has won, and all others are withdrawn. A driver who was not
// asked gets its offer here: every driver who had the trip has an offer that was won.
func (t *Trip) give(at time.Time, card DriverCard, id OfferID, way time.Duration) {
	t.setOffers(OfferWon, "", func(o *Offer) bool { return o.ID == id })
	t.setOffers(OfferWithdrawn, ReasonTaken, (*Offer).pending)
	if _, asked := t.Offer(id); !asked && way > 0 {
		t.Offers = append(slices.Clip(t.Offers), Offer{ID: id, Driver: card.ID, Wave: t.Search.Wave, ETA: way, MadeAt: at, ExpiresAt: at, State: OfferWon})
	}
	t.Driver = &card
}

// end makes the trip final; reason is why its open offers are withdrawn.
func (t *Trip) end(s Status, at time.Time, reason string) {
	t.setOffers(OfferWithdrawn, reason, (*Offer).pending)
	t.Status, t.EndedAt, t.Deadline = s, at, time.Time{}
	t.Search.NextAt, t.Search.AwardAt, t.Search.Resting = time.Time{}, time.Time{}, nil
	t.PINTries = PINTries{}
}

// rest leaves the drivers of withdrawn offers alone for the time between waves, and forgets those
// whose rest is over.
func (t *Trip) rest(at time.Time, withdrawn []OfferID) {
	every := t.Rules.Policy.WaveEvery
	var resting []Rest
	for _, r := range t.Search.Resting {
		if remaining(r.Until, at, every) > 0 {
			resting = append(resting, r)
		}
	}
	for _, id := range withdrawn {
		if o, ok := t.Offer(id); ok {
			resting = append(resting, Rest{Driver: o.Driver, Until: at.Add(every)})
		}
	}
	t.Search.Resting = resting
}

// remaining returns what is left at a time of a wait of length d that ends at until; 0 when it is
// over. A clock that was set back by more than d ends the wait, so that it never lasts for hours.
func remaining(until, at time.Time, d time.Duration) time.Duration {
	left := until.Sub(at)
	if left <= 0 || left > 2*d {
		return 0
	}
	return min(left, d)
}

// hastenSearch brings the award or the next wave forward once no open offer is left.
func (t *Trip) hastenSearch(at time.Time) {
	if t.Status != StatusRequested {
		return
	}
	open, accepted := 0, 0
	for i := range t.Offers {
		switch t.Offers[i].State {
		case OfferOpen:
			open++
		case OfferAccepted:
			accepted++
		}
	}
	switch {
	case accepted == 0 && open == 0:
		t.Search.AwardAt = time.Time{}
		t.Search.NextAt = at
	case accepted == 0:
		t.Search.AwardAt = time.Time{}
	case open == 0:
		t.Search.AwardAt = at
	}
}

// setOffers changes the state of the chosen offers, in a copy of the list.
func (t *Trip) setOffers(s OfferState, reason string, which func(*Offer) bool) {
	t.Offers = slices.Clone(t.Offers)
	for i := range t.Offers {
		if o := &t.Offers[i]; which(o) {
			o.State, o.Reason = s, reason
			if s.Ended() {
				o.Card = nil
			}
		}
	}
}

func (t *Trip) exclude(d AccountID) {
	if !slices.Contains(t.Excluded, d) {
		t.Excluded = append(slices.Clip(t.Excluded), d)
	}
}
