package ch

// Route returns the cheapest way from any of the seeds of from to any of those of to, and appends
// the numbers of its edges to path. ok is false if there is none. Of equally cheap ways it
// returns always the same. It allocates
// only what path needs.
func (h *Hierarchy) Route(from, to []Seed, path []int32) (found Found, edges []int32, ok bool) {
	f, b := newSpace(), newSpace()
	defer f.release()
	defer b.release()
	f.seed(from, h.rank)
	b.seed(to, h.rank)
	cost, meet := h.climb(f, b)
	if meet < 0 {
		return Found{}, path, false
	}
	// The way up is found from the top to the seed, so its arcs are unpacked in reverse.
	var room [64]int32
	stack := room[:0]
	l := f.label(meet)
	for ; f.labels[l].parent >= 0; l = f.labels[l].parent {
		stack = append(stack, l)
	}
	found = Found{Cost: cost, From: int(f.labels[l].arc)}
	for i := len(stack) - 1; i >= 0; i-- {
		x := &f.labels[stack[i]]
		path = h.unpack(f.labels[x.parent].node, x.node, h.up.list[x.arc].Via, path)
	}
	for l = b.label(meet); b.labels[l].parent >= 0; l = b.labels[l].parent {
		x := &b.labels[l]
		path = h.unpack(x.node, b.labels[x.parent].node, h.down.list[x.arc].Via, path)
	}
	found.To = int(b.labels[l].arc)
	return found, path, true
}

// Cost returns the cost of the cheapest way. ok is false if there is none. It does not allocate.
func (h *Hierarchy) Cost(from, to []Seed) (cost int32, ok bool) {
	f, b := newSpace(), newSpace()
	defer f.release()
	defer b.release()
	f.seed(from, h.rank)
	b.seed(to, h.rank)
	cost, meet := h.climb(f, b)
	return cost, meet >= 0
}

// climb searches from both sides and returns the node where the cheapest way has its top, or -1.
func (h *Hierarchy) climb(f, b *space) (cost, meet int32) {
	cost, meet = unreached, -1
	for {
		s, other, up, down := f, b, &h.up, &h.down
		if b.least() < f.least() {
			s, other, up, down = b, f, &h.down, &h.up
		}
		if s.least() >= cost {
			return cost, meet
		}
		l := s.next()
		if l < 0 {
			continue
		}
		x := s.labels[l]
		if c := other.cost(x.node); c != unreached && x.cost+c < cost {
			cost, meet = x.cost+c, x.node
		}
		s.expand(l, up, down)
	}
}

// expand goes on from a label, unless the search was already higher and would come down to the
// label's node cheaper: then no cheapest way leads over it.
func (s *space) expand(l int32, up, down *arcs) {
	x := s.labels[l]
	for _, a := range down.of(x.node) {
		if c := s.cost(a.To); c != unreached && c+a.Weight < x.cost {
			return
		}
	}
	for i := up.first[x.node]; i < up.first[x.node+1]; i++ {
		a := &up.list[i]
		s.relax(a.To, x.cost+a.Weight, l, i)
	}
}

// unpack appends the edges that an arc between two nodes stands for.
func (h *Hierarchy) unpack(from, to, via int32, path []int32) []int32 {
	if via < 0 {
		return append(path, -1-via)
	}
	// via has a lower rank than both, so the depth is bounded by the number of ranks; it is some
	// twenty in a city.
	first := h.down.list[h.down.index(via, from)].Via
	second := h.up.list[h.up.index(via, to)].Via
	return h.unpack(via, to, second, h.unpack(from, via, first, path))
}
