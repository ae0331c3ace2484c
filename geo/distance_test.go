package geo

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uber/h3-go/v4"
	"pgregory.net/rapid"
)

const quarterM = math.Pi / 2 * earthRadiusM

func TestKnownDistances(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b    Point
		want, δ float64
	}{
		"same place":                {helsinki, helsinki, 0, 0},
		"pole to pole":              {northPole, southPole, 2 * quarterM, 1e-3},
		"pole to equator":           {northPole, Point{Lng: 77}, quarterM, 1e-3},
		"a pole has one place":      {Point{Lat: 90, Lng: -120}, Point{Lat: 90, Lng: 33}, 0, 1e-6},
		"a quarter of the equator":  {Point{Lng: -45}, Point{Lng: 45}, quarterM, 1e-3},
		"antipodes":                 {Point{Lat: 30, Lng: 40}, Point{Lat: -30, Lng: -140}, 2 * quarterM, 1},
		"antimeridian, two names":   {Point{Lat: 10, Lng: 180}, Point{Lat: 10, Lng: -180}, 0, 1e-6},
		"over the antimeridian":     {Point{Lng: 179.9995}, Point{Lng: -179.9995}, 111.195, 1e-2},
		"over the pole":             {Point{Lat: 89.999, Lng: 0}, Point{Lat: 89.999, Lng: 180}, 222.39, 1e-2},
		"one degree of latitude":    {Point{Lat: 50, Lng: 8}, Point{Lat: 51, Lng: 8}, 111_195.08, 1e-1},
		"an e7 step":                {FromE7(601699000, 249384000), FromE7(601699001, 249384000), 0.01112, 1e-5},
		"Paris to London (343.5)":   {Point{Lat: 48.8566, Lng: 2.3522}, Point{Lat: 51.5074, Lng: -0.1278}, 343_556, 100},
		"Nashville to Los Angeles":  {Point{Lat: 36.12, Lng: -86.67}, Point{Lat: 33.94, Lng: -118.40}, 2_886_448, 100},
		"New York to Helsinki (km)": {newYork, helsinki, 6_610_000, 15_000},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, tc.want, DistanceM(tc.a, tc.b), tc.δ)
			require.InDelta(t, DistanceM(tc.a, tc.b), DistanceM(tc.b, tc.a), 1e-6)
		})
	}
}

func TestDistanceAgreesWithH3(t *testing.T) {
	const h3RadiusM = 6_371_007.180918475 // of equal area; ours is the mean radius
	rapid.Check(t, func(t *rapid.T) {
		a, b := genPoint().Draw(t, "a"), genPoint().Draw(t, "b")
		theirs := h3.GreatCircleDistanceM(h3.LatLng{Lat: a.Lat, Lng: a.Lng}, h3.LatLng{Lat: b.Lat, Lng: b.Lng})
		ours := DistanceM(a, b)
		require.False(t, math.IsNaN(ours))
		if math.IsNaN(theirs) { // H3's own rounds past the half circle at antipodes
			require.InDelta(t, math.Pi, ours/earthRadiusM, 1e-6)
			return
		}
		require.InDelta(t, theirs/h3RadiusM, ours/earthRadiusM, 1e-7)
	})
}

func TestBearings(t *testing.T) {
	for name, tc := range map[string]struct {
		a, b Point
		want float64
	}{
		"north":                      {Point{Lat: 10, Lng: 20}, Point{Lat: 11, Lng: 20}, 0},
		"south":                      {Point{Lat: 10, Lng: 20}, Point{Lat: 9, Lng: 20}, 180},
		"east on the equator":        {Point{Lng: 20}, Point{Lng: 21}, 90},
		"west on the equator":        {Point{Lng: 20}, Point{Lng: 19}, 270},
		"east over the antimeridian": {Point{Lng: 179.9}, Point{Lng: -179.9}, 90},
		"west over the antimeridian": {Point{Lng: -179.9}, Point{Lng: 179.9}, 270},
		"over the pole":              {Point{Lat: 89, Lng: 30}, Point{Lat: 89, Lng: -150}, 0},
		"from the south pole":        {southPole, Point{Lat: -80}, 0},
		"nowhere":                    {helsinki, helsinki, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.InDelta(t, tc.want, BearingDeg(tc.a, tc.b), 1e-9)
		})
	}
}

func TestDestinationAndBearingAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := genPoint().Draw(t, "from")
		bearing := rapid.Float64Range(0, 360).Draw(t, "bearing")
		metres := rapid.Float64Range(1, 1e7).Draw(t, "metres")
		to := Destination(from, bearing, metres)
		if !to.IsZero() {
			require.NoError(t, to.Validate())
		}
		require.InDelta(t, metres, DistanceM(from, to), 1e-6+metres*1e-7)

		back := BearingDeg(from, to)
		require.True(t, back >= 0 && back < 360, "%v", back)
		again := Destination(from, back, metres)
		require.InDelta(t, 0, DistanceM(to, again), 1e-3+metres*1e-7)
	})
}

func TestTrackLength(t *testing.T) {
	require.Zero(t, trackLengthM(nil))
	require.Zero(t, trackLengthM([]Point{helsinki}))
	track := []Point{helsinki}
	for i := range 36 { // a polygon of 36 sides
		track = append(track, Destination(track[i], float64(i)*10, 100))
	}
	require.InDelta(t, 3600, trackLengthM(track), 1e-3)
	require.InDelta(t, 0, DistanceM(track[0], track[36]), 1)
}
