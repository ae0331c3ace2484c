package ride

import (
	"errors"
	"fmt"
	"time"
)

// Error is a refusal that a client may see: a stable code to branch on and a
// sentence to read. Two errors match under errors.Is when their codes do, so a
// sentinel matches every refinement made of it by With, In and After.
type Error struct {
	Code      string // stable, lower snake case
	Message   string // a sentence for people; never internals
	Field     string // path of the field at fault, or empty
	Retryable bool   // the same command may succeed later, unchanged
	// RetryAfter is how long to wait first; 0: no opinion.
	RetryAfter time.Duration
}

// Error implements error.
func (e *Error) Error() string {
	if e.Field != "" {
		return e.Code + ": " + e.Field + ": " + e.Message
	}
	return e.Code + ": " + e.Message
}

// Is matches by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// With returns a copy with another sentence.
func (e *Error) With(format string, args ...any) *Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// After returns a copy that says how long to wait before trying again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// In returns a copy that names the field at fault.
func (e *Error) In(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// The refusals. docs/protocol.md explains each; a test keeps both lists equal.
var (
	ErrMalformed       = def("malformed", "The frame could not be read.")
	ErrInvalidArgument = def("invalid_argument", "A field holds a value that is not allowed.")
	ErrInvalidPoint    = def("invalid_point", "The coordinates are not a place on Earth.")
	ErrIDRequired      = def("id_required", "This message needs an id of 1 to 64 bytes.")
	ErrIDReused        = def("id_reused", "This id was used before with another message.")
	ErrNotConnected    = def("not_connected", "The first message must be connect.")
	ErrConnected       = def("already_connected", "This session is connected already.")
	ErrUnauthenticated = def("unauthenticated", "The credentials are missing, wrong or expired.")
	ErrWrongRole       = def("wrong_role", "This account's role may not do that.")
	ErrSuspended       = def("suspended", "This account is suspended.")
	ErrApprovalPending = def("approval_pending", "An operator has not approved this driver yet.")
	ErrApprovalRefused = def("approval_refused", "An operator refused this driver.")
	ErrFreshLogin      = def("fresh_login_required", "This needs a log-in of the last minutes; log in again.")
	ErrTripActive      = def("trip_active", "A trip of this account is under way; end it first.")
	ErrNotFound        = def("not_found", "There is no such thing for this account.")
	ErrUsernameTaken   = def("username_taken", "This username is in use.")
	ErrRiderBusy       = def("rider_busy", "This rider has an active trip already.")
	ErrDriverBusy      = def("driver_busy", "This driver has an active trip already.")
	ErrOfferClosed     = def("offer_closed", "This offer is no longer open.")
	ErrOfferTaken      = def("offer_taken", "Another driver won this trip.")
	ErrWrongStatus     = def("wrong_status", "The trip's status does not allow that.")
	ErrPINRequired     = def("pin_required", "This trip starts with the rider's PIN; ask the rider for it.")
	ErrWrongPIN        = def("wrong_pin", "The PIN is not the rider's.")
	ErrTooFar          = def("too_far", "You are too far away for that.")
	ErrPositionUnknown = def("position_unknown", "Your position is not known; send it first.")
	ErrPINLocked       = retry("pin_locked", "Too many wrong PINs; wait before trying again.")
	ErrAlreadyRated    = def("already_rated", "This trip was rated already.")
	ErrUnknownClass    = def("unknown_vehicle_class", "There is no such vehicle class.")
	ErrNoRoute         = def("no_route", "There is no way between these points that this service drives.")
	ErrTooMany         = retry("too_many_requests", "Too many messages; slow down.")
	ErrUnavailable     = retry("unavailable", "The service cannot do this right now; nothing was changed or the same id will tell.")
	ErrShuttingDown    = retry("shutting_down", "This server is going away; reconnect.")
	ErrInternal        = retry("internal", "Something went wrong on our side.")
)

var all []*Error

func def(code, message string) *Error {
	e := &Error{Code: code, Message: message}
	all = append(all, e)
	return e
}

func retry(code, message string) *Error {
	e := def(code, message)
	e.Retryable = true
	return e
}

// Errors returns every refusal that a client may see, in the order of the source.
func Errors() []*Error { return append([]*Error(nil), all...) }

// ErrTokenReused means that a refresh token was spent before and its grace period does not
// apply: it was copied.
var ErrTokenReused = errors.New("refresh token reused")
