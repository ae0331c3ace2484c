package streets

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
)

// grownGraph is a random graph: a grid of some streets that lead one way or both, with any times.
func grownGraph(r *rand.Rand, side int) Graph {
	var g Graph
	for i := range side * side {
		jitter := func() float64 { return 0.6 * (r.Float64() - 0.5) }
		g.Nodes = append(g.Nodes, townAt(float64(i/side)+jitter(), float64(i%side)+jitter()))
	}
	link := func(a, b int) {
		for _, e := range [][2]int{{a, b}, {b, a}, {a, b}} { // some twice: the faster one counts
			if r.IntN(4) > 0 {
				g.Edges = append(g.Edges, GraphEdge{From: e[0], To: e[1], Time: time.Duration(r.IntN(90_000)) * time.Millisecond})
			}
		}
	}
	for i := range g.Nodes {
		if i%side > 0 {
			link(i, i-1)
		}
		if i >= side {
			link(i, i-side)
		}
	}
	return g
}

// far is a time that no way takes.
const far = math.MaxInt64 / 4

// times finds the fastest ways from some nodes by Dijkstra's algorithm over the given edges: simple, and without
// anything of the map's.
func (g Graph) times(from map[int]time.Duration) []time.Duration {
	out, done := make([]time.Duration, len(g.Nodes)), make([]bool, len(g.Nodes))
	for i := range out {
		out[i] = far
	}
	for n, t := range from {
		out[n] = t
	}
	for {
		at := -1
		for i := range out {
			if !done[i] && out[i] < far && (at < 0 || out[i] < out[at]) {
				at = i
			}
		}
		if at < 0 {
			return out
		}
		done[at] = true
		for _, e := range g.Edges {
			if e.From == at {
				out[e.To] = min(out[e.To], out[at]+max(e.Time, time.Millisecond))
			}
		}
	}
}

// fastest is the time of the fastest edge from a node to another, and whether there is one.
func (g Graph) fastest(from, to int) (time.Duration, bool) {
	best, found := time.Duration(far), false
	for _, e := range g.Edges {
		if e.From == from && e.To == to {
			best, found = min(best, max(e.Time, time.Millisecond)), true
		}
	}
	return best, found
}

// onEdge draws a place on the street between two nodes of the map, with its share.
func onEdge(r *rand.Rand, m *Map, g Graph) (a, b int, share float64, p geo.Point) {
	node := map[geo.Point]int{}
	for i, q := range g.Nodes {
		node[geo.FromE7(q.E7())] = i
	}
	shape := m.Shape(r.Int32N(m.graph.segmentCount()), nil)
	share = 0.1 + 0.8*r.Float64()
	return node[shape[0]], node[shape[1]], share, geo.Point{
		Lat: shape[0].Lat + share*(shape[1].Lat-shape[0].Lat), Lng: shape[0].Lng + share*(shape[1].Lng-shape[0].Lng),
	}
}

// Ways on a graph take exactly as long as Dijkstra's algorithm says, by its own times.
func TestGraphsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 5 {
		g := grownGraph(r, 7)
		m, err := FromGraph(t.Context(), g, Meta{Source: "test"})
		require.NoError(t, err)
		slow := DefaultModel()
		slow.SignShare, slow.Signal = 0.1, time.Minute
		slowed, err := m.WithModel(slow)
		require.NoError(t, err)
		for range 40 {
			a, b, s, from := onEdge(r, m, g)
			c, d, e, to := onEdge(r, m, g)
			leave := map[int]time.Duration{}
			part := func(share float64, t time.Duration) time.Duration { return time.Duration(share * float64(t)) }
			if t, ok := g.fastest(a, b); ok {
				leave[b] = part(1-s, t)
			}
			if t, ok := g.fastest(b, a); ok {
				leave[a] = part(s, t)
			}
			reach := g.times(leave)
			want := time.Duration(far)
			if t, ok := g.fastest(c, d); ok {
				want = min(want, reach[c]+part(e, t))
				if a == c && b == d && e >= s {
					want = min(want, part(e-s, t))
				}
			}
			if t, ok := g.fastest(d, c); ok {
				want = min(want, reach[d]+part(1-e, t))
				if a == c && b == d && e <= s {
					want = min(want, part(s-e, t))
				}
			}
			for _, on := range []*Map{m, slowed} {
				drive, err := on.Drive(t.Context(), geo.Place{Point: from}, geo.Place{Point: to})
				require.NoError(t, err)
				require.InDelta(t, want.Seconds(), drive.After[len(drive.After)-1].Seconds(), 0.01)
				routes, err := on.To(t.Context(), []geo.Place{{Point: from}}, geo.Place{Point: to}, time.Time{})
				require.NoError(t, err)
				require.InDelta(t, want.Seconds(), routes[0].Duration.Seconds(), 0.01)
			}
		}
	}
}

func TestGraphsKeepTheirTimesInFiles(t *testing.T) {
	g := Graph{
		Nodes: []geo.Point{townAt(0, 0), townAt(0, 1), townAt(5, 5)},
		Edges: []GraphEdge{{0, 1, time.Minute}, {1, 0, 2 * time.Minute}, {2, 0, time.Second}},
	}
	m, err := FromGraph(t.Context(), g, Meta{})
	require.NoError(t, err)
	require.Equal(t, 2, m.Counts().Junctions, "there is no way to the third")
	again, err := Read(bytes.NewReader(written(t, m)))
	require.NoError(t, err)
	for _, on := range []*Map{m, again} {
		there, err := on.Route(t.Context(), g.Nodes[0], g.Nodes[1])
		require.NoError(t, err)
		back, err := on.Route(t.Context(), g.Nodes[1], g.Nodes[0])
		require.NoError(t, err)
		require.Equal(t, time.Minute, there.Duration)
		require.Equal(t, 2*time.Minute, back.Duration)
	}
}

func TestBadGraphsAreRefused(t *testing.T) {
	here, there := townAt(0, 0), townAt(0, 1)
	for name, c := range map[string]struct {
		g   Graph
		err error
	}{
		"empty":        {Graph{}, ErrNoRoads},
		"no edges":     {Graph{Nodes: []geo.Point{here, there}}, ErrNoRoads},
		"only loops":   {Graph{[]geo.Point{here}, []GraphEdge{{0, 0, time.Second}}}, ErrNoRoads},
		"no node":      {Graph{[]geo.Point{here, there}, []GraphEdge{{0, 2, time.Second}}}, ErrGraph},
		"negative":     {Graph{[]geo.Point{here, there}, []GraphEdge{{0, 1, -1}}}, ErrGraph},
		"too slow":     {Graph{[]geo.Point{here, there}, []GraphEdge{{0, 1, 5 * time.Hour}}}, ErrGraph},
		"no place":     {Graph{[]geo.Point{here, {Lat: 91}}, []GraphEdge{{0, 1, 1}}}, ErrGraph},
		"too long":     {Graph{[]geo.Point{here, {Lat: 10, Lng: 10}}, []GraphEdge{{0, 1, 1}}}, ErrGraph},
		"antimeridian": {Graph{[]geo.Point{{Lat: 1, Lng: 179.99}, {Lat: 1, Lng: -179.99}}, []GraphEdge{{0, 1, 1}}}, ErrGraph},
		"one way":      {Graph{[]geo.Point{here, there}, []GraphEdge{{0, 1, time.Second}}}, ErrNoRoads},
	} {
		_, err := FromGraph(t.Context(), c.g, Meta{})
		require.ErrorIs(t, err, c.err, name)
	}
}
