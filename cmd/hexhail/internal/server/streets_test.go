package server

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

func TestDrivesFollowStreetsWhereThereAreSome(t *testing.T) {
	m, err := streets.Build(t.Context(), manhattan.Open, streets.BuildOptions{Name: manhattan.Name})
	require.NoError(t, err)
	d := drives{new(streets.City), geo.StraightLine{}}
	from, to, sea := geo.Point{Lat: 40.7580, Lng: -73.9855}, geo.Point{Lat: 40.7812, Lng: -73.9665}, geo.Point{Lat: 40.5, Lng: -73.5}

	crow, err := d.Route(t.Context(), from, to)
	require.NoError(t, err)
	require.Equal(t, geo.ByCrow, crow.By, "without a map")

	d.city.Swap(m)
	way, err := d.Route(t.Context(), from, to)
	require.NoError(t, err)
	require.Equal(t, geo.ByStreets, way.By)
	require.Greater(t, way.DistanceM, geo.DistanceM(from, to))
	all, err := d.Routes(t.Context(), []geo.Point{from, sea}, to)
	require.NoError(t, err)
	require.InDelta(t, way.DistanceM, all[0].DistanceM, 1)
	require.Equal(t, geo.ByStreets, all[0].By)
	require.Equal(t, geo.ByCrow, all[1].By, "off the map")
	require.True(t, all[1].Reachable())
	away, err := d.Route(t.Context(), sea, to)
	require.NoError(t, err)
	require.Equal(t, geo.ByCrow, away.By)

	ended, end := context.WithCancel(t.Context())
	end()
	_, err = d.Routes(ended, []geo.Point{from}, to)
	require.ErrorIs(t, err, context.Canceled)
}
