package ch

// Measures are the sums of a measure along each arc of a hierarchy. They are immutable.
type Measures struct {
	edge     []Measure
	up, down []Measure
}

// Measures sums a measure up along every arc; edge has one for each of the graph's edges and must
// not change afterwards. The weights and the measures are independent of each other.
func (h *Hierarchy) Measures(edge []Measure) *Measures {
	m := &Measures{edge: edge, up: make([]Measure, len(h.up.list)), down: make([]Measure, len(h.down.list))}
	for v := range int32(len(h.node)) { // both halves of an arc belong to a node of a lower rank
		for i := h.up.first[v]; i < h.up.first[v+1]; i++ {
			a := h.up.list[i]
			if a.Via < 0 {
				m.up[i] = edge[a.edge()]
				continue
			}
			m.up[i] = m.down[h.down.index(a.Via, v)].plus(m.up[h.up.index(a.Via, a.To)])
		}
		for i := h.down.first[v]; i < h.down.first[v+1]; i++ {
			a := h.down.list[i]
			if a.Via < 0 {
				m.down[i] = edge[a.edge()]
				continue
			}
			m.down[i] = m.down[h.down.index(a.Via, a.To)].plus(m.up[h.up.index(a.Via, v)])
		}
	}
	return m
}

// Star is many ways that share one place, the hub.
type Star struct {
	Hub  []Seed
	Ends [][]Seed
	// Out makes the ways lead from the hub to the ends; otherwise they lead from the ends to the hub.
	Out bool
}

// Reach appends the cheapest way of each end of a star to out. An end without a way has a negative
// Hub. It takes one search for the hub and a short one for each end.
func (h *Hierarchy) Reach(s Star, m *Measures, out []Reached) []Reached {
	hub := newSpace()
	defer hub.release()
	h.spread(hub, s)
	for _, seeds := range s.Ends {
		out = append(out, h.reach(hub, seeds, s.Out, m))
	}
	return out
}

// side returns the arcs that a search climbs, and those that it would come down.
func (h *Hierarchy) side(backwards bool) (up, down *arcs) {
	if backwards {
		return &h.down, &h.up
	}
	return &h.up, &h.down
}

// spread searches from the hub to every node above it.
func (h *Hierarchy) spread(hub *space, s Star) {
	up, down := h.side(!s.Out)
	hub.seed(s.Hub, h.rank)
	for l := hub.next(); l >= 0; l = hub.next() {
		hub.expand(l, up, down)
	}
}

// reach finds the way of one end.
func (h *Hierarchy) reach(hub *space, seeds []Seed, out bool, m *Measures) Reached {
	end := newSpace()
	defer end.release()
	up, down := h.side(out)
	end.seed(seeds, h.rank)
	cost, meet := int32(unreached), int32(-1)
	for end.least() < cost {
		l := end.next()
		if l < 0 {
			break
		}
		x := end.labels[l]
		if c := hub.cost(x.node); c != unreached && x.cost+c < cost {
			cost, meet = x.cost+c, x.node
		}
		end.expand(l, up, down)
	}
	if meet < 0 {
		return Reached{Hub: -1, End: -1}
	}
	r := Reached{Cost: cost}
	ofEnd, ofHub := m.up, m.down
	if out {
		ofEnd, ofHub = m.down, m.up
	}
	var a, b Measure
	a, r.End = end.sum(end.label(meet), ofEnd)
	b, r.Hub = hub.sum(hub.label(meet), ofHub)
	r.Measure = a.plus(b)
	return r
}

// sum adds the measures of the arcs from a label to its seed, and returns the seed's number.
func (s *space) sum(l int32, arcs []Measure) (m Measure, seed int) {
	for ; s.labels[l].parent >= 0; l = s.labels[l].parent {
		m = m.plus(arcs[s.labels[l].arc])
	}
	return m, int(s.labels[l].arc)
}
