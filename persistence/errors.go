package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/hexhail/hexhail/ride"
)

// The names of the unique constraints, the same on both engines.
const (
	uniqueLiveRider    = "trips_live_rider"
	uniqueActiveDriver = "trips_active_driver"
	uniqueTripID       = "trips_pkey"
	uniqueTripVersion  = "trip_events_pkey"
	uniqueCommand      = "commands_pkey"
	uniqueUsername     = "accounts_username"
	uniqueSubject      = "accounts_subject"
	uniqueAuditID      = "audit_pkey"
)

// errClosed is the cause once Close was called.
var errClosed = errors.New("store is closed")

// failure turns an engine's error into one that callers can branch on, once, with
// what was attempted in front. Errors of package ride pass through.
func (s *Store) failure(op string, err error) error {
	if err != nil && s.closed.Load() {
		err = fmt.Errorf("%w: %w", errClosed, err)
	}
	return wrap(s.eng, op, err)
}

func wrap(eng engine, op string, err error) error {
	var refusal *ride.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal), isRefusal(err):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", op, ride.ErrNotFound)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, sql.ErrConnDone), errors.Is(err, errClosed), eng.unavailable(err):
		return fmt.Errorf("%s: %w: %w", op, ride.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// isRefusal reports whether err is one of the sentinels that are for shells only.
func isRefusal(err error) bool {
	for _, s := range []error{ride.ErrStale, ride.ErrCommandSeen, ride.ErrUnknownOutcome,
		ride.ErrStoreFull, ride.ErrTokenReused} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

// refusalOf names the refusal that a violated constraint of the append path means, or nil.
func refusalOf(constraint string) error {
	switch constraint {
	case uniqueLiveRider:
		return ride.ErrRiderBusy
	case uniqueActiveDriver:
		return ride.ErrDriverBusy
	case uniqueTripID, uniqueTripVersion:
		return ride.ErrStale
	case uniqueCommand:
		return ride.ErrCommandSeen
	}
	return nil
}
