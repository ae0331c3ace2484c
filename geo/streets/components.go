package streets

// components numbers the strongly connected components of a directed graph (R. Tarjan,
// "Depth-First Search and Linear Graph Algorithms", SIAM J. Comput. 1(2), 1972), without recursion,
// because streets are long. It returns
// the component of each node, and their number.
func components(n int, first, to []int32) (of []int32, count int32) {
	s := scc{first: first, to: to, of: make([]int32, n), low: make([]int32, n), num: make([]int32, n), next: make([]int32, n)}
	for v := range s.of {
		s.of[v] = -1
	}
	copy(s.next, first[:n])
	for v := range int32(n) {
		if s.num[v] == 0 {
			s.visit(v)
		}
	}
	return s.of, s.count
}

type scc struct {
	first, to          []int32
	of, low, num, next []int32
	open, call         []int32 // nodes without a component; the path to the present node
	seen               int32
	count              int32
}

func (s *scc) visit(root int32) {
	s.call = append(s.call, root)
	for len(s.call) > 0 {
		v := s.call[len(s.call)-1]
		if s.num[v] == 0 {
			s.seen++
			s.num[v], s.low[v] = s.seen, s.seen
			s.open = append(s.open, v)
		}
		if s.next[v] < s.first[v+1] {
			w := s.to[s.next[v]]
			s.next[v]++
			switch {
			case s.num[w] == 0:
				s.call = append(s.call, w)
			case s.of[w] < 0:
				s.low[v] = min(s.low[v], s.num[w])
			}
			continue
		}
		s.call = s.call[:len(s.call)-1]
		if len(s.call) > 0 {
			up := s.call[len(s.call)-1]
			s.low[up] = min(s.low[up], s.low[v])
		}
		if s.low[v] == s.num[v] {
			s.close(v)
		}
	}
}

// close makes a component of the open nodes down to v.
func (s *scc) close(v int32) {
	c := s.count
	s.count++
	for {
		w := s.open[len(s.open)-1]
		s.open = s.open[:len(s.open)-1]
		s.of[w] = c
		if w == v {
			return
		}
	}
}

// largest returns the component with the most edges inside, the first of equal ones. A ring of
// one street is one node, so nodes do not say what is large.
func largest(n int, first, to []int32) (of []int32, best int32) {
	of, count := components(n, first, to)
	inside := make([]int, count)
	for v := range n {
		for _, w := range to[first[v]:first[v+1]] {
			if of[w] == of[v] {
				inside[of[v]]++
			}
		}
	}
	for c := range count {
		if inside[c] > inside[best] {
			best = c
		}
	}
	return of, best
}
