package api

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Live is what the API needs of the running sessions and trips. All methods are safe for
// concurrent use.
type Live interface {
	// Disconnect closes the live sessions that an account has on this server at once; only those
	// of the given log-in family unless family is empty. Other servers follow the database.
	Disconnect(account ride.AccountID, family string, code ridepb.CloseCode)
	// AccountChanged brings an account's running session up to date, if it has one on this server. A
	// driver whose approval changed gets an event; one who may no longer drive goes offline.
	AccountChanged(a ride.Account)
	// CancelTrip ends a live trip for an operator and returns its new state.
	CancelTrip(ctx context.Context, id ride.TripID, operator ride.AccountID, reason string) (ride.Trip, error)
	// Redispatch takes a trip that has not started from its driver and looks for another,
	// or has a trip that waits for a driver look again now. It returns the trip's state.
	Redispatch(ctx context.Context, id ride.TripID, reason string) (ride.Trip, error)
	// Actors counts the actors by kind, in a cluster those of all nodes that answer. It returns the nodes
	// of the cluster, too; none: this server is alone.
	Actors(ctx context.Context) ([]*ridepb.ActorKind, []*ridepb.CityNode)
	// Samples returns the points of the charts after a time, oldest first, in steps of
	// this length: a multiple of 10 s.
	Samples(since time.Time, step time.Duration) []*ridepb.Sample
}
