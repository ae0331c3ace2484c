package ch

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// genGraph draws graphs as cities have them and as they never have: with one-ways, parallel edges,
// loops, equal weights, parts that are not joined.
func genGraph(t *rapid.T) (n int, edges []Edge) {
	n = rapid.IntRange(1, 40).Draw(t, "nodes")
	node := rapid.Int32Range(0, int32(n-1))
	weight := rapid.Int32Range(1, rapid.SampledFrom([]int32{1, 5, 1000, MaxWeight}).Draw(t, "most"))
	for range rapid.IntRange(0, 4*n).Draw(t, "edges") {
		e := Edge{node.Draw(t, "from"), node.Draw(t, "to"), weight.Draw(t, "weight")}
		edges = append(edges, e)
		if rapid.Bool().Draw(t, "both") {
			edges = append(edges, Edge{e.To, e.From, e.Weight})
		}
	}
	return n, edges
}

func genSeeds(t *rapid.T, n int, name string) (out []Seed) {
	for range rapid.IntRange(1, 3).Draw(t, name) {
		out = append(out, Seed{rapid.Int32Range(0, int32(n-1)).Draw(t, "node"), rapid.Int32Range(0, 50).Draw(t, "cost")})
	}
	return out
}

// measuresOf are measures whose sums follow from the cost, so that equally cheap ways have the same.
func measuresOf(edges []Edge) []Measure {
	m := make([]Measure, len(edges))
	for i, e := range edges {
		m[i] = Measure{M: float32(e.Weight), S: 3 * float32(e.Weight)}
	}
	return m
}

// checkWay checks that edges lead from one seed to the other and cost what was found.
func checkWay(t require.TestingT, edges []Edge, way []int32, from, to []Seed, f Found) {
	at, cost := from[f.From].Node, int64(from[f.From].Cost)
	for _, e := range way {
		require.Equal(t, at, edges[e].From)
		at = edges[e].To
		cost += int64(edges[e].Weight)
	}
	require.Equal(t, to[f.To].Node, at)
	require.Equal(t, int64(f.Cost), cost+int64(to[f.To].Cost))
}

func TestHierarchyIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, edges := genGraph(t)
		h, err := Build(context.Background(), n, edges, Options{})
		require.NoError(t, err)
		// New weights in the old order are exact as well.
		if rapid.Bool().Draw(t, "again") {
			for i := range edges {
				edges[i].Weight = rapid.Int32Range(1, 1000).Draw(t, "new")
			}
			h, err = Build(context.Background(), n, edges, Options{Order: h.Order()})
			require.NoError(t, err)
		}
		// What was written to a file, too.
		h, err = Restore(n, edges, h.Parts())
		require.NoError(t, err)
		oracle := NewGraph(n, edges)
		from, to := genSeeds(t, n, "from"), genSeeds(t, n, "to")
		want, way, ok := oracle.Route(from, to, []int32{7})
		got, fast, ok2 := h.Route(from, to, []int32{7})
		require.Equal(t, ok, ok2)
		require.Equal(t, int32(7), fast[0], "the path is appended")
		cost, ok3 := h.Cost(from, to)
		require.Equal(t, ok, ok3)
		if ok {
			require.Equal(t, want.Cost, got.Cost)
			require.Equal(t, want.Cost, cost)
			checkWay(t, edges, way[1:], from, to, want)
			checkWay(t, edges, fast[1:], from, to, got)
		}
		checkStar(t, h, oracle, edges, from, [][]Seed{to, genSeeds(t, n, "other"), genSeeds(t, n, "third")})
	})
}

// checkStar checks each way of stars in both directions against the oracle.
func checkStar(t *rapid.T, h *Hierarchy, oracle *Graph, edges []Edge, hub []Seed, ends [][]Seed) {
	m := h.Measures(measuresOf(edges))
	for _, out := range []bool{false, true} {
		star := Star{Hub: hub, Ends: ends, Out: out}
		all := h.Reach(star, m, nil)
		require.Len(t, all, len(ends))
		for i, r := range all {
			checkReached(t, oracle, star, i, r)
		}
		if out {
			continue
		}
		seen := map[int]bool{}
		most := rapid.IntRange(0, 60).Draw(t, "most")
		rest := oracle.Near(star, most, m, func(i int, r Reached) { seen[i] = true; checkReached(t, oracle, star, i, r) }, nil)
		for _, i := range rest {
			require.False(t, seen[i])
			seen[i] = true
		}
		require.Len(t, seen, len(ends))
		if most == 60 {
			require.Empty(t, rest, "the whole graph has been searched")
		}
	}
}

func checkReached(t *rapid.T, oracle *Graph, s Star, i int, r Reached) {
	from, to := s.Ends[i], s.Hub
	if s.Out {
		from, to = to, from
	}
	want, _, ok := oracle.Route(from, to, nil)
	require.Equal(t, ok, r.Hub >= 0)
	if !ok {
		return
	}
	require.Equal(t, want.Cost, r.Cost)
	way := float64(r.Cost - s.Ends[i][r.End].Cost - s.Hub[r.Hub].Cost)
	require.InDelta(t, way, r.Measure.M, way/1e6)
	require.InDelta(t, 3*way, r.Measure.S, way/1e6)
	a, b := s.Ends[i][r.End], s.Hub[r.Hub]
	if s.Out {
		a, b = b, a
	}
	only, _, ok := oracle.Route([]Seed{a}, []Seed{b}, nil)
	require.True(t, ok)
	require.Equal(t, want.Cost, only.Cost, "the seeds that it names are those of the way")
}

func TestBuildRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		n     int
		edges []Edge
		order []int32
	}{
		"a missing node":  {2, []Edge{{0, 2, 1}}, nil},
		"a negative node": {2, []Edge{{-1, 0, 1}}, nil},
		"weight 0":        {2, []Edge{{0, 1, 0}}, nil},
		"a huge weight":   {2, []Edge{{0, 1, MaxWeight + 1}}, nil},
		"a short order":   {2, nil, []int32{0}},
		"a double order":  {2, nil, []int32{0, 0}},
		"a wrong order":   {2, nil, []int32{0, 2}},
	} {
		_, err := Build(t.Context(), c.n, c.edges, Options{Order: c.order})
		require.ErrorIs(t, err, ErrInvalid, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Build(ctx, 3, []Edge{{0, 1, 1}}, Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestBuildIsTheSameEachTime(t *testing.T) {
	n, edges := grid(12)
	a, err := Build(t.Context(), n, edges, Options{})
	require.NoError(t, err)
	b, err := Build(t.Context(), n, edges, Options{})
	require.NoError(t, err)
	require.Equal(t, a, b)
	steps := 0
	_, err = Build(t.Context(), n, edges, Options{Order: a.Order(), Progress: func(done, total int) {
		steps++
		require.LessOrEqual(t, done, total)
	}})
	require.NoError(t, err)
	_ = steps
}

// grid is a square city whose weights differ.
func grid(side int) (n int, edges []Edge) {
	at := func(x, y int) int32 { return int32(y*side + x) }
	for y := range side {
		for x := range side {
			w := int32(10 + (x*7+y*13)%11)
			if x+1 < side {
				edges = append(edges, Edge{at(x, y), at(x+1, y), w}, Edge{at(x+1, y), at(x, y), w + 1})
			}
			if y+1 < side {
				edges = append(edges, Edge{at(x, y), at(x, y+1), w + 2})
			}
			if y+1 < side && x%3 == 0 {
				edges = append(edges, Edge{at(x, y+1), at(x, y), w})
			}
		}
	}
	return side * side, edges
}

// TestRestoreSeesEveryWrongNumber changes each number of a small hierarchy. What is accepted all
// the same must still be exact.
func TestRestoreSeesEveryWrongNumber(t *testing.T) {
	n, edges := grid(4)
	h, err := Build(t.Context(), n, edges, Options{})
	require.NoError(t, err)
	copied := func() Parts {
		p := h.Parts()
		p.Order, p.UpFirst, p.DownFirst = slices.Clone(p.Order), slices.Clone(p.UpFirst), slices.Clone(p.DownFirst)
		p.UpArcs, p.DownArcs = slices.Clone(p.UpArcs), slices.Clone(p.DownArcs)
		return p
	}
	numbers := func(p *Parts) (out []*int32) {
		for _, l := range [][]int32{p.Order, p.UpFirst, p.DownFirst} {
			for i := range l {
				out = append(out, &l[i])
			}
		}
		for _, l := range [][]Arc{p.UpArcs, p.DownArcs} {
			for i := range l {
				out = append(out, &l[i].To, &l[i].Weight, &l[i].Via)
			}
		}
		return out
	}
	first := h.Parts()
	refused := 0
	for i := range numbers(&first) {
		for _, to := range []int32{math.MinInt32, -5, -1, 0, 1, 7, math.MaxInt32} {
			p := copied()
			x := numbers(&p)[i]
			if *x == to {
				continue
			}
			*x = to
			r, err := Restore(n, edges, p)
			if err != nil {
				require.ErrorIs(t, err, ErrInvalid)
				refused++
				continue
			}
			for v := range int32(n) {
				_, _, _ = r.Route([]Seed{{Node: 0}}, []Seed{{Node: v}}, nil)
			}
		}
	}
	require.Greater(t, refused, 100)
	for _, p := range []Parts{{}, {Order: h.Order()}} {
		_, err = Restore(n, edges, p)
		require.ErrorIs(t, err, ErrInvalid)
	}
	_, err = Restore(1, []Edge{{0, 1, 1}}, Parts{})
	require.ErrorIs(t, err, ErrInvalid)
}

// TestRestoreRefusesArcsThatDouble: the arcs of each rank consist of two of the rank below, there and back,
// so that those of rank 28 stand for 2^28 edges: no search over them would end.
func TestRestoreRefusesArcsThatDouble(t *testing.T) {
	doubling := func(n int32) (edges []Edge, p Parts) {
		p.UpFirst = []int32{0}
		for v := range n {
			p.Order = append(p.Order, v)
			for to := v + 1; to < n; to++ {
				up, down := Arc{To: to, Weight: 1 << v, Via: v - 1}, Arc{To: to, Weight: 1 << v, Via: v - 1}
				if v == 0 {
					up.Via, down.Via = -1-int32(len(edges)), -2-int32(len(edges))
					edges = append(edges, Edge{v, to, 1}, Edge{to, v, 1})
				}
				p.UpArcs, p.DownArcs = append(p.UpArcs, up), append(p.DownArcs, down)
			}
			p.UpFirst = append(p.UpFirst, int32(len(p.UpArcs)))
		}
		p.DownFirst = slices.Clone(p.UpFirst)
		return edges, p
	}
	for n, ok := range map[int32]bool{4: true, 5: false, 30: false} {
		edges, p := doubling(n)
		_, err := Restore(int(n), edges, p)
		if ok {
			require.NoError(t, err, n)
			continue
		}
		require.ErrorIs(t, err, ErrInvalid, n)
	}
}

// TestLargeSpacesAreNotKept: a search over a large graph leaves no memory behind.
func TestLargeSpacesAreNotKept(t *testing.T) {
	s := newSpace()
	for v := range int32(maxTable) {
		s.relax(v, v, -1, 0)
	}
	require.Greater(t, len(s.table), maxTable)
	for v := range int32(maxTable) {
		require.Equal(t, v, s.cost(v))
	}
	s.release()
	require.NotEmpty(t, s.labels, "it was put back")
	s.reset()
	require.Equal(t, make([]cell, len(s.table)), s.table)
}
