package session

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/ride/view"
)

// agrees checks that what plainLocation reads, the codec reads alike.
func agrees(t require.TestingT, data []byte) bool {
	var l plainLocation
	if !l.read(data) {
		return false
	}
	f, err := wire.Binary.DecodeClient(data)
	require.NoError(t, err, "%x", data)
	require.Empty(t, f.GetId())
	require.Empty(t, cmp.Diff(f.GetLocation(), &l.location, protocmp.Transform()), "%x", data)
	return true
}

func TestPlainLocationsAreReadLikeAllFrames(t *testing.T) {
	require.EqualValues(t, fieldLocation, (&ridepb.ClientFrame{}).ProtoReflect().Descriptor().Fields().ByName("location").Number())
	rapid.Check(t, func(t *rapid.T) {
		f := sample(kindLocation, "")
		l := f.GetLocation()
		l.Point = &ridepb.Point{LatE7: rapid.Int32().Draw(t, "lat"), LngE7: rapid.Int32().Draw(t, "lng")}
		l.HeadingDeg = rapid.Float32().Draw(t, "heading")
		l.SpeedMps = rapid.Float32().Draw(t, "speed")
		l.AccuracyM = rapid.Float32().Draw(t, "accuracy")
		l.DeviceTime = &timestamppb.Timestamp{
			Seconds: rapid.Int64Range(view.EarliestDeviceTime, view.LatestDeviceTime-1).Draw(t, "seconds"),
			Nanos:   rapid.Int32Range(0, 1e9-1).Draw(t, "nanos"),
		}
		data, err := proto.Marshal(f)
		require.NoError(t, err)
		require.True(t, agrees(t, data), "%v", f)

		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		data[at] ^= rapid.ByteRange(1, 255).Draw(t, "flip")
		agrees(t, data)
	})
}

// What the second location leaves out must not be the first one's.
func TestPlainLocationsForgetTheOneBefore(t *testing.T) {
	var l plainLocation
	require.True(t, l.read(locationBytes(t, wire.Binary)))
	bare := sample(kindLocation, "")
	bare.Body = &ridepb.ClientFrame_Location{Location: &ridepb.Location{
		Point: &ridepb.Point{LngE7: 5}, DeviceTime: &timestamppb.Timestamp{Seconds: 1_790_000_000},
	}}
	data, err := proto.Marshal(bare)
	require.NoError(t, err)
	require.True(t, l.read(data))
	require.Empty(t, cmp.Diff(bare.GetLocation(), &l.location, protocmp.Transform()))
}

func TestEverythingElseIsLeftToTheCodec(t *testing.T) {
	for k := kindConnect; k < kinds; k++ {
		data, err := proto.Marshal(sample(k, "id"))
		require.NoError(t, err)
		require.False(t, agrees(t, data), frameSpecs[k].name)
	}
	data := locationBytes(t, wire.Binary)
	twice := append(append([]byte(nil), data...), data...)
	require.False(t, agrees(t, twice))
	require.False(t, agrees(t, data[:len(data)-1]))
	require.False(t, agrees(t, nil))
	require.False(t, agrees(t, protowire.AppendTag(nil, fieldLocation, protowire.BytesType)))
}

func FuzzPlainLocation(f *testing.F) {
	f.Add(locationBytes(f, wire.Binary))
	f.Fuzz(func(t *testing.T, data []byte) { agrees(t, data) })
}

// The path that drivers use all the time costs no memory.
func TestALocationAllocatesNothing(t *testing.T) {
	s, inbox := joined(t, wire.Binary)
	data := locationBytes(t, wire.Binary)
	allocs := testing.AllocsPerRun(1000, func() { s.OnMessage(s.op(), data) })
	require.Zero(t, allocs)
	require.Equal(t, 1001, inbox.locations)
}
