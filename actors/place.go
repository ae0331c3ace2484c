package actors

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/uuid"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Local is the Placement of a single node: maps behind locks. It owns every trip.
func Local(n Node) Placement { return newLocal(n) }

func newLocal(n Node) *local {
	return &local{
		people: people{by: make(map[ride.AccountID]claim)},
		cells:  cells{spawn: n.SpawnCell, stop: n.Stop, by: make(map[geo.Cell]*cellRef)},
		zones:  zones{spawn: n.SpawnMatcher, stop: n.Stop, by: make(map[geo.Cell]*actor.PID)},

		spawnTrip: n.SpawnTrip, stop: n.Stop,
		trips: make(map[ride.TripID]*actor.PID), wait: make(map[geo.Cell]map[ride.TripID]Waiter),
	}
}

type local struct {
	people
	cells
	zones

	spawnTrip func(id ride.TripID) *actor.PID
	stop      func(pid *actor.PID)

	mu    sync.Mutex
	trips map[ride.TripID]*actor.PID

	waitMu sync.RWMutex
	wait   map[geo.Cell]map[ride.TripID]Waiter
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

// NewTrip makes an id of a new trip.
func (l *local) NewTrip() (ride.TripID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("trip id: %w", err)
	}
	return ride.TripID(id.String()), nil
}

// Owns is true: there is no other node.
func (l *local) Owns(ride.TripID) bool { return true }

func (l *local) Retire(id ride.TripID, pid *actor.PID) {
	l.mu.Lock()
	if l.trips[id] == pid {
		delete(l.trips, id)
	}
	l.mu.Unlock()
	l.stop(pid)
}

func (l *local) Await(at geo.Cell, w Waiter) {
	l.waitMu.Lock()
	defer l.waitMu.Unlock()
	if l.wait[at] == nil {
		l.wait[at] = make(map[ride.TripID]Waiter)
	}
	l.wait[at][w.Trip] = w
}

func (l *local) Forget(at geo.Cell, trip ride.TripID) {
	l.waitMu.Lock()
	defer l.waitMu.Unlock()
	delete(l.wait[at], trip)
	if len(l.wait[at]) == 0 {
		delete(l.wait, at)
	}
}

// Waiting considers only a few times limit trips, in map order, so as not to sort a full stadium's
// trips for every driver. Ids increase with time.
func (l *local) Waiting(disk []geo.Cell, class string, limit int) []*actor.PID {
	var found []Waiter
	l.waitMu.RLock()
	for _, cell := range disk {
		for _, w := range l.wait[cell] {
			if len(found) == 8*limit {
				break
			}
			if w.Class == class {
				found = append(found, w)
			}
		}
	}
	l.waitMu.RUnlock()
	slices.SortFunc(found, func(a, b Waiter) int { return cmp.Compare(a.Trip, b.Trip) })
	out := make([]*actor.PID, min(len(found), limit))
	for i := range out {
		out[i] = found[i].PID
	}
	return out
}

func (l *local) TripsHere() []*actor.PID {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*actor.PID, 0, len(l.trips))
	for _, pid := range l.trips {
		out = append(out, pid)
	}
	return out
}
