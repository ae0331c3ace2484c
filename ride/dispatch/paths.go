package dispatch

import "math"

// shortestPaths finds the matching of least total cost by successive shortest augmenting paths with potentials, so that
// Dijkstra's method applies: J. Edmonds and R. M. Karp, "Theoretical Improvements in Algorithmic Efficiency for Network
// Flow Problems", Journal of the ACM 19(2), 1972; N. Tomizawa, "On Some Techniques Useful for Solution of Transportation
// Network Problems", Networks 1(2), 1971. Rows enter one after another, as in R. Jonker and A. Volgenant, "A Shortest
// Augmenting Path Algorithm for Dense and Sparse Linear Assignment Problems", Computing 38, 1987; an open row is a path's
// end like a free column, at the cost of leaving it open. It gives up, and returns false, after looking at budget arcs.
func shortestPaths(g *graph, budget int) (matching, bool) {
	s := newSearch(g)
	for row := range int32(g.rows()) {
		s.enter(row)
		if s.work > budget {
			return matching{}, false
		}
	}
	m := newMatching(g)
	for row := range m.arc {
		m.arc[row] = s.arcOf[row]
	}
	for column, v := range s.v {
		m.scarcity[column] = -v
	}
	return m, true
}

// search is the state of shortestPaths. Potentials are such that u[row] + v[column] <= cost for each arc, with
// equality for those of the matching, u[row] <= open[row], with equality for open rows, and v <= 0, with equality for
// free columns.
type search struct {
	*graph
	u, v   []int64
	arcOf  []int32 // of each row, within the row; -1: open
	rowOf  []int32 // of each column; -1: free
	dist   []int64 // of each column seen in this search
	via    []int32 // the arc of g by which it was reached, and the row that it starts from
	from   []int32
	seen   []int32 // by which search; likewise done
	done   []int32
	passed []int32 // columns done, in order
	heap   distances
	work   int
}

func newSearch(g *graph) *search {
	n, m := g.rows(), g.wide
	s := &search{
		graph: g, u: make([]int64, n), v: make([]int64, m), arcOf: make([]int32, n), rowOf: make([]int32, m),
		dist: make([]int64, m), via: make([]int32, m), from: make([]int32, m), seen: make([]int32, m), done: make([]int32, m),
	}
	for i := range s.arcOf {
		s.arcOf[i] = -1
	}
	for i := range s.rowOf {
		s.rowOf[i] = -1
	}
	return s
}

// enter adds a row: it finds the shortest path from it to a free column, or to a row that is left open instead.
func (s *search) enter(row int32) {
	to, cost := s.arcs(row)
	s.work += len(to)
	s.u[row] = s.open[row]
	for k, j := range to {
		s.u[row] = min(s.u[row], cost[k]-s.v[j])
	}
	stamp := row + 1
	s.heap, s.passed = s.heap[:0], s.passed[:0]
	best, loser := s.open[row]-s.u[row], row // the shortest path that leaves a row open
	end := int32(-1)
	for at, base := row, int64(0); ; {
		s.relax(at, base, best, stamp)
		j, d := s.pop(stamp)
		if j < 0 || d >= best {
			break
		}
		s.done[j] = stamp
		if s.rowOf[j] < 0 {
			end, best = j, d
			break
		}
		s.passed = append(s.passed, j)
		at, base = s.rowOf[j], d
		if left := base + s.open[at] - s.u[at]; left < best {
			best, loser = left, at
		}
	}
	s.u[row] += best
	for _, j := range s.passed {
		if up := best - s.dist[j]; up > 0 {
			s.v[j] -= up
			s.u[s.rowOf[j]] += up
		}
	}
	s.augment(row, loser, end)
}

// relax looks at the arcs of a row that is base away. Nothing as far as most is of use.
func (s *search) relax(row int32, base, most int64, stamp int32) {
	to, cost := s.arcs(row)
	s.work += len(to)
	for k, j := range to {
		if s.done[j] == stamp {
			continue
		}
		d := base + cost[k] - s.u[row] - s.v[j]
		if d >= most || s.seen[j] == stamp && d >= s.dist[j] {
			continue
		}
		s.seen[j], s.dist[j] = stamp, d
		s.via[j], s.from[j] = int32(k), row
		s.heap.push(distance{d, j})
	}
}

// pop returns the nearest column that is not done, or -1.
func (s *search) pop(stamp int32) (int32, int64) {
	for len(s.heap) > 0 {
		if x := s.heap.pop(); s.done[x.column] != stamp && x.d == s.dist[x.column] {
			return x.column, x.d
		}
	}
	return -1, math.MaxInt64
}

// augment changes the matching along the path: back from a free column, or from the row that is left open.
func (s *search) augment(row, loser, end int32) {
	j := end
	if j < 0 {
		if loser == row {
			return
		}
		to, _ := s.arcs(loser)
		j = to[s.arcOf[loser]]
		s.arcOf[loser] = -1
	}
	for {
		r := s.from[j]
		was := s.arcOf[r]
		s.arcOf[r], s.rowOf[j] = s.via[j], r
		if r == row {
			return
		}
		to, _ := s.arcs(r)
		j = to[was]
	}
}

// distance is a column in the heap of a search; equal ones come by column.
type distance struct {
	d      int64
	column int32
}

func (a distance) less(b distance) bool { return a.d < b.d || a.d == b.d && a.column < b.column }

// distances is a binary heap, the nearest first. container/heap would allocate for each entry.
type distances []distance

func (h *distances) push(x distance) {
	*h = append(*h, x)
	q := *h
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !q[i].less(q[up]) {
			return
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
}

func (h *distances) pop() distance {
	q := *h
	top, last := q[0], len(q)-1
	q[0] = q[last]
	q = q[:last]
	*h = q
	for i := 0; ; {
		least := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < last && q[down].less(q[least]) {
				least = down
			}
		}
		if least == i {
			return top
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}
