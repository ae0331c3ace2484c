package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Placement says where actors live. It is the one seam between the actors and the
// number of nodes: here everything lives on this one. All methods are safe for
// concurrent use.
type Placement interface {
	// Trip returns the actor of a trip, made if need be.
	Trip(id ride.TripID) *actor.PID
	// Retire forgets a trip's actor, which then stops after what it was sent. A message
	// that is sent later, to a PID obtained before, is lost; senders that need an
	// answer ask again.
	Retire(id ride.TripID, pid *actor.PID)
	// Cells returns the actors that answer for the drivers in a grid disk.
	Cells(disk []geo.Cell) []*actor.PID
}

// local places everything on this node.
type local struct {
	spawnTrip func(id ride.TripID) *actor.PID
	stop      func(pid *actor.PID)
	cells     *cells

	mu    sync.Mutex
	trips map[ride.TripID]*actor.PID
}

func (l *local) Trip(id ride.TripID) *actor.PID {
	l.mu.Lock()
	defer l.mu.Unlock()
	pid := l.trips[id]
	if pid == nil {
		pid = l.spawnTrip(id)
		l.trips[id] = pid
	}
	return pid
}

func (l *local) Retire(id ride.TripID, pid *actor.PID) {
	l.mu.Lock()
	if l.trips[id] == pid {
		delete(l.trips, id)
	}
	l.mu.Unlock()
	l.stop(pid)
}

func (l *local) Cells(disk []geo.Cell) []*actor.PID { return l.cells.occupied(disk, nil) }

// all returns the trips that are alive here.
func (l *local) all() []*actor.PID {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*actor.PID, 0, len(l.trips))
	for _, pid := range l.trips {
		out = append(out, pid)
	}
	return out
}
