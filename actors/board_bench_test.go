package actors

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

// crowd is a board with so many drivers around the pickup.
func crowd(n int) (*System, []*seat) {
	s := &System{cfg: DefaultConfig(), board: &board{ringM: geo.RingM(8)}, started: time.Now()}
	seats := make([]*seat, n)
	for i := range seats {
		seats[i] = s.board.enter(&seated{
			driver: ride.AccountID(fmt.Sprintf("0199d2a4-5f11-7a52-8f02-%012d", i)), class: "standard", state: ridepb.CityDriver_on_trip,
		})
		seats[i].move(geo.Destination(pickup, float64(i*37%360), float64(i%5000)), 90)
	}
	return s, seats
}

// BenchmarkSeat is what a position costs more because of the board.
func BenchmarkSeat(b *testing.B) {
	_, seats := crowd(64)
	p := geo.Destination(pickup, 10, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		seats[i%len(seats)].move(p, 271.5)
	}
}

// A position is written to the board without allocating.
func TestSeatDoesNotAllocate(t *testing.T) {
	_, seats := crowd(1)
	require.Zero(t, testing.AllocsPerRun(1000, func() { seats[0].move(pickup, 12) }))
}

// BenchmarkWatch is one look at so many drivers, all of whom have moved, encoded.
func BenchmarkWatch(b *testing.B) {
	for _, codec := range []wire.Codec{wire.Binary, wire.JSON} {
		b.Run(codec.Subprotocol(), func(b *testing.B) {
			const drivers = 5000
			s, seats := crowd(drivers)
			w := newWatch(s, 1, &ridepb.WatchCity{Drivers: true})
			look := func() (bytes, moves int) {
				for more := true; more; {
					var part *ridepb.CityChanged
					if part, more = w.look(time.Now()); part == nil {
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
				for i, seat := range seats {
					seat.move(geo.Point{Lat: 37.5 + float64(i)/1e5, Lng: 127 + float64(n%1000)/1e6}, 90)
				}
				more, moved := look()
				bytes, moves = bytes+more, moves+moved
			}
			require.Equal(b, n*drivers, moves)
			b.ReportMetric(float64(bytes)/float64(moves), "bytes/move")
		})
	}
}

// BenchmarkPassedOver is what the record of a wave costs among so many busy drivers.
func BenchmarkPassedOver(b *testing.B) {
	s, _ := crowd(5000)
	center, err := geo.CellAt(pickup, 8)
	require.NoError(b, err)
	q := &search{pickup: pickup, center: center}
	b.ReportAllocs()
	for b.Loop() {
		if len(s.board.passedOver(q, 1, "standard", nil)) != ride.MaxPassed {
			b.Fatal("nobody there")
		}
	}
}
