package wire

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// checkClient holds for any bytes: no panic; an error of the documented type;
// and what is read means the same after being written in either form.
func checkClient(t *testing.T, codec Codec, data []byte) {
	frame, err := codec.DecodeClient(data)
	if err != nil {
		var bad *DecodeError
		require.ErrorAs(t, err, &bad)
		require.Contains(t, sentences, bad.Reason)
		require.LessOrEqual(t, len(bad.ID), maxID)
		return
	}
	requireStable(t, frame, func(c Codec, data []byte) (proto.Message, error) { return c.DecodeClient(data) })
}

func checkServer(t *testing.T, codec Codec, data []byte) {
	frame, err := codec.DecodeServer(data)
	if err != nil {
		return
	}
	if _, err := JSON.Marshal(frame); err != nil {
		return // words, times and numbers that only the lenient binary form lets in
	}
	requireStable(t, frame, func(c Codec, data []byte) (proto.Message, error) { return c.DecodeServer(data) })
}

func requireStable(t *testing.T, m proto.Message, decode func(Codec, []byte) (proto.Message, error)) {
	for _, c := range []Codec{JSON, Binary} {
		data, err := c.Marshal(m)
		require.NoError(t, err)
		if len(data) > MaxClientBytes {
			continue // JSON may need more room than the frame came in
		}
		again, err := decode(c, data)
		require.NoError(t, err, "%s", data)
		if diff := cmp.Diff(m, again, protocmp.Transform()); diff != "" {
			t.Fatalf("%s changed the meaning:\n%s", c.Subprotocol(), diff)
		}
	}
}

// seeds adds one frame of every kind.
func seeds(f *testing.F, codec Codec) {
	for _, frame := range clientFrames() {
		data, err := codec.EncodeClient(frame)
		require.NoError(f, err)
		f.Add(data)
	}
	event := &ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: &ridepb.Event{
		Epoch: "e", Seq: 1, Body: &ridepb.Event_DriverMoved{DriverMoved: &ridepb.DriverMoved{TripId: "t", Point: &ridepb.Point{LatE7: 1, LngE7: -1}}},
	}}}
	data, err := codec.EncodeServer(event)
	require.NoError(f, err)
	f.Add(data)
}

func FuzzJSON(f *testing.F) {
	seeds(f, JSON)
	f.Fuzz(func(t *testing.T, data []byte) {
		checkClient(t, JSON, data)
		if _, err := JSON.DecodeClient(data); err == nil {
			require.True(t, json.Valid(data), "no other reader would take this")
		}
		checkServer(t, JSON, data)
	})
}

func FuzzBinary(f *testing.F) {
	seeds(f, Binary)
	f.Fuzz(func(t *testing.T, data []byte) {
		checkClient(t, Binary, data)
		checkServer(t, Binary, data)
	})
}
