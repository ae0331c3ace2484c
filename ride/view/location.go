package view

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// What a vehicle on the road can report.
const (
	MaxSpeedMPS  = 100
	MaxAccuracyM = 100_000
)

// Device clocks are wrong by hours. One that is wrong by years says nothing: it was never set
// (1970, 1980, 2000), its GPS has lost 1024 weeks, or its program took seconds for milliseconds.
var (
	EarliestDeviceTime = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	LatestDeviceTime   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// FromLocation reads a driver's location as its client sent it. The point is unchecked. What
// stands beside it is taken when it can be true, and is unknown otherwise: devices write -1,
// NaN or 360 for what they did not measure, and 1970 when they do not know the time. It does
// not allocate.
func FromLocation(l *ridepb.Location) ride.Position {
	p := ride.Position{
		Point:      FromPoint(l.GetPoint()),
		HeadingDeg: heading(l.GetHeadingDeg()), SpeedMPS: measured(l.GetSpeedMps(), MaxSpeedMPS), AccuracyM: accuracy(l.GetAccuracyM()),
	}
	if at := l.GetDeviceTime(); at != nil && PlausibleDeviceTime(at) {
		p.DeviceTime = time.Unix(at.Seconds, int64(at.Nanos)).UTC()
	}
	return p
}

// PlausibleDeviceTime reports whether a device can have taken a position then, give or take
// what clocks are wrong by.
func PlausibleDeviceTime(t *timestamppb.Timestamp) bool {
	return t.Seconds >= EarliestDeviceTime && t.Seconds < LatestDeviceTime && t.Nanos >= 0 && t.Nanos < 1e9
}

// measured returns a value from 0 to most, or 0, which stands for unknown. NaN is unknown.
func measured(v, most float32) float32 {
	if v >= 0 && v <= most {
		return v
	}
	return 0
}

// heading is a direction below 360 degrees, 0 when unknown.
func heading(v float32) float32 {
	if v = measured(v, 360); v < 360 {
		return v
	}
	return 0 // the full circle is north
}

// accuracy keeps a radius that is too large as large as can be: unknown would be better
// than it is.
func accuracy(v float32) float32 {
	if v > MaxAccuracyM {
		return MaxAccuracyM
	}
	return measured(v, MaxAccuracyM)
}
