package ride

import (
	"errors"
	"time"
)

// After MaxPINTries wrong PINs in a row a trip does not start for PINLock, whichever PIN its driver
// gives. Then as many tries are free again.
const (
	MaxPINTries = 5
	PINLock     = time.Minute
)

// PINTries are the wrong PINs of a trip's driver. They are part of the trip's state without being
// events: a refusal changes them, and the version stays. Each event that ends the driver's wait at
// the pickup clears them, so that the next driver starts with none.
type PINTries struct {
	Wrong       int       `json:"wrong,omitempty"` // since the last lock
	LockedUntil time.Time `json:"locked_until,omitzero"`
}

// decideStart begins the ride, with the rider's PIN where the trip has one.
func decideStart(t Trip, at time.Time, c StartTrip) ([]Event, error) {
	if err := t.mustDrive(c.Driver, StatusArrived); err != nil {
		return nil, err
	}
	locked := remaining(t.PINTries.LockedUntil, at, PINLock)
	switch {
	case t.PIN == "":
	case locked > 0:
		return nil, ErrPINLocked.After(locked)
	case c.PIN == "":
		return nil, ErrPINRequired // no guess
	case c.PIN != t.PIN:
		return nil, ErrWrongPIN
	}
	return one(Started{At: at}), nil
}

// Refused returns the state in which a refusal by Decide leaves the trip, and whether it differs
// from the state before. The caller writes a state that differs together with the refusal's record
// and answers only then: otherwise a crash would make a guess free. The version stays, because
// nothing has happened that anyone is to hear of.
func Refused(t Trip, at time.Time, refusal error) (Trip, bool) {
	if !errors.Is(refusal, ErrWrongPIN) {
		return t, false
	}
	t.PINTries.Wrong++
	if t.PINTries.Wrong >= MaxPINTries {
		t.PINTries = PINTries{LockedUntil: Clean(at).Add(PINLock)}
	}
	return t, true
}
