package dispatch

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

// TestGridFindsTheNearest compares with looking at every point: in a city, in a line, all at one place, and on the
// antimeridian, with the place asked for inside and outside.
func TestGridFindsTheNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 400 {
		wide, high, lng := 0.2, 0.1, 127.0
		switch round % 4 {
		case 1:
			high = 0
		case 2:
			wide, high = 0, 0
		case 3:
			lng = 179.95
		}
		points := make([]geo.Point, 1+r.IntN(300))
		for i := range points {
			points[i] = geo.Point{Lat: 37 + high*r.Float64(), Lng: lng + wide*r.Float64()}
			if r.IntN(9) == 0 && i > 0 {
				points[i] = points[i-1] // ties
			}
			if points[i].Lng > 180 {
				points[i].Lng -= 360
			}
		}
		g := newGrid(points)
		at := geo.Point{Lat: 36.95 + 0.2*r.Float64(), Lng: lng - 0.1 + 0.25*r.Float64()}
		if at.Lng > 180 {
			at.Lng -= 360
		}
		k := 1 + r.IntN(70)
		fits := func(i int32) bool { return i%7 != 3 }
		var want []found
		x, y := g.plane(at)
		for i := range points {
			if dx, dy := g.x[i]-x, g.y[i]-y; fits(int32(i)) {
				want = append(want, found{int32(i), dx*dx + dy*dy})
			}
		}
		slices.SortFunc(want, found.compare)
		want = want[:min(k, len(want))]
		got := g.near(at, k, fits, nil)
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, want[i], got[i], "round %d, %d of %d", round, i, len(points))
		}
	}
}

// TestPlaneIsCloseToTheSphere: over a city, the plane's distances are those of the sphere but for 1 %.
func TestPlaneIsCloseToTheSphere(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	points := []geo.Point{{Lat: 52.5, Lng: 13.4}}
	for range 200 {
		points = append(points, geo.Point{Lat: 52.3 + 0.4*r.Float64(), Lng: 13.1 + 0.6*r.Float64()})
	}
	g := newGrid(points)
	for i := range 200 {
		a, b := points[i], points[i+1]
		dx, dy := g.x[i]-g.x[i+1], g.y[i]-g.y[i+1]
		m := geo.DistanceM(a, b)
		require.InEpsilon(t, m*m, dx*dx+dy*dy, 0.02)
	}
}
