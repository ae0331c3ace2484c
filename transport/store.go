package transport

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Accounts is the account store that transport needs. Errors wrap ride.ErrNotFound,
// ride.ErrUsernameTaken or ride.ErrUnavailable where those fit. All methods are safe for
// concurrent use and honour the context's deadline.
type Accounts interface {
	// CreateAccount adds an account; hash is a PHC string, or empty for an account of
	// an outside issuer. ride.ErrUsernameTaken when the username (without regard to
	// case) or the (issuer, subject) pair exists.
	CreateAccount(ctx context.Context, a ride.Account, hash string) error
	Account(ctx context.Context, id ride.AccountID) (ride.Account, error)
	// AccountsByID returns those of the list that exist, in no order.
	AccountsByID(ctx context.Context, ids []ride.AccountID) ([]ride.Account, error)
	// AccountByUsername also returns the password hash.
	AccountByUsername(ctx context.Context, username string) (ride.Account, string, error)
	AccountBySubject(ctx context.Context, issuer, subject string) (ride.Account, error)
	// UpdateAccount changes what is given. A photo that is replaced or taken away is removed.
	UpdateAccount(ctx context.Context, id ride.AccountID, p ride.AccountPatch) (ride.Account, error)
	SetPassword(ctx context.Context, id ride.AccountID, hash string) error
	// RenewPassword sets another hash of the same password, unless old is no longer
	// the account's: then ride.ErrNotFound.
	RenewPassword(ctx context.Context, id ride.AccountID, old, hash string) error
	// Erase removes an account and what names its person, in trips too; figures stay. It
	// returns ride.ErrTripActive while the account has a live trip, and ride.ErrNotFound.
	Erase(ctx context.Context, id ride.AccountID) error
	// ErasedAt tells when an account of an outside issuer was erased; zero if it was not, or
	// so long ago that no token is left from before.
	ErasedAt(ctx context.Context, issuer, subject string) (time.Time, error)
	// Held returns what is stored about an account besides itself and its trips, by table,
	// fit to be shown to its owner.
	Held(ctx context.Context, id ride.AccountID) (map[string][]ride.HeldRow, error)
	// SetAccountStatus also ends every log-in when it suspends, as RevokeAccount does.
	SetAccountStatus(ctx context.Context, id ride.AccountID, s ride.AccountStatus) error
	// SetApproval records a decision about a driver and returns the account as it is then;
	// ride.ErrNotFound if there is no such driver.
	SetApproval(ctx context.Context, id ride.AccountID, to ride.Approval, reason string) (ride.Account, error)
	// CountWaiting returns how many drivers wait for approval, and most if there are more.
	CountWaiting(ctx context.Context, most int) (int, error)
	// ListAccounts returns a page and the cursor of the next one, empty at the end.
	ListAccounts(ctx context.Context, f ride.AccountFilter) ([]ride.Account, string, error)

	SavePhoto(ctx context.Context, p ride.Photo) error
	Photo(ctx context.Context, id string) (ride.Photo, error)
	DeletePhoto(ctx context.Context, id string) error

	SaveRefreshToken(ctx context.Context, t ride.RefreshToken) error
	// RotateRefreshToken spends the token with the hash and saves its successor, in
	// one transaction. The successor takes the spent token's family and account,
	// whatever next says. It returns the token presented.
	//
	// The attempt is the hash of what names the try to spend it, empty if nothing does.
	// A token that was spent less than grace ago counts once more for the attempt that
	// spent it, which is not empty, as long as its successor is unused, as after an
	// answer that was lost: next takes the successor's place, and the successor counts
	// as spent. Every rotation thus leaves one unspent token in the family. Any other
	// spent token, or attempt, revokes the whole family and gives ride.ErrTokenReused
	// with the token; an unknown, expired or revoked one gives ride.ErrNotFound.
	RotateRefreshToken(ctx context.Context, hash, attempt string, next ride.RefreshToken, grace time.Duration) (ride.RefreshToken, error)
	// RefreshToken reads a token without spending it, also one that was spent.
	RefreshToken(ctx context.Context, hash string) (ride.RefreshToken, error)
	RevokeFamily(ctx context.Context, family string) error
	// FamilyRevoked tells whether access tokens of a family still count.
	FamilyRevoked(ctx context.Context, family string) (bool, error)
	// RevokeAccount ends every log-in of an account, and the tokens of an outside issuer up to
	// from; an earlier from than before changes nothing.
	RevokeAccount(ctx context.Context, id ride.AccountID, from time.Time) error

	// KnownPlaces returns the hashes of the places where an account has signed in since; none
	// for an account that does not exist.
	KnownPlaces(ctx context.Context, id ride.AccountID, since time.Time) ([]string, error)
	// SavePlaces notes log-ins of an account at these places, and forgets all but the newest.
	SavePlaces(ctx context.Context, id ride.AccountID, places []string, at time.Time, keep int) error

	AddAudit(ctx context.Context, e ride.AuditEntry) error
	// ListAudit returns entries newest first, with the cursor of the next page.
	ListAudit(ctx context.Context, f ride.AuditFilter) ([]ride.AuditEntry, string, error)
}

// Trips is what transport reads of trips; it never writes them.
type Trips interface {
	// Trip returns the newest committed state, or ride.ErrNotFound.
	Trip(ctx context.Context, id ride.TripID) (ride.Trip, error)
	// ActiveTrip returns the live trip that occupies this rider, or this driver;
	// ride.ErrNotFound if none does.
	ActiveTrip(ctx context.Context, account ride.AccountID, role ride.Role) (ride.Trip, error)
	TripEvents(ctx context.Context, id ride.TripID) ([]ride.StoredEvent, error)
	// TripTrack returns the breadcrumbs by device time, at most 10,000 (thinned evenly).
	TripTrack(ctx context.Context, id ride.TripID) ([]ride.Breadcrumb, error)
	ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error)
	// OpenOffers returns a driver's open, unexpired offers with their trips.
	OpenOffers(ctx context.Context, driver ride.AccountID) ([]ride.OpenOffer, error)
}
