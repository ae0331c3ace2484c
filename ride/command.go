package ride

import "time"

// Command is what somebody, or a timer, wants of a trip. Each carries the time
// at which it is decided; Decide brings it to the form that Clean gives.
type Command interface{ command() }

// RequestTrip creates the trip.
type RequestTrip struct {
	At       time.Time
	ID       TripID
	Request  Request
	Rules    Rules
	Estimate Estimate
	Outline  *Estimate // between the areas of pickup and dropoff; nil: none
	PIN      string    // empty: not asked for
}

// PlanWave brings the candidates that a search found. Wave and Ring are those of
// the FindCandidates that it answers; an older search's answer is stale.
type PlanWave struct {
	At         time.Time
	Wave, Ring int
	Candidates []Candidate
	// Cells is how many cells answered, and Passed are drivers close by who are no
	// candidates, with the reason, nearest first: both for the record alone.
	Cells  int
	Passed []Considered
}

// AcceptOffer is a driver's yes.
type AcceptOffer struct {
	At    time.Time
	Offer OfferID
	Card  DriverCard // of the driver who accepts, from its account
}

// DeclineOffer is a driver's no.
type DeclineOffer struct {
	At     time.Time
	Offer  OfferID
	Driver AccountID
	Reason string
}

// WithdrawOffer ends one offer from the system's side: the driver turned out to
// be busy, gone or full.
type WithdrawOffer struct {
	At     time.Time
	Offer  OfferID
	Reason string
}

// CancelTrip ends the trip, or gives it back for another driver when its driver
// cancels before the start.
type CancelTrip struct {
	At      time.Time
	By      Party
	Account AccountID // empty for the system
	Reason  string
}

// Redispatch is an operator's: it takes the trip from its driver before the start, as
// if that driver had given it back; a trip that is being searched for looks again now.
type Redispatch struct {
	At     time.Time
	Reason string
}

// MarkArrived says that the driver is at the pickup.
type MarkArrived struct {
	At     time.Time
	Driver AccountID
	Fix    Fix    // where the driver is
	Reason string // why there, if it is not the pickup; empty: none given
}

// StartTrip begins the ride.
type StartTrip struct {
	At     time.Time
	Driver AccountID
	PIN    string
}

// CompleteTrip ends the ride. Without a Way, TravelledM is the measured way in metres, 0
// when it was not measured: then the estimate counts.
type CompleteTrip struct {
	At         time.Time
	Driver     AccountID
	Way        *Way
	TravelledM float64
	Fix        Fix    // where the driver is
	Reason     string // why there, if it is not the dropoff; empty: none given
}

// RateTrip rates the other party of a completed trip.
type RateTrip struct {
	At      time.Time
	By      AccountID
	Stars   int
	Comment string
}

// Tick is a timer that fired. A timer that the state no longer holds is stale
// and decides nothing.
type Tick struct {
	At    time.Time
	Timer Timer
}

// DriverNearby says that a driver has become available near the pickup, so that a trip
// that waits for one need not wait for its next wave.
type DriverNearby struct {
	At time.Time
}

// clean brings the time of a command to the form that is kept without loss, so
// that a state in memory and one read back are the same.
func clean(c Command) Command { return restamp(c, Clean) }

// At returns the command as decided at a time.
func At(c Command, at time.Time) Command {
	return restamp(c, func(time.Time) time.Time { return at })
}

func restamp(c Command, f func(time.Time) time.Time) Command {
	switch c := c.(type) {
	case RequestTrip:
		c.At = f(c.At)
		return c
	case PlanWave:
		c.At = f(c.At)
		return c
	case AcceptOffer:
		c.At = f(c.At)
		return c
	case DeclineOffer:
		c.At = f(c.At)
		return c
	case WithdrawOffer:
		c.At = f(c.At)
		return c
	case CancelTrip:
		c.At = f(c.At)
		return c
	case Redispatch:
		c.At = f(c.At)
		return c
	case MarkArrived:
		c.At = f(c.At)
		return c
	case StartTrip:
		c.At = f(c.At)
		return c
	case CompleteTrip:
		c.At = f(c.At)
		return c
	case RateTrip:
		c.At = f(c.At)
		return c
	case Tick:
		c.At = f(c.At)
		return c
	case DriverNearby:
		c.At = f(c.At)
		return c
	}
	return c
}

func (RequestTrip) command()   {}
func (PlanWave) command()      {}
func (AcceptOffer) command()   {}
func (DeclineOffer) command()  {}
func (WithdrawOffer) command() {}
func (CancelTrip) command()    {}
func (Redispatch) command()    {}
func (MarkArrived) command()   {}
func (StartTrip) command()     {}
func (CompleteTrip) command()  {}
func (RateTrip) command()      {}
func (Tick) command()          {}
func (DriverNearby) command()  {}
