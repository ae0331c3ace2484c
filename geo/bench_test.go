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
	tracker, err := NewCellTracker(9)
	require.NoError(b, err)
	cell, _, err := tracker.Update(helsinki)
	require.NoError(b, err)
	inside, rim := towardsEdge(cell, 0, 0.5, 0.98), towardsEdge(cell, 0, 0.5, 0.995)
	require.Equal(b, cell, mustCell(b, rim, 9))
	ring, err := cell.Ring(1)
	require.NoError(b, err)

	for _, way := range []struct {
		name string
		to   [2]Point
	}{
		{"inside", [2]Point{inside, inside}}, // the usual case: arithmetic alone
		{"rim", [2]Point{rim, rim}},          // H3 is asked, the cell stays
		{"change", [2]Point{inside, ring[0].Center()}},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, _, err := tracker.Update(way.to[i&1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDisk(b *testing.B) {
	hexagon, pentagon := mustCell(b, helsinki, 9), pentagons(b, 9)[0]
	for k := 1; k <= 5; k++ {
		for _, c := range []Cell{hexagon, pentagon} {
			b.Run(fmt.Sprintf("pentagon=%t/k=%d", c.Pentagon(), k), func(b *testing.B) {
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
