package ch

import "slices"

// Graph is the graph as it is, for Dijkstra's algorithm. It is immutable.
type Graph struct {
	out, in arcs
}

// NewGraph makes a graph of n nodes. The edges must be valid, as Build checks.
func NewGraph(n int, edges []Edge) *Graph {
	g := &Graph{}
	g.out = sorted(n, edges, func(e Edge) (int32, int32) { return e.From, e.To })
	g.in = sorted(n, edges, func(e Edge) (int32, int32) { return e.To, e.From })
	return g
}

func sorted(n int, edges []Edge, ends func(Edge) (at, to int32)) arcs {
	a := arcs{first: make([]int32, n+1), list: make([]Arc, len(edges))}
	for _, e := range edges {
		at, _ := ends(e)
		a.first[at+1]++
	}
	for v := range n {
		a.first[v+1] += a.first[v]
	}
	next := slices.Clone(a.first[:n])
	for i, e := range edges {
		at, to := ends(e)
		a.list[next[at]] = Arc{to, e.Weight, -1 - int32(i)}
		next[at]++
	}
	return a
}

// Route is Hierarchy.Route by Dijkstra's algorithm: exact, without preparation, and a thousand
// times slower in a large city.
func (g *Graph) Route(from, to []Seed, path []int32) (found Found, edges []int32, ok bool) {
	s := newSpace()
	defer s.release()
	s.seed(from, nil)
	best, end := int32(unreached), int32(-1)
	for s.least() < best {
		l := s.next()
		if l < 0 {
			break
		}
		x := s.labels[l]
		for i, t := range to {
			if t.Node == x.node && x.cost+t.Cost < best {
				best, end = x.cost+t.Cost, l
				found.To = i
			}
		}
		for i := g.out.first[x.node]; i < g.out.first[x.node+1]; i++ {
			a := &g.out.list[i]
			s.relax(a.To, x.cost+a.Weight, l, i)
		}
	}
	if end < 0 {
		return Found{}, path, false
	}
	begin := len(path)
	l := end
	for ; s.labels[l].parent >= 0; l = s.labels[l].parent {
		path = append(path, g.out.list[s.labels[l].arc].edge())
	}
	slices.Reverse(path[begin:])
	found.Cost, found.From = best, int(s.labels[l].arc)
	return found, path, true
}

// Near finds the ways from the ends to the hub of a star by searching around the hub, up to most
// nodes: where the ends are near, that is faster than Hierarchy.Reach. It calls found for each end
// whose cheapest way it knows for certain, and returns the numbers of the others, appended to rest.
// It panics if the star leads outwards.
func (g *Graph) Near(star Star, most int, m *Measures, found func(end int, r Reached), rest []int) []int {
	if star.Out {
		panic("ch: Near searches towards the hub")
	}
	s := newSpace()
	defer s.release()
	for _, seeds := range star.Ends {
		for _, x := range seeds {
			s.touch(x.Node)
		}
	}
	ends := int32(len(s.labels)) // the first labels are those of the ends
	s.seed(star.Hub, nil)
	for left := ends; most > 0 && left > 0; most-- {
		l := s.next()
		if l < 0 {
			break
		}
		if l < ends {
			left--
		}
		x := s.labels[l]
		for i := g.in.first[x.node]; i < g.in.first[x.node+1]; i++ {
			a := &g.in.list[i]
			s.relax(a.To, x.cost+a.Weight, l, i)
		}
	}
	for i, seeds := range star.Ends {
		best, at, certain := s.best(seeds)
		switch {
		case !certain:
			rest = append(rest, i)
		case at < 0:
			found(i, Reached{Hub: -1, End: -1})
		default:
			found(i, g.reached(s, seeds, best, at, m))
		}
	}
	return rest
}

// best returns the cheapest way of an end and its seed, -1 if there is none. It is certain unless
// a node that has not been looked at could make it cheaper: such a node costs at least as much
// as the cheapest in the heap.
func (s *space) best(seeds []Seed) (cost int32, at int, certain bool) {
	border := s.least()
	cost, at = unreached, -1
	for k, x := range seeds {
		if c := s.cost(x.Node); c != unreached && c+x.Cost < cost {
			cost, at = c+x.Cost, k
		}
	}
	for _, x := range seeds {
		if border != unreached && s.cost(x.Node) > border && border+x.Cost < cost {
			return cost, at, false
		}
	}
	return cost, at, true
}

func (g *Graph) reached(s *space, seeds []Seed, cost int32, end int, m *Measures) Reached {
	r := Reached{Cost: cost, End: end}
	l := s.label(seeds[end].Node)
	for ; s.labels[l].parent >= 0; l = s.labels[l].parent {
		r.Measure = r.Measure.plus(m.edge[g.in.list[s.labels[l].arc].edge()])
	}
	r.Hub = int(s.labels[l].arc)
	return r
}
