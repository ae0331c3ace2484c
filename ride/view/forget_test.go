package view_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/view"
)

// TestForgetReply: a stored answer about a trip with an erased person keeps no one's words, only
// the reason for which the system ended the trip.
func TestForgetReply(t *testing.T) {
	const words = "she knows why"
	trip := &ride.Trip{ID: "t", Request: ride.Request{Rider: ride.RiderCard{ID: "r"}}, Driver: &ride.DriverCard{ID: "d"}}
	for who, forgets := range map[ride.AccountID]bool{"r": true, "d": true, "x": false} {
		for by, kept := range map[ridepb.Cancellation_By]bool{
			ridepb.Cancellation_rider: false, ridepb.Cancellation_driver: false, ridepb.Cancellation_operator: false, ridepb.Cancellation_system: true,
		} {
			encoded, err := proto.Marshal(&ridepb.Reply{Result: &ridepb.Reply_Trip{Trip: &ridepb.Trip{
				Id: "t", Cancellation: &ridepb.Cancellation{By: by, Reason: words},
				Arrival: &ridepb.Mark{DistanceM: 9, Reason: words}, Completion: &ridepb.Mark{Reason: words},
			}}})
			require.NoError(t, err)
			without, ok, err := view.ForgetReply(encoded, trip, who)
			require.NoError(t, err)
			require.Equal(t, forgets, ok)
			if !forgets {
				continue
			}
			var r ridepb.Reply
			require.NoError(t, proto.Unmarshal(without, &r))
			require.Empty(t, r.GetTrip().GetArrival().GetReason()+r.GetTrip().GetCompletion().GetReason())
			require.Equal(t, uint32(9), r.GetTrip().GetArrival().GetDistanceM())
			require.Equal(t, kept, r.GetTrip().GetCancellation().GetReason() == words)
		}
	}
}
