package streets

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/ch"
)

// Graph is a street network with known travel times, such as a data set of them. Its streets are straight.
type Graph struct {
	Nodes []geo.Point
	Edges []GraphEdge
}

// GraphEdge is a street from a node to another, one way: they are indices of the graph's nodes. It takes at
// least a millisecond, and 4 hours at most. Of several ones between the same nodes the fastest counts.
type GraphEdge struct {
	From, To int
	Time     time.Duration
}

// ErrGraph means that a graph is not valid.
var ErrGraph = errors.New("the street graph is not valid")

// maxTime is what ch.MaxWeight milliseconds are, and maxEdgeM how long a street may be, in metres.
const (
	maxTime  = ch.MaxWeight * time.Millisecond
	maxEdgeM = 1_000_000
)

// FromGraph makes a map of a graph in memory. Its ways are the fastest ones by the given times, in
// milliseconds, and take that long: no model changes them. Only the largest part in which every place can be
// reached from every other is kept. Of meta the source, the builder and the licence are used. The error wraps
// ErrGraph, ErrNoRoads, ErrTooLarge or the context's.
func FromGraph(ctx context.Context, from Graph, meta Meta) (*Map, error) {
	n, err := networkOfGraph(from)
	if err != nil {
		return nil, err
	}
	g, err := graphOf(n, nil, newExtract(nil))
	if err != nil {
		return nil, err
	}
	ways, err := ch.Build(ctx, len(g.nodes), g.arcs(), ch.Options{})
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it did
	}
	meta.Timed, meta.Report, meta.Box = true, *n.report, g.box
	on := bareGround()
	return newMap(identity(tableOf(sectionsOf(meta, g, on, ways))), meta, g, on, ways, DefaultModel()), nil
}

// networkOfGraph makes a link of the edges between two nodes, which may lead one way or both.
func networkOfGraph(from Graph) (*network, error) {
	if len(from.Nodes) > maxJunctions {
		return nil, ErrTooLarge
	}
	n := &network{report: &Report{Nodes: len(from.Nodes)}, timed: true, junctions: make([]junction, len(from.Nodes))}
	for i, p := range from.Nodes {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("%w: node %d: %w", ErrGraph, i, err)
		}
		lat, lng := p.E7()
		n.junctions[i] = junction{at: point{lat, lng}, node: -1}
	}
	edges := slices.Clone(from.Edges)
	for i, e := range edges {
		if err := n.check(e); err != nil {
			return nil, fmt.Errorf("%w: edge %d: %w", ErrGraph, i, err)
		}
	}
	links := make(map[[2]int]int, len(edges)) // by both nodes, the smaller one first
	for _, e := range edges {
		if e.From == e.To {
			continue // it leads nowhere
		}
		back := 0
		pair := [2]int{e.From, e.To}
		if e.From > e.To {
			back, pair = 1, [2]int{e.To, e.From}
		}
		at, ok := links[pair]
		if !ok {
			at = len(n.links)
			links[pair] = at
			n.links = append(n.links, n.straight(pair))
		}
		n.links[at].take(back, e.Time)
	}
	if len(n.links) == 0 {
		return nil, ErrNoRoads
	}
	return n, nil
}

func (n *network) check(e GraphEdge) error {
	switch last := len(n.junctions); {
	case e.From < 0 || e.From >= last || e.To < 0 || e.To >= last:
		return fmt.Errorf("it leads from node %d to node %d of %d", e.From, e.To, last)
	case e.Time < 0 || e.Time > maxTime:
		return fmt.Errorf("it takes %v", e.Time)
	}
	a, b := n.junctions[e.From].at, n.junctions[e.To].at
	if lng := int64(a.lng) - int64(b.lng); metres(a, b) > maxEdgeM || max(lng, -lng) > 180*1e7 {
		return fmt.Errorf("it is longer than %d km, or crosses the antimeridian", maxEdgeM/1000)
	}
	return nil
}

// straight is a link between two nodes that may not be driven yet.
func (n *network) straight(pair [2]int) link {
	a, b := n.junctions[pair[0]].at, n.junctions[pair[1]].at
	return link{
		ends: [2]int32{int32(pair[0]), int32(pair[1])}, shape: []point{a, b}, road: Residential,
		lengthM: metres(a, b), freeS: math.Inf(1),
	}
}

// take opens a direction of a link, 0 for forth and 1 for back, which takes a time.
func (l *link) take(back int, t time.Duration) {
	ms := millis(t.Seconds())
	if !l.open[back] || ms < l.takes[back] {
		l.open[back], l.takes[back] = true, ms
	}
	l.freeS = min(l.freeS, float64(ms)/1000)
}
