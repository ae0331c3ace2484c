package faults

import (
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/testbench/harness"
	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// party is a rider or a driver who takes part in many races on one socket and records everything
// that it receives.
type party struct {
	*harness.Client
	account string
	at      geo.Point
	fixed   time.Time // when its position was last sent

	next  int
	asked []string // ids of the commands of this race
	told  told
}

// told is what one party received in all its races.
type told struct {
	driver  string // the account, if it is a driver's
	seq     uint32
	offered map[string]string                       // trip by offer
	ends    map[string][]ridepb.OfferClosed_Outcome // by offer
	matched map[string][]string                     // drivers by trip, from the events of that status
	last    map[string]*ridepb.Trip                 // newest state by trip
	holes   []string
}

func newTold(driver string, seq uint32) told {
	return told{driver: driver, seq: seq, offered: make(map[string]string), ends: make(map[string][]ridepb.OfferClosed_Outcome),
		matched: make(map[string][]string), last: make(map[string]*ridepb.Trip)}
}

// note records events, in order.
func (t *told) note(events []*ridepb.Event) {
	for _, e := range events {
		switch b := e.GetBody().(type) {
		case *ridepb.Event_OfferReceived:
			t.offered[b.OfferReceived.GetOffer().GetId()] = b.OfferReceived.GetOffer().GetTripId()
		case *ridepb.Event_OfferClosed:
			id := b.OfferClosed.GetOfferId()
			t.ends[id] = append(t.ends[id], b.OfferClosed.GetOutcome())
		case *ridepb.Event_TripUpdated:
			t.noteTrip(b.TripUpdated)
		default:
			continue // has no number
		}
		if e.GetSeq() != t.seq+1 {
			t.holes = append(t.holes, fmt.Sprintf("%d after %d", e.GetSeq(), t.seq))
		}
		t.seq = e.GetSeq()
	}
}

func (t *told) noteTrip(u *ridepb.TripUpdated) {
	trip := u.GetTrip()
	if u.GetChange() == "matched" {
		who := t.driver // a driver does not get its own card
		if who == "" {
			who = trip.GetDriver().GetId()
		}
		t.matched[trip.GetId()] = append(t.matched[trip.GetId()], who)
	}
	if old := t.last[trip.GetId()]; old == nil || old.GetVersion() < trip.GetVersion() {
		t.last[trip.GetId()] = trip
	}
}

// command gives a frame an id that is unique for the account.
func (p *party) command(f *ridepb.ClientFrame) *ridepb.ClientFrame {
	p.next++
	f.Id = fmt.Sprintf("%s-%d", p.Name, p.next)
	p.asked = append(p.asked, f.Id)
	return f
}

// copies is how many times each racing command is sent.
const copies = 3

// thrice sends commands three times each in any order.
func (p *party) thrice(frames ...*ridepb.ClientFrame) {
	all := make([]*ridepb.ClientFrame, 0, copies*len(frames))
	for range copies {
		all = append(all, frames...)
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, f := range all {
		p.Send(f)
	}
}

// answer waits for the three replies to a command, which must be equal, and returns one. A reply that the service
// cannot decide now is none: the command is sent again.
func (p *party) answer(f *ridepb.ClientFrame) (first *ridepb.Reply, err error) {
	for n, sent := 1, copies; n <= sent; n++ {
		r, err := p.TryReply(f.GetId(), n)
		switch {
		case err != nil:
			return nil, err
		case r.GetError().GetCode() == ride.ErrUnavailable.Code:
			if n == sent && first == nil && sent < 2*copies {
				time.Sleep(time.Duration(r.GetError().GetRetryAfterMs()) * time.Millisecond)
				p.Send(f)
				sent++
			}
		case first == nil:
			first = r
		case !proto.Equal(first, r):
			return nil, fmt.Errorf("%s: %s was answered with %v and then with %v", p.Name, f.GetId(), first, r)
		}
	}
	if first == nil {
		return nil, fmt.Errorf("%s: %s was never decided", p.Name, f.GetId())
	}
	return first, nil
}

// once sends a command once and waits for its reply.
func (p *party) once(f *ridepb.ClientFrame) (*ridepb.Reply, error) {
	return p.TryAsk(p.command(f))
}

// offer waits for the offer of a trip.
func (p *party) offer(trip string) (string, error) {
	e, err := p.TryAwait("offer of "+trip, 0, func(e *ridepb.Event) bool {
		return e.GetOfferReceived().GetOffer().GetTripId() == trip
	})
	return e.GetOfferReceived().GetOffer().GetId(), err
}

// end waits for the end of an offer.
func (p *party) end(offer string) (ridepb.OfferClosed_Outcome, error) {
	e, err := p.TryAwait("end of "+offer, 0, func(e *ridepb.Event) bool {
		return e.GetOfferClosed().GetOfferId() == offer
	})
	return e.GetOfferClosed().GetOutcome(), err
}

// status waits for an update of the trip with this status.
func (p *party) status(trip string, s ridepb.Trip_Status) (*ridepb.Trip, error) {
	e, err := p.TryAwait(trip+" "+s.String(), 0, func(e *ridepb.Event) bool {
		t := e.GetTripUpdated().GetTrip()
		return t.GetId() == trip && t.GetStatus() == s
	})
	return e.GetTripUpdated().GetTrip(), err
}

// freshen sends the driver's position if the last one is old.
func (p *party) freshen() {
	if time.Since(p.fixed) > 10*time.Second {
		p.fixed = time.Now()
		p.Send(&ridepb.ClientFrame{Id: p.Name + "-at", Body: &ridepb.ClientFrame_Location{Location: harness.Location(p.at)}})
	}
}

// endRace adds the received events to the record.
func (p *party) endRace() {
	p.told.note(p.Take())
	p.asked = p.asked[:0]
}
