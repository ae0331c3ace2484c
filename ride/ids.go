// Package ride is the domain of Hexhail: trips, offers, dispatch, fares and
// accounts, as pure values and functions. It reads no clock, starts no goroutine,
// does no I/O and writes no log; the caller passes the time and
// carries out the decisions. All of it is safe for concurrent use as long as
// callers do not share a value that they change.
package ride

import (
	"strconv"
	"strings"
	"time"
)

// AccountID names a rider, a driver or an operator. It is opaque.
type AccountID string

// TripID names a trip. It is opaque and holds no dot.
type TripID string

// OfferID names an offer: its trip's id, a dot, and the offer's number within
// the trip from 1. So an offer leads to its trip without a look-up.
type OfferID string

// NewOfferID names the n-th offer of a trip, n from 1.
func NewOfferID(trip TripID, n int) OfferID {
	return OfferID(string(trip) + "." + strconv.Itoa(n))
}

// Trip returns the trip that the offer belongs to, and whether the id has the
// form of an offer id at all.
func (id OfferID) Trip() (TripID, bool) {
	trip, n, ok := strings.Cut(string(id), ".")
	i, err := strconv.Atoi(n)
	if !ok || trip == "" || err != nil || i < 1 || n != strconv.Itoa(i) {
		return "", false
	}
	return TripID(trip), true
}

// Role is what an account may do. It comes from the account, never from a message.
type Role string

// The roles. Sign-up makes riders and drivers; operators are made on the server.
const (
	RoleRider    Role = "rider"
	RoleDriver   Role = "driver"
	RoleOperator Role = "operator"
)

// Valid reports whether r is one of the three roles.
func (r Role) Valid() bool { return r == RoleRider || r == RoleDriver || r == RoleOperator }

// Party is who caused something.
type Party string

// The parties. System stands for timers.
const (
	ByRider    Party = "rider"
	ByDriver   Party = "driver"
	ByOperator Party = "operator"
	BySystem   Party = "system"
)

// Clean brings a time to the form that the domain and both databases keep
// without loss: UTC, whole microseconds, no monotonic reading.
func Clean(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
