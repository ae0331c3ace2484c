package ch

import (
	"fmt"
	"math"
)

// Parts are what a hierarchy consists of, to be written to a file. The arcs of the node with rank
// r lie between First[r] and First[r+1]. Slices belong to the hierarchy.
type Parts struct {
	Order              []int32 // node with each rank
	UpFirst, DownFirst []int32
	UpArcs, DownArcs   []Arc
}

// Parts returns the parts of h, which the caller must not change.
func (h *Hierarchy) Parts() Parts {
	return Parts{Order: h.node, UpFirst: h.up.first, DownFirst: h.down.first, UpArcs: h.up.list, DownArcs: h.down.list}
}

// Restore makes a hierarchy of its parts and the edges that it was built of. It takes over the
// slices. It checks everything that a search relies on, so that no parts, however wrong, make a
// search panic or run for ever, and that each arc weighs what it stands for. The error wraps
// ErrInvalid.
func Restore(n int, edges []Edge, p Parts) (*Hierarchy, error) {
	if err := validate(n, edges); err != nil {
		return nil, err
	}
	h := &Hierarchy{
		rank: make([]int32, n), node: p.Order,
		up: arcs{first: p.UpFirst, list: p.UpArcs}, down: arcs{first: p.DownFirst, list: p.DownArcs},
	}
	if len(p.Order) != n {
		return nil, fmt.Errorf("%w: the order has %d nodes of %d", ErrInvalid, len(p.Order), n)
	}
	for v := range h.rank {
		h.rank[v] = -1
	}
	for r, v := range p.Order {
		if v < 0 || int(v) >= n || h.rank[v] >= 0 {
			return nil, fmt.Errorf("%w: the order has node %d twice, or it is missing", ErrInvalid, v)
		}
		h.rank[v] = int32(r)
	}
	for _, a := range []*arcs{&h.up, &h.down} {
		if err := a.validate(n); err != nil {
			return nil, err
		}
	}
	c := checker{h: h, edges: edges, up: make([]int32, len(h.up.list)), down: make([]int32, len(h.down.list))}
	for v := range int32(n) { // by rising rank: halves before the arcs that consist of them
		if err := c.check(v); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// validate checks that the arcs lie where they should and that each leads upwards, to a node that
// no other arc of its node leads to.
func (a *arcs) validate(n int) error {
	if len(a.first) != n+1 || a.first[0] != 0 || int(a.first[n]) != len(a.list) || len(a.list) > math.MaxInt32 {
		return fmt.Errorf("%w: arcs are missing", ErrInvalid)
	}
	for v := range int32(n) {
		if a.first[v] > a.first[v+1] || a.first[v] < 0 || int(a.first[v+1]) > len(a.list) {
			return fmt.Errorf("%w: arcs are out of order", ErrInvalid)
		}
		for _, x := range a.of(v) {
			if x.To <= v || int(x.To) >= n || x.Weight < 1 || x.Weight > maxCost || x.Via >= v {
				return fmt.Errorf("%w: an arc of rank %d leads nowhere", ErrInvalid, v)
			}
		}
	}
	return nil
}

// checker checks what arcs stand for, and counts the edges of each.
type checker struct {
	h        *Hierarchy
	edges    []Edge
	up, down []int32
}

// check checks the arcs of the node with rank v. Those of lower ranks have been checked. A cheapest way
// passes no node twice; without that bound, arcs whose halves are the same one stand for 2^rank edges.
func (c *checker) check(v int32) error {
	for i := c.h.up.first[v]; i < c.h.up.first[v+1]; i++ {
		c.up[i] = c.stands(v, c.h.up.list[i].To, c.h.up.list[i])
		if c.up[i] == 0 {
			return fmt.Errorf("%w: an arc of rank %d stands for nothing", ErrInvalid, v)
		}
	}
	for i := c.h.down.first[v]; i < c.h.down.first[v+1]; i++ {
		c.down[i] = c.stands(c.h.down.list[i].To, v, c.h.down.list[i])
		if c.down[i] == 0 {
			return fmt.Errorf("%w: an arc of rank %d stands for nothing", ErrInvalid, v)
		}
	}
	return nil
}

// stands returns the number of edges that an arc between two ranks stands for: one, or those of two lower
// arcs of the same weight. It is 0 if they do not match, or are more than there are nodes.
func (c *checker) stands(from, to int32, a Arc) int32 {
	h := c.h
	if a.Via < 0 {
		i := int(a.edge())
		if i < 0 || i >= len(c.edges) {
			return 0
		}
		if e := c.edges[i]; h.rank[e.From] != from || h.rank[e.To] != to || e.Weight != a.Weight {
			return 0
		}
		return 1
	}
	i, j := h.down.index(a.Via, from), h.up.index(a.Via, to)
	if i < 0 || j < 0 || h.down.list[i].Weight+h.up.list[j].Weight != a.Weight {
		return 0
	}
	if n := int64(c.down[i]) + int64(c.up[j]); n <= int64(len(h.rank)) {
		return int32(n)
	}
	return 0
}
