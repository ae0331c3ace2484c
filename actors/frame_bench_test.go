package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/actors/nodepb"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// BenchmarkFrame is what a matched trip with six offers costs on its way to another node, beside
// the trip as its rider's app gets it: what a protobuf form of it would cost at least.
func BenchmarkFrame(b *testing.B) {
	trip := matchedTrip(b)
	frame, err := newFrame(tripUpdate{Trip: trip, Change: ride.KindMatched}, time.Now())
	require.NoError(b, err)
	sent, err := proto.Marshal(frame)
	require.NoError(b, err)
	shown := view.Trip(trip, view.Reader{Account: trip.Request.Rider.ID, Role: ride.RoleRider})
	floor, err := proto.Marshal(shown)
	require.NoError(b, err)
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(sent)), "bytes")
		for b.Loop() {
			f, _ := newFrame(tripUpdate{Trip: trip, Change: ride.KindMatched}, time.Now())
			_, _ = proto.Marshal(f)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f := new(nodepb.NodeFrame)
			_ = proto.Unmarshal(sent, f)
			_, _ = messageOf(f, time.Now())
		}
	})
	b.Run("floor/write", func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(floor)), "bytes")
		for b.Loop() {
			_, _ = proto.Marshal(view.Trip(trip, view.Reader{Account: trip.Request.Rider.ID, Role: ride.RoleRider}))
		}
	})
	b.Run("floor/read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = proto.Unmarshal(floor, new(ridepb.Trip))
		}
	})
}

// matchedTrip is a trip that six drivers were offered and one won.
func matchedTrip(tb testing.TB) *ride.Trip {
	now := ride.Clean(time.Now())
	rules := ride.DefaultRules()
	t := ride.Trip{
		ID: "0190b4d6-0000-7000-8000-000000000abc", Version: 3, UpdatedAt: now, Change: ride.KindMatched, Status: ride.StatusMatched,
		Rules: rules, RequestedAt: now, MatchedAt: now, Deadline: now.Add(time.Hour), PickupETA: 4 * time.Minute,
		Request: ride.Request{
			Rider:  ride.RiderCard{ID: "0190b4d6-0000-7000-8000-00000000000a", FirstName: "Ann", RatingX100: 480},
			Pickup: pickup, Dropoff: dropoff, PickupAddress: "Gangnam Station", DropoffAddress: "Cheongdam", Class: "standard", Passengers: 1,
		},
		Driver: &ride.DriverCard{ID: "0190b4d6-0000-7000-8000-000000000001", FirstName: "Bo", Class: "standard", Plate: "HX 1", RatingX100: 490},
	}
	for i := range 6 {
		o := ride.Offer{
			ID: ride.NewOfferID(t.ID, i+1), Driver: ride.AccountID("0190b4d6-0000-7000-8000-00000000000" + string(rune('1'+i))), Wave: 1,
			DistanceM: 812.5, ETA: 3 * time.Minute, DoorM: 900.25, DoorETA: 4 * time.Minute, MadeAt: now, ExpiresAt: now.Add(15 * time.Second),
			State: ride.OfferWithdrawn, Reason: "taken",
		}
		if i == 0 {
			o.State = ride.OfferWon
		}
		t.Offers = append(t.Offers, o)
	}
	b, err := ride.MarshalTrip(&t)
	require.NoError(tb, err)
	out, err := ride.UnmarshalTrip(b)
	require.NoError(tb, err)
	return out
}
