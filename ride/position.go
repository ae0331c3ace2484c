package ride

import (
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Position is where a driver is, as its device said.
type Position struct {
	Point      geo.Point
	HeadingDeg float32   // clockwise from north, 0 to 360
	SpeedMPS   float32   // metres per second
	AccuracyM  float32   // radius of 68 % confidence, 0 when unknown
	DeviceTime time.Time // zero when the device did not say
}
