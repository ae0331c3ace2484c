package demand_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

func TestAGazetteerNamesAndFinds(t *testing.T) {
	g, err := demand.ReadPlaces(strings.NewReader("name,lat,lng\nMacy's Herald Square,40.7508,-73.9892\nUnion Square,40.7359,-73.9906\n"))
	require.NoError(t, err)
	union := geo.Point{Lat: 40.7359, Lng: -73.9906}
	require.Equal(t, "Union Square", g.NameOf(union))
	require.Equal(t, "near Union Square", g.NameOf(geo.Destination(union, 90, 300)))
	require.Empty(t, g.NameOf(geo.Destination(union, 90, 700)))
	require.Empty(t, demand.Gazetteer{}.NameOf(union))

	names := func(asked string, limit int) []string {
		out := []string{}
		for _, p := range g.Find(asked, union, limit) {
			out = append(out, p.Name)
		}
		return out
	}
	require.Equal(t, []string{"Union Square", "Macy's Herald Square"}, names("square", 5), "the nearest first")
	require.Equal(t, []string{"Union Square"}, names("SQU", 1))
	require.Equal(t, []string{"Macy's Herald Square"}, names("macys her", 5))
	for _, nothing := range []string{"", " ", "quare", "union macy"} {
		require.Empty(t, names(nothing, 5), nothing)
	}

	have := demand.Request{Pickup: union, PickupAddress: "home", Dropoff: union}
	named := g.Named([]demand.Request{have})
	require.Equal(t, "home", named[0].PickupAddress)
	require.Equal(t, "Union Square", named[0].DropoffAddress)
	require.Empty(t, have.DropoffAddress)

	for _, bad := range []string{"", "name,lat\nx,1\n", "name,lat,lng\n,1,1\n", "name,lat,lng\nx,91,1\n", "name,lat,lng\n" + strings.Repeat("x", 201) + ",1,1\n"} {
		_, err := demand.ReadPlaces(strings.NewReader(bad))
		require.ErrorIs(t, err, demand.ErrFormat, bad)
	}
}

// Nearly all riders of the embedded hour get in near a named place.
func TestManhattanHasNames(t *testing.T) {
	g, err := nyc.Places()
	require.NoError(t, err)
	qs, _, err := nyc.Peak(demand.Filter{Area: nyc.Manhattan})
	require.NoError(t, err)
	named := 0
	for _, q := range g.Named(qs) {
		if q.PickupAddress != "" {
			named++
		}
	}
	require.Greater(t, named, len(qs)*95/100)
	require.Len(t, g.Find("grand central", geo.Point{}, 5), 1)
}
