// Package view shows trips and offers to those who may see them: the one place that
// turns the domain's values into the protocol's messages. Sockets and HTTP use it alike,
// so a replayed view and a fetched one are equal. Its functions are pure.
package view

import (
	"cmp"
	"math"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// Reader is who looks at a trip.
type Reader struct {
	Account ride.AccountID
	Role    ride.Role
}

// May reports whether the reader may see the trip at all: its rider, its driver, and
// operators. A driver who gave the trip back may not.
func (r Reader) May(t *ride.Trip) bool {
	switch r.Role {
	case ride.RoleOperator:
		return true
	case ride.RoleRider:
		return t.Request.Rider.ID == r.Account
	case ride.RoleDriver:
		return t.Driver != nil && t.Driver.ID == r.Account
	}
	return false
}

// Trip shows a trip to a reader; nil if it may not see it.
func Trip(t *ride.Trip, r Reader) *ridepb.Trip {
	if !r.May(t) {
		return nil
	}
	out := &ridepb.Trip{
		Id: string(t.ID), Version: uint32(t.Version), Status: Status(t.Status),
		Pickup: Point(t.Request.Pickup), Dropoff: Point(t.Request.Dropoff),
		PickupAddress: t.Request.PickupAddress, DropoffAddress: t.Request.DropoffAddress,
		VehicleClass: t.Request.Class, Passengers: uint32(t.Request.Passengers), Note: t.Request.Note,
		Estimate: &ridepb.Estimate{
			DistanceM: metres(t.Estimate.DistanceM), DurationS: seconds(t.Estimate.Duration),
			Fare: money(t.Estimate.Fare.Total, t.Estimate.Fare.Currency), By: By(cmp.Or(t.Estimate.By, "crow")),
		},
		Fare:        fare(t.Fare),
		PickupEtaS:  seconds(t.PickupETA),
		RequestedAt: Time(t.RequestedAt), MatchedAt: Time(t.MatchedAt), ArrivedAt: Time(t.ArrivedAt),
		StartedAt: Time(t.StartedAt), EndedAt: Time(t.EndedAt),
		Cancellation: cancellation(t.Cancellation),
		Arrival:      mark(t.Arrival), Completion: mark(t.Completion),
	}
	rider, driver := r.Role == ride.RoleRider, r.Role == ride.RoleDriver
	if !driver {
		out.Driver = driverCard(t.Driver)
		out.StarsByRider = uint32(t.StarsByRider)
		out.Search = Search(t)
	}
	if !rider {
		out.Rider = riderCard(t.Request.Rider)
		out.StarsByDriver = uint32(t.StarsByDriver)
	}
	if rider && (t.Status == ride.StatusMatched || t.Status == ride.StatusArrived) {
		out.Pin = t.PIN
	}
	return out
}

// Offer shows an offer to its driver: where the pickup is only as finely as a cell of
// resolution res. The way there is the one to the middle of that cell, rounded up as
// coarsely, and the trip goes from middle to middle: what is computed from the exact place
// adds up to the door, however it is rounded.
// Of the rider it says the mean rating alone, to a tenth of a star.
// The error wraps geo's for a pickup that H3 cannot place.
func Offer(t *ride.Trip, o *ride.Offer, res int) (*ridepb.Offer, error) {
	cell, err := geo.CellAt(t.Request.Pickup, res)
	if err != nil {
		return nil, err
	}
	radius := math.Ceil(cell.RadiusM())
	estimate := t.Estimate
	if t.Outline != nil {
		estimate = *t.Outline
	}
	return &ridepb.Offer{
		Id: string(o.ID), TripId: string(t.ID),
		PickupArea: Point(cell.Center()), PickupRadiusM: metres(radius),
		PickupDistanceM: metres(math.Max(1, math.Ceil(o.DistanceM/radius)) * radius),
		PickupEtaS:      max(60, (seconds(o.ETA)+59)/60*60),
		TripDistanceM:   metres(estimate.DistanceM), TripDurationS: seconds(estimate.Duration),
		Fare:         money(estimate.Fare.Total, estimate.Fare.Currency),
		VehicleClass: t.Request.Class, Passengers: uint32(t.Request.Passengers),
		ExpiresAt: Time(o.ExpiresAt), Wave: uint32(o.Wave),
		RiderRatingX100: tenths(t.Request.Rider.RatingX100),
	}, nil
}

// tenths rounds a hundredfold mean to tenths of a star. A driver who is offered a trip again
// and again must not recognise its rider by the second digit of a mean.
func tenths(x100 int64) uint32 {
	return uint32((max(x100, 0) + 5) / 10 * 10)
}

// Quote shows what a ride of a class would cost.
func Quote(class string, e ride.Estimate) *ridepb.Quote {
	return &ridepb.Quote{
		VehicleClass: class, DistanceM: metres(e.DistanceM), DurationS: seconds(e.Duration),
		Fare: money(e.Fare.Total, e.Fare.Currency),
	}
}

// By shows who estimated or planned a drive, by the name that geo.Source has for it.
func By(source string) ridepb.TripRoute_By {
	return ridepb.TripRoute_By(ridepb.TripRoute_By_value[source])
}

// Point shows a point. It must be valid.
func Point(p geo.Point) *ridepb.Point {
	lat, lng := p.E7()
	return &ridepb.Point{LatE7: lat, LngE7: lng}
}

// FromPoint reads a point as a client sent it: unchecked, the zero point for none.
func FromPoint(p *ridepb.Point) geo.Point { return geo.FromE7(p.GetLatE7(), p.GetLngE7()) }

// Time shows a time; nil for the zero one.
func Time(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// The statuses of the protocol are named as those of the domain.
var statuses, fromStatuses = func() (map[ride.Status]ridepb.Trip_Status, map[ridepb.Trip_Status]ride.Status) {
	to, from := make(map[ride.Status]ridepb.Trip_Status), make(map[ridepb.Trip_Status]ride.Status)
	for _, s := range ride.Statuses() {
		v := ridepb.Trip_Status(ridepb.Trip_Status_value[string(s)])
		to[s], from[v] = v, s
	}
	return to, from
}()

// Status shows a status; unspecified for none.
func Status(s ride.Status) ridepb.Trip_Status { return statuses[s] }

// FromStatus reads a status as it was shown; ride.StatusNone for an unspecified one.
func FromStatus(s ridepb.Trip_Status) ride.Status { return fromStatuses[s] }

var outcomes = map[ride.OfferState]ridepb.OfferClosed_Outcome{
	ride.OfferWon: ridepb.OfferClosed_won, ride.OfferWithdrawn: ridepb.OfferClosed_withdrawn,
	ride.OfferExpired: ridepb.OfferClosed_expired, ride.OfferDeclined: ridepb.OfferClosed_declined,
}

// Outcome shows how an offer ended; unspecified for one that has not.
func Outcome(s ride.OfferState) ridepb.OfferClosed_Outcome { return outcomes[s] }

var roles = map[ride.Role]ridepb.Role{
	ride.RoleRider: ridepb.Role_rider, ride.RoleDriver: ridepb.Role_driver, ride.RoleOperator: ridepb.Role_operator,
}

// Role shows a role.
func Role(r ride.Role) ridepb.Role { return roles[r] }

var parties = map[ride.Party]ridepb.Cancellation_By{
	ride.ByRider: ridepb.Cancellation_rider, ride.ByDriver: ridepb.Cancellation_driver,
	ride.ByOperator: ridepb.Cancellation_operator, ride.BySystem: ridepb.Cancellation_system,
}

// Error shows a refusal. A wait is rounded up, so that it is over when the client comes back.
func Error(e *ride.Error) *ridepb.Error {
	out := &ridepb.Error{Code: e.Code, Message: e.Message, Retryable: e.Retryable, Field: e.Field}
	if e.RetryAfter > 0 {
		out.RetryAfterMs = uint32(min(e.RetryAfter.Milliseconds()+1, math.MaxUint32))
	}
	return out
}

// Approval shows whether a driver may drive; nil for riders and operators.
func Approval(a ride.Account) *ridepb.Approval {
	if a.Role != ride.RoleDriver {
		return nil
	}
	state := a.Approval
	if state == ride.ApprovalNone {
		state = ride.ApprovalApproved
	}
	return &ridepb.Approval{State: string(state), Reason: a.ApprovalReason}
}

// PhotoURL is where a photo is fetched, relative to the server; empty for none.
func PhotoURL(id string) string {
	if id == "" {
		return ""
	}
	return "/v1/photos/" + id
}

func metres(m float64) uint32 {
	return uint32(math.Round(min(max(m, 0), math.MaxUint32)))
}

func seconds(d time.Duration) uint32 {
	return uint32(min(max(d.Round(time.Second)/time.Second, 0), math.MaxUint32))
}

func money(minor int64, currency string) *ridepb.Money {
	return &ridepb.Money{Minor: int32(minor), Currency: currency}
}

func fare(f *ride.Fare) *ridepb.FareBreakdown {
	if f == nil {
		return nil
	}
	measured := min(metres(f.MeasuredM), metres(f.DistanceM))
	var estimated uint32
	if f.Basis != "" {
		estimated = metres(f.DistanceM) - measured
	}
	return &ridepb.FareBreakdown{
		Total: money(f.Total, f.Currency), BaseMinor: int32(f.Base), DistanceMinor: int32(f.Distance),
		TimeMinor: int32(f.Time), MinimumTopupMinor: int32(f.MinimumTopUp),
		DistanceM: metres(f.DistanceM), DurationS: seconds(f.Duration),
		Basis: bases[f.Basis], MeasuredM: measured, EstimatedM: estimated, StreetCheck: streetCheck(f.Streets),
	}
}

func streetCheck(c *ride.StreetCheck) *ridepb.StreetCheck {
	if c == nil {
		return nil
	}
	return &ridepb.StreetCheck{
		Verdict: verdicts[c.Verdict], LengthM: metres(c.LengthM), PositionsM: metres(c.PositionsM), SharePercent: uint32(math.Round(100 * min(max(c.Share, 0), 1))),
	}
}

var verdicts = map[ride.StreetVerdict]ridepb.StreetCheck_Verdict{
	ride.StreetsCount: ridepb.StreetCheck_counts, ride.StreetsGaps: ridepb.StreetCheck_gaps, ride.StreetsOff: ridepb.StreetCheck_off_streets,
	ride.StreetsShorter: ridepb.StreetCheck_shorter, ride.StreetsLonger: ridepb.StreetCheck_longer, ride.StreetsLate: ridepb.StreetCheck_late,
}

var bases = map[ride.Basis]ridepb.FareBreakdown_Basis{
	ride.BasisMeasured: ridepb.FareBreakdown_measured, ride.BasisPartly: ridepb.FareBreakdown_partly_estimated,
	ride.BasisEstimated: ridepb.FareBreakdown_estimated, ride.BasisStreets: ridepb.FareBreakdown_streets,
}

func mark(m *ride.Mark) *ridepb.Mark {
	if m == nil {
		return nil
	}
	return &ridepb.Mark{
		Located: m.Located, DistanceM: metres(m.DistanceM), AccuracyM: metres(m.AccuracyM), AgeS: seconds(m.Age), Reason: m.Reason,
	}
}

func driverCard(d *ride.DriverCard) *ridepb.DriverCard {
	if d == nil {
		return nil
	}
	return &ridepb.DriverCard{
		Id: string(d.ID), FirstName: d.FirstName, PhotoUrl: PhotoURL(d.PhotoID),
		VehicleClass: d.Class, Plate: d.Plate, RatingX100: uint32(d.RatingX100),
		VehicleMake: d.Make, VehicleModel: d.Model, VehicleColour: d.Colour,
	}
}

func riderCard(c ride.RiderCard) *ridepb.RiderCard {
	return &ridepb.RiderCard{
		Id: string(c.ID), FirstName: c.FirstName, PhotoUrl: PhotoURL(c.PhotoID), RatingX100: uint32(c.RatingX100),
	}
}

// Search shows how far the search has got; nil unless the trip is being searched for.
func Search(t *ride.Trip) *ridepb.Search {
	if t.Status != ride.StatusRequested {
		return nil
	}
	return &ridepb.Search{
		Wave: uint32(t.Search.Wave), Ring: uint32(max(t.Search.Ring, 0)), DriversAsked: uint32(t.Search.Asked),
		ExpiresAt: Time(t.Deadline),
	}
}

func cancellation(c *ride.Cancellation) *ridepb.Cancellation {
	if c == nil {
		return nil
	}
	return &ridepb.Cancellation{By: parties[c.By], Reason: c.Reason}
}

// Exchange says why a trip got its present driver, to a party of it: only its rider may know how much
// sooner that one comes, for the former driver was there before.
func Exchange(t *ride.Trip, r Reader) *ridepb.Exchange {
	x, ok := t.LastExchange()
	if !ok {
		return nil
	}
	out := &ridepb.Exchange{Reason: x.Reason}
	if r.Role == ride.RoleRider {
		out.SoonerS = seconds(max(0, x.Left-x.PickupETA))
	}
	return out
}
