package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Messages between actors are values without channels or functions, so that they could
// cross a wire; those of a session to its own person's actor, which always share a node,
// are the exception and are defined beside their sender. A *ride.Trip in a message is
// shared and must not be changed.

// commandKey names a client's command for its idempotency. Zero for commands that no
// client gave.
type commandKey struct {
	Account ride.AccountID
	Role    ride.Role
	ID      string
	Digest  string
}

// tripCommand asks a trip to decide. The answer is a tripResult to the sender, whose
// PID the trip keeps as that party's newest.
type tripCommand struct {
	Key     commandKey
	Command ride.Command
	// Also are further commands, of the trip's own, that become one transition with
	// the first: the first wave with its request, or offers that come back together.
	Also []ride.Command
}

// tripResult answers a tripCommand.
type tripResult struct {
	Key   commandKey    // of the command that it answers, not only its id: ids may be reused
	Reply *ridepb.Reply // without its id; never nil
	// Trip is the trip after the command, when it took effect. Nil on refusal.
	Trip *ride.Trip
}

// tripAttach tells a trip where a party of it lives now. With an Offer it comes from a
// driver who holds that offer. The trip answers its rider and its driver with a
// tripUpdate whose Change is empty.
type tripAttach struct {
	Account ride.AccountID
	Offer   ride.OfferID
	PID     *actor.PID
}

// tripWake makes sure that the trip is alive and its timers run.
type tripWake struct{}

// operatorAct is an operator's command to a trip: a ride.CancelTrip or a
// ride.Redispatch. The answer is an operatorDone.
type operatorAct struct {
	Command ride.Command
}

type operatorDone struct {
	Trip *ride.Trip
	Err  error
}

// offerQuery asks a trip how an offer stands; the answer is an offerEnded when it has
// ended and nothing when it has not.
type offerQuery struct {
	Offer  ride.OfferID
	Driver ride.AccountID
}

// tripUpdate tells a party how its trip stands.
type tripUpdate struct {
	Trip   *ride.Trip
	Change string // the newest event's kind; empty: only to bring the party up to date
	// Peer is where the other party lives, if known: the driver's positions go there.
	Peer *actor.PID
}

// offerMade brings an offer to its driver.
type offerMade struct {
	Trip  *ride.Trip
	Offer ride.Offer
}

// offerEnded tells a driver how its offer ended.
type offerEnded struct {
	Trip  ride.TripID
	Offer ride.Offer
}

// driverReleased tells a driver that the trip no longer occupies it. When it was given
// back the driver hears nothing more of it; Version is the trip's.
type driverReleased struct {
	Trip      ride.TripID
	GivenBack bool
	Version   int64
}

// driverMoved brings a driver's position to the rider of its trip.
type driverMoved struct {
	Trip       ride.TripID
	Driver     ride.AccountID
	Point      geo.Point
	HeadingDeg float32
	ETA        time.Duration
	DeviceTime time.Time
}

// driverNearby tells a waiting trip that a driver of its class has become available near
// its pickup.
type driverNearby struct{}

// cellPut puts a driver into a cell, or updates it there.
type cellPut struct {
	Driver ride.AccountID
	PID    *actor.PID
	Class  string
	Point  geo.Point
	Load   int // open offers
	// Shown is the cell in which riders who ask for quotes may take the driver to be.
	Shown geo.Cell
}

// cellDrop takes a driver out of a cell.
type cellDrop struct {
	Driver ride.AccountID
}

// cellFind asks a cell for its available drivers, least loaded and nearest first, or by
// their ids alone when it is coarse. The
// answer is a cellFound with the same Search to the sender.
//
// A cell that is late does not answer questions whose asker has given up by Until: in a
// crowd that would only make it later still.
type cellFind struct {
	Search uint64
	Pickup geo.Point // the middle of the pickup's cell
	Coarse bool
	Limit  int
	Until  time.Time
}

type cellFound struct {
	Search  uint64
	Drivers []cellPut // the receiver's own
}
