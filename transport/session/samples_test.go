package session

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

func seoul() *ridepb.Point  { return &ridepb.Point{LatE7: 374979000, LngE7: 1270276000} }
func nearby() *ridepb.Point { return &ridepb.Point{LatE7: 375665000, LngE7: 1269780000} }

func position1() *ridepb.Location {
	return &ridepb.Location{
		Point: seoul(), HeadingDeg: 271.5, SpeedMps: 8.25, AccuracyM: 5,
		DeviceTime: &timestamppb.Timestamp{Seconds: 1_790_000_000, Nanos: 120_000_000},
	}
}

// sample is a valid frame of a kind.
func sample(k kind, id string) *ridepb.ClientFrame {
	f := &ridepb.ClientFrame{Id: id}
	switch k {
	case kindConnect:
		f.Body = &ridepb.ClientFrame_Connect{Connect: &ridepb.Connect{Token: "rider"}}
	case kindPing:
		f.Body = &ridepb.ClientFrame_Ping{Ping: &ridepb.Ping{}}
	case kindGoOnline:
		f.Body = &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{Location: position1()}}
	case kindGoOffline:
		f.Body = &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}
	case kindLocation:
		f.Body = &ridepb.ClientFrame_Location{Location: position1()}
	case kindGetQuote:
		f.Body = &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{Pickup: seoul(), Dropoff: nearby()}}
	case kindRequestTrip:
		f.Body = &ridepb.ClientFrame_RequestTrip{RequestTrip: &ridepb.RequestTrip{Pickup: seoul(), Dropoff: nearby()}}
	case kindCancelTrip:
		f.Body = &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: "t"}}
	case kindAcceptOffer:
		f.Body = &ridepb.ClientFrame_AcceptOffer{AcceptOffer: &ridepb.AcceptOffer{OfferId: "t.1"}}
	case kindDeclineOffer:
		f.Body = &ridepb.ClientFrame_DeclineOffer{DeclineOffer: &ridepb.DeclineOffer{OfferId: "t.1"}}
	case kindArrived:
		f.Body = &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: "t"}}
	case kindStartTrip:
		f.Body = &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: "t", Pin: "1234"}}
	case kindCompleteTrip:
		f.Body = &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: "t"}}
	case kindRateTrip:
		f.Body = &ridepb.ClientFrame_RateTrip{RateTrip: &ridepb.RateTrip{TripId: "t", Stars: 5}}
	case kindWatchCity:
		f.Body = &ridepb.ClientFrame_WatchCity{WatchCity: &ridepb.WatchCity{
			Drivers: true, IntervalMs: minWatchMS, Area: &ridepb.Area{SouthWest: seoul(), NorthEast: &ridepb.Point{LatE7: 376000000, LngE7: 1290000000}},
		}}
	case kindUnwatchCity:
		f.Body = &ridepb.ClientFrame_UnwatchCity{UnwatchCity: &ridepb.UnwatchCity{}}
	}
	return f
}

// A message without a row in the table must not compile into silence.
func TestTableCoversEveryMessage(t *testing.T) {
	bodies := (&ridepb.ClientFrame{}).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields()
	require.Equal(t, int(kinds)-1, bodies.Len())
	seen := map[kind]bool{}
	for i := range bodies.Len() {
		fd := bodies.Get(i)
		f := &ridepb.ClientFrame{}
		f.ProtoReflect().Set(fd, f.ProtoReflect().NewField(fd))
		k := kindOf(f)
		require.NotEqual(t, kindNone, k, "kindOf does not know %s", fd.Name())
		require.False(t, seen[k], "%s shares its kind", fd.Name())
		seen[k] = true
		spec := frameSpecs[k]
		require.Equal(t, string(fd.Name()), spec.name)
		require.NotZero(t, spec.roles, "no role may send %s", fd.Name())
		require.NotNil(t, spec.check, "%s is not checked", fd.Name())
		require.Nil(t, spec.check(sample(k, "x")), "the sample of %s is not valid", fd.Name())
		require.Equal(t, k, kindOf(sample(k, "x")))
	}
	require.Equal(t, kindNone, kindOf(&ridepb.ClientFrame{}))
}

// The matrix once more, spelt out the other way round: what each role may send.
func TestTableSaysWhoMaySendWhat(t *testing.T) {
	may := map[ride.Role][]string{
		ride.RoleRider: {"connect", "ping", "get_quote", "request_trip", "cancel_trip", "rate_trip"},
		ride.RoleDriver: {
			"connect", "ping", "go_online", "go_offline", "location", "cancel_trip", "accept_offer", "decline_offer",
			"arrived", "start_trip", "complete_trip", "rate_trip",
		},
		ride.RoleOperator: {"connect", "ping", "watch_city", "unwatch_city"},
		"":                nil,
		"stranger":        nil,
	}
	for role, want := range may {
		var got []string
		for _, r := range frameSpecs {
			if r.roles.has(role) {
				got = append(got, r.name)
			}
		}
		require.Equal(t, want, got, "%q", role)
	}
}
