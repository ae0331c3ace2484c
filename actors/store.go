package actors

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// Store is the trip store that the actors need. All methods are safe for concurrent use and honour
// the context's deadline. Any error other than the sentinels below means that the store could not
// be reached and that nothing has changed; only ride.ErrUnknownOutcome from Commit leaves that
// open.
type Store interface {
	// Commit writes one transition durably, all of it or nothing, through the group
	// committer: it returns when the transaction that holds it is on disk.
	//   ride.ErrStale        version or fence moved on
	//   ride.ErrRiderBusy    the rider has another live trip (unique index)
	//   ride.ErrDriverBusy   the driver has another active trip (unique index)
	//   ride.ErrCommandSeen  the command id has an outcome already
	//   ride.ErrUnknownOutcome, ride.ErrStoreFull
	Commit(ctx context.Context, t ride.Transition) error
	// CommitAll writes transitions of several existing trips durably, all of them or nothing; drivers
	// may move among them. The errors are those of Commit; a *ride.TripError says which trip is to blame.
	CommitAll(ctx context.Context, ts []ride.Transition) error
	// Activate raises the trip's fence and returns the newest state, Fence set.
	// ride.ErrNotFound if there is no such trip.
	Activate(ctx context.Context, id ride.TripID) (ride.Trip, error)
	// Trip reads the newest committed state without raising the fence.
	Trip(ctx context.Context, id ride.TripID) (ride.Trip, error)
	// TripEvents returns a trip's history in order, empty if it is no longer kept.
	TripEvents(ctx context.Context, id ride.TripID) ([]ride.StoredEvent, error)
	// Account reads an account, or returns ride.ErrNotFound.
	Account(ctx context.Context, id ride.AccountID) (ride.Account, error)
	// Command reads a command's outcome; ride.ErrNotFound if it has none.
	Command(ctx context.Context, account ride.AccountID, id string) (ride.CommandRecord, error)
	// ActiveTrip returns the live trip that occupies this rider or driver; ride.ErrNotFound if none
	// does.
	ActiveTrip(ctx context.Context, account ride.AccountID, role ride.Role) (ride.Trip, error)
	// OpenOffers returns a driver's open, unexpired offers with their trips.
	OpenOffers(ctx context.Context, driver ride.AccountID) ([]ride.OpenOffer, error)
	// Overdue pages by id through the live trips whose wake time lies before t.
	Overdue(ctx context.Context, t time.Time, after ride.TripID, limit int) ([]ride.TripID, error)
	// LiveTrips pages through all live trips by id.
	LiveTrips(ctx context.Context, after ride.TripID, limit int) ([]ride.TripID, error)
	// ListTrips returns a page of trips, newest first, and the cursor of the next.
	ListTrips(ctx context.Context, f ride.TripFilter) ([]ride.Trip, string, error)
	Tracks
	Sessions
}

// Tracks are the positions recorded during trips; see Store.
type Tracks interface {
	// AddBreadcrumbs writes positions in one transaction; duplicates are ignored.
	AddBreadcrumbs(ctx context.Context, b []ride.Breadcrumb) error
	// TripTrack returns the breadcrumbs of a trip by device time.
	TripTrack(ctx context.Context, id ride.TripID) ([]ride.Breadcrumb, error)
}

// Sessions says which process of a cluster holds an account's newest session.
type Sessions interface {
	// ClaimSession makes a session of this process the account's newest. Its generation is higher
	// than that of each before, whatever the processes do at once.
	ClaimSession(ctx context.Context, account ride.AccountID, node, incarnation string) (ride.SessionClaim, error)
}
