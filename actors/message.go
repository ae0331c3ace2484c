package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Messages between actors are values without channels or functions, so that they can cross to
// another node; see newFrame. The exceptions always share a node: the messages from a session to
// its own person's actor, which are defined beside their sender, and those from a driver to its
// cell. Each message to a person names the account, directly or by its trip or offer, and the
// actor checks that it is its own. A *ride.Trip in a message is shared and must not be changed.

// commandKey identifies a client's command, for idempotency. It is zero for commands that do not
// come from a client.
type commandKey struct {
	Account ride.AccountID
	Role    ride.Role
	ID      string
	Digest  string
	// Generation is that by which the sending actor speaks for the account: of its claim, or in a
	// cluster of its session.
	Generation uint64
}

// tripCommand asks a trip to decide. The reply is a tripResult to the sender, whose PID the trip
// keeps as that party's current one unless it knows one of a higher generation.
type tripCommand struct {
	Key     commandKey
	Command ride.Command
	// Searched says that the trip itself sends on a request whose first search is over.
	Searched bool
	// Also holds further commands, issued by the trip itself, that form one transition with the
	// first: the first wave with its request, or offers that are handed back together.
	Also []ride.Command
}

// tripResult answers a tripCommand.
type tripResult struct {
	Key   commandKey    // of the answered command; its id alone may be reused
	Reply *ridepb.Reply // without its id; never nil
	// Trip is the state after the command; nil on refusal, and with an answer that was given before.
	Trip *ride.Trip
}

// tripAttach gives a trip the current PID of one of its parties and asks for what the party has
// missed. The reply is a tripUpdate whose Change is empty if the trip's version is higher, or if
// the driver does not know the rider's actor; a driverReleased to a driver who does not have the
// trip any more; a tripGone if there is no such trip; and otherwise none. A trip whose own version
// is lower reads its state again first. With an Offer, it comes from a driver who holds that offer,
// and the reply is an offerEnded if it has ended.
type tripAttach struct {
	Account ride.AccountID
	// Generation is as in a commandKey. A trip that knows a higher one ignores the message.
	Generation uint64
	Offer      ride.OfferID
	PID        *actor.PID
	Version    int64      // of the trip, as the party knows it; 0: not at all
	Rider      *actor.PID // where the driver sends its positions; nil: nowhere
}

// tripGone tells a party that a trip does not exist.
type tripGone struct{ Trip ride.TripID }

// passedOn is a message from a party or an operator to a trip that another node owns by now. It is
// passed on once: if two nodes disagree about the owner, the sender asks again. Or it is a trip's
// message to a person whose former actor passes it on to the one that has taken over.
type passedOn struct{ message any }

// takeOver asks the actor of an account's former session, on another node, for what it holds. The
// generation is that of the new session. The reply is a takenOver; the actor then ends, and passes on
// what still arrives for it.
type takeOver struct {
	Account    ride.AccountID
	Generation uint64
}

// takenOver answers the takeOver of the same generation.
type takenOver struct {
	Account    ride.AccountID
	Generation uint64
	// Handover is nil if that node has no such actor, or one of a newer session. It must not be changed.
	Handover *handover
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

// offerQuery asks a trip for the state of an offer. The reply is an offerEnded if it has ended, a
// tripGone if there is no such trip; otherwise there is none.
type offerQuery struct {
	Offer  ride.OfferID
	Driver ride.AccountID
}

// exchangeProposal asks the owner of the first of its trips, by id, to exchange their drivers. No
// driver is asked: see ride.DecideExchange. The reply is an exchangeOutcome.
type exchangeProposal struct {
	Moves []exchangeMove
}

// exchangeMove is one trip of an exchange: the driver whom it shall get, who is on its way to another of
// the trips. Way is how long that driver needs to the pickup, Left how long the trip's present driver
// still does; it does not matter where the trip has none.
type exchangeMove struct {
	Trip      ride.TripID
	Version   int64 // that the proposer has looked at: of a later one nothing is decided
	Driver    ride.AccountID
	Way, Left time.Duration
}

// exchangeOffer has a trip whose driver is on its way offered to a free driver, whose actor PID is, as a
// search would have found it. The reply is an exchangeOutcome; the driver's response comes like any other.
type exchangeOffer struct {
	Offer      ride.OfferExchange
	PID        *actor.PID
	Generation uint64
}

// exchangeOutcome answers an exchangeProposal or exchangeOffer; nil: it is written.
type exchangeOutcome struct {
	Err error
}

// exchangeAsk asks a trip for its state, for an exchange that another trip decides. The reply is an
// exchangeState to that trip. Afterwards the trip looks at its state in the store once more: it may
// have been written by the other.
type exchangeAsk struct {
	Exchange uint64
	Asker    ride.TripID
}

type exchangeState struct {
	Exchange uint64
	Trip     *ride.Trip
}

// exchangeWritten tells a trip that was asked that it may have another driver now.
type exchangeWritten struct{}

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

// driverReleased tells a driver that it does not have the trip any more, because it gave the trip
// back or an operator took it away. The driver receives nothing more about it. Version is the trip's.
// A trip that ends releases its driver with its last tripUpdate.
// Reason is that of an exchange; empty otherwise.
type driverReleased struct {
	Trip    ride.TripID
	Driver  ride.AccountID
	Version int64
	Reason  string
}

// driverMoved brings a driver's position to the rider of the trip.
type driverMoved struct {
	Trip       ride.TripID
	Driver     ride.AccountID
	Point      geo.Point
	HeadingDeg float32
	// ETA and LeftM are what is left to drive, of the route with that revision; 0: of none.
	ETA        time.Duration
	LeftM      float64
	Revision   uint32
	DeviceTime time.Time
}

// routeMade brings a trip's route to its rider. It has no steps, and must not be changed.
type routeMade struct {
	Trip   ride.TripID
	Driver ride.AccountID
	Route  *ridepb.TripRoute
}

// driverNearby tells a waiting trip that a driver of its class has become available near
// its pickup.
type driverNearby struct{}

// cellPut puts a driver into a cell, or updates it there. Generation is that of the driver's actor:
// one that has been replaced does not replace its successor.
type cellPut struct {
	Driver     ride.AccountID
	Generation uint64
	PID        *actor.PID
	Class      string
	Point      geo.Point
	Heading    geo.Heading
	// Snap is the street at Point for dispatch on this node. It does not travel to others: they may have
	// another map, and finding the street again takes them less time than reading it from a frame.
	Snap geo.Snap
	Load int // open offers
	// Shown is the cell in which quotes show the driver.
	Shown geo.Cell
}

// cellDrop removes a driver from a cell, unless an actor of a higher generation put it there.
type cellDrop struct {
	Driver     ride.AccountID
	Generation uint64
}

// cellFind asks a cell, or another node's finder for all of its cells in Disk, for the available
// drivers: least loaded and nearest first, or by id if it is coarse. The reply is a cellFound with
// the same Search.
//
// Nothing is answered after Until, when the asker has given up: under load that would only delay
// the other replies further.
type cellFind struct {
	Search uint64
	Pickup geo.Point // or the centre of its cell; see nearness
	Coarse bool
	Limit  int
	Disk   []geo.Cell // not to be changed
	Until  time.Time
	// Explain asks another node for the drivers close by whom the search does not find; nil: not
	// wanted. It is not to be changed.
	Explain *explain
}

// explain says whom a search looks for.
type explain struct {
	Class    string
	Ring     int // the outermost ring searched
	Excluded []ride.AccountID
}

type cellFound struct {
	Search  uint64
	Drivers []cellPut // owned by the receiver
	Cells   int       // of another node; 0: of the cell that was asked
	// Passed are drivers of another node whom the search does not find, nearest first.
	Passed []ride.Considered
}

// matchNeed registers with the matcher of its zone that a trip waits for a driver, and is repeated until
// Over. The sender is the trip's actor, and gets a matchWord at once. Door says that
// drivers are chosen by the way to the pickup itself, and not to the centre of its cell.
type matchNeed struct {
	Trip ride.TripID
	// Asked names the need among those of its trip's actor: whatever answers it repeats that.
	Asked uint64
	// Wave is the one that it waits for, and Reach how many rings of cells that may look at.
	Wave, Reach int
	Class       string
	Pickup      geo.Point
	Door        bool
	Waited      time.Duration // since the search began
	// Refused drivers are not to be asked now. It is not to be changed.
	Refused []ride.AccountID
	// First says that the request is not committed yet: it only asks who else waits nearby.
	First bool
	// Over says that the trip needs no driver any more. It gets no answer.
	Over bool
}

// registerEvery is how often a trip repeats its matchNeed.
const registerEvery = 5 * time.Second

// matchWord tells a trip that its matcher knows its need.
type matchWord struct {
	Trip  ride.TripID
	Asked uint64
	// ClearM is the distance in metres to the nearest other open pickup; +Inf: there is none.
	ClearM float64
	// Round counts the plans that the matcher has made.
	Round uint64
	// Windows is how many of them have left the trip without an offer since it registered, and Why the
	// reason of the last one; 0: none has.
	Windows int
	Why     string
}

// matchMade brings a trip the wave that its matcher has planned. Driver is the one to be asked, as its
// cell knew it.
type matchMade struct {
	Trip   ride.TripID
	Asked  uint64
	Wave   ride.OfferWave // not to be changed
	Driver cellPut
}

// cityLook asks another node's watcher for what has changed there since the asker's last look. Watch
// names a watch of the asker; 0 asks for the actors and totals once, without a watch. Received is the
// number of the newest part that arrived.
type cityLook struct {
	Account  ride.AccountID
	Watch    uint32
	Want     *ridepb.WatchCity
	Received uint64
}

// cityPart answers a cityLook. More says that the next part is ready, Up how long the node runs.
type cityPart struct {
	Account ride.AccountID
	Watch   uint32
	Number  uint64
	More    bool
	Up      time.Duration
	Changed *ridepb.CityChanged
}
