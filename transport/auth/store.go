package auth

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Store is what a Service needs stored. Errors wrap ride.ErrNotFound, ride.ErrUsernameTaken
// or ride.ErrUnavailable where those fit. All methods are safe for concurrent use and honour
// the context's deadline.
type Store interface {
	Accounts
	RefreshTokens
	Places
	Failures
}

// Accounts are the accounts as signing in and signing up see them; see Store.
type Accounts interface {
	// CreateAccount adds an account; hash is a PHC string, or empty for an account of
	// an outside issuer. ride.ErrUsernameTaken when the username (without regard to
	// case) or the (issuer, subject) pair exists.
	CreateAccount(ctx context.Context, a ride.Account, hash string) error
	// Account returns an account, or ride.ErrNotFound.
	Account(ctx context.Context, id ride.AccountID) (ride.Account, error)
	// AccountByUsername also returns the password hash.
	AccountByUsername(ctx context.Context, username string) (ride.Account, string, error)
	// AccountBySubject returns the account of an outside issuer's subject, or ride.ErrNotFound.
	AccountBySubject(ctx context.Context, issuer, subject string) (ride.Account, error)
	// SetPassword replaces the hash of an account's password; ride.ErrNotFound if there is none.
	SetPassword(ctx context.Context, id ride.AccountID, hash string) error
	// RenewPassword sets another hash of the same password, unless old is no longer
	// the account's: then ride.ErrNotFound.
	RenewPassword(ctx context.Context, id ride.AccountID, old, hash string) error
	// ErasedAt tells when an account of an outside issuer was erased; zero if it was not, or
	// so long ago that no token is left from before.
	ErasedAt(ctx context.Context, issuer, subject string) (time.Time, error)
}

// RefreshTokens keep log-ins: each is a family of refresh tokens; see Store.
type RefreshTokens interface {
	// SaveRefreshToken adds the first token of a family.
	SaveRefreshToken(ctx context.Context, t ride.RefreshToken) error
	// RotateRefreshToken spends the token with the hash and saves its successor, in
	// one transaction. The successor takes the spent token's family and account,
	// and ignores those in next. It returns the token presented.
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
	// RevokeFamily ends one log-in: none of its tokens counts from then on.
	RevokeFamily(ctx context.Context, family string) error
	// FamilyRevoked tells whether access tokens of a family still count.
	FamilyRevoked(ctx context.Context, family string) (bool, error)
	// RevokeAccount ends every log-in of an account, and the tokens of an outside issuer up to
	// from; an earlier from than before changes nothing.
	RevokeAccount(ctx context.Context, id ride.AccountID, from time.Time) error
}

// Places keep where accounts have signed in; see Store.
type Places interface {
	// KnownPlaces returns the hashes of the places where an account has signed in since; none
	// for an account that does not exist.
	KnownPlaces(ctx context.Context, id ride.AccountID, since time.Time) ([]string, error)
	// SavePlaces notes log-ins of an account at these places, and forgets all but the newest.
	SavePlaces(ctx context.Context, id ride.AccountID, places []string, at time.Time, keep int) error
}

// Failures count failed log-ins for all servers on the database, under keys that name no one; see
// Store. Ages are by the clock that the servers share.
type Failures interface {
	// LogInFailures returns the counts of those keys that have one, unless it is forgotten.
	LogInFailures(ctx context.Context, keys []string) (map[string]ride.FailureCount, error)
	// AddLogInFailure adds one to the count of each key, and returns the new counts, each with a
	// later Last than before. A count is
	// forgotten when no failure follows for as long as forget says. A store may keep no more than
	// a bounded number of counts, the newest.
	AddLogInFailure(ctx context.Context, keys []string, forget time.Duration) (map[string]ride.FailureCount, error)
	// ForgetLogInFailures removes the count of a key, if there is one.
	ForgetLogInFailures(ctx context.Context, key string) error
}
