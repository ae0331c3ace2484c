package ride

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Transition is everything that one decision writes, in one transaction: the
// trip compared and set, its events, its offers' changes, a rating, a command's
// outcome. What has no content is left out: a Transition with only a Command
// records that command's outcome.
type Transition struct {
	// Trip is the state after Events; its Version counts them. Nil: no trip.
	Trip *Trip
	// Prev is the version before Events; 0 inserts the trip.
	Prev int64
	// Events are Prev+1 … Trip.Version, in order. Without any, the version stays and only the
	// state is written, on the same version and fence: see Refused.
	Events []Event
	// Offers are the rows that these events made or changed, whole.
	Offers []OfferRow
	// Wake is when the sweeper must look at the trip if no actor does; zero: never.
	Wake time.Time
	// Command is the outcome of the client's command that caused this, if one did.
	Command *CommandRecord
}

// OfferRow is an offer as stored: enough to show it to its driver again.
type OfferRow struct {
	Trip  TripID
	Offer Offer
}

// CommandRecord is a client command's outcome, kept for 24 hours so that the
// same id gets the same answer, also after a crash and through another node.
type CommandRecord struct {
	Account AccountID
	ID      string // chosen by the client, 1 to 64 bytes
	Digest  string // SHA-256 of the command's canonical form, hex
	Reply   []byte // the encoded reply, without the id
	At      time.Time
}

// The refusals of a store. They are for the shells to branch on; clients never
// see them.
var (
	// ErrStale: the trip's version or fence has moved on. This activation must
	// reload or stop, and say nothing.
	ErrStale = errors.New("stale trip version or fence")
	// ErrCommandSeen: the command's id has an outcome already. Read it back.
	ErrCommandSeen = errors.New("command id has an outcome already")
	// ErrUnknownOutcome: the connection broke around the commit; whether it
	// happened must be read back.
	ErrUnknownOutcome = errors.New("commit outcome unknown")
	// ErrStoreFull: the committer's queue is full; nothing was written.
	ErrStoreFull = errors.New("store queue is full")
)

// TripError says which of several trips that are written together is why none was.
type TripError struct {
	Trip TripID
	Err  error
}

// Error implements error.
func (e *TripError) Error() string { return "trip " + string(e.Trip) + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *TripError) Unwrap() error { return e.Err }

// Breadcrumb is one recorded position of a trip.
type Breadcrumb struct {
	Trip  TripID
	At    time.Time // device time
	Point geo.Point
	// AccuracyM is the radius that the device claimed in metres, 0 when unknown, and
	// ReceivedAt when the server had it; zero in older records.
	AccuracyM  float64
	ReceivedAt time.Time
}

// TripFilter selects trips for a list, newest first.
type TripFilter struct {
	Account  AccountID // as rider or driver; empty: any (operators only)
	Statuses []Status  // any of these; empty: any
	Live     bool      // only live ones
	Text     string    // part of an address, of the id, or of a party's name, username or plate
	From     time.Time // requested at or after; zero: any
	To       time.Time // requested before; zero: any
	Page     Page
}

// StoredEvent is an event with its place in the trip's history.
type StoredEvent struct {
	Version int64
	Event   Event
}

// MarshalTrip gives the stored form of a trip's state.
func MarshalTrip(t *Trip) ([]byte, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("marshal trip: %w", err)
	}
	return b, nil
}

// UnmarshalTrip reads the stored form of a trip's state.
func UnmarshalTrip(b []byte) (*Trip, error) {
	var t Trip
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("unmarshal trip: %w", err)
	}
	return &t, nil
}

// Replay folds a whole history into the state that it leads to.
func Replay(events []Event) Trip {
	var t Trip
	for _, e := range events {
		t = Apply(t, e)
	}
	return t
}

// OpenOffer is an open offer with its trip.
type OpenOffer struct {
	Offer Offer
	Trip  Trip
}
