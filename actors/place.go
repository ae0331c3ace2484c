package actors

import (
	"cmp"
	"slices"
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
	// Await makes it known that a trip waits for a driver at a cell, Forget that it no
	// longer does. Waiting returns the actors of at most limit trips that wait in a disk
	// for a driver of a class; of many, rather those that have waited longest.
	Await(at geo.Cell, w waiter)
	Forget(at geo.Cell, trip ride.TripID)
	Waiting(disk []geo.Cell, class string, limit int) []*actor.PID
}

// waiter is a trip that waits for a driver.
type waiter struct {
	trip  ride.TripID
	class string
	pid   *actor.PID
}

// local places everything on this node.
type local struct {
	spawnTrip func(id ride.TripID) *actor.PID
	stop      func(pid *actor.PID)
	cells     *cells

	mu    sync.Mutex
	trips map[ride.TripID]*actor.PID

	waitMu sync.RWMutex
	wait   map[geo.Cell]map[ride.TripID]waiter
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

func (l *local) Await(at geo.Cell, w waiter) {
	l.waitMu.Lock()
	defer l.waitMu.Unlock()
	if l.wait[at] == nil {
		l.wait[at] = make(map[ride.TripID]waiter)
	}
	l.wait[at][w.trip] = w
}

func (l *local) Forget(at geo.Cell, trip ride.TripID) {
	l.waitMu.Lock()
	defer l.waitMu.Unlock()
	delete(l.wait[at], trip)
	if len(l.wait[at]) == 0 {
		delete(l.wait, at)
	}
}

// Waiting looks at a few times limit trips only, whichever come first: a stadium's worth
// of them is not sorted for every driver. Ids rise with time.
func (l *local) Waiting(disk []geo.Cell, class string, limit int) []*actor.PID {
	var found []waiter
	l.waitMu.RLock()
	for _, cell := range disk {
		for _, w := range l.wait[cell] {
			if len(found) == 8*limit {
				break
			}
			if w.class == class {
				found = append(found, w)
			}
		}
	}
	l.waitMu.RUnlock()
	slices.SortFunc(found, func(a, b waiter) int { return cmp.Compare(a.trip, b.trip) })
	out := make([]*actor.PID, min(len(found), limit))
	for i := range out {
		out[i] = found[i].pid
	}
	return out
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
