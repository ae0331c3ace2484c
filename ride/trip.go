package ride

import (
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Status is where a trip stands.
type Status string

// The statuses. docs/semantics.md draws the graph, generated from Steps.
const (
	StatusNone       Status = "" // before the request
	StatusRequested  Status = "requested"
	StatusMatched    Status = "matched"
	StatusArrived    Status = "arrived"
	StatusInProgress Status = "in_progress"
	StatusCompleted  Status = "completed"
	StatusCancelled  Status = "cancelled"
	StatusExpired    Status = "expired"
)

// Final reports whether no step leads out of s.
func (s Status) Final() bool {
	return s == StatusCompleted || s == StatusCancelled || s == StatusExpired
}

// Live reports whether a trip of status s occupies its rider.
func (s Status) Live() bool { return s != StatusNone && !s.Final() }

// Occupied reports whether a trip of status s occupies a driver.
func (s Status) Occupied() bool {
	return s == StatusMatched || s == StatusArrived || s == StatusInProgress
}

// Request is what a rider asked for, as checked.
type Request struct {
	Rider          RiderCard `json:"rider"`
	Pickup         geo.Point `json:"pickup"`
	Dropoff        geo.Point `json:"dropoff"`
	PickupAddress  string    `json:"pickup_address,omitempty"`
	DropoffAddress string    `json:"dropoff_address,omitempty"`
	Class          string    `json:"class"`
	Passengers     int       `json:"passengers"`
	Note           string    `json:"note,omitempty"`
}

// RiderCard is what the winning driver learns of the rider.
type RiderCard struct {
	ID         AccountID `json:"id"`
	FirstName  string    `json:"first_name"`
	PhotoID    string    `json:"photo_id,omitempty"`
	RatingX100 int64     `json:"rating_x100,omitempty"`
}

// DriverCard is what the rider learns of the winning driver.
type DriverCard struct {
	ID         AccountID `json:"id"`
	FirstName  string    `json:"first_name"`
	PhotoID    string    `json:"photo_id,omitempty"`
	Class      string    `json:"class"`
	Plate      string    `json:"plate"`
	RatingX100 int64     `json:"rating_x100,omitempty"`
	Make       string    `json:"make,omitempty"`
	Model      string    `json:"model,omitempty"`
	Colour     string    `json:"colour,omitempty"`
}

// Estimate is a trip's expected length, duration and fare.
type Estimate struct {
	DistanceM float64       `json:"distance_m"`
	Duration  time.Duration `json:"duration_ns"`
	Fare      Fare          `json:"fare"`
	// By names who estimated the length and the driving time, as geo.Source does; empty in older records,
	// which are of straight lines.
	By string `json:"by,omitempty"`
}

// OfferState is where an offer stands.
type OfferState string

// The offer states. Accepted is only seen under an award rule that compares
// acceptances; under the rule "first" an acceptance that counts is a win.
const (
	OfferOpen      OfferState = "open"
	OfferAccepted  OfferState = "accepted"
	OfferWon       OfferState = "won"
	OfferWithdrawn OfferState = "withdrawn"
	OfferExpired   OfferState = "expired"
	OfferDeclined  OfferState = "declined"
)

// Ended reports whether the offer has had its one end.
func (s OfferState) Ended() bool { return s != OfferOpen && s != OfferAccepted }

// Offer is one proposal of a trip to one driver.
type Offer struct {
	ID     OfferID   `json:"id"`
	Driver AccountID `json:"driver"`
	Wave   int       `json:"wave"`
	// DistanceM and ETA are the way from the driver to the centre of the pickup's cell,
	// which is all that the driver may learn of it.
	DistanceM float64       `json:"distance_m"`
	ETA       time.Duration `json:"eta_ns"`
	// DoorM and DoorETA are the way to the pickup itself; 0 when unknown.
	DoorM     float64       `json:"door_m,omitempty"`
	DoorETA   time.Duration `json:"door_eta_ns,omitempty"`
	MadeAt    time.Time     `json:"made_at"`
	ExpiresAt time.Time     `json:"expires_at"`
	State     OfferState    `json:"state"`
	Reason    string        `json:"reason,omitempty"` // of its end
	Card      *DriverCard   `json:"card,omitempty"`   // of who accepted, while an award is pending
	// Left is how long the trip's driver still needed to the pickup when the offer was made: the offer is
	// one of an exchange. 0: the trip had no driver.
	Left time.Duration `json:"left_ns,omitempty"`
	// Exclusive is as in the policy that the offer was made under.
	Exclusive bool `json:"exclusive,omitempty"`
}

// toDoor is how long the driver needs to the pickup itself, as far as that is known.
func (o Offer) toDoor() time.Duration {
	if o.DoorM > 0 {
		return o.DoorETA
	}
	return o.ETA
}

// pending reports whether the offer still awaits its end.
func (o Offer) pending() bool { return !o.State.Ended() }

// Search is how far dispatch has got for a requested trip.
type Search struct {
	Wave int `json:"wave"` // rounds so far
	// Ring is the grid disk's radius of the latest round, or of the first one
	// before it; NextRing is that of the next round.
	Ring     int `json:"ring"`
	NextRing int `json:"next_ring"`
	// Asked counts the drivers who were offered the trip.
	Asked  int       `json:"asked"`
	NextAt time.Time `json:"next_at"` // when the next round is due
	// AwardAt is when the best acceptance wins; zero while none is pending.
	AwardAt time.Time `json:"award_at,omitzero"`
	// Resting are drivers who turned out not to be available, in the order of their offers' ends.
	// It is replaced, never changed. Entries that are over may remain.
	Resting []Rest `json:"resting,omitempty"`
}

// Rest is a driver who is not asked before a time.
type Rest struct {
	Driver AccountID `json:"driver"`
	Until  time.Time `json:"until"`
}

// Cancellation says who ended a trip and why.
type Cancellation struct {
	By     Party  `json:"by"`
	Reason string `json:"reason,omitempty"`
}

// Trip is the whole state of one trip. It changes only through Apply, and through Refused.
type Trip struct {
	ID      TripID `json:"id"`
	Version int64  `json:"version"` // the number of events so far
	// UpdatedAt and Change are the newest event's time and kind.
	UpdatedAt time.Time `json:"updated_at"`
	Change    string    `json:"change"`
	// Fence rises with each activation of the trip somewhere. It belongs to the
	// store and is not part of the event history.
	Fence    int64    `json:"-"`
	Status   Status   `json:"status"`
	Request  Request  `json:"request"`
	Rules    Rules    `json:"rules"` // as they were when the trip was requested
	Estimate Estimate `json:"estimate"`
	// Outline is the estimate between the centres of pickup's and dropoff's cells: what
	// drivers who are offered the trip may know of it. Nil in older trips.
	Outline *Estimate `json:"outline,omitempty"`
	PIN     string    `json:"pin,omitempty"` // empty: not asked for
	// PINTries changes without an event; see Refused.
	PINTries PINTries `json:"pin_tries,omitzero"`

	Search   Search      `json:"search"`
	Offers   []Offer     `json:"offers,omitempty"` // of all rounds, in the order made
	Excluded []AccountID `json:"excluded,omitempty"`

	Driver    *DriverCard   `json:"driver,omitempty"`
	PickupETA time.Duration `json:"pickup_eta_ns,omitempty"` // of the driver, at MatchedAt
	// Exchanges are the exchanges so far, the newest last. It is replaced, never changed.
	Exchanges []Exchange `json:"exchanges,omitempty"`

	RequestedAt time.Time `json:"requested_at"`
	MatchedAt   time.Time `json:"matched_at,omitzero"` // since when the driver has the trip
	ArrivedAt   time.Time `json:"arrived_at,omitzero"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	// Deadline is when the trip leaves its status automatically; zero in a final one.
	Deadline time.Time `json:"deadline,omitzero"`

	Arrival       *Mark         `json:"arrival,omitempty"`    // where the driver was when it arrived
	Completion    *Mark         `json:"completion,omitempty"` // likewise when it ended the ride
	Fare          *Fare         `json:"fare,omitempty"`       // once completed
	TravelledM    float64       `json:"travelled_m,omitempty"`
	Cancellation  *Cancellation `json:"cancellation,omitempty"`
	StarsByRider  int           `json:"stars_by_rider,omitempty"`
	StarsByDriver int           `json:"stars_by_driver,omitempty"`
}

// Offer finds an offer by id.
func (t *Trip) Offer(id OfferID) (*Offer, bool) {
	for i := range t.Offers {
		if t.Offers[i].ID == id {
			return &t.Offers[i], true
		}
	}
	return nil, false
}

// DriverID is the matched driver's id, or empty.
func (t *Trip) DriverID() AccountID {
	if t.Driver == nil {
		return ""
	}
	return t.Driver.ID
}
