package dispatch

import (
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Snapshot is what is known of a zone when it plans. All times are relative to that moment. Slices may be in any order;
// each trip and each driver appears once.
type Snapshot struct {
	Requests []Request `json:"requests"`
	Drivers  []Driver  `json:"drivers"`
	// Ways are those that Shortlist asked for, as far as they were found.
	Ways []Way `json:"ways"`
	// Demand is how many trips were lately requested (in the last 15 minutes, say), by coarse cell.
	Demand []Demand `json:"demand,omitempty"`
	// Elapsed is the time since the plan that State comes from; 0: there was none.
	Elapsed time.Duration `json:"elapsed_ns,omitempty"`
	State   State         `json:"state,omitzero"`
}

// Request is a trip that looks for a driver, or whose driver is on its way to the pickup.
type Request struct {
	Trip  ride.TripID `json:"trip"`
	Class string      `json:"class,omitempty"`
	// Pickup is where the ways end: the pickup itself, or the centre of its cell where drivers must not learn more.
	Pickup geo.Point     `json:"pickup"`
	Age    time.Duration `json:"age_ns"` // since the request, or since its driver gave it back
	// Fare is the estimate in the zone's currency, in its smallest unit: a driver who is not asked is not moved to a worse one.
	Fare int64 `json:"fare,omitempty"`
	// Excluded drivers are not given this trip.
	Excluded []ride.AccountID `json:"excluded,omitempty"`
	Asked    []Asked          `json:"asked,omitempty"` // its open offers
	Match    *Match           `json:"match,omitempty"` // its driver; nil: it looks for one
}

// Asked is an open offer.
type Asked struct {
	Driver ride.AccountID `json:"driver"`
	For    time.Duration  `json:"for_ns"` // since it was made
	// Then are the moves that wait for its acceptance; see Offer.
	Then []Move `json:"then,omitempty"`
}

// Match is the driver on its way to a pickup.
type Match struct {
	Driver    ride.AccountID `json:"driver"`
	Remaining time.Duration  `json:"remaining_ns"` // until it is there
	Exchanges int            `json:"exchanges,omitempty"`
	Fixed     bool           `json:"fixed,omitempty"` // not to be exchanged, for reasons of the caller's
}

// DriverState is what a driver does.
type DriverState string

// The states of drivers.
const (
	Free   DriverState = "free"
	OnWay  DriverState = "on_way"  // to a pickup
	InRide DriverState = "in_ride" // with the rider, or waiting for it
)

// Driver is one who may be asked now or soon, or exchanged. One without a fresh position is not in a snapshot.
type Driver struct {
	ID    ride.AccountID `json:"id"`
	Class string         `json:"class,omitempty"`
	State DriverState    `json:"state"`
	// Point is where its next way begins, and Lead how long it takes to get there: of a free driver where it is (0), of one
	// on its way the next corner or where it is, of one in a ride the drop-off.
	Point geo.Point     `json:"point"`
	Lead  time.Duration `json:"lead_ns,omitempty"`
	// Cell is the coarse cell of Point, as in Demand; 0: the place has no worth.
	Cell geo.Cell    `json:"cell,omitempty"`
	Trip ride.TripID `json:"trip,omitempty"` // that it is on its way to, or in
	Held bool        `json:"held,omitempty"` // it has an open offer, of this zone or another
	Next bool        `json:"next,omitempty"` // it has its next trip already
	// Preference is added to the price of giving this driver a trip; negative: prefer it.
	Preference time.Duration `json:"preference_ns,omitempty"`
}

// Way is the drive from a driver's Point to a trip's pickup. A pair without one has no way.
type Way struct {
	Trip      ride.TripID    `json:"trip"`
	Driver    ride.AccountID `json:"driver"`
	Duration  time.Duration  `json:"duration_ns"`
	DistanceM float64        `json:"distance_m"`
	By        geo.Source     `json:"by"`
}

// Demand is how many trips were lately requested in a coarse cell.
type Demand struct {
	Cell     geo.Cell `json:"cell"`
	Requests int      `json:"requests"`
}

// Pair asks for the way from a driver's Point to a trip's pickup. One that takes longer than Within is of no use.
type Pair struct {
	Trip   ride.TripID
	Driver ride.AccountID
	Within time.Duration
}
