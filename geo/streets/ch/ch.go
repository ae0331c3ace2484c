// Package ch finds cheapest ways in a directed graph by contraction hierarchies (R. Geisberger,
// P. Sanders, D. Schultes, D. Delling, "Contraction Hierarchies", WEA 2008): nodes are removed one
// after another, cheap ones first, and an arc replaces each cheapest way through a removed node. A
// search then only climbs, from both ends, and meets at the top. In a city of 500,000 junctions it
// looks at some hundred nodes where Dijkstra's algorithm looks at 240,000.
//
// The package knows nothing of streets: nodes and edges are numbers, weights are positive integers.
// Search is exact: it returns what Dijkstra's algorithm returns, which is here too, as the oracle.
package ch

import "math"

// Edge is a directed edge of the graph. Its index in the caller's slice is its number. Parallel
// edges and loops are allowed; a loop is part of no cheapest way between two nodes.
type Edge struct {
	From, To int32
	Weight   int32 // at least 1 and at most MaxWeight
}

// MaxWeight bounds the weight of an edge, so that no sum along a way overflows: a way of
// milliseconds may last 12 days.
const MaxWeight = 1 << 24

// unreached is a cost that no way has. Sums of two costs stay below it.
const unreached = math.MaxInt32

// maxCost bounds what a search looks at: half of unreached, because a cost is the sum of both sides.
const maxCost = unreached / 2

// Seed is a node where a search begins or ends, with what it costs to get from the place to the
// node, or from the node to the place. The cost is at least 0.
type Seed struct {
	Node int32
	Cost int32
}

// Found is a cheapest way between two sets of seeds.
type Found struct {
	Cost     int32 // with the seeds' own
	From, To int   // indices of the seeds that it uses
}

// Measure is what is summed up along a way beside its cost: a length in metres and a time in
// seconds.
type Measure struct{ M, S float32 }

func (m Measure) plus(o Measure) Measure { return Measure{m.M + o.M, m.S + o.S} }

// Reached is a way between the hub of a star and one of its ends.
type Reached struct {
	Cost    int32
	Hub     int // index of the seed at the hub
	End     int // index of the seed at the end
	Measure Measure
}

// arcs are arcs by node: those of v lie between first[v] and first[v+1].
type arcs struct {
	first []int32
	list  []Arc
}

func (a *arcs) of(v int32) []Arc { return a.list[a.first[v]:a.first[v+1]] }

// index returns the place of the arc from v to another node, or -1. There is at most one.
func (a *arcs) index(v, to int32) int32 {
	for i := a.first[v]; i < a.first[v+1]; i++ {
		if a.list[i].To == to {
			return i
		}
	}
	return -1
}

// Arc leads to a node of a higher rank. Via says what it stands for: from 0 on the node between
// its two halves, else -1 minus the number of an edge.
type Arc struct {
	To, Weight, Via int32
}

func (a Arc) edge() int32 { return -1 - a.Via }

// Hierarchy is a contracted graph. It is immutable, so any goroutine may search it at any time.
// Its nodes are numbered by rank inside, and as in the caller's edges outside.
type Hierarchy struct {
	rank []int32 // of each node
	node []int32 // with each rank
	up   arcs    // edges to nodes of a higher rank
	down arcs    // edges from nodes of a higher rank
}

// Nodes returns the number of nodes.
func (h *Hierarchy) Nodes() int { return len(h.rank) }

// Arcs returns the number of arcs, shortcuts among them.
func (h *Hierarchy) Arcs() int { return len(h.up.list) + len(h.down.list) }

// Order returns the nodes in the order in which they were contracted. The caller must not change
// it.
func (h *Hierarchy) Order() []int32 { return h.node }
