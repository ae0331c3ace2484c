package ride

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// maxOffers bounds the offers of one trip over its whole life.
const maxOffers = 500

// Decide says what a command leads to: the events to write, and the effects to
// carry out once they are written. An error refuses the command: a *Error for
// the client. No events and no error means that there is nothing to do: a stale
// timer or search, or a repetition of what is already so.
//
// Decide and Apply are the whole trip machine. The effects are the difference
// between the states before and after (see Diff), so that no transition can
// forget one.
func Decide(t Trip, c Command) ([]Event, []Effect, error) {
	var events []Event
	var err error
	switch c := c.(type) {
	case RequestTrip:
		events, err = decideRequest(t, c)
	case PlanWave:
		events = decideWave(t, c)
	case AcceptOffer:
		events, err = decideAccept(t, c)
	case DeclineOffer:
		events, err = decideDecline(t, c)
	case WithdrawOffer:
		if o, ok := t.Offer(c.Offer); ok && !o.State.Ended() {
			events = one(OffersEnded{At: c.At, Offers: []OfferID{c.Offer}, State: OfferWithdrawn, Reason: c.Reason})
		}
	case CancelTrip:
		events, err = decideCancel(t, c)
	case MarkArrived:
		if err = t.mustDrive(c.Driver, StatusMatched); err == nil {
			events = one(Arrived{At: c.At})
		}
	case StartTrip:
		if err = t.mustDrive(c.Driver, StatusArrived); err == nil {
			if t.PIN != "" && c.PIN != t.PIN {
				return nil, nil, ErrWrongPIN
			}
			events = one(Started{At: c.At})
		}
	case CompleteTrip:
		if err = t.mustDrive(c.Driver, StatusInProgress); err == nil {
			events = one(t.complete(c.At, ByDriver, c.TravelledM))
		}
	case RateTrip:
		events, err = decideRating(t, c)
	case Tick:
		return decideTick(t, c)
	}
	if err != nil || len(events) == 0 {
		return nil, nil, err
	}
	return events, Diff(t, fold(t, events)), nil
}

func one(e Event) []Event { return []Event{e} }

func fold(t Trip, events []Event) Trip {
	for _, e := range events {
		t = Apply(t, e)
	}
	return t
}

func decideRequest(t Trip, c RequestTrip) ([]Event, error) {
	if t.Status != StatusNone {
		return nil, ErrWrongStatus
	}
	if err := c.Request.Validate(c.Rules.Tariff); err != nil {
		return nil, err
	}
	if err := c.Rules.Validate(); err != nil {
		return nil, err
	}
	return one(Requested{At: c.At, ID: c.ID, Request: c.Request, Rules: c.Rules, Estimate: c.Estimate, PIN: c.PIN}), nil
}

// Limits of what people may write, in bytes.
const (
	MaxAddress = 200
	MaxNote    = 500
	MaxReason  = 200
	MaxComment = 500
)

// Validate checks a rider's request against the tariff of its class.
func (r Request) Validate(tariff Tariff) error {
	if err := r.Pickup.Validate(); err != nil {
		return ErrInvalidPoint.In("pickup")
	}
	if err := r.Dropoff.Validate(); err != nil {
		return ErrInvalidPoint.In("dropoff")
	}
	switch {
	case r.Pickup == r.Dropoff:
		return ErrInvalidArgument.With("the dropoff must differ from the pickup").In("dropoff")
	case r.Class != tariff.Class:
		return ErrUnknownClass.In("vehicle_class")
	case r.Passengers < 1 || r.Passengers > tariff.Seats:
		return ErrInvalidArgument.With("a %s seats 1 to %d passengers", tariff.Class, tariff.Seats).In("passengers")
	case len(r.PickupAddress) > MaxAddress:
		return ErrInvalidArgument.With("an address has at most %d bytes", MaxAddress).In("pickup_address")
	case len(r.DropoffAddress) > MaxAddress:
		return ErrInvalidArgument.With("an address has at most %d bytes", MaxAddress).In("dropoff_address")
	case len(r.Note) > MaxNote:
		return ErrInvalidArgument.With("a note has at most %d bytes", MaxNote).In("note")
	}
	return nil
}

func decideWave(t Trip, c PlanWave) []Event {
	if t.Status != StatusRequested || c.Wave != t.Search.Wave+1 || !t.Search.AwardAt.IsZero() {
		return nil // an answer to a search that is no longer wanted
	}
	p := t.Rules.Policy
	n := t.need()
	considered := Plan(p, []Need{n}, c.Candidates)[0]
	e := WavePlanned{At: c.At, Wave: c.Wave, Ring: c.Ring}
	for _, k := range considered {
		if k.Verdict == VerdictOffered {
			e.Offers = append(e.Offers, Offer{
				ID: NewOfferID(t.ID, len(t.Offers)+len(e.Offers)+1), Driver: k.Driver, Wave: c.Wave,
				DistanceM: k.DistanceM, ETA: k.ETA, MadeAt: c.At, ExpiresAt: c.At.Add(p.OfferTTL), State: OfferOpen,
			})
		}
	}
	e.Considered = considered[:min(len(considered), maxConsidered)]
	return one(e)
}

// need is what dispatch must know of this trip.
func (t *Trip) need() Need {
	n := Need{
		Trip: t.ID, Class: t.Request.Class, Room: t.Rules.Policy.Cap,
		Excluded: make(map[AccountID]bool), Asked: make(map[AccountID]int), Open: make(map[AccountID]bool),
	}
	if t.Rules.Policy.Kind == PolicySequential {
		n.Room = 1
	}
	for _, d := range t.Excluded {
		n.Excluded[d] = true
	}
	for i := range t.Offers {
		o := &t.Offers[i]
		n.Asked[o.Driver]++
		if !o.State.Ended() {
			n.Open[o.Driver] = true
			n.Room--
		}
	}
	n.Room = max(0, min(n.Room, maxOffers-len(t.Offers)))
	return n
}

func decideAccept(t Trip, c AcceptOffer) ([]Event, error) {
	o, ok := t.Offer(c.Offer)
	if !ok || o.Driver != c.Card.ID {
		return nil, ErrNotFound
	}
	switch {
	case o.State == OfferWon && t.DriverID() == c.Card.ID && t.Status.Occupied():
		return nil, nil // said twice
	case o.State == OfferAccepted:
		return nil, nil // said twice, the award is pending
	case o.State == OfferWithdrawn && o.Reason == ReasonTaken:
		return nil, ErrOfferTaken
	case o.State != OfferOpen || t.Status != StatusRequested || !c.At.Before(o.ExpiresAt):
		return nil, ErrOfferClosed
	case t.Rules.Policy.Award == AwardFirst:
		return one(Matched(c)), nil
	}
	award := t.Search.AwardAt
	if award.IsZero() {
		award = c.At.Add(t.Rules.Policy.AwardWindow)
	}
	return one(Accepted{At: c.At, Offer: c.Offer, Card: c.Card, AwardAt: award}), nil
}

func decideDecline(t Trip, c DeclineOffer) ([]Event, error) {
	o, ok := t.Offer(c.Offer)
	switch {
	case !ok || o.Driver != c.Driver:
		return nil, ErrNotFound
	case len(c.Reason) > MaxReason:
		return nil, ErrInvalidArgument.With("a reason has at most %d bytes", MaxReason).In("reason")
	case o.State == OfferDeclined:
		return nil, nil // said twice
	case o.State.Ended():
		return nil, ErrOfferClosed
	}
	return one(OffersEnded{At: c.At, Offers: []OfferID{c.Offer}, State: OfferDeclined, Reason: c.Reason}), nil
}

func decideCancel(t Trip, c CancelTrip) ([]Event, error) {
	if len(c.Reason) > MaxReason {
		return nil, ErrInvalidArgument.With("a reason has at most %d bytes", MaxReason).In("reason")
	}
	switch c.By {
	case ByRider:
		if t.Status == StatusNone || c.Account != t.Request.Rider.ID {
			return nil, ErrNotFound
		}
		if t.Status == StatusInProgress || !t.Status.Live() {
			return nil, ErrWrongStatus
		}
	case ByDriver:
		if err := t.mustDrive(c.Account, StatusMatched, StatusArrived); err != nil {
			return nil, err
		}
		return one(Released{At: c.At, Driver: c.Account, By: c.By, Reason: c.Reason}), nil
	default:
		if !t.Status.Live() {
			return nil, ErrWrongStatus
		}
	}
	return one(Cancelled{At: c.At, By: c.By, Reason: c.Reason}), nil
}

// mustDrive refuses whoever is not the trip's driver as if there were no trip,
// and the driver when the status is none of those given.
func (t *Trip) mustDrive(d AccountID, in ...Status) error {
	if d == "" || t.DriverID() != d {
		return ErrNotFound
	}
	if !slices.Contains(in, t.Status) {
		return ErrWrongStatus
	}
	return nil
}

// complete prices the ride by the way and time it took; the estimate's way
// counts where none was measured, and the estimate's fare where the measured
// ride cannot be priced.
func (t *Trip) complete(at time.Time, by Party, travelledM float64) Completed {
	m := travelledM
	if !(m > 0) || math.IsInf(m, 0) {
		m = t.Estimate.DistanceM
	}
	fare, err := t.Rules.Tariff.Price(m, max(0, at.Sub(t.StartedAt)))
	if err != nil || by == BySystem {
		fare = t.Estimate.Fare
	}
	return Completed{At: at, By: by, TravelledM: m, Fare: fare}
}

func decideRating(t Trip, c RateTrip) ([]Event, error) {
	e := Rated{At: c.At, Stars: c.Stars, Comment: c.Comment}
	var given int
	switch {
	case c.By == "" || t.Status == StatusNone:
		return nil, ErrNotFound
	case c.By == t.Request.Rider.ID:
		e.By, e.About, given = ByRider, t.DriverID(), t.StarsByRider
	case c.By == t.DriverID():
		e.By, e.About, given = ByDriver, t.Request.Rider.ID, t.StarsByDriver
	default:
		return nil, ErrNotFound
	}
	switch {
	case t.Status != StatusCompleted:
		return nil, ErrWrongStatus
	case c.Stars < 1 || c.Stars > 5:
		return nil, ErrInvalidArgument.With("stars go from 1 to 5").In("stars")
	case len(c.Comment) > MaxComment:
		return nil, ErrInvalidArgument.With("a comment has at most %d bytes", MaxComment).In("comment")
	case given != 0:
		return nil, ErrAlreadyRated
	}
	return one(e), nil
}

func decideTick(t Trip, c Tick) ([]Event, []Effect, error) {
	if c.At.Before(c.Timer.At) || !slices.Contains(Timers(t), c.Timer) {
		return nil, nil, nil // stale
	}
	var event Event
	switch c.Timer.Kind {
	case TimerWave:
		return nil, []Effect{FindCandidates{Wave: t.Search.Wave + 1, Ring: t.nextRing()}}, nil
	case TimerOffers:
		e := OffersEnded{At: c.At, State: OfferExpired, Reason: ReasonNotAnswered}
		for i := range t.Offers {
			if o := &t.Offers[i]; o.State == OfferOpen && !c.At.Before(o.ExpiresAt) {
				e.Offers = append(e.Offers, o.ID)
			}
		}
		event = e
	case TimerAward:
		event = t.award(c.At)
	case TimerDeadline:
		event = t.overdue(c.At)
	}
	events := one(event)
	return events, Diff(t, fold(t, events)), nil
}

// award picks the acceptance with the shortest way, by id where equal.
func (t *Trip) award(at time.Time) Event {
	var best *Offer
	for i := range t.Offers {
		o := &t.Offers[i]
		if o.State == OfferAccepted && (best == nil || cmp.Or(cmp.Compare(o.ETA, best.ETA), cmp.Compare(o.Driver, best.Driver)) < 0) {
			best = o
		}
	}
	return Matched{At: at, Offer: best.ID, Card: *best.Card}
}

// overdue is how a trip leaves a status whose time limit has passed.
func (t *Trip) overdue(at time.Time) Event {
	switch t.Status {
	case StatusRequested:
		if !t.Search.AwardAt.IsZero() {
			return t.award(at) // somebody said yes in time
		}
		return Expired{At: at}
	case StatusMatched:
		return Cancelled{At: at, By: BySystem, Reason: ReasonDriverNoShow}
	case StatusArrived:
		return Cancelled{At: at, By: BySystem, Reason: ReasonRiderNoShow}
	default:
		return t.complete(at, BySystem, 0)
	}
}
