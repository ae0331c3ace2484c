package simulate

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/geo/streets/manhattan"
)

// Cars drive on a map's file, on an extract or on a graph of files; what is none of these is refused in one
// sentence.
func TestOpenStreets(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) { require.NoError(t, os.WriteFile(in(name), []byte(text), 0o600)) }

	r, err := manhattan.Open()
	require.NoError(t, err)
	extract, err := io.ReadAll(r)
	require.NoError(t, err)
	write("city.osm.pbf", string(extract))
	built, err := OpenStreets(t.Context(), in("city.osm.pbf"), "")
	require.NoError(t, err)
	require.NoError(t, built.Save(in("city.hxst")))
	loaded, err := OpenStreets(t.Context(), in("city.hxst"), "")
	require.NoError(t, err)
	require.Equal(t, built.ID(), loaded.ID())
	require.Equal(t, streets.DefaultModel(), loaded.Model(), "as a server's")

	require.NoError(t, os.Mkdir(in("graph"), 0o700))
	write("graph/nodes.csv", "node,lat,lng\na,40.75,-73.99\nb,40.76,-73.98\n")
	write("graph/edges.csv", "from,to,t1,t2\na,b,60,90\nb,a,60,90\n")
	graph, err := OpenStreets(t.Context(), in("graph"), "t2")
	require.NoError(t, err)
	route, err := graph.Route(t.Context(), geo.Point{Lat: 40.75, Lng: -73.99}, geo.Point{Lat: 40.76, Lng: -73.98})
	require.NoError(t, err)
	require.InDelta(t, 90, route.Duration.Seconds(), 0.01)

	write("text", "not a map, and not an extract either")
	whole, err := os.ReadFile(in("city.hxst"))
	require.NoError(t, err)
	write("cut.hxst", string(whole[:len(whole)/2]))
	write("cut.osm.pbf", string(extract[:len(extract)/2]))
	require.NoError(t, os.Mkdir(in("empty"), 0o700))
	for _, bad := range []string{"text", "cut.hxst", "cut.osm.pbf", "empty", "missing"} {
		_, err := OpenStreets(t.Context(), in(bad), "t2")
		require.ErrorContains(t, err, bad)
		require.NotContains(t, err.Error(), "\n", "one sentence")
	}
}
