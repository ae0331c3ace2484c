package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// Placement is the one seam between the actors and the number of nodes: where trips live and which
// node owns them, which actor speaks for an account, which actors know the drivers around a point,
// and which trips wait for a driver. Local is the Placement of a single node.
//
// All methods are safe for concurrent use, are called from actors, and never block on another
// node. What they return may be out of date by the time it is used. Correctness does not rest
// on it: versions and fences in the database do.
type Placement interface {
	Trips
	People
	Cells
	Waiters
	Zones
}

// Trips says where trips live.
type Trips interface {
	// NewTrip makes the id of a trip that is about to be requested here, and that this node owns.
	NewTrip() (ride.TripID, error)
	// Trip returns where to send messages for a trip, and makes the trip's actor if need be. The
	// PID may be virtual and resolve to the actor for each message.
	Trip(id ride.TripID) *actor.PID
	// Owns reports whether this node runs the trip. The trip's actor asks before it
	// activates the trip, and again after another activation has overtaken it; if the answer
	// is no, it retires and Trip must then lead to the owner. Start and the sweeper wake only
	// trips that this node owns.
	Owns(id ride.TripID) bool
	// Retire forgets a trip's actor on this node, which then stops once it has handled its mailbox.
	// A message sent later to a PID obtained earlier is lost; senders that need a reply ask again.
	// A PID that is not the trip's current actor is only stopped.
	Retire(id ride.TripID, pid *actor.PID)
	// TripsHere returns the trips' actors that live on this node.
	TripsHere() []*actor.PID
}

// People says which actor speaks for an account: the one that holds its session.
type People interface {
	// Claim calls use with the account's actor on this node, which spawn makes if need be. The
	// actor cannot be released while use runs. Each new actor of an account gets a higher
	// generation: of two, the one with the higher generation speaks for it. In a cluster that
	// compares actors of this node only; see System.Join.
	Claim(account ride.AccountID, spawn func(generation uint64) *actor.PID, use func(*actor.PID))
	// Release ends a claim, unless a newer one has replaced it.
	Release(account ride.AccountID, generation uint64)
	// Find calls use with the account's actor if it has one, which cannot be released
	// while use runs.
	Find(account ride.AccountID, use func(*actor.PID))
	// PeopleHere returns the people's actors that live on this node.
	PeopleHere() []*actor.PID
}

// Cells says which actors know the drivers that are available in H3 cells.
type Cells interface {
	// EnterCell returns the actor of a cell on this node to a driver's actor, which reports the
	// driver there until it calls LeaveCell, once, after its last message.
	EnterCell(cell geo.Cell) *actor.PID
	LeaveCell(cell geo.Cell)
	// Cells returns the actors to ask for the drivers in a grid disk. Each replies once, for one or
	// more cells.
	Cells(disk []geo.Cell) []*actor.PID
	// CellsHere is how many cells on this node hold drivers.
	CellsHere() int
}

// Waiters knows the trips that wait for a driver.
type Waiters interface {
	// Await registers a trip as waiting at a cell; Forget removes it.
	Await(at geo.Cell, w Waiter)
	Forget(at geo.Cell, trip ride.TripID)
	// Waiting returns at most limit trips that wait in a disk for a driver of a class. Of many, it
	// prefers those that have waited longest.
	Waiting(disk []geo.Cell, class string, limit int) []*actor.PID
}

// Zones says who plans for the trips of a zone under a policy that gathers them. A zone is a coarse
// H3 cell.
type Zones interface {
	// Matcher returns where to send messages for a zone's matcher, and makes its actor if need be. The
	// PID may be virtual and resolve to the actor for each message. Two nodes that disagree may each
	// have a matcher of one zone: drivers take one offer at a time, and trips one wave.
	Matcher(zone geo.Cell) *actor.PID
	// FindMatcher is as Matcher, but makes no actor: nil means that there is none to be told.
	FindMatcher(zone geo.Cell) *actor.PID
	// RetireMatcher forgets a matcher of this node, which then stops once it has handled its mailbox.
	RetireMatcher(zone geo.Cell, pid *actor.PID)
	// MatchersHere returns the matchers that live on this node.
	MatchersHere() map[geo.Cell]*actor.PID
}

// Waiter is a trip that waits for a driver.
type Waiter struct {
	Trip  ride.TripID
	Class string
	PID   *actor.PID // receives driverNearby
}

// Node makes and stops this node's actors on behalf of a Placement. Its functions are safe for
// concurrent use; the Placement keeps two actors from being made for one trip or cell.
type Node struct {
	SpawnTrip func(id ride.TripID) *actor.PID
	SpawnCell func(cell geo.Cell) *actor.PID
	// SpawnMatcher makes the matcher of a zone.
	SpawnMatcher func(zone geo.Cell) *actor.PID
	// Stop stops an actor once it has handled what it was sent so far.
	Stop func(pid *actor.PID)
}
