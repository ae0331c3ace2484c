package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Messages between actors are values without channels or functions, so that they could cross a
// network. The exception is the messages from a session to its own person's actor, which always
// share a node; they are defined beside their sender. A *ride.Trip in a message is shared and must
// not be changed.

// commandKey identifies a client's command, for idempotency. It is zero for commands that do not
// come from a client.
type commandKey struct {
	Account ride.AccountID
	Role    ride.Role
	ID      string
	Digest  string
}

// tripCommand asks a trip to decide. The reply is a tripResult to the sender, whose PID the trip
// keeps as that party's current one.
type tripCommand struct {
	Key     commandKey
	Command ride.Command
	// Also holds further commands, issued by the trip itself, that form one transition with the
	// first: the first wave with its request, or offers that are handed back together.
	Also []ride.Command
}

// tripResult answers a tripCommand.
type tripResult struct {
	Key   commandKey    // of the answered command; its id alone may be reused
	Reply *ridepb.Reply // without its id; never nil
	// Trip is the state after the command; nil on refusal.
	Trip *ride.Trip
}

// tripAttach gives a trip the current PID of one of its parties. With an Offer, it comes from a
// driver who holds that offer. The trip replies to its rider and its driver with a tripUpdate whose
// Change is empty.
type tripAttach struct {
	Account ride.AccountID
	Offer   ride.OfferID
	PID     *actor.PID
}

// tripWake makes sure that the trip is active and its timers run.
type tripWake struct{}

// operatorAct is an operator's command to a trip: a ride.CancelTrip or a ride.Redispatch. The reply
// is an operatorDone.
type operatorAct struct {
	Command ride.Command
}

type operatorDone struct {
	Trip *ride.Trip
	Err  error
}

// offerQuery asks a trip for the state of an offer. The reply is an offerEnded if it has ended;
// otherwise there is none.
type offerQuery struct {
	Offer  ride.OfferID
	Driver ride.AccountID
}

// tripUpdate brings a party its trip's state.
type tripUpdate struct {
	Trip   *ride.Trip
	Change string // the newest event's kind; empty: nothing new, only the current state
	// Rider is the rider's actor, if known: the driver's positions go there.
	Rider *actor.PID
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

// driverReleased tells a driver that the trip no longer occupies it. A driver who gave the trip
// back receives nothing more about it. Version is the trip's.
type driverReleased struct {
	Trip      ride.TripID
	GivenBack bool
	Version   int64
}

// driverMoved brings a driver's position to the rider of the trip.
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
	// Shown is the cell in which quotes show the driver.
	Shown geo.Cell
}

// cellDrop removes a driver from a cell.
type cellDrop struct {
	Driver ride.AccountID
}

// cellFind asks a cell for its available drivers: least loaded and nearest first, or by id if it is
// coarse. The reply is a cellFound with the same Search.
//
// A cell does not answer after Until, when the asker has given up: under load that would only delay
// the other replies further.
type cellFind struct {
	Search uint64
	Pickup geo.Point // the centre of the pickup's cell
	Coarse bool
	Limit  int
	Until  time.Time
}

type cellFound struct {
	Search  uint64
	Drivers []cellPut // owned by the receiver
}
