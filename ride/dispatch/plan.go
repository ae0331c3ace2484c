package dispatch

import (
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Plan is what a zone is to do now. Everything in it is sorted, so that equal snapshots give equal bytes.
type Plan struct {
	Offers    []Offer    `json:"offers,omitempty"`
	Exchanges []Exchange `json:"exchanges,omitempty"`
	Waits     []Wait     `json:"waits,omitempty"`
	Records   []Record   `json:"records,omitempty"` // one for each offer, then one for each move of an exchange
	State     State      `json:"state,omitzero"`
	// Next is when the zone is to plan again.
	Next time.Duration `json:"next_ns"`
	// Early is when a new request may start that plan sooner: where drivers are many there is nobody to wait for, and
	// exchange corrects what is decided too soon.
	Early time.Duration `json:"early_ns"`
	// Rows, Columns and Arcs are the size of the assignment, Method how it was found.
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Arcs    int    `json:"arcs"`
	Method  Method `json:"method,omitempty"`
}

// Offer asks one driver, who is held for it.
type Offer struct {
	Trip   ride.TripID    `json:"trip"`
	Driver ride.AccountID `json:"driver"`
	// ETA is the time until the driver would be at the pickup, DistanceM the way from its Point.
	ETA       time.Duration `json:"eta_ns"`
	DistanceM float64       `json:"distance_m"`
	Price     Terms         `json:"price"`
	// Second: another driver is asked for the same trip and silent.
	Second bool `json:"second,omitempty"`
	// Replaces is the driver on its way whose place this one would take; empty: the trip has none. It is released only
	// after the acceptance. Then are the moves that this sets off, in the order in which drivers become free:
	// the first moves the released driver. They happen together with the replacement, or not at all.
	Replaces ride.AccountID `json:"replaces,omitempty"`
	Then     []Move         `json:"then,omitempty"`
}

// Exchange is a set of trips that change drivers among themselves, at once: all are on their way already.
type Exchange struct {
	Moves []Move        `json:"moves"`
	Gain  time.Duration `json:"gain_ns"` // how much sooner the pickups are, in sum
}

// Move gives a trip another driver.
type Move struct {
	Trip ride.TripID    `json:"trip"`
	From ride.AccountID `json:"from,omitempty"` // empty: the trip looked for a driver
	To   ride.AccountID `json:"to"`
	ETA  time.Duration  `json:"eta_ns"`           // of the new driver
	Was  time.Duration  `json:"was_ns,omitempty"` // of the former one
}

// Reason says why an open request gets no offer now, or why a driver does not get a trip.
type Reason string

// The reasons.
const (
	Awaiting   Reason = "awaiting"   // a driver is asked
	Promised   Reason = "promised"   // a driver on its way will take the trip, once another takes its present one
	NoDriver   Reason = "no_driver"  // no suitable one near, or none has a way
	TooFar     Reason = "too_far"    // the driver would take longer than MaxETA
	NeededMore Reason = "needed"     // others need these drivers more
	Dearer     Reason = "dearer"     // the chosen one costs less
	Held       Reason = "held"       // the driver has an open offer
	Excluded   Reason = "excluded"   // the driver is not given this trip
	Busy       Reason = "busy"       // the driver is in a ride, and not soon free, or has its next trip
	WrongClass Reason = "class"      // the driver's class is not the request's
	SmallGain  Reason = "small_gain" // an exchange would gain too little
	LongerWay  Reason = "longer"     // the driver is on a shorter way already, and would not be asked
	WorseFare  Reason = "fare"       // likewise to a better fare
	Twice      Reason = "twice"      // the snapshot contradicts itself
)

// Wait is an open request that gets no offer now.
type Wait struct {
	Trip   ride.TripID `json:"trip"`
	Reason Reason      `json:"reason"`
}

// Terms are the parts of a price. Prices are times, and whole nanoseconds, so that sums are exact in any order.
type Terms struct {
	Way        time.Duration `json:"way_ns"`
	Remaining  time.Duration `json:"remaining_ns,omitempty"` // until the driver can set out, at its price
	Worth      time.Duration `json:"worth_ns,omitempty"`     // of the place that the driver leaves
	Preference time.Duration `json:"preference_ns,omitempty"`
	AgeCredit  time.Duration `json:"age_credit_ns,omitempty"` // negative
	Exchange   time.Duration `json:"exchange_ns,omitempty"`   // for calling a driver off its way
}

// Sum is the price.
func (t Terms) Sum() time.Duration {
	return t.Way + t.Remaining + t.Worth + t.Preference + t.AgeCredit + t.Exchange
}

// Record explains one offer or exchange to the operator. As JSON it takes 4 KB at most.
type Record struct {
	Trip    ride.TripID    `json:"trip"`
	Driver  ride.AccountID `json:"driver"` // the chosen one
	Policy  string         `json:"policy"`
	Version int            `json:"version,omitempty"`
	Window  time.Duration  `json:"window_ns"`
	Mode    Mode           `json:"mode,omitempty"`
	Why     string         `json:"why,omitempty"` // the mode
	Rows    int            `json:"rows"`
	Columns int            `json:"columns"`
	Method  Method         `json:"method"`
	ETA     time.Duration  `json:"eta_ns"`
	By      string         `json:"by"` // who estimated the way, as geo.Source names it
	Price   Terms          `json:"price"`
	// Scarcity is the price that competition puts on the chosen driver: by how much the total would rise without it, at least.
	Scarcity time.Duration  `json:"scarcity_ns,omitempty"`
	Instead  ride.AccountID `json:"instead,omitempty"` // of this driver, in an exchange
	Saves    time.Duration  `json:"saves_ns,omitempty"`
	// Next are the best of those who were not chosen, Others how many more there were, by reason.
	Next   []Alternative  `json:"next,omitempty"`
	Others map[Reason]int `json:"others,omitempty"`
}

// Alternative is a driver who was not chosen.
type Alternative struct {
	Driver ride.AccountID `json:"driver"`
	ETA    time.Duration  `json:"eta_ns"`
	// More is how much more it would have cost than the chosen one, negative where it would have cost less;
	// Scarcity is by how much the total would rise without it, at least.
	More     time.Duration `json:"more_ns"`
	Scarcity time.Duration `json:"scarcity_ns,omitempty"`
	Reason   Reason        `json:"reason"`
	For      ride.TripID   `json:"for,omitempty"` // the trip that needs it more
}
