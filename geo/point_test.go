package geo

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var invalidPoints = map[string]Point{
	"missing":                {},
	"negative zeros":         {Lat: math.Copysign(0, -1), Lng: math.Copysign(0, -1)},
	"latitude NaN":           {Lat: math.NaN(), Lng: 1},
	"longitude NaN":          {Lat: 1, Lng: math.NaN()},
	"latitude +Inf":          {Lat: math.Inf(1), Lng: 1},
	"latitude -Inf":          {Lat: math.Inf(-1), Lng: 1},
	"longitude +Inf":         {Lat: 1, Lng: math.Inf(1)},
	"longitude -Inf":         {Lat: 1, Lng: math.Inf(-1)},
	"latitude 91":            {Lat: 91, Lng: 1},
	"latitude -91":           {Lat: -91, Lng: 1},
	"longitude 181":          {Lat: 1, Lng: 181},
	"longitude -181":         {Lat: 1, Lng: -181},
	"latitude 1e308":         {Lat: 1e308, Lng: 1},
	"longitude -1e308":       {Lat: 1, Lng: -1e308},
	"a hair above the pole":  {Lat: math.Nextafter(90, 91), Lng: 1},
	"a hair over the border": {Lat: 1, Lng: math.Nextafter(-180, -181)},
}

var extremePoints = map[string]Point{
	"north pole":         {Lat: 90},
	"south pole":         {Lat: -90},
	"north pole, 180":    {Lat: 90, Lng: 180},
	"south pole, -180":   {Lat: -90, Lng: -180},
	"antimeridian east":  {Lng: 180},
	"antimeridian west":  {Lng: -180},
	"Greenwich":          {Lat: 51.4779},
	"equator":            {Lng: 24},
	"smallest numbers":   {Lat: math.SmallestNonzeroFloat64, Lng: math.SmallestNonzeroFloat64},
	"a protocol's digit": FromE7(1, 0),
}

func TestInvalidPointsAreRefusedEverywhere(t *testing.T) {
	for name, p := range invalidPoints {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, p.Validate(), ErrInvalidPoint)
			for res := -1; res <= MaxResolution+1; res++ {
				c, err := CellAt(p, res)
				require.ErrorIs(t, err, ErrInvalidPoint)
				require.Zero(t, c)
			}

			tracker, err := NewCellTracker(9)
			require.NoError(t, err)
			before, _, err := tracker.Update(helsinki)
			require.NoError(t, err)
			cell, changed, err := tracker.Update(p)
			require.ErrorIs(t, err, ErrInvalidPoint)
			require.False(t, changed)
			require.Equal(t, before, cell, "a bad fix leaves the driver where it was")

			_, err = StraightLine{}.Route(t.Context(), p, helsinki)
			require.ErrorIs(t, err, ErrInvalidPoint)
			_, err = StraightLine{}.Route(t.Context(), helsinki, p)
			require.ErrorIs(t, err, ErrInvalidPoint)
			routes, err := StraightLine{}.Routes(t.Context(), []Point{helsinki, p}, newYork)
			require.ErrorIs(t, err, ErrInvalidPoint)
			require.Nil(t, routes)
			_, err = StraightLine{}.Routes(t.Context(), nil, p)
			require.ErrorIs(t, err, ErrInvalidPoint)
		})
	}
}

func TestExtremePointsAreValid(t *testing.T) {
	for name, p := range extremePoints {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, p.Validate())
			for res := 0; res <= MaxResolution; res++ {
				c := mustCell(t, p, res)
				require.True(t, c.Valid())
				require.Equal(t, res, c.Resolution())
				require.NoError(t, c.Center().Validate())
				require.LessOrEqual(t, DistanceM(c.Center(), p), c.RadiusM()*1.0001)
			}
		})
	}
}

func TestResolutionsOutOfRangeAreRefused(t *testing.T) {
	for _, res := range []int{-1, 16, math.MinInt, math.MaxInt, 1 << 32} {
		_, err := CellAt(helsinki, res)
		require.ErrorIs(t, err, ErrOutOfRange)
		_, err = NewCellTracker(res)
		require.ErrorIs(t, err, ErrOutOfRange)
	}
}

func TestScaledIntegersRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat := rapid.Int32Range(-900_000_000, 900_000_000).Draw(t, "lat")
		lng := rapid.Int32Range(-1_800_000_000, 1_800_000_000).Draw(t, "lng")
		gotLat, gotLng := FromE7(lat, lng).E7()
		require.Equal(t, []int32{lat, lng}, []int32{gotLat, gotLng})
	})
}
