package streets

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

// theManhattan is built once for all tests, which do not change it.
var theManhattan = sync.OnceValues(func() (*Map, error) {
	shore, err := ReadShoreline(manhattan.Shoreline())
	if err != nil {
		return nil, err
	}
	return Build(context.Background(), manhattan.Open, BuildOptions{Name: manhattan.Name, Builder: "test", Shoreline: shore})
})

func manhattanMap(t testing.TB) *Map {
	t.Helper()
	m, err := theManhattan()
	require.NoError(t, err)
	return m
}

// TestManhattanIsWhatItWas holds the figures of the extract, so that a change of the rules shows.
func TestManhattanIsWhatItWas(t *testing.T) {
	m := manhattanMap(t)
	c := m.Counts()
	require.Equal(t, Report{Ways: 6938, Nodes: 26007, NotOpen: 266, Areas: 3, Reversible: 4, Blocked: 9, Places: 2, Addresses: 15, LeftOutM: m.Meta().Report.LeftOutM}, m.Meta().Report)
	require.InDelta(t, 85_107, m.Meta().Report.LeftOutM, 1)
	require.Equal(t, 6911, c.Junctions)
	require.Equal(t, 10862, c.Streets)
	require.Equal(t, 14396, c.Edges)
	require.Equal(t, 822, c.Names)
	require.InDelta(t, 74_494, c.LengthM[Motorway], 1)
	require.InDelta(t, 420_116, c.LengthM[Residential], 1)
	require.Less(t, len(written(t, m)), 1_600_000)
}
