package geo

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever the driver does, the tracker agrees with CellAt.
func TestTrackerAlwaysEqualsCellAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		res := rapid.IntRange(0, MaxResolution).Draw(t, "res")
		tracker, err := NewCellTracker(res)
		require.NoError(t, err)
		_, ok := tracker.Cell()
		require.False(t, ok)

		at := genPoint().Draw(t, "start")
		reach := 2 * mustCell(t, at, res).RadiusM()
		var before Cell
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			cell, changed, err := tracker.Update(at)
			require.NoError(t, err)
			require.Equal(t, mustCell(t, at, res), cell)
			require.Equal(t, cell != before, changed)
			got, ok := tracker.Cell()
			require.True(t, ok)
			require.Equal(t, cell, got)
			before = cell

			switch rapid.IntRange(0, 9).Draw(t, "move") {
			case 0: // elsewhere on the globe
				at = genPoint().Draw(t, "at")
			case 1, 2: // close to an edge of this cell, on either side
				at = towardsEdge(cell, rapid.IntRange(0, maxCorners-1).Draw(t, "edge"),
					rapid.Float64Range(0, 1).Draw(t, "along"), rapid.Float64Range(0.97, 1.03).Draw(t, "out"))
			case 3: // the same moment again
			default:
				at = Destination(at, rapid.Float64Range(0, 360).Draw(t, "bearing"),
					rapid.Float64Range(0, reach).Draw(t, "metres"))
			}
			if at.IsZero() {
				at.Lat = 1
			}
		}
	})
}

// Drivers who stay in their cell cost only arithmetic: in the middle, at the edges and in the
// corners, even of pentagons.
func TestTrackerDoesNotAllocateInsideACell(t *testing.T) {
	cells := pentagons(t, 9)
	for _, p := range []Point{helsinki, newYork, northPole, southPole, {Lat: 12, Lng: 180}} {
		cells = append(cells, mustCell(t, p, 9))
	}
	for _, cell := range cells {
		tracker, err := NewCellTracker(9)
		require.NoError(t, err)
		_, changed, err := tracker.Update(cell.Center())
		require.NoError(t, err)
		require.True(t, changed)
		for i := range cell.Boundary() {
			for _, along := range []float64{0, 0.3, 0.5} {
				at := towardsEdge(cell, i, along, 0.98)
				unexpected := 0
				allocs := testing.AllocsPerRun(10, func() {
					if _, changed, err := tracker.Update(at); changed || err != nil {
						unexpected++
					}
				})
				require.Zero(t, allocs, "cell %s, edge %d", cell, i)
				require.Zero(t, unexpected)
			}
		}
	}
}

// towardsEdge returns the point that lies the share out of the way from c's centre to
// the point that lies the share along of c's edge i.
func towardsEdge(c Cell, i int, along, out float64) Point {
	center, corners := c.Center(), c.Boundary()
	a, b := corners[i%len(corners)], corners[(i+1)%len(corners)]
	on := Destination(a, BearingDeg(a, b), DistanceM(a, b)*along)
	return Destination(center, BearingDeg(center, on), DistanceM(center, on)*out)
}
