package ride

import (
	"slices"
	"time"
)

// Bounds of exchanges: how often an operator may let one trip change its driver, and how many trips
// one exchange moves.
const (
	MaxExchanges = 10
	MaxMoves     = 8
)

// minExchangeOffer is the shortest time for which a driver is asked for an exchange.
const minExchangeOffer = time.Second

// Exchange is one change of drivers before the pickup.
type Exchange struct {
	At   time.Time `json:"at"`
	From AccountID `json:"from"`
	To   AccountID `json:"to"`
	// PickupETA is how long the new driver needed to the pickup, Left how long the former one still did.
	PickupETA time.Duration `json:"pickup_eta_ns"`
	Left      time.Duration `json:"left_ns"`
	Reason    string        `json:"reason"`
}

// LastExchange is the newest exchange, if it is how the present driver got the trip.
func (t *Trip) LastExchange() (Exchange, bool) {
	n := len(t.Exchanges)
	if n == 0 || t.Driver == nil || t.Exchanges[n-1].To != t.Driver.ID || !t.Exchanges[n-1].At.Equal(t.MatchedAt) {
		return Exchange{}, false
	}
	return t.Exchanges[n-1], true
}

// decideOfferExchange asks a free driver whether it takes the place of the trip's driver. It is asked as in
// a wave: not one who declined, was asked enough or rests, and not beyond the cap.
func decideOfferExchange(t Trip, at time.Time, c OfferExchange) ([]Event, error) {
	k := c.Considered.checked()
	switch {
	case t.Status == StatusNone:
		return nil, ErrNotFound
	case k.Driver == "" || k.Driver == t.DriverID() || k.Verdict == VerdictNoWay:
		return nil, ErrInvalidArgument.With("an exchange needs another driver with a way to the pickup")
	}
	if err := t.exchangeable(c.Left); err != nil {
		return nil, err
	}
	o := Offer{
		ID: NewOfferID(t.ID, len(t.Offers)+1), Driver: k.Driver, Wave: t.Search.Wave + 1, DistanceM: k.DistanceM, ETA: k.ETA,
		DoorM: k.DoorM, DoorETA: k.DoorETA, MadeAt: at, State: OfferOpen, Left: c.Left, Exclusive: t.Rules.Policy.Exclusive,
	}
	lasts := min(t.Rules.Policy.OfferTTL, c.Left-o.toDoor())
	if lasts < minExchangeOffer {
		return nil, ErrInvalidArgument.With("this driver is not nearer to the pickup than the trip's own")
	}
	o.ExpiresAt = at.Add(lasts)
	n := t.Need(at)
	k.Verdict = n.verdict(t.Rules.Policy, k)
	if k.Verdict != VerdictOffered {
		return nil, ErrInvalidArgument.With("this driver cannot be asked now: %s", k.Verdict)
	}
	return one(WavePlanned{At: at, Wave: o.Wave, Ring: t.Search.Ring, Offers: []Offer{o}, Considered: []Considered{k}, Exchange: true}), nil
}

// acceptExchange replaces the trip's driver by one who said yes. The former one has come nearer since it
// was asked; once it would be there as soon, nothing is gained.
func (t *Trip) acceptExchange(at time.Time, o *Offer, card DriverCard) ([]Event, error) {
	left := o.Left - max(0, at.Sub(o.MadeAt))
	if o.toDoor() >= left || t.exchangeable(left) != nil {
		return nil, ErrOfferClosed
	}
	return one(Exchanged{At: at, From: t.DriverID(), Card: card, Offer: o.ID, PickupETA: o.toDoor(), Left: left, Reason: ReasonCloserCar}), nil
}

// exchangeable refuses an exchange that the trip's own state rules out. left is how long its driver still
// needs to the pickup.
func (t *Trip) exchangeable(left time.Duration) *Error {
	switch {
	case t.Status != StatusMatched:
		return ErrWrongStatus
	case len(t.Exchanges) >= t.Rules.Policy.Exchanges:
		return ErrWrongStatus.With("This trip may not change its driver any more.")
	case left <= 0:
		return ErrInvalidArgument.With("the way that the trip's driver has left must be above 0")
	}
	return nil
}

// Move is the part of one trip in an exchange: the driver that it gets.
type Move struct {
	Trip Trip
	Card DriverCard
	// Way is how long that driver needs from where it is now to the pickup, above 0. Left is how long the trip's
	// present driver still does; it does not matter where the trip has none.
	Way, Left time.Duration
	// Offer is the trip's open offer to which the driver has said yes. Empty: the driver is on its way to the
	// pickup of another trip of the same exchange, and is not asked.
	Offer OfferID
}

// Moved is what a Move leads to: like what Decide returns, with the trip after it.
type Moved struct {
	Trip    Trip
	Events  []Event
	Effects []Effect
}

// DecideExchange says what an exchange of drivers among several trips leads to, one Moved for each move in
// the same order. All are to be written in one transaction, or none. Each trip is matched, its driver still
// on the way, or requested: then it gets its first driver. A driver who is in no move loses its trip and is free.
//
// It holds the exchange to what drivers and riders are promised: a driver who is not asked gets neither a longer
// way to the pickup nor a fare estimate below the rules' share of the one that it gives up, and no trip that it
// declined or gave back; no trip changes its driver more often than its rules allow; and it is of use: the trips
// that have drivers wait for them for less time in all, or a trip without one gets one. A refusal is an *Error
// that names the trip; nobody but the proposer sees it.
func DecideExchange(at time.Time, moves []Move) ([]Moved, error) {
	at = Clean(at)
	if len(moves) == 0 || len(moves) > MaxMoves {
		return nil, ErrInvalidArgument.With("an exchange has 1 to %d moves", MaxMoves)
	}
	var way, left time.Duration
	opens := false
	for i := range moves {
		m := &moves[i]
		if err := checkMove(at, moves, i); err != nil {
			return nil, err.In(string(m.Trip.ID))
		}
		if m.Trip.Status == StatusRequested {
			opens = true
			continue
		}
		way, left = way+m.Way, left+m.Left
	}
	if way >= left && !opens {
		return nil, ErrInvalidArgument.With("the exchange brings no driver sooner")
	}
	out := make([]Moved, len(moves))
	for i := range moves {
		m := &moves[i]
		events := one(m.event(at))
		after := Fold(m.Trip, events)
		out[i] = Moved{Trip: after, Events: events, Effects: Diff(m.Trip, after)}
	}
	return out, nil
}

// event is what happens to the trip of the move.
func (m *Move) event(at time.Time) Event {
	offer := m.Offer
	if offer == "" {
		offer = NewOfferID(m.Trip.ID, len(m.Trip.Offers)+1)
	}
	if m.Trip.Status == StatusRequested {
		e := Matched{At: at, Offer: offer, Card: m.Card}
		if m.Offer == "" {
			e.PickupETA = m.Way
		}
		return e
	}
	reason := ReasonShorterWaits
	if m.Way < m.Left {
		reason = ReasonCloserCar
	}
	return Exchanged{At: at, From: m.Trip.DriverID(), Card: m.Card, Offer: offer, PickupETA: m.Way, Left: m.Left, Reason: reason}
}

// checkMove refuses a move that makes no sense by itself or beside the others.
func checkMove(at time.Time, moves []Move, i int) *Error {
	m := &moves[i]
	t := &m.Trip
	for j := range moves[:i] {
		if moves[j].Trip.ID == t.ID || moves[j].Card.ID == m.Card.ID {
			return ErrInvalidArgument.With("a trip or a driver is in the exchange twice")
		}
	}
	switch {
	case m.Card.ID == "" || m.Card.ID == t.DriverID():
		return ErrInvalidArgument.With("an exchange needs another driver")
	case m.Card.Class != t.Request.Class:
		return ErrUnknownClass.With("The driver's class is not the trip's.")
	case m.Way <= 0:
		return ErrInvalidArgument.With("the way to the pickup must be above 0")
	case slices.Contains(t.Excluded, m.Card.ID):
		return ErrInvalidArgument.With("this driver declined the trip, or gave it back")
	case len(t.Offers) >= maxOffers:
		return ErrWrongStatus.With("This trip has had its offers.")
	}
	if t.Status == StatusRequested {
		if !t.Search.AwardAt.IsZero() {
			return ErrWrongStatus.With("A driver is about to win this trip.")
		}
	} else if err := t.exchangeable(m.Left); err != nil {
		return err
	}
	if m.Offer != "" {
		return m.checkYes(at)
	}
	return m.checkUnasked(moves)
}

// checkYes refuses a move whose driver has not said yes to an offer that is still open.
func (m *Move) checkYes(at time.Time) *Error {
	o, ok := m.Trip.Offer(m.Offer)
	switch {
	case !ok || o.Driver != m.Card.ID:
		return ErrNotFound
	case o.State != OfferOpen || !at.Before(o.ExpiresAt):
		return ErrOfferClosed
	}
	return nil
}

// checkUnasked refuses a move that a driver might not like and was not asked for. Its present trip, which is part
// of the exchange, goes to someone else.
func (m *Move) checkUnasked(moves []Move) *Error {
	i := slices.IndexFunc(moves, func(o Move) bool { return o.Trip.Status == StatusMatched && o.Trip.DriverID() == m.Card.ID })
	if i < 0 {
		return ErrInvalidArgument.With("a driver who is not on its way to a trip of the exchange must be asked")
	}
	from := &moves[i]
	gets, gives := m.Trip.Estimate.Fare, from.Trip.Estimate.Fare
	percent := int64(max(m.Trip.Rules.Policy.ExchangeFare, from.Trip.Rules.Policy.ExchangeFare))
	switch {
	case m.Way > from.Left:
		return ErrInvalidArgument.With("a driver who is not asked must not get a longer way to its pickup")
	case gets.Currency != gives.Currency || gets.Total*100 < gives.Total*percent:
		return ErrInvalidArgument.With("a driver who is not asked must not get a worse fare")
	}
	return nil
}
