package ride

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Decide says what a command leads to: the events to write, and the effects to
// carry out once they are written. An error refuses the command: a *Error for
// the client. No events and no error means that there is nothing to do: a stale
// timer or search, or a repetition of what is already so. What a refusal changes
// without an event says Refused.
//
// at is the time of the decision. Decide brings it to the form that Clean gives, so that a
// state in memory and one read back are the same.
//
// Decide and Apply are the whole trip machine. The effects are the difference
// between the states before and after (see Diff), so that no transition can
// forget one.
func Decide(t Trip, at time.Time, c Command) ([]Event, []Effect, error) {
	at = Clean(at)
	var events []Event
	var err error
	switch c := c.(type) {
	case RequestTrip:
		events, err = decideRequest(t, at, c)
	case OfferWave:
		events = decideWave(t, at, c)
	case OfferExchange:
		events, err = decideOfferExchange(t, at, c)
	case AcceptOffer:
		events, err = decideAccept(t, at, c)
	case DeclineOffer:
		events, err = decideDecline(t, at, c)
	case WithdrawOffer:
		if o, ok := t.Offer(c.Offer); ok && o.pending() {
			events = one(OffersEnded{At: at, Offers: []OfferID{c.Offer}, State: OfferWithdrawn, Reason: c.Reason})
		}
	case CancelTrip:
		events, err = decideCancel(t, at, c)
	case Redispatch:
		return decideRedispatch(t, at, c)
	case MarkArrived:
		events, err = decideArrived(t, at, c)
	case StartTrip:
		events, err = decideStart(t, at, c)
	case CompleteTrip:
		events, err = decideComplete(t, at, c)
	case RateTrip:
		events, err = decideRating(t, at, c)
	case Tick:
		return decideTick(t, at, c)
	case DriverNearby:
		return nil, t.searchEarly(), nil
	}
	if err != nil || len(events) == 0 {
		return nil, nil, err
	}
	return events, Diff(t, Fold(t, events)), nil
}

func one(e Event) []Event { return []Event{e} }

// Fold applies events one after the other.
func Fold(t Trip, events []Event) Trip {
	for _, e := range events {
		t = Apply(t, e)
	}
	return t
}

func decideRequest(t Trip, at time.Time, c RequestTrip) ([]Event, error) {
	if t.Status != StatusNone {
		return nil, ErrWrongStatus
	}
	if err := c.Request.Validate(c.Rules.Tariff); err != nil {
		return nil, err
	}
	if err := c.Rules.Validate(); err != nil {
		return nil, err
	}
	if c.ID == "" || strings.Contains(string(c.ID), ".") || c.Request.Rider.ID == "" {
		return nil, ErrInvalidArgument.With("a trip needs an id without a dot, and a rider")
	}
	if m := c.Estimate.DistanceM; !(m >= 0) || math.IsInf(m, 0) || c.Estimate.Duration < 0 {
		return nil, ErrNoRoute
	}
	return one(Requested{At: at, ID: c.ID, Request: c.Request, Rules: c.Rules, Estimate: c.Estimate, Outline: c.Outline, PIN: c.PIN}), nil
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
	}
	return cmp.Or(
		checkText("pickup_address", r.PickupAddress, MaxAddress),
		checkText("dropoff_address", r.DropoffAddress, MaxAddress),
		checkText("note", r.Note, MaxNote),
	)
}

// checkText refuses what a person wrote when it is too long, or cannot be stored
// and read back the same.
func checkText(field, s string, limit int) error {
	switch {
	case len(s) > limit:
		return ErrInvalidArgument.With("at most %d bytes are allowed here", limit).In(field)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return ErrInvalidArgument.With("text must be UTF-8 without NUL").In(field)
	}
	return nil
}

func decideAccept(t Trip, at time.Time, c AcceptOffer) ([]Event, error) {
	o, ok := t.Offer(c.Offer)
	if !ok || o.Driver != c.Card.ID {
		return nil, ErrNotFound
	}
	switch {
	case o.State == OfferWon && t.DriverID() == c.Card.ID && t.Status.Occupied():
		return nil, nil // idempotent: done already
	case o.State == OfferAccepted:
		return nil, nil // idempotent: accepted already, the award is pending
	case o.State == OfferWithdrawn && o.Reason == ReasonTaken:
		return nil, ErrOfferTaken
	case t.Status == StatusMatched && o.State == OfferOpen && at.Before(o.ExpiresAt):
		return t.acceptExchange(at, o, c.Card)
	case o.State != OfferOpen || t.Status != StatusRequested || !at.Before(o.ExpiresAt):
		return nil, ErrOfferClosed
	case t.Rules.Policy.Award == AwardFirst:
		return one(Matched{At: at, Offer: c.Offer, Card: c.Card}), nil
	}
	award := t.Search.AwardAt
	if award.IsZero() {
		award = at.Add(t.Rules.Policy.AwardWindow)
	}
	return one(Accepted{At: at, Offer: c.Offer, Card: c.Card, AwardAt: award}), nil
}

func decideDecline(t Trip, at time.Time, c DeclineOffer) ([]Event, error) {
	o, ok := t.Offer(c.Offer)
	switch {
	case !ok || o.Driver != c.Driver:
		return nil, ErrNotFound
	case o.State == OfferDeclined:
		return nil, nil // idempotent: done already
	case o.State.Ended():
		return nil, ErrOfferClosed
	}
	if err := checkText("reason", c.Reason, MaxReason); err != nil {
		return nil, err
	}
	return one(OffersEnded{At: at, Offers: []OfferID{c.Offer}, State: OfferDeclined, Reason: c.Reason}), nil
}

func decideCancel(t Trip, at time.Time, c CancelTrip) ([]Event, error) {
	if err := checkText("reason", c.Reason, MaxReason); err != nil {
		return nil, err
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
		return one(Released{At: at, Driver: c.Account, By: c.By, Reason: c.Reason}), nil
	case ByOperator, BySystem:
		switch {
		case t.Status == StatusNone:
			return nil, ErrNotFound
		case !t.Status.Live():
			return nil, ErrWrongStatus
		}
	default:
		return nil, ErrWrongRole
	}
	return one(Cancelled{At: at, By: c.By, Reason: c.Reason}), nil
}

func decideRedispatch(t Trip, at time.Time, c Redispatch) ([]Event, []Effect, error) {
	if err := checkText("reason", c.Reason, MaxReason); err != nil {
		return nil, nil, err
	}
	switch t.Status {
	case StatusNone:
		return nil, nil, ErrNotFound
	case StatusMatched, StatusArrived:
		events := one(Released{At: at, Driver: t.DriverID(), By: ByOperator, Reason: c.Reason})
		return events, Diff(t, Fold(t, events)), nil
	case StatusRequested:
		if !t.Search.AwardAt.IsZero() {
			return nil, nil, nil // a driver is about to win
		}
		return nil, []Effect{t.find()}, nil
	default:
		return nil, nil, ErrWrongStatus
	}
}

// mustDrive refuses everyone except the trip's driver as if the trip did not exist,
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

func decideArrived(t Trip, at time.Time, c MarkArrived) ([]Event, error) {
	if err := t.mustDrive(c.Driver, StatusMatched); err != nil {
		return nil, err
	}
	mark, err := t.mark(c.Fix, t.Request.Pickup, t.Rules.ArriveWithinM, c.Reason)
	if err != nil {
		return nil, err
	}
	return one(Arrived{At: at, Mark: mark}), nil
}

func decideComplete(t Trip, at time.Time, c CompleteTrip) ([]Event, error) {
	if err := t.mustDrive(c.Driver, StatusInProgress); err != nil {
		return nil, err
	}
	mark, err := t.mark(c.Fix, t.Request.Dropoff, t.Rules.CompleteWithinM, c.Reason)
	if err != nil {
		return nil, err
	}
	e := t.complete(at, ByDriver, c.Way, c.TravelledM)
	e.Mark = mark
	return one(e), nil
}

// complete prices the ride by its distance and time. The estimate's distance counts where
// none is known, and the estimate's fare where the ride cannot be priced or a time limit
// ended it.
func (t *Trip) complete(at time.Time, by Party, way *Way, travelledM float64) Completed {
	m := metered{measured: travelledM, basis: BasisMeasured}
	switch {
	case way != nil:
		m = t.meter(at, *way)
	case !(travelledM > 0) || math.IsInf(travelledM, 0):
		m = metered{estimated: t.Estimate.DistanceM, basis: BasisEstimated}
	}
	fare, err := t.Rules.Tariff.Price(m.measured+m.estimated, max(0, at.Sub(t.StartedAt)))
	if err != nil || by == BySystem {
		fare, m = t.Estimate.Fare, metered{estimated: t.Estimate.DistanceM, basis: BasisEstimated}
	}
	fare.Basis, fare.MeasuredM, fare.EstimatedM, fare.Streets = m.basis, m.measured, m.estimated, m.streets
	return Completed{At: at, By: by, TravelledM: m.measured + m.estimated, Fare: fare}
}

func decideRating(t Trip, at time.Time, c RateTrip) ([]Event, error) {
	e := Rated{At: at, Stars: c.Stars, Comment: c.Comment}
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
	case given != 0:
		return nil, ErrAlreadyRated
	}
	if err := checkText("comment", c.Comment, MaxComment); err != nil {
		return nil, err
	}
	return one(e), nil
}

// searchEarly looks for candidates before the next wave is due, if no offer is open.
func (t *Trip) searchEarly() []Effect {
	if t.Status != StatusRequested || !t.Search.AwardAt.IsZero() || slices.ContainsFunc(t.Offers, Offer.pending) {
		return nil
	}
	return []Effect{t.find()}
}

func decideTick(t Trip, at time.Time, c Tick) ([]Event, []Effect, error) {
	if !slices.ContainsFunc(Timers(t), c.Timer.equal) {
		return nil, nil, nil // stale
	}
	if at.Before(c.Timer.At) {
		// The clock was set back while the timer ran. It must not be lost.
		return nil, []Effect{SetTimer{c.Timer}}, nil
	}
	var event Event
	switch c.Timer.Kind {
	case TimerWave:
		return nil, []Effect{t.find()}, nil
	case TimerOffers:
		e := OffersEnded{At: at, State: OfferExpired, Reason: ReasonNotAnswered}
		for i := range t.Offers {
			if o := &t.Offers[i]; o.State == OfferOpen && !at.Before(o.ExpiresAt) {
				e.Offers = append(e.Offers, o.ID)
			}
		}
		event = e
	case TimerAward:
		var ok bool
		if event, ok = t.award(at); !ok {
			return nil, nil, nil
		}
	case TimerDeadline:
		event = t.overdue(at)
	}
	events := one(event)
	return events, Diff(t, Fold(t, events)), nil
}

// award picks the acceptance with the shortest way, by id where equal; false if
// there is none.
func (t *Trip) award(at time.Time) (Event, bool) {
	var best *Offer
	for i := range t.Offers {
		o := &t.Offers[i]
		if o.State == OfferAccepted && o.Card != nil && (best == nil || cmp.Or(cmp.Compare(o.toDoor(), best.toDoor()), cmp.Compare(o.Driver, best.Driver)) < 0) {
			best = o
		}
	}
	if best == nil {
		return nil, false
	}
	return Matched{At: at, Offer: best.ID, Card: *best.Card}, true
}

// overdue is how a trip leaves a status whose time limit has passed.
func (t *Trip) overdue(at time.Time) Event {
	switch t.Status {
	case StatusRequested:
		if matched, ok := t.award(at); ok {
			return matched // a driver accepted in time
		}
		return Expired{At: at}
	case StatusMatched:
		return Cancelled{At: at, By: BySystem, Reason: ReasonDriverNoShow}
	case StatusArrived:
		return Cancelled{At: at, By: BySystem, Reason: ReasonRiderNoShow}
	default:
		return t.complete(at, BySystem, nil, 0)
	}
}
