package ride

import (
	"encoding/json"
	"time"
)

// Command is a request to a trip from a party, an operator, dispatch or a timer. It carries no
// time: the caller passes the time of the decision to Decide.
type Command interface{ command() }

// RequestTrip creates the trip.
type RequestTrip struct {
	ID       TripID
	Request  Request
	Rules    Rules
	Estimate Estimate
	Outline  *Estimate // between the areas of pickup and dropoff; nil: none
	PIN      string    // empty: not asked for
}

// OfferWave carries a finished plan for one wave: the answer to a FindCandidates. Any caller
// of Plan may make it, also one that plans many trips at once. Decide takes over the choice of
// drivers and their order as they are, but never asks more drivers than the trip still allows:
// see decideWave.
type OfferWave struct {
	// Wave and Ring are those of the FindCandidates. A plan for an older search is stale
	// and decides nothing.
	Wave, Ring int
	// Considered are the candidates, best first, each with its verdict. Those with
	// VerdictOffered are asked. Decide does not change it and keeps no part of it.
	Considered []Considered
	// Cells is how many cells answered. Passed are drivers close by who are not
	// candidates, with the reason, nearest first. Both are for the record only.
	Cells  int
	Passed []Considered
	// Windows, Why and Decision are as in WavePlanned, from a planner that gathers trips. A Decision
	// that is no JSON, or longer than MaxDecision, is left out.
	Windows  int
	Why      string
	Decision json.RawMessage
}

// OfferExchange offers a trip whose driver is still on its way to a driver who is free and nearer. The
// offer lasts as long as others, but no longer than it takes the trip's driver to come as near.
type OfferExchange struct {
	Considered Considered    // the free driver with its way, as for a wave; its verdict does not matter
	Left       time.Duration // how long the trip's driver still needs to the pickup
}

// AcceptOffer is a driver's yes.
type AcceptOffer struct {
	Offer OfferID
	Card  DriverCard // of the driver who accepts, from its account
}

// DeclineOffer is a driver's no.
type DeclineOffer struct {
	Offer  OfferID
	Driver AccountID
	Reason string
}

// WithdrawOffer ends one offer from the system's side: the driver turned out to
// be busy, gone or full.
type WithdrawOffer struct {
	Offer  OfferID
	Reason string
}

// CancelTrip ends the trip, or gives it back for another driver when its driver
// cancels before the start.
type CancelTrip struct {
	By      Party
	Account AccountID // empty for the system
	Reason  string
}

// Redispatch is an operator's: it takes the trip from its driver before the start, as
// if that driver had given it back; a trip that is being searched for looks again now.
type Redispatch struct {
	Reason string
}

// MarkArrived says that the driver is at the pickup.
type MarkArrived struct {
	Driver AccountID
	Fix    Fix    // where the driver is
	Reason string // why there, if it is not the pickup; empty: none given
}

// StartTrip begins the ride.
type StartTrip struct {
	Driver AccountID
	PIN    string
}

// CompleteTrip ends the ride. Without a Way, TravelledM is the measured way in metres, 0
// when it was not measured: then the estimate counts.
type CompleteTrip struct {
	Driver     AccountID
	Way        *Way
	TravelledM float64
	Fix        Fix    // where the driver is
	Reason     string // why there, if it is not the dropoff; empty: none given
}

// RateTrip rates the other party of a completed trip.
type RateTrip struct {
	By      AccountID
	Stars   int
	Comment string
}

// Tick is a timer that fired. A timer that the state no longer holds is stale
// and decides nothing.
type Tick struct {
	Timer Timer
}

// DriverNearby says that a driver has become available near the pickup, so that a trip
// that waits for one need not wait for its next wave.
type DriverNearby struct{}

func (RequestTrip) command()   {}
func (OfferWave) command()     {}
func (OfferExchange) command() {}
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
