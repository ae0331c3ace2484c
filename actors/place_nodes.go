package actors

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/uuid"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// tripsAddress is the address of trips' virtual PIDs: each message goes to the trip's owner at that
// time.
const tripsAddress = "trips"

// zonesAddress is the address of matchers' virtual PIDs, likewise.
const zonesAddress = "zones"

// finderName is the name of the actor that answers other nodes' searches.
const finderName = "finder"

// watcherName is the name of the actor that shows this node's part of the city to other nodes.
const watcherName = "watcher"

// spread is the Placement of a node of a cluster. Trips are spread over the nodes by their ids (see
// memberTable); people live where their sessions are, and cells where their drivers are. What this
// node's actors are is in the embedded local one.
type spread struct {
	*local
	nodes *nodes

	mu sync.Mutex
	// own are the trips here that wait for a driver, as announced to the other nodes; theirs are
	// what those have announced.
	own    map[ride.TripID]*nodepb.Waiter
	theirs map[string]map[ride.TripID]geo.Cell

	interest interest
}

func newSpread(here Node, n *nodes) *spread {
	return &spread{
		local: newLocal(here), nodes: n, own: make(map[ride.TripID]*nodepb.Waiter), theirs: make(map[string]map[ride.TripID]geo.Cell),
		interest: newInterest(n),
	}
}

func (s *spread) Trip(id ride.TripID) *actor.PID { return actor.NewPID(tripsAddress, string(id)) }

func (s *spread) Owns(id ride.TripID) bool { return s.nodes.table.Load().owns(id) }

// NewTrip makes an id of one of this node's shards, so that a trip is born beside its rider. Which
// shard is random; the rest is a UUIDv7 as everywhere.
func (s *spread) NewTrip() (ride.TripID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("trip id: %w", err)
	}
	t := s.nodes.table.Load()
	for range 64 * len(t.all) { // the expected number of tries is that of the nodes
		shard := rand.IntN(Shards)
		if t.ownsShard(shard) {
			id[14] = id[14]&0xf0 | byte(shard>>8)
			id[15] = byte(shard)
			break
		}
	}
	return ride.TripID(id.String()), nil
}

// Matcher returns the virtual PID of a zone's matcher. The zone's owner is computed as that of a trip is.
func (s *spread) Matcher(zone geo.Cell) *actor.PID { return actor.NewPID(zonesAddress, zone.String()) }

// FindMatcher is Matcher: only the zone's node knows whether there is one.
func (s *spread) FindMatcher(zone geo.Cell) *actor.PID { return s.Matcher(zone) }

// matcherFor is this node's matcher for a message; nil if the message needs none made.
func (l *local) matcherFor(zone geo.Cell, over bool) *actor.PID {
	if over {
		return l.FindMatcher(zone)
	}
	return l.Matcher(zone)
}

// Cells returns the actors of this node's cells, and of each other node with drivers about there
// the one that asks its own. A node that does not answer pings is left out: waiting for it would
// delay every search.
func (s *spread) Cells(disk []geo.Cell) []*actor.PID {
	out := s.local.Cells(disk)
	others := s.nodes.table.Load().others
	if len(others) == 0 {
		return out
	}
	areas := areasOf(disk)
	for _, m := range others {
		if s.interest.has(m.node(), areas) && !s.nodes.link.Late(m) {
			out = append(out, actor.NewPID(m.node(), finderName))
		}
	}
	return out
}

func (s *spread) EnterCell(cell geo.Cell) *actor.PID {
	s.interest.enter(cell)
	return s.local.EnterCell(cell)
}

func (s *spread) LeaveCell(cell geo.Cell) {
	s.local.LeaveCell(cell)
	s.interest.leave(cell)
}

func (s *spread) Await(at geo.Cell, w Waiter) {
	s.local.Await(at, w)
	m := &nodepb.Waiter{Trip: string(w.Trip), Cell: uint64(at), Class: w.Class}
	s.mu.Lock()
	s.own[w.Trip] = m
	s.mu.Unlock()
	s.nodes.broadcast(waitingFrame(false, m))
}

func (s *spread) Forget(at geo.Cell, trip ride.TripID) {
	s.local.Forget(at, trip)
	s.mu.Lock()
	delete(s.own, trip)
	s.mu.Unlock()
	s.nodes.broadcast(waitingFrame(false, &nodepb.Waiter{Trip: string(trip)}))
}

func waitingFrame(whole bool, waiters ...*nodepb.Waiter) *nodepb.NodeFrame {
	return &nodepb.NodeFrame{Body: &nodepb.NodeFrame_Waiting{Waiting: &nodepb.Waiting{Whole: whole, Waiters: waiters}}}
}

// repeatWaiting announces again which trips wait here, because a frame may have been
// lost and a node may be new.
func (s *spread) repeatWaiting() {
	s.mu.Lock()
	all := make([]*nodepb.Waiter, 0, len(s.own))
	for _, w := range s.own {
		all = append(all, w)
	}
	s.mu.Unlock()
	s.nodes.broadcast(waitingFrame(true, all...))
}

// noteWaiting takes another node's list.
func (s *spread) noteWaiting(node string, m *nodepb.Waiting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.GetWhole() {
		s.forgetNode(node)
	}
	its := s.theirs[node]
	if its == nil {
		its = make(map[ride.TripID]geo.Cell)
		s.theirs[node] = its
	}
	for _, w := range m.GetWaiters() {
		id, at := ride.TripID(w.GetTrip()), geo.Cell(w.GetCell())
		if was, ok := its[id]; ok {
			s.local.Forget(was, id)
			delete(its, id)
		}
		if w.GetClass() != "" {
			s.local.Await(at, Waiter{Trip: id, Class: w.GetClass(), PID: s.Trip(id)})
			its[id] = at
		}
	}
}

// keepWaiting forgets what nodes have said that are no members any more.
func (s *spread) keepWaiting(t *memberTable) {
	s.interest.keep(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	for node := range s.theirs {
		if !t.has(node) {
			s.forgetNode(node)
		}
	}
}

// forgetNode forgets a node's list; s.mu is held.
func (s *spread) forgetNode(node string) {
	for id, at := range s.theirs[node] {
		s.local.Forget(at, id)
	}
	delete(s.theirs, node)
}

// drop stops the trips and matchers here that another node owns by the new table. What trips are just
// writing is either on disk before the owner activates them, or stale.
func (s *spread) drop(t *memberTable) {
	lost := make(map[ride.TripID]*actor.PID)
	s.local.mu.Lock()
	for id, pid := range s.local.trips {
		if !t.owns(id) {
			lost[id] = pid
		}
	}
	s.local.mu.Unlock()
	for id, pid := range lost {
		s.Retire(id, pid)
	}
	for zone, pid := range s.MatchersHere() {
		if !t.ownsShard(shardOfZone(zone)) {
			s.RetireMatcher(zone, pid)
		}
	}
}
