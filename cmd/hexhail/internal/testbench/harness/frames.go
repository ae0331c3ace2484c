package harness

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// Location is a location message for now.
func Location(p geo.Point) *ridepb.Location {
	return &ridepb.Location{Point: view.Point(p), DeviceTime: timestamppb.Now()}
}

// Frames of the commands, without id.

// Request asks for a trip.
func Request(from, to geo.Point) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: &ridepb.RequestTrip{
		Pickup: view.Point(from), Dropoff: view.Point(to),
	}}}
}

// Accept accepts an offer.
func Accept(offer string) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_AcceptOffer{AcceptOffer: &ridepb.AcceptOffer{OfferId: offer}}}
}

// Decline declines an offer.
func Decline(offer string) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_DeclineOffer{DeclineOffer: &ridepb.DeclineOffer{OfferId: offer}}}
}

// Cancel cancels a trip.
func Cancel(trip string) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: trip}}}
}

// Arrived marks arrival.
func Arrived(trip string) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: trip}}}
}

// StartTrip starts a trip.
func StartTrip(trip, pin string) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: trip, Pin: pin}}}
}

// Complete completes a trip.
func Complete(trip string) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: trip}}}
}

// Rate rates a trip.
func Rate(trip string, stars uint32) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_RateTrip{RateTrip: &ridepb.RateTrip{TripId: trip, Stars: stars}}}
}

// WatchCity subscribes to everything that an operator may watch.
func WatchCity() *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_WatchCity{WatchCity: &ridepb.WatchCity{
		Drivers: true, Trips: true, Cells: true, Actors: true, Samples: true, IntervalMs: 250,
	}}}
}

// UnwatchCity ends that.
func UnwatchCity() *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_UnwatchCity{UnwatchCity: &ridepb.UnwatchCity{}}}
}

// Connecting opens a session with a token, from where a client's history ends.
func Connecting(token string, resume *ridepb.Resume) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_Connect{Connect: &ridepb.Connect{Token: token, Resume: resume}}}
}

// Ping asks for a pong.
func Ping() *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_Ping{Ping: &ridepb.Ping{}}}
}

// GoOnline makes a driver available at a place.
func GoOnline(p geo.Point) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{Location: Location(p)}}}
}

// GoOffline ends a driver's availability.
func GoOffline() *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}}
}

// At reports a driver's position.
func At(p geo.Point) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_Location{Location: Location(p)}}
}

// Quote asks what a trip would cost, in every class.
func Quote(from, to geo.Point) *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{
		Pickup: view.Point(from), Dropoff: view.Point(to),
	}}}
}
