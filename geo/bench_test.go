package geo

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func BenchmarkCellAt(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := CellAt(helsinki, 9); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCellTracker(b *testing.B) {
	tracker, inside := trackerWithin(b)
	cell, _ := tracker.Cell()
	corner := Destination(cell.Center(), BearingDeg(cell.Center(), cell.Boundary()[0]), cell.RadiusM()*0.97)
	require.Equal(b, cell, mustCell(b, corner, 9))
	ring, err := cell.Ring(1)
	require.NoError(b, err)
	next := ring[0].Center()

	for name, way := range map[string][2]Point{
		"inside":         {inside, inside}, // the usual case: arithmetic alone
		"corner":         {corner, corner}, // H3 is asked, the cell stays
		"to another one": {inside, next},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, _, err := tracker.Update(way[i&1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDisk(b *testing.B) {
	hexagon, pentagon := mustCell(b, helsinki, 9), pentagons(b, 9)[0]
	for k := 1; k <= 5; k++ {
		for name, c := range map[string]Cell{"hexagon": hexagon, "pentagon": pentagon} {
			b.Run(fmt.Sprintf("%s/k=%d", name, k), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Disk(k); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDistanceM(b *testing.B) {
	b.ReportAllocs()
	var sum float64
	for b.Loop() {
		sum += DistanceM(helsinki, newYork)
	}
	require.Positive(b, sum)
}

func BenchmarkPositionFilter(b *testing.B) {
	b.ReportAllocs()
	var f PositionFilter
	now := noon
	for b.Loop() {
		now = now.Add(time.Second)
		if f.Check(helsinki, now, now) != Accepted {
			b.Fatal("refused")
		}
	}
}

func BenchmarkStraightLineRoutes(b *testing.B) {
	from := make([]Point, 100)
	for i := range from {
		from[i] = Destination(helsinki, float64(i), 1000)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (StraightLine{}).Routes(b.Context(), from, helsinki); err != nil {
			b.Fatal(err)
		}
	}
}
