package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/actors/runtime"
)

// shared is what the actors of this node share, and all that they see of the System.
type shared struct {
	cfg    Config
	store  Store
	host   *runtime.Host
	root   *actor.RootContext // the host's
	place  Placement
	city   *city.City
	stats  *stats
	crumbs *breadcrumbs
	pace   *pace
	// rejoin joins a session that reached a stopping actor to the account's current one.
	rejoin func(Join, *Inbox)
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
