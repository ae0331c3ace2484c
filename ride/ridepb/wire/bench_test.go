package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride/ridepb"
)

func locationFrame() *ridepb.ClientFrame {
	return &ridepb.ClientFrame{Body: &ridepb.ClientFrame_Location{Location: &ridepb.Location{
		Point:      &ridepb.Point{LatE7: 374979123, LngE7: 1270276456},
		HeadingDeg: 271.5, SpeedMps: 8.25, AccuracyM: 5,
		DeviceTime: &timestamppb.Timestamp{Seconds: 1_700_000_000, Nanos: 120_000_000},
	}}}
}

// clientFrames returns one frame of every kind.
func clientFrames() []*ridepb.ClientFrame {
	point := &ridepb.Point{LatE7: 374979000, LngE7: 1270276000}
	return []*ridepb.ClientFrame{
		locationFrame(),
		{Id: "1", Body: &ridepb.ClientFrame_Connect{Connect: &ridepb.Connect{Token: "t", Resume: &ridepb.Resume{Epoch: "e", Seq: 4}}}},
		{Id: "2", Body: &ridepb.ClientFrame_Ping{Ping: &ridepb.Ping{}}},
		{Id: "3", Body: &ridepb.ClientFrame_GoOnline{GoOnline: &ridepb.GoOnline{Location: &ridepb.Location{Point: point}}}},
		{Id: "4", Body: &ridepb.ClientFrame_GoOffline{GoOffline: &ridepb.GoOffline{}}},
		{Id: "5", Body: &ridepb.ClientFrame_GetQuote{GetQuote: &ridepb.GetQuote{Pickup: point, Dropoff: point}}},
		{Id: "6", Body: &ridepb.ClientFrame_RequestTrip{RequestTrip: &ridepb.RequestTrip{Pickup: point, Dropoff: point, Note: "é", Passengers: 2}}},
		{Id: "7", Body: &ridepb.ClientFrame_CancelTrip{CancelTrip: &ridepb.CancelTrip{TripId: "t", Reason: "late"}}},
		{Id: "8", Body: &ridepb.ClientFrame_AcceptOffer{AcceptOffer: &ridepb.AcceptOffer{OfferId: "o"}}},
		{Id: "9", Body: &ridepb.ClientFrame_DeclineOffer{DeclineOffer: &ridepb.DeclineOffer{OfferId: "o"}}},
		{Id: "10", Body: &ridepb.ClientFrame_Arrived{Arrived: &ridepb.MarkArrived{TripId: "t"}}},
		{Id: "11", Body: &ridepb.ClientFrame_StartTrip{StartTrip: &ridepb.StartTrip{TripId: "t", Pin: "0420"}}},
		{Id: "12", Body: &ridepb.ClientFrame_CompleteTrip{CompleteTrip: &ridepb.CompleteTrip{TripId: "t"}}},
		{Id: "13", Body: &ridepb.ClientFrame_RateTrip{RateTrip: &ridepb.RateTrip{TripId: "t", Stars: 5}}},
	}
}

func BenchmarkLocation(b *testing.B) {
	for _, codec := range []Codec{JSON, Binary} {
		data, err := codec.EncodeClient(locationFrame())
		require.NoError(b, err)
		b.Run("decode/"+codec.Subprotocol(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			frame := new(ridepb.ClientFrame)
			for b.Loop() {
				if err := codec.DecodeClientInto(data, frame); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("encode/"+codec.Subprotocol(), func(b *testing.B) {
			b.ReportAllocs()
			frame, buf := locationFrame(), make([]byte, 0, 512)
			for b.Loop() {
				var err error
				if buf, err = codec.Append(buf[:0], frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
