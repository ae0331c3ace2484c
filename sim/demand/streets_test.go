package demand_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/sim/demand"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// folder writes files to a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestGraphsOfTwoFiles(t *testing.T) {
	const nodes, edges = "node,lat,lng\na,40.75,-73.99\nb,40.76,-73.98\n", "from,to,t3,t12\na,b,9,60.5\nb,a,9,30\n"
	g, err := demand.ReadGraph(folder(t, map[string]string{"my_nodes.csv": nodes, "edges.csv": edges, "other.txt": ""}), "t12")
	require.NoError(t, err)
	require.Equal(t, streets.Graph{
		Nodes: []geo.Point{{Lat: 40.75, Lng: -73.99}, {Lat: 40.76, Lng: -73.98}},
		Edges: []streets.GraphEdge{{From: 0, To: 1, Time: 60_500 * time.Millisecond}, {From: 1, To: 0, Time: 30 * time.Second}},
	}, g)
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"no files":    {map[string]string{}, "must hold one file *nodes*.csv"},
		"two of them": {map[string]string{"nodes1.csv": nodes, "nodes2.csv": nodes, "edges.csv": edges}, "holds 2"},
		"no edges":    {map[string]string{"nodes.csv": nodes}, "must hold one file *edges*.csv"},
		"no column":   {map[string]string{"nodes.csv": nodes, "edges.csv": "from,to,t3\n"}, "there is no column t12"},
		"no place":    {map[string]string{"nodes.csv": "node,lat,lng\na,91,0\n", "edges.csv": edges}, "line 2"},
		"twice":       {map[string]string{"nodes.csv": nodes + "a,40,-73\n", "edges.csv": edges}, `line 4: node is "a"`},
		"unknown":     {map[string]string{"nodes.csv": nodes, "edges.csv": "from,to,t12\na,x,1\n"}, `line 2: to is "x"`},
		"from where":  {map[string]string{"nodes.csv": nodes, "edges.csv": "from,to,t12\n,a,1\n"}, `line 2: from is ""`},
		"too slow":    {map[string]string{"nodes.csv": nodes, "edges.csv": "from,to,t12\na,b,14401\n"}, `line 2: t12 is "14401"`},
	} {
		_, err := demand.ReadGraph(folder(t, c.files), "t12")
		require.ErrorContains(t, err, c.says, name)
		require.NotContains(t, err.Error(), "\n", "one sentence")
	}
}

// No ride begins or ends where the map has no street.
func TestPeopleAreOnTheMap(t *testing.T) {
	m, err := nyc.Streets(t.Context(), "test")
	require.NoError(t, err)
	here, queens := geo.Point{Lat: 40.7580, Lng: -73.9855}, geo.Point{Lat: 40.7282, Lng: -73.9225}
	qs := []demand.Request{{ID: "a", Pickup: here, Dropoff: here}, {ID: "b", Pickup: here, Dropoff: queens}, {ID: "c", Pickup: queens, Dropoff: here}}
	ts := []demand.Taxi{{ID: "x", At: queens}, {ID: "y", At: here}}
	q, ts2 := demand.OnMap(qs, ts, m)
	require.Equal(t, qs[:1], q)
	require.Equal(t, ts[1:], ts2)
	require.Equal(t, "c x", qs[2].ID+" "+ts[0].ID, "the given ones do not change")
}

// Riders stand at kerbs, at the side where they were.
func TestRidersStandAtKerbs(t *testing.T) {
	m, err := nyc.Streets(t.Context(), "test")
	require.NoError(t, err)
	qs, _, err := nyc.Peak(demand.Filter{To: 5 * time.Minute, Area: nyc.Manhattan})
	require.NoError(t, err)
	first := qs[0]
	moved := 0
	for i, q := range demand.AtKerbs(qs, m) {
		for was, is := range map[geo.Point]geo.Point{qs[i].Pickup: q.Pickup, qs[i].Dropoff: q.Dropoff} {
			s, err := m.Snap(geo.Place{Point: is})
			if err != nil {
				require.Equal(t, was, is, "off the map")
				continue
			}
			require.Less(t, float64(s.AwayM), 5.1)
			if was != is {
				moved++
				require.Less(t, geo.DistanceM(was, is), 300.0)
			}
		}
	}
	require.Greater(t, moved, 100)
	require.Equal(t, first, qs[0], "the given requests do not change")
	require.Equal(t, geo.Point{}, demand.Kerb(geo.Point{}, m))
	require.True(t, strings.HasPrefix(m.Meta().Source, "manhattan"))
	require.NoError(t, nyc.Model().Validate())
	require.Equal(t, nyc.Model(), m.Model())
}
