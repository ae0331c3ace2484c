package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
)

// zones is this node's directory of matchers. Safe for concurrent use.
type zones struct {
	spawn func(zone geo.Cell) *actor.PID
	stop  func(pid *actor.PID)

	mu sync.Mutex
	by map[geo.Cell]*actor.PID
}

// Matcher returns a zone's matcher, and makes it if need be.
func (z *zones) Matcher(zone geo.Cell) *actor.PID {
	z.mu.Lock()
	defer z.mu.Unlock()
	pid := z.by[zone]
	if pid == nil {
		pid = z.spawn(zone)
		z.by[zone] = pid
	}
	return pid
}

// FindMatcher returns a zone's matcher; nil: there is none.
func (z *zones) FindMatcher(zone geo.Cell) *actor.PID {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.by[zone]
}

// RetireMatcher forgets a matcher and stops it.
func (z *zones) RetireMatcher(zone geo.Cell, pid *actor.PID) {
	z.mu.Lock()
	if is := z.by[zone]; is != nil && is.Equal(pid) {
		delete(z.by, zone)
	}
	z.mu.Unlock()
	z.stop(pid)
}

// MatchersHere returns the matchers of this node.
func (z *zones) MatchersHere() map[geo.Cell]*actor.PID {
	z.mu.Lock()
	defer z.mu.Unlock()
	out := make(map[geo.Cell]*actor.PID, len(z.by))
	for zone, pid := range z.by {
		out[zone] = pid
	}
	return out
}
