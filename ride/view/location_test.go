package view

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// What a device did not measure is unknown, whichever message brings the location.
func TestFromLocation(t *testing.T) {
	at := time.Date(2026, 11, 29, 8, 0, 0, 5, time.UTC)
	here := &ridepb.Point{LatE7: 374979000, LngE7: 1270276000}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	bare := ride.Position{Point: geo.FromE7(here.LatE7, here.LngE7)}
	for name, l := range map[string]*ridepb.Location{
		"nothing":  {},
		"iOS":      {HeadingDeg: -1, SpeedMps: -1, AccuracyM: -1, DeviceTime: &timestamppb.Timestamp{}},
		"NaN":      {HeadingDeg: nan, SpeedMps: nan, AccuracyM: nan, DeviceTime: &timestamppb.Timestamp{Seconds: math.MinInt64}},
		"minus":    {HeadingDeg: -inf, SpeedMps: -inf, AccuracyM: -inf, DeviceTime: &timestamppb.Timestamp{Seconds: math.MaxInt64, Nanos: -1}},
		"too much": {HeadingDeg: 360, SpeedMps: 100.5, DeviceTime: timestamppb.New(at.AddDate(-20, 0, 0))},
	} {
		l.Point = here
		require.Equal(t, bare, FromLocation(l), name)
	}
	l := &ridepb.Location{Point: here, HeadingDeg: 359.5, SpeedMps: 100, AccuracyM: inf, DeviceTime: timestamppb.New(at)}
	want := ride.Position{Point: bare.Point, HeadingDeg: 359.5, SpeedMPS: 100, AccuracyM: MaxAccuracyM, DeviceTime: at}
	require.Equal(t, want, FromLocation(l))
	require.Zero(t, testing.AllocsPerRun(10, func() { FromLocation(l) }))
}
