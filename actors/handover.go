package actors

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// handover is what a person's actor leaves to its successor. Times are ages, because clocks differ.
type handover struct {
	Epoch        string
	Seq          uint32
	Events       []handedEvent // oldest first
	Told, Former heard
	Unsure       string
	Steady       bool
	Driver       *driverHandover // nil: a rider's
}

// handedEvent is an encoded event of a history.
type handedEvent struct {
	Event []byte
	Age   time.Duration
}

// driverHandover is what a driver's actor leaves to its successor besides; see handover.
type driverHandover struct {
	Online   bool
	Position *ride.Position // nil: none
	Age      time.Duration  // of the position, since its receipt
	Offers   []handedOffer
	// RouteTrip and RouteRevision are of the newest route; the successor's have higher revisions.
	RouteTrip     ride.TripID
	RouteRevision uint32
}

// handedOffer is an offer that the driver holds.
type handedOffer struct {
	Trip  ride.TripID
	Shown *ridepb.Offer
	Left  time.Duration // until it expires; negative: since then
	// Exclusive is as in a ride.Offer.
	Exclusive bool
}

// heard is a trip and the version of it that a client has been sent.
type heard struct {
	Trip    ride.TripID
	Version int64
}

// covers reports whether the client has already been sent this version of a trip.
func (h heard) covers(trip ride.TripID, version int64) bool {
	return h.Trip == trip && version <= h.Version
}

// handOver returns the kept events, oldest first.
func (h *history) handOver() []handedEvent {
	out, from, now := make([]handedEvent, len(h.kept)), h.head, time.Since(clock)
	for i, k := range h.kept {
		to := from + int(k.size)
		out[i] = handedEvent{Event: h.buf[from:to:to], Age: now - k.at}
		from = to
	}
	return out
}

// historyOf continues the history that another actor has handed over. It reports false if that makes
// no sense: its events are not the last ones up to its number.
func historyOf(limit int, m *handover) (history, bool) {
	if m.Epoch == "" || uint64(len(m.Events)) > uint64(m.Seq) {
		return history{}, false
	}
	h := history{epoch: m.Epoch, seq: m.Seq - uint32(len(m.Events)), limit: limit}
	for _, past := range m.Events {
		e := new(ridepb.Event)
		if proto.Unmarshal(past.Event, e) != nil || e.GetEpoch() != h.epoch || e.GetSeq() != h.seq+1 {
			return history{}, false
		}
		h.add(e)
		if n := len(h.kept); n > 0 {
			h.kept[n-1].at -= max(0, past.Age)
		}
	}
	return h, true
}
