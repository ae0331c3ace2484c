package streets

import (
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/ch"
	"github.com/hexhail/hexhail/geo/streets/names"
)

// point is a place in 1e-7 degrees.
type point struct{ lat, lng int32 }

func (p point) geo() geo.Point { return geo.FromE7(p.lat, p.lng) }

// segment is a street between two junctions: its shape, for both directions.
type segment struct {
	first    int32  // its points are shape[first:first of the next]
	name     int32  // in names
	lengthMM uint32 // millimetres along the shape
	freeMS   int32  // milliseconds at the speed of its signs
	road     Road
	flags    Flags
	signals  uint8 // between its ends
}

// edge is one direction of a segment. Several edges share a direction where junctions have
// copies: they cost the same, and lead to the same place.
type edge struct {
	from, to int32
	dir      int32 // segment·2, plus 1 against the shape
	weight   int32 // milliseconds that choose the way
}

func (e edge) segment() int32 { return e.dir >> 1 }
func (e edge) against() bool  { return e.dir&1 != 0 }

// node is a junction, or a copy of one.
type node struct {
	at     point
	signal bool
}

// graph is the street network of a map: flat arrays, as they lie in the file. It is immutable.
type graph struct {
	nodes    []node
	segments []segment // one more than there are, for the end of the last one's points
	shape    []point
	edges    []edge // by from
	names    []string
	also     [][]names.Alias // other names of each
	places   places
	box      Box
	timed    bool // what edges weigh is how long they take, whatever a model says

	firstOut []int32 // edges of node v are edges[firstOut[v]:firstOut[v+1]]
	firstDir []int32 // edges of direction d are byDir[firstDir[d]:firstDir[d+1]]
	byDir    []int32
}

// slowFactor makes ways over service roads and restricted streets count as longer than they take, so
// that no route leads through a car park to save seconds.
const slowFactor = 3

// usualWeight is the time that chooses the way: free flow.
func (s *segment) usualWeight() int32 {
	if s.road == Service || s.flags&Restricted != 0 {
		return min(slowFactor*s.freeMS, ch.MaxWeight)
	}
	return min(s.freeMS, ch.MaxWeight)
}

// graphOf makes the final arrays of a network.
func graphOf(n *network, rs []restriction, x *extract) (*graph, error) {
	junctionOf, edges := n.split(rs)
	edges, nodes := strongest(n, junctionOf, edges)
	if len(edges) == 0 {
		return nil, ErrNoRoads
	}
	g := &graph{nodes: nodes, places: x.places, box: emptyBox, timed: n.timed}
	segmentOf := make([]int32, len(n.links))
	for i := range segmentOf {
		segmentOf[i] = -1
	}
	nameOf := make([]int32, len(x.names))
	for i := range nameOf {
		nameOf[i] = -1
	}
	for i := range edges {
		l := edges[i].segment()
		if segmentOf[l] < 0 {
			segmentOf[l] = int32(len(g.segments))
			g.addSegment(&n.links[l], x, nameOf)
		}
		edges[i].dir = 2*segmentOf[l] + edges[i].dir&1
		edges[i].weight = g.segments[segmentOf[l]].usualWeight()
		if n.timed {
			edges[i].weight = n.links[l].takes[edges[i].dir&1]
		}
	}
	for i := range n.links {
		if segmentOf[i] < 0 {
			n.report.LeftOutM += n.links[i].lengthM
		}
	}
	g.segments = append(g.segments, segment{first: int32(len(g.shape))})
	slices.SortStableFunc(edges, func(a, b edge) int { return int(a.from) - int(b.from) })
	g.edges = edges
	g.index()
	return g, nil
}

// strongest keeps the largest strongly connected component: with turn restrictions it can be
// smaller than without.
func strongest(n *network, junctionOf []int32, edges []edge) ([]edge, []node) {
	arcs := make([]ch.Edge, len(edges))
	for i, e := range edges {
		arcs[i] = ch.Edge{From: e.from, To: e.to, Weight: 1}
	}
	first, to := heads(len(junctionOf), arcs)
	of, best := largest(len(junctionOf), first, to)
	number := make([]int32, len(junctionOf))
	var nodes []node
	for v, j := range junctionOf {
		number[v] = -1
		if of[v] == best {
			number[v] = int32(len(nodes))
			nodes = append(nodes, node{at: n.junctions[j].at, signal: n.junctions[j].signal})
		}
	}
	kept := edges[:0]
	for _, e := range edges {
		if number[e.from] >= 0 && number[e.to] >= 0 {
			e.from, e.to = number[e.from], number[e.to]
			kept = append(kept, e)
		}
	}
	return kept, nodes
}

// heads lists where the edges of each node lead.
func heads(n int, edges []ch.Edge) (first, to []int32) {
	first, to = make([]int32, n+1), make([]int32, len(edges))
	for _, e := range edges {
		first[e.From+1]++
	}
	for v := range n {
		first[v+1] += first[v]
	}
	next := slices.Clone(first)
	for _, e := range edges {
		to[next[e.From]] = e.To
		next[e.From]++
	}
	return first, to
}

func (g *graph) addSegment(l *link, x *extract, nameOf []int32) {
	if nameOf[l.name] < 0 {
		nameOf[l.name] = int32(len(g.names))
		g.names, g.also = append(g.names, x.names[l.name]), append(g.also, x.also[l.name])
	}
	g.segments = append(g.segments, segment{
		first: int32(len(g.shape)), name: nameOf[l.name], road: l.road, flags: l.flags,
		lengthMM: uint32(math.Round(l.lengthM * 1000)), freeMS: millis(l.freeS), signals: uint8(min(l.signals, math.MaxUint8)),
	})
	g.shape = append(g.shape, l.shape...)
}

// index makes what follows from the arrays of the file.
func (g *graph) index() {
	g.firstOut = make([]int32, len(g.nodes)+1)
	g.firstDir = make([]int32, 2*(len(g.segments)-1)+1)
	for _, e := range g.edges {
		g.firstOut[e.from+1]++
		g.firstDir[e.dir+1]++
	}
	for v := range g.nodes {
		g.firstOut[v+1] += g.firstOut[v]
	}
	for d := range len(g.firstDir) - 1 {
		g.firstDir[d+1] += g.firstDir[d]
	}
	g.byDir = make([]int32, len(g.edges))
	next := slices.Clone(g.firstDir)
	for i, e := range g.edges {
		g.byDir[next[e.dir]] = int32(i)
		next[e.dir]++
	}
	for _, p := range g.shape {
		g.box.add(p.lat, p.lng)
	}
}

// edgesOf returns the edges of a direction. The first is the one whose car comes from anywhere, if
// there is one: the nodes of junctions come before those of their copies.
func (g *graph) edgesOf(dir int32) []int32 { return g.byDir[g.firstDir[dir]:g.firstDir[dir+1]] }

// points returns the shape of a segment.
func (g *graph) points(s int32) []point { return g.shape[g.segments[s].first:g.segments[s+1].first] }

// segmentCount returns the number of segments.
func (g *graph) segmentCount() int32 { return int32(len(g.segments) - 1) }

// lengthM is the length of a segment in metres.
func (s *segment) lengthM() float64 { return float64(s.lengthMM) / 1000 }

// arcs are the edges for searches.
func (g *graph) arcs() []ch.Edge {
	out := make([]ch.Edge, len(g.edges))
	for i, e := range g.edges {
		out[i] = ch.Edge{From: e.from, To: e.to, Weight: e.weight}
	}
	return out
}
