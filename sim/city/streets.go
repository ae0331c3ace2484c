package city

import (
	"container/heap"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/sim/demand"
)

// Streets is a router on a street graph. It finds the fastest route with A*.
type Streets struct {
	nodes []geo.Point
	edges [][]edge // by from
	fast  float64  // the fastest edge, in m/s as the crow flies
	grid  map[[2]int][]int
	spare sync.Pool // of *astar
}

type edge struct {
	to      int
	seconds float64
}

// gridDeg is the size of a grid cell in the search for the nearest node: some 500 m.
const gridDeg = 0.005

// ReadStreets reads a street graph from a directory: the one file whose name contains "nodes" and
// the one whose name contains "edges", both CSV or CSV.gz. The column of the edges, such as t12,
// has travel times in seconds.
func ReadStreets(dir, column string) (*Streets, error) {
	names := make(map[string]string)
	for _, kind := range []string{"nodes", "edges"} {
		found, err := filepath.Glob(filepath.Join(dir, "*"+kind+"*.csv*"))
		if err != nil || len(found) != 1 {
			return nil, fmt.Errorf("%s must hold one file *%s*.csv or *.csv.gz, and holds %d: %s",
				dir, kind, len(found), strings.Join(found, ", "))
		}
		names[kind] = found[0]
	}
	nodes, err := demand.ReadFile(names["nodes"], demand.ReadNodes)
	if err != nil {
		return nil, err
	}
	edges, err := demand.ReadFile(names["edges"], func(r io.Reader) ([]demand.Edge, error) { return demand.ReadEdges(r, column) })
	if err != nil {
		return nil, err
	}
	return NewStreets(nodes, edges)
}

// NewStreets makes a router of a graph.
func NewStreets(nodes []demand.Node, edges []demand.Edge) (*Streets, error) {
	if len(nodes) == 0 || len(edges) == 0 {
		return nil, errors.New("a street graph needs nodes and edges")
	}
	s := &Streets{nodes: make([]geo.Point, len(nodes)), edges: make([][]edge, len(nodes)), grid: make(map[[2]int][]int), fast: 1}
	index := make(map[string]int, len(nodes))
	for i, n := range nodes {
		index[n.ID], s.nodes[i] = i, n.At
		k := cellOf(n.At)
		s.grid[k] = append(s.grid[k], i)
	}
	for _, e := range edges {
		from, ok1 := index[e.From]
		to, ok2 := index[e.To]
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("an edge leads from %s to %s, and one of them is not a node", e.From, e.To)
		}
		sec := max(e.Seconds, 0.1)
		s.edges[from] = append(s.edges[from], edge{to, sec})
		s.fast = max(s.fast, geo.DistanceM(s.nodes[from], s.nodes[to])/sec)
	}
	s.spare.New = func() any { return newAstar(len(nodes)) }
	return s, nil
}

func cellOf(p geo.Point) [2]int {
	return [2]int{int(math.Floor(p.Lat / gridDeg)), int(math.Floor(p.Lng / gridDeg))}
}

// nearest finds the node nearest to a point: it searches rings of grid cells outwards, one ring
// further than the first hit.
func (s *Streets) nearest(p geo.Point) (best int, metres float64) {
	best, metres = -1, math.Inf(1)
	c := cellOf(p)
	for ring, last := 0, 200; ring <= last; ring++ {
		for dy := -ring; dy <= ring; dy++ {
			for dx := -ring; dx <= ring; dx++ {
				if max(dx, -dx, dy, -dy) != ring {
					continue
				}
				for _, i := range s.grid[[2]int{c[0] + dy, c[1] + dx}] {
					if d := geo.DistanceM(p, s.nodes[i]); d < metres {
						best, metres, last = i, d, min(last, ring+1)
					}
				}
			}
		}
	}
	return best, metres
}

// accessMPS is the speed between a point and its nearest node.
const accessMPS = 3

// Way implements Router. Where the graph has no route, it is the straight line.
func (s *Streets) Way(from, to geo.Point) Way {
	a, toA := s.nearest(from)
	b, fromB := s.nearest(to)
	var path []int
	if a >= 0 && b >= 0 {
		path = s.path(a, b)
	}
	if path == nil {
		return Straight{SpeedMPS: 5, Detour: 1.4}.Way(from, to)
	}
	w := Way{points: make([]geo.Point, 0, len(path)+2), after: make([]time.Duration, 0, len(path)+2)}
	sec := 0.0
	add := func(p geo.Point, more float64) {
		sec += more
		w.points, w.after = append(w.points, p), append(w.after, time.Duration(sec*float64(time.Second)))
	}
	add(from, 0)
	add(s.nodes[path[0]], toA/accessMPS)
	for i := 1; i < len(path); i++ {
		add(s.nodes[path[i]], s.seconds(path[i-1], path[i]))
	}
	add(to, fromB/accessMPS)
	return w
}

func (s *Streets) seconds(a, b int) float64 {
	best := math.Inf(1)
	for _, e := range s.edges[a] {
		if e.to == b {
			best = min(best, e.seconds)
		}
	}
	return best
}

// path is the fastest route between two nodes; nil if there is none.
func (s *Streets) path(from, to int) []int {
	w, ok := s.spare.Get().(*astar)
	if !ok {
		w = newAstar(len(s.nodes))
	}
	defer s.spare.Put(w)
	w.reset()
	least := func(n int) float64 { return geo.DistanceM(s.nodes[n], s.nodes[to]) / s.fast }
	w.reach(from, -1, 0, least(from))
	for len(w.queue) > 0 {
		at, _ := heap.Pop(w).(reached)
		if at.node == to {
			return w.back(to)
		}
		if at.cost > w.cost[at.node] {
			continue // a better route has been found since
		}
		for _, e := range s.edges[at.node] {
			if c := at.cost + e.seconds; w.seen[e.to] != w.round || c < w.cost[e.to] {
				w.reach(e.to, at.node, c, c+least(e.to))
			}
		}
	}
	return nil
}

// astar is the reusable memory of a search.
type astar struct {
	round uint32
	seen  []uint32 // round in which the node was reached
	cost  []float64
	from  []int
	queue []reached
}

type reached struct {
	node       int
	cost, rank float64
}

func newAstar(n int) *astar {
	return &astar{seen: make([]uint32, n), cost: make([]float64, n), from: make([]int, n)}
}

func (a *astar) reset() {
	a.round++
	a.queue = a.queue[:0]
}

func (a *astar) reach(node, from int, cost, rank float64) {
	a.seen[node], a.cost[node], a.from[node] = a.round, cost, from
	heap.Push(a, reached{node, cost, rank})
}

func (a *astar) back(to int) []int {
	var out []int
	for n := to; n >= 0; n = a.from[n] {
		out = append(out, n)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// The methods of heap.Interface.

// Len implements heap.Interface.
func (a *astar) Len() int { return len(a.queue) }

// Less implements heap.Interface.
func (a *astar) Less(i, j int) bool { return a.queue[i].rank < a.queue[j].rank }

// Swap implements heap.Interface.
func (a *astar) Swap(i, j int) { a.queue[i], a.queue[j] = a.queue[j], a.queue[i] }

// Push implements heap.Interface.
func (a *astar) Push(x any) {
	if r, ok := x.(reached); ok {
		a.queue = append(a.queue, r)
	}
}

// Pop implements heap.Interface.
func (a *astar) Pop() any {
	last := a.queue[len(a.queue)-1]
	a.queue = a.queue[:len(a.queue)-1]
	return last
}
