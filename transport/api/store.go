package api

import (
	"context"

	"github.com/hexhail/hexhail/ride"
)

// Accounts are the accounts as their owners and operators see and change them. Errors wrap
// ride.ErrNotFound or ride.ErrUnavailable where those fit. All methods are safe for concurrent
// use and honour the context's deadline.
type Accounts interface {
	// Account returns an account, or ride.ErrNotFound.
	Account(ctx context.Context, id ride.AccountID) (ride.Account, error)
	// AccountsByID returns those of the list that exist, in no order.
	AccountsByID(ctx context.Context, ids []ride.AccountID) ([]ride.Account, error)
	// UpdateAccount changes what is given. A photo that is replaced or taken away is removed.
	UpdateAccount(ctx context.Context, id ride.AccountID, p ride.AccountPatch) (ride.Account, error)
	// Erase removes an account and what names its person, in trips too; figures stay. It
	// returns ride.ErrTripActive while the account has a live trip, and ride.ErrNotFound.
	Erase(ctx context.Context, id ride.AccountID) error
	// Held returns what is stored about an account besides itself and its trips, by table,
	// fit to be shown to its owner.
	Held(ctx context.Context, id ride.AccountID) (map[string][]ride.HeldRow, error)
	// SetAccountStatus also ends every log-in when it suspends, and the tokens that an outside
	// issuer has made.
	SetAccountStatus(ctx context.Context, id ride.AccountID, s ride.AccountStatus) error
	// SetApproval records a decision about a driver and returns the account as it is then;
	// ride.ErrNotFound if there is no such driver.
	SetApproval(ctx context.Context, id ride.AccountID, to ride.Approval, reason string) (ride.Account, error)
	// CountWaiting returns how many drivers wait for approval, and most if there are more.
	CountWaiting(ctx context.Context, most int) (int, error)
	// ListAccounts returns a page and the cursor of the next one, empty at the end.
	ListAccounts(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error)
}

// Photos are the photos of accounts; Accounts removes them. Errors are those of Accounts.
type Photos interface {
	// SavePhoto adds a photo, which belongs to no account until UpdateAccount names it.
	SavePhoto(ctx context.Context, p ride.Photo) error
	// Photo returns a photo with its picture, or ride.ErrNotFound.
	Photo(ctx context.Context, id string) (ride.Photo, error)
}

// Audit is the record of what operators did. Errors are those of Accounts.
type Audit interface {
	// AddAudit adds an entry and numbers it.
	AddAudit(ctx context.Context, e ride.AuditEntry) error
	// ListAudit returns entries newest first, with the cursor of the next page.
	ListAudit(ctx context.Context, f ride.AuditFilter) ([]ride.AuditEntry, string, error)
}

// Trips is what the API reads of trips; it never writes them. Errors are those of Accounts.
type Trips interface {
	// Trip returns the newest committed state, or ride.ErrNotFound.
	Trip(ctx context.Context, id ride.TripID) (ride.Trip, error)
	// ActiveTrip returns the live trip that occupies this rider, or this driver;
	// ride.ErrNotFound if none does.
	ActiveTrip(ctx context.Context, account ride.AccountID, role ride.Role) (ride.Trip, error)
	// TripEvents returns a trip's events in their order.
	TripEvents(ctx context.Context, id ride.TripID) ([]ride.StoredEvent, error)
	// TripTrack returns the breadcrumbs by device time, at most 10,000 (thinned evenly).
	TripTrack(ctx context.Context, id ride.TripID) ([]ride.Breadcrumb, error)
	// ListTrips returns a page, newest first, and the cursor of the next one, empty at the end.
	ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error)
	// CountTrips counts the trips that a filter selects, whatever its page, and stops at most.
	CountTrips(ctx context.Context, f ride.TripFilter, most int) (int, error)
	// OpenOffers returns a driver's open, unexpired offers with their trips.
	OpenOffers(ctx context.Context, driver ride.AccountID) ([]ride.OpenOffer, error)
}
