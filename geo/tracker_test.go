package geo

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever the driver does, the tracker says what CellAt says.
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
			case 1, 2: // close to where the circle of this cell ends
				at = Destination(cell.Center(), rapid.Float64Range(0, 360).Draw(t, "bearing"),
					cell.inRadiusM()*rapid.Float64Range(0.98, 1.02).Draw(t, "of the circle"))
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

func TestTrackerDoesNotAllocateInsideTheCircle(t *testing.T) {
	tracker, inside := trackerWithin(t)
	var changes int
	allocs := testing.AllocsPerRun(1000, func() {
		if _, changed, err := tracker.Update(inside); changed || err != nil {
			changes++
		}
	})
	require.Zero(t, allocs)
	require.Zero(t, changes)
}

// trackerWithin returns a tracker in a cell and a point well inside of it.
func trackerWithin(t testing.TB) (CellTracker, Point) {
	t.Helper()
	tracker, err := NewCellTracker(9)
	require.NoError(t, err)
	cell, changed, err := tracker.Update(helsinki)
	require.NoError(t, err)
	require.True(t, changed)
	return tracker, Destination(cell.Center(), 33, cell.inRadiusM()*0.8)
}
