package session

import (
	"unicode"
	"unicode/utf8"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// The longest that fields may be, in bytes. Those of a trip's texts are the
// domain's own.
const (
	maxID           = 64
	maxToken        = 8 << 10
	maxTicket       = 256
	maxClient       = 100
	maxEpoch        = 64
	maxTripID       = 64
	maxOfferID      = 80
	maxVehicleClass = 32
	maxPIN          = 16
)

// Bounds of a city watch's update interval, in milliseconds.
const (
	minWatchMS = 250
	maxWatchMS = 10_000
)

// validID reports whether an id is 1 to 64 bytes of printable ASCII without spaces.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}

// echoable returns an id as an answer may repeat it: also a bad one, if it is short.
func echoable(id string) string {
	if len(id) > maxID {
		return ""
	}
	return id
}

// within refuses a text of more than most bytes.
func within(text string, most int, field string) *ride.Error {
	if len(text) > most {
		return ride.ErrInvalidArgument.With("At most %d bytes are allowed here.", most).In(field)
	}
	return nil
}

// required refuses an empty or too long text.
func required(text string, most int, field string) *ride.Error {
	if text == "" {
		return ride.ErrInvalidArgument.With("This field is required.").In(field)
	}
	return within(text, most, field)
}

// place refuses an absent point, or one that is not on Earth.
func place(p *ridepb.Point, field string) *ride.Error {
	if p == nil {
		return ride.ErrInvalidPoint.With("A point is required.").In(field)
	}
	if geo.FromE7(p.LatE7, p.LngE7).Validate() != nil {
		return ride.ErrInvalidPoint.In(field)
	}
	return nil
}

// first returns the first refusal.
func first(checks ...*ride.Error) *ride.Error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkNothing(*ridepb.ClientFrame) *ride.Error { return nil }

func checkConnect(f *ridepb.ClientFrame) *ride.Error {
	c := f.GetConnect()
	return first(
		within(c.GetToken(), maxToken, "connect.token"),
		within(c.GetTicket(), maxTicket, "connect.ticket"),
		within(c.GetClient(), maxClient, "connect.client"),
		within(c.GetResume().GetEpoch(), maxEpoch, "connect.resume.epoch"),
	)
}

func checkGoOnline(f *ridepb.ClientFrame) *ride.Error {
	l := f.GetGoOnline().GetLocation()
	if l == nil {
		return nil
	}
	_, err := toPosition(l, "go_online.location")
	return err
}

func checkLocation(f *ridepb.ClientFrame) *ride.Error {
	_, err := toPosition(f.GetLocation(), "location")
	return err
}

func checkGetQuote(f *ridepb.ClientFrame) *ride.Error {
	q := f.GetGetQuote()
	return first(
		place(q.GetPickup(), "get_quote.pickup"),
		place(q.GetDropoff(), "get_quote.dropoff"),
		within(q.GetVehicleClass(), maxVehicleClass, "get_quote.vehicle_class"),
	)
}

func checkRequestTrip(f *ridepb.ClientFrame) *ride.Error {
	r := f.GetRequestTrip()
	return first(
		place(r.GetPickup(), "request_trip.pickup"),
		place(r.GetDropoff(), "request_trip.dropoff"),
		within(r.GetPickupAddress(), ride.MaxAddress, "request_trip.pickup_address"),
		within(r.GetDropoffAddress(), ride.MaxAddress, "request_trip.dropoff_address"),
		within(r.GetVehicleClass(), maxVehicleClass, "request_trip.vehicle_class"),
		within(r.GetNote(), ride.MaxNote, "request_trip.note"),
	)
}

func checkCancelTrip(f *ridepb.ClientFrame) *ride.Error {
	c := f.GetCancelTrip()
	return first(
		required(c.GetTripId(), maxTripID, "cancel_trip.trip_id"),
		within(c.GetReason(), ride.MaxReason, "cancel_trip.reason"),
	)
}

func checkAcceptOffer(f *ridepb.ClientFrame) *ride.Error {
	return required(f.GetAcceptOffer().GetOfferId(), maxOfferID, "accept_offer.offer_id")
}

func checkDeclineOffer(f *ridepb.ClientFrame) *ride.Error {
	d := f.GetDeclineOffer()
	return first(
		required(d.GetOfferId(), maxOfferID, "decline_offer.offer_id"),
		within(d.GetReason(), ride.MaxReason, "decline_offer.reason"),
	)
}

func checkArrived(f *ridepb.ClientFrame) *ride.Error {
	a := f.GetArrived()
	return first(
		required(a.GetTripId(), maxTripID, "arrived.trip_id"),
		within(a.GetReason(), ride.MaxReason, "arrived.reason"),
	)
}

func checkStartTrip(f *ridepb.ClientFrame) *ride.Error {
	t := f.GetStartTrip()
	return first(
		required(t.GetTripId(), maxTripID, "start_trip.trip_id"),
		within(t.GetPin(), maxPIN, "start_trip.pin"),
	)
}

func checkCompleteTrip(f *ridepb.ClientFrame) *ride.Error {
	c := f.GetCompleteTrip()
	return first(
		required(c.GetTripId(), maxTripID, "complete_trip.trip_id"),
		within(c.GetReason(), ride.MaxReason, "complete_trip.reason"),
	)
}

func checkRateTrip(f *ridepb.ClientFrame) *ride.Error {
	r := f.GetRateTrip()
	if stars := r.GetStars(); stars < 1 || stars > 5 {
		return ride.ErrInvalidArgument.With("Stars go from 1 to 5.").In("rate_trip.stars")
	}
	return first(
		required(r.GetTripId(), maxTripID, "rate_trip.trip_id"),
		within(r.GetComment(), ride.MaxComment, "rate_trip.comment"),
	)
}

func checkWatchCity(f *ridepb.ClientFrame) *ride.Error {
	w := f.GetWatchCity()
	if ms := w.GetIntervalMs(); ms != 0 && (ms < minWatchMS || ms > maxWatchMS) {
		return outside("watch_city.interval_ms", "The interval goes from 250 to 10,000 milliseconds.")
	}
	a := w.GetArea()
	if a == nil {
		return nil
	}
	err := first(
		place(a.GetSouthWest(), "watch_city.area.south_west"),
		place(a.GetNorthEast(), "watch_city.area.north_east"),
	)
	if err == nil && a.GetSouthWest().GetLatE7() > a.GetNorthEast().GetLatE7() {
		err = outside("watch_city.area.south_west", "The south-west corner lies north of the north-east one.")
	}
	return err
}

// toPosition converts a location. The point is what a position is for: it must be right.
// It allocates only to refuse.
func toPosition(l *ridepb.Location, path string) (ride.Position, *ride.Error) {
	if err := place(l.GetPoint(), ""); err != nil {
		return ride.Position{}, err.In(path + ".point")
	}
	return view.FromLocation(l), nil
}

func outside(field, sentence string) *ride.Error {
	return ride.ErrInvalidArgument.With("%s", sentence).In(field)
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
