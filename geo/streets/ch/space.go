package ch

import "sync"

// label is what a search knows of a node.
type label struct {
	node, cost int32
	parent     int32 // the label that it was reached from, or -1 at a seed
	arc        int32 // the arc that led there, or the number of the seed
	at         int32 // its place in the table
}

// space is the memory of one search, and is reused. It holds only the nodes that the search has
// touched, found by hashing: arrays for all nodes would be 12 MB a search in a large city.
type space struct {
	labels []label
	table  []cell // its length is a power of 2
	shift  uint8  // 32 less the power
	heap   heap
}

// cell is a place in the table: a node and the number of its label plus 1, or 0 if it is free.
type cell struct{ node, label int32 }

const (
	minPower = 10
	minTable = 1 << minPower
	maxTable = 1 << 17 // larger ones are not kept
)

var spaces = sync.Pool{New: func() any { return &space{table: make([]cell, minTable), shift: 32 - minPower} }}

func newSpace() *space { return spaces.Get().(*space) }

// release empties the space and returns it to the pool.
func (s *space) release() {
	if len(s.table) > maxTable {
		return
	}
	s.reset()
	spaces.Put(s)
}

func (s *space) reset() {
	for i := range s.labels {
		s.table[s.labels[i].at] = cell{}
	}
	s.labels, s.heap = s.labels[:0], s.heap[:0]
}

// slot returns the place in the table where a node is, or where it belongs.
func (s *space) slot(node int32) uint32 {
	table := s.table
	mask := uint32(len(table) - 1)
	for i := uint32(node) * 0x9e3779b1 >> s.shift; ; i++ {
		if c := table[i&mask]; c.label == 0 || c.node == node {
			return i & mask
		}
	}
}

// cost returns the cost of a node so far, or unreached.
func (s *space) cost(node int32) int32 {
	if l := s.label(node); l >= 0 {
		return s.labels[l].cost
	}
	return unreached
}

// label returns the number of a node's label, or -1.
func (s *space) label(node int32) int32 { return s.table[s.slot(node)].label - 1 }

// relax notes a way to a node if it is the cheapest so far.
func (s *space) relax(node, cost, parent, arc int32) {
	if cost > maxCost {
		return
	}
	l := s.touch(node)
	x := &s.labels[l]
	if x.cost <= cost {
		return
	}
	x.cost, x.parent, x.arc = cost, parent, arc
	s.heap.push(cost, l)
}

// touch returns the number of a node's label, which it makes, unreached, if there is none.
func (s *space) touch(node int32) int32 {
	i := s.slot(node)
	if l := s.table[i].label - 1; l >= 0 {
		return l
	}
	l := int32(len(s.labels))
	s.labels = append(s.labels, label{node: node, cost: unreached, at: int32(i)})
	s.table[i] = cell{node, l + 1}
	if len(s.labels)*2 > len(s.table) {
		s.grow()
	}
	return l
}

func (s *space) grow() {
	s.table = make([]cell, 2*len(s.table))
	s.shift--
	for i := range s.labels {
		at := s.slot(s.labels[i].node)
		s.table[at] = cell{s.labels[i].node, int32(i) + 1}
		s.labels[i].at = int32(at)
	}
}

// next removes the cheapest label from the heap; stale entries are skipped. It returns -1 if
// there is none.
func (s *space) next() int32 {
	for len(s.heap) > 0 {
		if x := s.heap.pop(); x.key == s.labels[x.of].cost {
			return x.of
		}
	}
	return -1
}

// least returns the lowest cost in the heap, or unreached.
func (s *space) least() int32 {
	if len(s.heap) == 0 {
		return unreached
	}
	return s.heap[0].key
}

// seed begins a search. rank, if not nil, translates nodes.
func (s *space) seed(seeds []Seed, rank []int32) {
	for i, x := range seeds {
		n := x.Node
		if rank != nil {
			n = rank[n]
		}
		s.relax(n, x.Cost, -1, int32(i))
	}
}
