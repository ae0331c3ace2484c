package city

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
)

var pickup = geo.Point{Lat: 37.4979, Lng: 127.0276}

// crowd is a city with n drivers around the pickup.
func crowd(n int) (*City, []*Marker) {
	c := New(Config{Resolution: 8})
	markers := make([]*Marker, n)
	for i := range markers {
		markers[i] = c.Drivers.Enter(&Driver{
			ID: ride.AccountID(fmt.Sprintf("0199d2a4-5f11-7a52-8f02-%012d", i)), Class: "standard", State: ridepb.CityDriver_on_trip,
		})
		markers[i].Move(geo.Destination(pickup, float64(i*37%360), float64(i%5000)), 90)
	}
	return c, markers
}

// BenchmarkMarker is what the picture adds to the cost of a position.
func BenchmarkMarker(b *testing.B) {
	_, markers := crowd(64)
	p := geo.Destination(pickup, 10, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		markers[i%len(markers)].Move(p, 271.5)
	}
}

// A position is written to the picture without allocating.
func TestMarkerDoesNotAllocate(t *testing.T) {
	_, markers := crowd(1)
	require.Zero(t, testing.AllocsPerRun(1000, func() { markers[0].Move(pickup, 12) }))
}

// BenchmarkWatch is one look at many drivers, all of whom have moved, encoded.
func BenchmarkWatch(b *testing.B) {
	for _, codec := range []wire.Codec{wire.Binary, wire.JSON} {
		b.Run(codec.Subprotocol(), func(b *testing.B) {
			const drivers = 5000
			c, markers := crowd(drivers)
			w := c.Watch(1, &ridepb.WatchCity{Drivers: true})
			look := func() (bytes, moves int) {
				for more := true; more; {
					var part *ridepb.CityChanged
					if part, more = w.Look(time.Now()); part == nil {
						continue
					}
					moves += len(part.GetMoves())
					data, err := codec.EncodeServer(&ridepb.ServerFrame{Kind: &ridepb.ServerFrame_Event{Event: &ridepb.Event{
						Body: &ridepb.Event_CityChanged{CityChanged: part},
					}}})
					require.NoError(b, err)
					bytes += len(data)
				}
				return bytes, moves
			}
			look()
			bytes, moves, n := 0, 0, 0
			for b.Loop() {
				n++
				for i, m := range markers {
					m.Move(geo.Point{Lat: 37.5 + float64(i)/1e5, Lng: 127 + float64(n%1000)/1e6}, 90)
				}
				more, moved := look()
				bytes, moves = bytes+more, moves+moved
			}
			require.Equal(b, n*drivers, moves)
			b.ReportMetric(float64(bytes)/float64(moves), "bytes/move")
		})
	}
}

// BenchmarkPassedOver is the cost of the record of a wave among many busy drivers.
func BenchmarkPassedOver(b *testing.B) {
	c, _ := crowd(5000)
	center, err := geo.CellAt(pickup, 8)
	require.NoError(b, err)
	q := Search{Pickup: pickup, Center: center, Ring: 1, Class: "standard", Found: none{}}
	b.ReportAllocs()
	for b.Loop() {
		if len(c.PassedOver(q)) != ride.MaxPassed {
			b.Fatal("no driver was passed over")
		}
	}
}
