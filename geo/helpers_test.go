package geo

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uber/h3-go/v4"
	"pgregory.net/rapid"
)

// dispatchResolutions are those that a city may reasonably be divided into.
var dispatchResolutions = []int{8, 9}

// genPoint draws points from where geometry is hard as often as from everywhere: the
// poles, the antimeridian, the equator's origin and the pentagons.
func genPoint() *rapid.Generator[Point] {
	return rapid.Custom(func(t *rapid.T) Point {
		var p Point
		switch rapid.IntRange(0, 5).Draw(t, "where") {
		case 0: // all over the globe, evenly by area
			z := rapid.Float64Range(-1, 1).Draw(t, "z")
			p = Point{Lat: math.Asin(z) / radians, Lng: rapid.Float64Range(-180, 180).Draw(t, "lng")}
		case 1: // a pole
			p.Lat = 90 - rapid.Float64Range(0, 0.02).Draw(t, "off")
			if rapid.Bool().Draw(t, "south") {
				p.Lat = -p.Lat
			}
			p.Lng = rapid.Float64Range(-180, 180).Draw(t, "lng")
		case 2: // the antimeridian
			p.Lat = rapid.Float64Range(-90, 90).Draw(t, "lat")
			p.Lng = 180 - rapid.Float64Range(0, 0.01).Draw(t, "off")
			if rapid.Bool().Draw(t, "west") {
				p.Lng = -p.Lng
			}
		case 3: // a pentagon and its surroundings
			five := pentagonCenters[rapid.IntRange(0, len(pentagonCenters)-1).Draw(t, "pentagon")]
			p = Destination(five, rapid.Float64Range(0, 360).Draw(t, "bearing"),
				rapid.Float64Range(0, 2000).Draw(t, "metres"))
		case 4: // an edge of the icosahedron: the great circle between two pentagons
			a := pentagonCenters[rapid.IntRange(0, 11).Draw(t, "a")]
			b := pentagonCenters[rapid.IntRange(0, 11).Draw(t, "b")]
			on := Destination(a, BearingDeg(a, b), rapid.Float64Range(0, 7e6).Draw(t, "along"))
			p = Destination(on, rapid.Float64Range(0, 360).Draw(t, "bearing"),
				rapid.Float64Range(0, 500).Draw(t, "metres"))
		default: // the integers that the protocol carries
			p = FromE7(rapid.Int32Range(-900_000_000, 900_000_000).Draw(t, "lat"),
				rapid.Int32Range(-1_800_000_000, 1_800_000_000).Draw(t, "lng"))
		}
		if p.IsZero() {
			p.Lat = 1
		}
		return p
	})
}

var pentagonCenters = func() []Point {
	cells, err := h3.Pentagons(9)
	if err != nil {
		panic(err)
	}
	var out []Point
	for _, c := range cells {
		out = append(out, Cell(c).Center())
	}
	return out
}()

func pentagons(t testing.TB, res int) []Cell {
	t.Helper()
	found, err := h3.Pentagons(res)
	require.NoError(t, err)
	require.Len(t, found, 12)
	out := make([]Cell, len(found))
	for i, c := range found {
		out[i] = Cell(c)
	}
	return out
}

func mustCell(t require.TestingT, p Point, res int) Cell {
	c, err := CellAt(p, res)
	require.NoError(t, err)
	return c
}

var (
	helsinki  = Point{Lat: 60.1699, Lng: 24.9384}
	newYork   = Point{Lat: 40.7580, Lng: -73.9855}
	northPole = Point{Lat: 90}
	southPole = Point{Lat: -90}
)
