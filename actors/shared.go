package actors

import (
	"context"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/actors/runtime"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// shared is what the actors of this node share, and all that they see of the System.
type shared struct {
	cfg    Config
	rules  atomic.Pointer[ride.Rules] // of new trips: cfg.Rules, or what SetPolicy made of them
	store  Store
	host   *runtime.Host
	root   *actor.RootContext // the host's
	place  Placement
	city   *city.City
	stats  *stats
	crumbs *breadcrumbs
	pace   *pace
	// workers plan and match routes; planner is the ETA source as one, nil: it finds no routes.
	workers *workers
	planner geo.Planner
	// fan and snapper are the ETA source, too; nil: it takes points only. quick says that it never blocks.
	fan     geo.Fan
	snapper geo.Snapper
	quick   bool
	// rejoin joins a session that reached a stopping actor to the account's current one.
	rejoin func(Join, *Inbox)
	// announceSession tells the other nodes of an account's new session; nil: this node is alone.
	announceSession func(account ride.AccountID, generation uint64)
	// reaches reports whether another node is likely to answer; nil: this node is alone.
	reaches func(m Member) bool
	// others are the other nodes, and self is the address of this node's actors; nil: this node is alone.
	others func() []Member
	self   string
}

// storeContext bounds one call of the store.
func (s *shared) storeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.cfg.StoreTimeout)
}

// sender returns a function that sends a message, for timers.
func (s *shared) sender(to *actor.PID, message any) func() {
	return s.host.Sender(to, message)
}

// stop stops an actor once it has handled what it was sent so far.
func (s *shared) stop(pid *actor.PID) { s.host.Stop(pid) }

// loss is the version at which a driver lost a trip, 0 if it never had it or if the history is not kept,
// and the reason if that was an exchange.
type loss struct {
	version int64
	reason  string
}

// releasedAt reads from a trip's history when a driver last lost it. It blocks on the store for at most
// StoreTimeout.
func (s *shared) releasedAt(trip ride.TripID, driver ride.AccountID) (at loss, err error) {
	ctx, cancel := s.storeContext()
	defer cancel()
	events, err := s.store.TripEvents(ctx, trip)
	if err != nil {
		return at, err
	}
	for _, e := range events {
		switch ev := e.Event.(type) {
		case ride.Released:
			if ev.Driver == driver {
				at = loss{version: e.Version}
			}
		case ride.Exchanged:
			if ev.From == driver {
				at = loss{e.Version, ev.Reason}
			}
		}
	}
	return at, nil
}

// sameActor reports whether two PIDs, which may be nil, are of one actor.
func sameActor(a, b *actor.PID) bool {
	return a == b || a != nil && b != nil && a.Equal(b)
}
