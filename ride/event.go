package ride

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is something that happened to a trip. Events are kept for ever: fields
// may be added, never changed in meaning.
type Event interface {
	// Kind is the event's stable name, as stored and as shown in trip_updated.
	Kind() string
	// When is the event's time.
	When() time.Time
}

// Requested begins a trip.
type Requested struct {
	At       time.Time `json:"at"`
	ID       TripID    `json:"id"`
	Request  Request   `json:"request"`
	Rules    Rules     `json:"rules"`
	Estimate Estimate  `json:"estimate"`
	Outline  *Estimate `json:"outline,omitempty"`
	PIN      string    `json:"pin,omitempty"`
}

// WavePlanned is one round of offers, perhaps empty, with what was considered.
type WavePlanned struct {
	At         time.Time    `json:"at"`
	Wave       int          `json:"wave"`
	Ring       int          `json:"ring"`
	Offers     []Offer      `json:"offers,omitempty"`
	Considered []Considered `json:"considered,omitempty"`
	// Cells is how many cells with drivers in them were asked, More how many of the
	// considered are not recorded.
	Cells int `json:"cells,omitempty"`
	More  int `json:"more,omitempty"`
	// Exchange: the trip has a driver, who is replaced by the one who accepts.
	Exchange bool `json:"exchange,omitempty"`
	// Of a wave that was planned for several trips together: how many plans were made for the trip since
	// it began to wait, this one included, why it got no offer, and the planner's own record.
	Windows  int             `json:"windows,omitempty"`
	Why      string          `json:"why,omitempty"`
	Decision json.RawMessage `json:"decision,omitempty"`
}

// Accepted is a driver's yes that still competes with others.
type Accepted struct {
	At      time.Time  `json:"at"`
	Offer   OfferID    `json:"offer"`
	Card    DriverCard `json:"card"`
	AwardAt time.Time  `json:"award_at"`
}

// OffersEnded ends offers other than by a win.
type OffersEnded struct {
	At     time.Time  `json:"at"`
	Offers []OfferID  `json:"offers"`
	State  OfferState `json:"state"` // withdrawn, expired or declined
	Reason string     `json:"reason,omitempty"`
}

// Matched gives the trip to a driver; all other open offers are withdrawn.
type Matched struct {
	At    time.Time  `json:"at"`
	Offer OfferID    `json:"offer"`
	Card  DriverCard `json:"card"`
	// PickupETA is the way of a driver whom an exchange moved here from another trip. It was not asked:
	// Offer is new, and won from the beginning. 0: the driver accepted Offer.
	PickupETA time.Duration `json:"pickup_eta_ns,omitempty"`
}

// Exchanged gives a matched trip to another driver before the pickup; open offers are withdrawn.
// Unlike one who gave the trip back, the former driver may be asked again.
type Exchanged struct {
	At   time.Time  `json:"at"`
	From AccountID  `json:"from"`
	Card DriverCard `json:"card"` // of the new driver
	// Offer is what the new driver accepted. Of one who was on its way to another trip and was not
	// asked it is new, and won from the beginning.
	Offer OfferID `json:"offer"`
	// PickupETA is how long the new driver needs to the pickup, Left how long the former one still did.
	PickupETA time.Duration `json:"pickup_eta_ns"`
	Left      time.Duration `json:"left_ns"`
	Reason    string        `json:"reason"`
}

// Released gives the trip back: it is requested again, without this driver.
type Released struct {
	At     time.Time `json:"at"`
	Driver AccountID `json:"driver"`
	By     Party     `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// Arrived means that the driver waits at the pickup.
type Arrived struct {
	At   time.Time `json:"at"`
	Mark *Mark     `json:"mark,omitempty"` // nil in older events
}

// Started means that the ride began.
type Started struct {
	At time.Time `json:"at"`
}

// Completed means that the ride ended at its dropoff, or at its time limit.
type Completed struct {
	At         time.Time `json:"at"`
	By         Party     `json:"by"`
	TravelledM float64   `json:"travelled_m"`
	Fare       Fare      `json:"fare"`
	Mark       *Mark     `json:"mark,omitempty"` // nil in older events, and where no driver ended it
}

// Cancelled means that a person, or a time limit, ended the trip.
type Cancelled struct {
	At     time.Time `json:"at"`
	By     Party     `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// Expired means that no driver was found in time.
type Expired struct {
	At time.Time `json:"at"`
}

// Rated means that one party rated the other.
type Rated struct {
	At      time.Time `json:"at"`
	By      Party     `json:"by"`    // rider or driver
	About   AccountID `json:"about"` // who was rated
	Stars   int       `json:"stars"`
	Comment string    `json:"comment,omitempty"`
}

// The stored names of the events.
const (
	KindRequested   = "requested"
	KindWavePlanned = "wave_planned"
	KindAccepted    = "accepted"
	KindOffersEnded = "offers_ended"
	KindMatched     = "matched"
	KindExchanged   = "exchanged"
	KindReleased    = "released"
	KindArrived     = "arrived"
	KindStarted     = "started"
	KindCompleted   = "completed"
	KindCancelled   = "cancelled"
	KindExpired     = "expired"
	KindRated       = "rated"
)

// EventKinds lists the stored names of all events, in the order of a trip's life.
func EventKinds() []string {
	return []string{
		KindRequested, KindWavePlanned, KindAccepted, KindOffersEnded, KindMatched, KindExchanged, KindReleased, KindArrived,
		KindStarted, KindCompleted, KindCancelled, KindExpired, KindRated,
	}
}

func (Requested) Kind() string   { return KindRequested }
func (WavePlanned) Kind() string { return KindWavePlanned }
func (Accepted) Kind() string    { return KindAccepted }
func (OffersEnded) Kind() string { return KindOffersEnded }
func (Matched) Kind() string     { return KindMatched }
func (Exchanged) Kind() string   { return KindExchanged }
func (Released) Kind() string    { return KindReleased }
func (Arrived) Kind() string     { return KindArrived }
func (Started) Kind() string     { return KindStarted }
func (Completed) Kind() string   { return KindCompleted }
func (Cancelled) Kind() string   { return KindCancelled }
func (Expired) Kind() string     { return KindExpired }
func (Rated) Kind() string       { return KindRated }

func (e Requested) When() time.Time   { return e.At }
func (e WavePlanned) When() time.Time { return e.At }
func (e Accepted) When() time.Time    { return e.At }
func (e OffersEnded) When() time.Time { return e.At }
func (e Matched) When() time.Time     { return e.At }
func (e Exchanged) When() time.Time   { return e.At }
func (e Released) When() time.Time    { return e.At }
func (e Arrived) When() time.Time     { return e.At }
func (e Started) When() time.Time     { return e.At }
func (e Completed) When() time.Time   { return e.At }
func (e Cancelled) When() time.Time   { return e.At }
func (e Expired) When() time.Time     { return e.At }
func (e Rated) When() time.Time       { return e.At }

// MarshalEvent gives an event's stored form: its kind and its JSON.
func MarshalEvent(e Event) (kind string, data []byte, err error) {
	data, err = json.Marshal(e)
	if err != nil {
		return "", nil, fmt.Errorf("marshal %s: %w", e.Kind(), err)
	}
	return e.Kind(), data, nil
}

// UnmarshalEvent reads an event's stored form. The JSON is our own, from the
// database, never a client's.
func UnmarshalEvent(kind string, data []byte) (Event, error) {
	switch kind {
	case KindRequested:
		return unmarshal[Requested](data)
	case KindWavePlanned:
		return unmarshal[WavePlanned](data)
	case KindAccepted:
		return unmarshal[Accepted](data)
	case KindOffersEnded:
		return unmarshal[OffersEnded](data)
	case KindMatched:
		return unmarshal[Matched](data)
	case KindExchanged:
		return unmarshal[Exchanged](data)
	case KindReleased:
		return unmarshal[Released](data)
	case KindArrived:
		return unmarshal[Arrived](data)
	case KindStarted:
		return unmarshal[Started](data)
	case KindCompleted:
		return unmarshal[Completed](data)
	case KindCancelled:
		return unmarshal[Cancelled](data)
	case KindExpired:
		return unmarshal[Expired](data)
	case KindRated:
		return unmarshal[Rated](data)
	}
	return nil, fmt.Errorf("unknown event kind %q", kind)
}

func unmarshal[E Event](data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("unmarshal %s: %w", e.Kind(), err)
	}
	return e, nil
}
