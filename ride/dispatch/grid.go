package dispatch

import (
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
)

// grid finds the nearest of many points. It lays them on a plane: at the extent of a city, distances on an
// equirectangular projection around the middle are off by less than the streets' detour differs from street to street.
// Degrees of longitude wrap, so that a city may lie on the antimeridian.
type grid struct {
	x, y       []float64 // metres on the plane, by point
	lat0, lng0 float64
	cos        float64
	sideM      float64
	left, low  float64
	wide, high int
	first      []int32 // where each square's points begin in all
	all        []int32
}

// perSquare is how many points a square holds on average, mostSquares how many squares there are.
const (
	perSquare   = 4
	mostSquares = 1 << 16
	degreeM     = 111_195 // of latitude, on a sphere
)

// newGrid lays out the points; they must be valid, and there must be one at least.
func newGrid(points []geo.Point) *grid {
	g := &grid{x: make([]float64, len(points)), y: make([]float64, len(points)), lat0: points[0].Lat, lng0: points[0].Lng}
	g.cos = math.Cos(g.lat0 * math.Pi / 180)
	right, top := math.Inf(-1), math.Inf(-1)
	g.left, g.low = math.Inf(1), math.Inf(1)
	for i, p := range points {
		g.x[i], g.y[i] = g.plane(p)
		g.left, right = min(g.left, g.x[i]), max(right, g.x[i])
		g.low, top = min(g.low, g.y[i]), max(top, g.y[i])
	}
	w, h := right-g.left, top-g.low
	squares := float64(min(mostSquares, len(points)/perSquare+1))
	g.sideM = max(1, math.Sqrt(w*h/squares), max(w, h)/squares)
	g.wide, g.high = int(w/g.sideM)+1, int(h/g.sideM)+1
	g.fill()
	return g
}

// fill sorts the points into their squares by counting.
func (g *grid) fill() {
	g.first = make([]int32, g.wide*g.high+1)
	square := make([]int, len(g.x))
	for i := range g.x {
		c, r := g.square(g.x[i], g.y[i])
		square[i] = r*g.wide + c
		g.first[square[i]+1]++
	}
	for i := 1; i < len(g.first); i++ {
		g.first[i] += g.first[i-1]
	}
	g.all = make([]int32, len(g.x))
	next := slices.Clone(g.first)
	for i, s := range square {
		g.all[next[s]] = int32(i)
		next[s]++
	}
}

func (g *grid) plane(p geo.Point) (x, y float64) {
	lng := p.Lng - g.lng0
	if lng > 180 {
		lng -= 360
	} else if lng < -180 {
		lng += 360
	}
	return lng * g.cos * degreeM, (p.Lat - g.lat0) * degreeM
}

func (g *grid) square(x, y float64) (column, row int) {
	clamp := func(v float64, n int) int { return int(min(max(0, v), float64(n-1))) }
	return clamp((x-g.left)/g.sideM, g.wide), clamp((y-g.low)/g.sideM, g.high)
}

// found is a point at a distance.
type found struct {
	at int32
	m2 float64 // square of the distance, m²
}

func (a found) compare(b found) int {
	switch {
	case a.m2 < b.m2:
		return -1
	case a.m2 > b.m2:
		return 1
	}
	return int(a.at) - int(b.at)
}

// near returns the k nearest points that fit, nearest first, of equal ones those that come first. It uses out's memory.
func (g *grid) near(p geo.Point, k int, fits func(i int32) bool, out []found) []found {
	x, y := g.plane(p)
	c, r := g.square(x, y)
	h := nearest{k: k, all: out[:0]}
	for ring := range max(g.wide, g.high) {
		// Whatever lies beyond the rings so far is farther than the gap to their edge.
		gap := g.gap(x, y, c, r, ring-1)
		if len(h.all) == k && gap > 0 && gap*gap > h.all[0].m2 {
			break
		}
		for row := max(0, r-ring); row <= min(g.high-1, r+ring); row++ {
			step := 1
			if ring > 0 && row != r-ring && row != r+ring {
				step = 2 * ring // only the two ends
			}
			for col := c - ring; col <= c+ring; col += step {
				if col < 0 || col >= g.wide {
					continue
				}
				s := row*g.wide + col
				for _, i := range g.all[g.first[s]:g.first[s+1]] {
					dx, dy := g.x[i]-x, g.y[i]-y
					// Rounded before they are added: a fused operation would give other figures on some machines.
					if m2 := float64(dx*dx) + float64(dy*dy); h.wants(found{i, m2}) && fits(i) {
						h.add(found{i, m2})
					}
				}
			}
		}
	}
	slices.SortFunc(h.all, found.compare)
	return h.all
}

// gap is the distance from a point to the edge of the squares that are at most ring squares away from its own, on the
// sides where more squares follow. Negative: the point lies outside of them.
func (g *grid) gap(x, y float64, c, r, ring int) float64 {
	if ring < 0 {
		return -1
	}
	gap := math.Inf(1)
	if c-ring > 0 {
		gap = min(gap, x-(g.left+float64(c-ring)*g.sideM))
	}
	if c+ring < g.wide-1 {
		gap = min(gap, g.left+float64(c+ring+1)*g.sideM-x)
	}
	if r-ring > 0 {
		gap = min(gap, y-(g.low+float64(r-ring)*g.sideM))
	}
	if r+ring < g.high-1 {
		gap = min(gap, g.low+float64(r+ring+1)*g.sideM-y)
	}
	return gap
}

// nearest keeps the k nearest in a heap whose first is the farthest of them.
type nearest struct {
	k   int
	all []found
}

func (h *nearest) wants(f found) bool { return len(h.all) < h.k || f.compare(h.all[0]) < 0 }

func (h *nearest) add(f found) {
	if len(h.all) < h.k {
		h.all = append(h.all, f)
		for i := len(h.all) - 1; i > 0; {
			up := (i - 1) / 2
			if h.all[i].compare(h.all[up]) <= 0 {
				break
			}
			h.all[i], h.all[up] = h.all[up], h.all[i]
			i = up
		}
		return
	}
	h.all[0] = f
	for i := 0; ; {
		far := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < len(h.all) && h.all[down].compare(h.all[far]) > 0 {
				far = down
			}
		}
		if far == i {
			return
		}
		h.all[i], h.all[far] = h.all[far], h.all[i]
		i = far
	}
}
