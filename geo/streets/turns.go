package streets

import "slices"

// Turn restrictions are part of the map as copies of junctions: streets from which some turns are
// forbidden lead to a copy that lacks them. A search then needs to know nothing of turns.

// turnBans says for ends of links which ends must not follow, each list sorted.
type turnBans map[int32][]int32

// fix marks the junctions of the restrictions, which must not be joined away.
func (n *network) fix(rs []restriction) {
	vias := make(map[int64]bool, len(rs))
	for _, r := range rs {
		vias[r.via] = true
	}
	for i := range n.junctions {
		n.junctions[i].fixed = vias[n.junctions[i].node]
	}
}

// bans translates the restrictions.
func (n *network) bans(rs []restriction, first, at []int32) turnBans {
	if len(rs) == 0 {
		return nil
	}
	where := map[int64]int32{}
	for v := range n.junctions {
		if n.junctions[v].fixed && first[v] < first[v+1] {
			where[n.junctions[v].node] = int32(v)
		}
	}
	no, only := turnBans{}, turnBans{}
	for _, r := range rs {
		v, ok := where[r.via]
		if !ok {
			n.report.Turns.Elsewhere++
			continue
		}
		n.apply(r, at[first[v]:first[v+1]], no, only)
	}
	for from, allowed := range only {
		v := n.links[from/2].ends[from%2]
		for _, end := range at[first[v]:first[v+1]] {
			if !slices.Contains(allowed, end) {
				no[from] = append(no[from], end)
			}
		}
	}
	for from, ends := range no {
		ends = slices.DeleteFunc(ends, func(end int32) bool { return !n.leaves(end) })
		slices.Sort(ends)
		if no[from] = slices.Compact(ends); len(no[from]) == 0 {
			delete(no, from)
		}
	}
	return no
}

// apply adds a restriction at a junction whose ends are given.
func (n *network) apply(r restriction, here []int32, no, only turnBans) {
	from, clear1 := n.endsOf(r.from, here, n.enters)
	to, clear2 := n.endsOf(r.to, here, n.leaves)
	switch {
	case !clear1 || !clear2:
		n.report.Turns.Broken++
		return
	case len(from) == 0 || len(to) == 0:
		n.report.Turns.Elsewhere++ // not for cars, or against a one-way street
		return
	}
	n.report.Turns.Used++
	into := no
	if r.only {
		into = only
	}
	for _, f := range from {
		into[f] = append(into[f], to...)
	}
}

// endsOf returns the ends of ways at a junction. It is not clear which one is meant if a way
// passes through.
func (n *network) endsOf(ways []int64, here []int32, open func(int32) bool) (ends []int32, unique bool) {
	for _, way := range ways {
		found := 0
		for _, end := range here {
			if n.links[end/2].ways[end%2] == way {
				found++
				if open(end) {
					ends = append(ends, end)
				}
			}
		}
		if found > 1 {
			return nil, false
		}
	}
	return ends, true
}

// splitter makes the directed edges, with a copy of a junction for each set of forbidden turns.
type splitter struct {
	net       *network
	first, at []int32
	bans      turnBans
	nodes     []int32            // the junction of each node; the first are the junctions themselves
	groups    map[int32][]*group // of each junction that has copies
	edges     []edge
}

// group is a copy of a junction.
type group struct {
	node int32
	bans []int32 // sorted
	// turns says that a restriction made it. A car that was not allowed to turn there must not turn
	// round at the next junction and come back either, so the streets that leave it lead to copies
	// without the way back.
	turns bool
}

func (n *network) split(rs []restriction) (nodes []int32, edges []edge) {
	first, at := n.incidence()
	s := splitter{net: n, first: first, at: at, bans: n.bans(rs, first, at), groups: map[int32][]*group{}}
	for v := range n.junctions {
		s.nodes = append(s.nodes, int32(v))
	}
	// All in the order of the links, so that the same extract gives the same map.
	ends := int32(2 * len(n.links))
	for end := range ends {
		if len(s.bans[end]) > 0 {
			s.copyFor(end, s.bans[end]).turns = true
		}
	}
	for end := range ends {
		for _, g := range s.groups[s.junction(end)] {
			if g.turns && s.mayLeave(g, end) {
				s.copyFor(end^1, s.noReturn(end^1))
			}
		}
	}
	for end := range ends {
		s.addEdges(end)
	}
	return s.nodes, s.edges
}

func (s *splitter) junction(end int32) int32 { return s.net.links[end/2].ends[end%2] }

func (s *splitter) mayLeave(g *group, end int32) bool {
	return s.net.leaves(end) && !slices.Contains(g.bans, end)
}

// noReturn are the bans of an end with the way back, unless that is the only way on.
func (s *splitter) noReturn(end int32) []int32 {
	v := s.junction(end)
	bans := s.bans[end]
	for _, other := range s.at[s.first[v]:s.first[v+1]] {
		if other != end && s.net.leaves(other) && !slices.Contains(bans, other) {
			bans = append(slices.Clone(bans), end)
			slices.Sort(bans)
			return slices.Compact(bans)
		}
	}
	return bans
}

// copyFor returns the copy of an end's junction that has some bans, and makes it if needed. Without
// bans it is nil: the junction itself.
func (s *splitter) copyFor(end int32, bans []int32) *group {
	if len(bans) == 0 {
		return nil
	}
	v := s.junction(end)
	for _, g := range s.groups[v] {
		if slices.Equal(g.bans, bans) {
			return g
		}
	}
	g := &group{node: int32(len(s.nodes)), bans: bans}
	s.nodes = append(s.nodes, v)
	s.groups[v] = append(s.groups[v], g)
	return g
}

// nodeFor is the node of copyFor.
func (s *splitter) nodeFor(end int32, bans []int32) int32 {
	if g := s.copyFor(end, bans); g != nil {
		return g.node
	}
	return s.junction(end)
}

// addEdges adds the edges that leave an end of a link: from the junction and from each of its copies
// that allows it.
func (s *splitter) addEdges(end int32) {
	if !s.net.leaves(end) {
		return
	}
	v := s.junction(end)
	e := edge{from: v, to: s.nodeFor(end^1, s.bans[end^1]), dir: end} // link·2, plus 1 against its direction
	s.edges = append(s.edges, e)
	usual := e.to
	for _, g := range s.groups[v] {
		if !s.mayLeave(g, end) {
			continue
		}
		e.from, e.to = g.node, usual
		if g.turns {
			e.to = s.nodeFor(end^1, s.noReturn(end^1))
		}
		s.edges = append(s.edges, e)
	}
}
