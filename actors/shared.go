package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/actors/city"
	"github.com/hexhail/hexhail/actors/runtime"
)

// shared is what the actors of this node share: all that they know of the System.
type shared struct {
	cfg    Config
	store  Store
	host   *runtime.Host
	root   *actor.RootContext // of the host
	place  Placement
	city   *city.City
	stats  *stats
	crumbs *breadcrumbs
	pace   *pace
	// rejoin takes a session that arrived at a stopping actor to a living one.
	rejoin func(Join, *Peer)
}

// storeContext bounds one call of the store.
func (s *shared) storeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.cfg.StoreTimeout)
}

// sender returns a function that sends a message, for timers.
func (s *shared) sender(to *actor.PID, message any) func() {
	return s.host.Sender(to, message)
}

// stop stops an actor once it has read what was sent to it so far.
func (s *shared) stop(pid *actor.PID) { s.host.Stop(pid) }
