package view

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

var now = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// full is a trip with every field set, driven by "d", in a status.
func full(s ride.Status) *ride.Trip {
	t := &ride.Trip{
		ID: "t", Version: 7, Status: s, PIN: "4711",
		Request: ride.Request{
			Rider:  ride.RiderCard{ID: "r", FirstName: "Mina", PhotoID: "rp", RatingX100: 480},
			Pickup: geo.Point{Lat: 37.4979, Lng: 127.0276}, Dropoff: geo.Point{Lat: 37.5172, Lng: 127.0473},
			PickupAddress: "Exit 3", DropoffAddress: "Home", Class: "standard", Passengers: 2, Note: "blue coat",
		},
		Estimate:    ride.Estimate{DistanceM: 3000, Duration: 9 * time.Minute, Fare: ride.Fare{Currency: "USD", Total: 900}},
		Search:      ride.Search{Wave: 2, Ring: 3, Asked: 5},
		Offers:      []ride.Offer{{ID: "t.1", Driver: "loser", State: ride.OfferWithdrawn}, {ID: "t.2", Driver: "d", State: ride.OfferWon}},
		Excluded:    []ride.AccountID{"former"},
		RequestedAt: now, MatchedAt: now, ArrivedAt: now, StartedAt: now, EndedAt: now, Deadline: now.Add(time.Minute),
		Driver:    &ride.DriverCard{ID: "d", FirstName: "Juno", PhotoID: "dp", Class: "standard", Plate: "12가3456", RatingX100: 490},
		PickupETA: 2 * time.Minute,
		Fare:      &ride.Fare{Currency: "USD", Total: 950, Base: 250, Distance: 400, Time: 300, DistanceM: 3100, Duration: 10 * time.Minute},
		Arrival:   &ride.Mark{Located: true, DistanceM: 790}, Completion: &ride.Mark{Located: true, DistanceM: 12},
		Cancellation: &ride.Cancellation{By: ride.BySystem, Reason: "x"},
		StarsByRider: 5, StarsByDriver: 4,
	}
	if s == ride.StatusRequested {
		t.Driver = nil
	}
	return t
}

func TestWhoSeesATrip(t *testing.T) {
	trip := full(ride.StatusMatched)
	for _, c := range []struct {
		reader Reader
		sees   bool
	}{
		{Reader{"r", ride.RoleRider}, true},
		{Reader{"d", ride.RoleDriver}, true},
		{Reader{"anyone", ride.RoleOperator}, true},
		{Reader{"stranger", ride.RoleRider}, false},
		{Reader{"loser", ride.RoleDriver}, false},
		{Reader{"former", ride.RoleDriver}, false},
		{Reader{"r", ride.RoleDriver}, false}, // the account's role counts, not a matching id
		{Reader{"d", ride.RoleRider}, false},
		{Reader{"", ""}, false},
	} {
		require.Equal(t, c.sees, Trip(trip, c.reader) != nil, "%v", c.reader)
	}
	require.Nil(t, Trip(full(ride.StatusRequested), Reader{"d", ride.RoleDriver}), "it has no driver yet")
}

// What each party must not learn never appears, in any status.
func TestNothingLeaks(t *testing.T) {
	for _, s := range ride.Statuses() {
		trip := full(s)
		rider := prototext.Format(Trip(trip, Reader{"r", ride.RoleRider}))
		require.NotContains(t, rider, "loser")
		require.NotContains(t, rider, "stars_by_driver")
		require.Equal(t, s == ride.StatusMatched || s == ride.StatusArrived, strings.Contains(rider, "4711"), "PIN to the rider while %s", s)
		if trip.Driver == nil {
			continue
		}
		driver := prototext.Format(Trip(trip, Reader{"d", ride.RoleDriver}))
		for _, secret := range []string{"4711", "loser", "former", "stars_by_rider", "search"} {
			require.NotContains(t, driver, secret, "to the driver while %s", s)
		}
		require.Contains(t, driver, "Mina")
	}
}

// Every field of the message is filled for some reader, so that none is forgotten.
func TestEveryFieldIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, s := range []ride.Status{ride.StatusRequested, ride.StatusMatched, ride.StatusCompleted} {
		for _, r := range []Reader{{"r", ride.RoleRider}, {"d", ride.RoleDriver}, {"o", ride.RoleOperator}} {
			if v := Trip(full(s), r); v != nil {
				v.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
					shown[string(f.Name())] = true
					return true
				})
			}
		}
	}
	fields := (&ridepb.Trip{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		require.True(t, shown[string(fields.Get(i).Name())], "no reader sees %s", fields.Get(i).Name())
	}
}

// An offer tells where the pickup is only as finely as a cell.
func TestOfferIsCoarse(t *testing.T) {
	trip := full(ride.StatusRequested)
	o, err := Offer(trip, &trip.Offers[0], 8)
	require.NoError(t, err)
	area := FromPoint(o.GetPickupArea())
	require.Greater(t, geo.DistanceM(area, trip.Request.Pickup), 5.0, "this pickup is not at its cell's centre")
	require.LessOrEqual(t, geo.DistanceM(area, trip.Request.Pickup), float64(o.GetPickupRadiusM()))
	text := prototext.Format(o)
	for _, secret := range []string{"Mina", "Exit 3", "Home", "blue coat", "rp"} {
		require.NotContains(t, text, `"`+secret+`"`)
	}
	// Two pickups of one cell look the same.
	trip.Request.Pickup = geo.Destination(area, 30, 50)
	again, err := Offer(trip, &trip.Offers[0], 8)
	require.NoError(t, err)
	require.Equal(t, prototext.Format(o), prototext.Format(again))
}

// An offer says how well a rider is rated, to a tenth of a star: not finely enough to single one out.
func TestOfferShowsTheRatingToATenth(t *testing.T) {
	for x100, shown := range map[int64]uint32{0: 0, 100: 100, 480: 480, 484: 480, 485: 490, 499: 500, 500: 500} {
		trip := full(ride.StatusRequested)
		trip.Request.Rider.RatingX100 = x100
		o, err := Offer(trip, &trip.Offers[0], 8)
		require.NoError(t, err)
		require.Equal(t, shown, o.GetRiderRatingX100(), "of %d", x100)
	}
}

// Every status, end and role has its word in the protocol.
func TestWordsAreComplete(t *testing.T) {
	for _, s := range ride.Statuses() {
		require.Equal(t, string(s), Status(s).String())
		require.Equal(t, s, FromStatus(Status(s)))
	}
	require.Len(t, ridepb.Trip_Status_name, len(ride.Statuses())+1)
	require.Equal(t, ride.StatusNone, FromStatus(ridepb.Trip_status_unspecified))
	for s, v := range outcomes {
		require.Equal(t, string(s), v.String())
	}
	require.Len(t, outcomes, len(ridepb.OfferClosed_Outcome_name)-1)
	for r, v := range roles {
		require.Equal(t, string(r), v.String())
	}
	require.Len(t, roles, len(ridepb.Role_name)-1)
	for p, v := range parties {
		require.Equal(t, string(p), v.String())
	}
	require.Len(t, parties, len(ridepb.Cancellation_By_name)-1)
	for v, shown := range verdicts {
		require.Equal(t, string(v), shown.String())
	}
	require.Len(t, verdicts, len(ridepb.StreetCheck_Verdict_name)-1)
	require.Len(t, ride.StreetVerdicts, len(verdicts))
	for b, shown := range bases {
		require.Equal(t, string(b), shown.String())
	}
	require.Len(t, bases, len(ridepb.FareBreakdown_Basis_name)-1)
}

func TestReceiptAddsUp(t *testing.T) {
	trip := full(ride.StatusCompleted)
	trip.Fare.Basis, trip.Fare.MeasuredM, trip.Fare.EstimatedM, trip.Fare.DistanceM = ride.BasisPartly, 60.6, 3540.7, 3601.3
	for _, r := range []Reader{{"r", ride.RoleRider}, {"d", ride.RoleDriver}, {"o", ride.RoleOperator}} {
		f := Trip(trip, r).GetFare()
		require.Equal(t, ridepb.FareBreakdown_partly_estimated, f.GetBasis())
		require.EqualValues(t, 61, f.GetMeasuredM())
		require.Equal(t, f.GetDistanceM(), f.GetMeasuredM()+f.GetEstimatedM())
	}
	trip.Fare.Basis, trip.Fare.MeasuredM, trip.Fare.EstimatedM = "", 0, 0 // of an older release
	f := Trip(trip, Reader{"r", ride.RoleRider}).GetFare()
	require.Equal(t, ridepb.FareBreakdown_basis_unspecified, f.GetBasis())
	require.Zero(t, f.GetMeasuredM()+f.GetEstimatedM())
	require.Nil(t, f.GetStreetCheck())
}

func TestReceiptSaysHowStreetsCompare(t *testing.T) {
	trip := full(ride.StatusCompleted)
	trip.Fare.Basis, trip.Fare.MeasuredM, trip.Fare.EstimatedM, trip.Fare.DistanceM = ride.BasisMeasured, 3600, 0, 3600
	trip.Fare.Streets = &ride.StreetCheck{Verdict: ride.StreetsLonger, LengthM: 4700.4, PositionsM: 3600, Share: 0.956}
	for _, r := range []Reader{{"r", ride.RoleRider}, {"d", ride.RoleDriver}, {"o", ride.RoleOperator}} {
		c := Trip(trip, r).GetFare().GetStreetCheck()
		require.Equal(t, ridepb.StreetCheck_longer, c.GetVerdict())
		require.EqualValues(t, 4700, c.GetLengthM())
		require.EqualValues(t, 3600, c.GetPositionsM())
		require.EqualValues(t, 96, c.GetSharePercent())
	}
}
