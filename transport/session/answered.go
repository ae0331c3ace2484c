package session

import (
	"time"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Answered is a command about a trip that has been answered.
type Answered struct {
	// Command is the message's name in the .proto file, such as "accept_offer".
	Command  string
	Trip     ride.TripID
	Role     ride.Role
	Encoding string // of the session: json or proto
	// Code is that of the refusal; empty if the command was carried out.
	Code string
	// ReceivedAt and RepliedAt are moments of this process.
	ReceivedAt, RepliedAt time.Time
}

// question is a command of which an observer will hear once it is answered.
type question struct {
	kind kind
	role ride.Role
	trip ride.TripID // empty until the reply names it
	at   time.Time
}

// question returns what an observer needs of a command; nil without one.
func (s *session) question(f *ridepb.ClientFrame, k kind, now time.Time) *question {
	if s.h.cfg.Answered == nil {
		return nil
	}
	return &question{kind: k, role: s.role, trip: tripOf(f), at: now}
}

// tripOf returns the trip that a command is about, as far as the command names it.
func tripOf(f *ridepb.ClientFrame) ride.TripID {
	var offer string
	switch m := f.GetBody().(type) {
	case *ridepb.ClientFrame_AcceptOffer:
		offer = m.AcceptOffer.GetOfferId()
	case *ridepb.ClientFrame_DeclineOffer:
		offer = m.DeclineOffer.GetOfferId()
	case *ridepb.ClientFrame_CancelTrip:
		return ride.TripID(m.CancelTrip.GetTripId())
	case *ridepb.ClientFrame_Arrived:
		return ride.TripID(m.Arrived.GetTripId())
	case *ridepb.ClientFrame_StartTrip:
		return ride.TripID(m.StartTrip.GetTripId())
	case *ridepb.ClientFrame_CompleteTrip:
		return ride.TripID(m.CompleteTrip.GetTripId())
	case *ridepb.ClientFrame_RateTrip:
		return ride.TripID(m.RateTrip.GetTripId())
	}
	trip, _ := ride.OfferID(offer).Trip()
	return trip
}

// observe reports an answer to the observer. Answers that concern no trip are left out.
func (s *session) observe(q *question, r *ridepb.Reply) {
	if q == nil {
		return
	}
	trip := q.trip
	if of := r.GetTrip().GetId(); of != "" {
		trip = ride.TripID(of)
	}
	if trip == "" {
		return
	}
	s.h.cfg.Answered(Answered{
		Command: frameSpecs[q.kind].name, Trip: trip, Role: q.role, Encoding: encodingOf(s.codec),
		Code: r.GetError().GetCode(), ReceivedAt: q.at, RepliedAt: time.Now(),
	})
}
