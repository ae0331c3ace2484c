package streets

import (
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
)

const (
	// SnapM is how far a street may be from a place, in metres. Farther away there is no route.
	SnapM = 300
	// againstM is what a street that leads the opposite way counts as farther away, in metres.
	againstM = 60

	cellM    = 80
	minCells = 1 << 16
	perLat   = 111_195.0 / 1e7 // metres in 1e-7 degrees of latitude
)

// grid finds the streets near a place: square cells of 80 m, or larger ones where there would be too
// many, each with the pieces of streets that touch it. It is immutable.
type grid struct {
	g             *graph
	perLng        float64 // metres in 1e-7 degrees of longitude, in the middle
	height, width int32
	side          float64 // of a cell, in metres
	first         []int32
	pieces        []piece
}

// piece is a straight piece of a segment: from a point of the shape to the next.
type piece struct{ segment, at int32 }

func newGrid(g *graph) *grid {
	middle := (float64(g.box.South) + float64(g.box.North)) / 2 / 1e7
	f := &grid{g: g, side: cellM, perLng: perLat * max(math.Cos(middle*math.Pi/180), 0.01)}
	for {
		f.height = f.row(g.box.North) + 1
		f.width = f.column(g.box.East) + 1
		if f.size() <= minCells+32*int64(len(g.shape)) {
			break
		}
		f.side *= 2
	}
	f.first = make([]int32, int(f.height)*int(f.width)+1)
	f.each(func(cell int, _ piece) { f.first[cell+1]++ })
	for i := range len(f.first) - 1 {
		f.first[i+1] += f.first[i]
	}
	f.pieces = make([]piece, f.first[len(f.first)-1])
	next := slices.Clone(f.first)
	f.each(func(cell int, p piece) { f.pieces[next[cell]] = p; next[cell]++ })
	return f
}

// size is the memory that the grid will take, in cells and pieces. It is bounded by the number of points,
// so that a few streets far apart, or as long as the map is wide, do not fill it.
func (f *grid) size() int64 {
	n := int64(f.height) * int64(f.width)
	for s := range f.g.segmentCount() {
		first, end := f.g.segments[s].first, f.g.segments[s+1].first
		for k := first; k+1 < end; k++ {
			y0, x0, y1, x1 := f.cells(k)
			n += int64(y1-y0+1) * int64(x1-x0+1)
		}
	}
	return n
}

// cells returns the corners of the cells that the piece from a point to the next touches.
func (f *grid) cells(k int32) (y0, x0, y1, x1 int32) {
	a, b := f.g.shape[k], f.g.shape[k+1]
	return f.row(min(a.lat, b.lat)), f.column(min(a.lng, b.lng)), f.row(max(a.lat, b.lat)), f.column(max(a.lng, b.lng))
}

func (f *grid) row(lat int32) int32 {
	return int32(math.Floor((float64(lat) - float64(f.g.box.South)) * perLat / f.side))
}

func (f *grid) column(lng int32) int32 {
	return int32(math.Floor((float64(lng) - float64(f.g.box.West)) * f.perLng / f.side))
}

// each calls fn for each cell that a piece's box touches.
func (f *grid) each(fn func(cell int, p piece)) {
	for s := range f.g.segmentCount() {
		first, end := f.g.segments[s].first, f.g.segments[s+1].first
		for k := first; k+1 < end; k++ {
			y0, x0, y1, x1 := f.cells(k)
			for y := y0; y <= y1; y++ {
				for x := x0; x <= x1; x++ {
					fn(int(y)*int(f.width)+int(x), piece{s, k})
				}
			}
		}
	}
}

// hit is a place on a piece.
type hit struct {
	piece piece
	t     float64 // share of the piece, from its first point
	m     float64 // metres away
	score float64 // m, and more if the street leads elsewhere
}

var noHit = hit{piece: piece{segment: -1}, m: math.Inf(1), score: math.Inf(1)}

// nearest returns the best street for a place. Service roads count only where there is nothing
// else within SnapM.
func (f *grid) nearest(p geo.Place) (hit, bool) {
	c := f.chooser(p, SnapM)
	f.choose(&c)
	if c.best.piece.segment >= 0 {
		return c.best, true
	}
	return c.service, c.service.piece.segment >= 0
}

// nearestOf returns the nearest of the streets that wanted takes, of all roads alike, within some metres, at
// most SnapM.
func (f *grid) nearestOf(p geo.Point, withinM float64, wanted func(segment int32) bool) (hit, bool) {
	c := f.chooser(geo.Place{Point: p}, withinM)
	c.wanted = wanted
	f.choose(&c)
	return c.best, c.best.piece.segment >= 0
}

// within returns the nearest place on each of the nearest streets within some metres, at most SnapM, nearest first;
// no more than buf has room for.
func (f *grid) within(p geo.Point, m float64, buf []hit) []hit {
	c := f.chooser(geo.Place{Point: p}, m)
	c.wanted = func(int32) bool { return true }
	y, _ := f.at(c.lat, f.g.box.South, perLat)
	x, _ := f.at(c.lng, f.g.box.West, f.perLng)
	narrow := max(0.1, min(1, c.perLng/f.perLng))
	r := int32(m/(f.side*narrow)) + 1
	for cy := max(y-r, 0); cy <= min(y+r, f.height-1); cy++ {
		for cx := max(x-r, 0); cx <= min(x+r, f.width-1); cx++ {
			cell := int(cy)*int(f.width) + int(cx)
			for _, piece := range f.pieces[f.first[cell]:f.first[cell+1]] {
				c.best = noHit
				if c.look(piece); c.best.piece.segment >= 0 {
					buf = nearer(buf, c.best)
				}
			}
		}
	}
	return buf
}

// nearer puts a hit into a list that is sorted by distance and has at most one of each segment, and is at most as long
// as its capacity.
func nearer(list []hit, h hit) []hit {
	at := len(list)
	for i := range list {
		if list[i].piece.segment == h.piece.segment {
			if list[i].m <= h.m {
				return list
			}
			list = slices.Delete(list, i, i+1)
			at = len(list)
			break
		}
	}
	for i := range list {
		if h.m < list[i].m {
			at = i
			break
		}
	}
	switch {
	case len(list) < cap(list):
		return slices.Insert(list, at, h)
	case at < len(list):
		copy(list[at+1:], list[at:])
		list[at] = h
	}
	return list
}

func (f *grid) chooser(p geo.Place, withinM float64) chooser {
	return chooser{
		g: f.g, lat: p.Point.Lat * 1e7, lng: p.Point.Lng * 1e7, perLng: perLat * math.Cos(p.Point.Lat*math.Pi/180),
		heading: p.Heading, withinM: withinM, best: noHit, service: noHit,
	}
}

// choose shows a chooser what is near, until nothing nearer can follow.
func (f *grid) choose(c *chooser) {
	y, border := f.at(c.lat, f.g.box.South, perLat)
	x, beside := f.at(c.lng, f.g.box.West, f.perLng)
	border = min(border, beside)
	narrow := max(0.1, min(1, c.perLng/f.perLng)) // cells are narrower than in the middle of the map
	for ring := int32(0); ring <= int32(c.withinM/(f.side*narrow))+1; ring++ {
		// What lies in the next rings is at least as far away as the border of those before.
		if near := (float64(ring-1) + border) * f.side * narrow; c.best.score <= near && ring > 0 {
			break
		}
		f.ring(y, x, ring, c)
	}
}

// at returns the cell of a coordinate, bounded so that rings do not overflow, and how far its nearer
// border is, as a share of the cell.
func (f *grid) at(v float64, origin int32, per float64) (cell int32, border float64) {
	place := (v - float64(origin)) * per / f.side
	whole := math.Floor(place)
	return int32(max(-1e6, min(1e6, whole))), min(place-whole, whole+1-place)
}

// ring looks at the cells whose distance from a cell is exactly r cells.
func (f *grid) ring(y, x, r int32, c *chooser) {
	for cy := max(y-r, 0); cy <= min(y+r, f.height-1); cy++ {
		step := int32(1)
		if cy != y-r && cy != y+r {
			step = max(2*r, 1) // only both ends of the row
		}
		for cx := x - r; cx <= x+r; cx += step {
			if cx < 0 || cx >= f.width {
				continue
			}
			cell := int(cy)*int(f.width) + int(cx)
			for _, p := range f.pieces[f.first[cell]:f.first[cell+1]] {
				c.look(p)
			}
		}
	}
}

// chooser keeps the best of the pieces that it has seen.
type chooser struct {
	g             *graph
	lat, lng      float64 // in 1e-7 degrees
	perLng        float64
	heading       geo.Heading
	withinM       float64
	wanted        func(segment int32) bool // nil: all, with service roads apart
	best, service hit
}

func (c *chooser) look(p piece) {
	a, b := c.g.shape[p.at], c.g.shape[p.at+1]
	ax, ay := (float64(a.lng)-c.lng)*c.perLng, (float64(a.lat)-c.lat)*perLat
	dx, dy := (float64(b.lng)-float64(a.lng))*c.perLng, (float64(b.lat)-float64(a.lat))*perLat
	t := 0.0
	if q := dx*dx + dy*dy; q > 0 {
		t = max(0, min(1, -(ax*dx+ay*dy)/q))
	}
	ax, ay = ax+t*dx, ay+t*dy
	best := &c.best
	if c.wanted == nil && c.g.segments[p.segment].road == Service {
		best = &c.service
	}
	m2 := ax*ax + ay*ay
	if m2 >= best.score*best.score || m2 > c.withinM*c.withinM {
		return
	}
	if c.wanted != nil && !c.wanted(p.segment) {
		return
	}
	h := hit{piece: p, t: t, m: math.Sqrt(m2)}
	h.score = h.m
	if c.heading.Known {
		h.score += c.astray(p, dx, dy)
	}
	if h.score < best.score {
		*best = h
	}
}

// astray is what a piece of street counts as farther away because it leads elsewhere than a
// moving car.
func (c *chooser) astray(p piece, dx, dy float64) float64 {
	forth, back := c.g.drivable(p.segment)
	cos := math.Cos(math.Atan2(dx, dy) - c.heading.Deg*math.Pi/180)
	agree := -1.0
	if forth {
		agree = cos
	}
	if back {
		agree = max(agree, -cos)
	}
	return againstM * (1 - agree) / 2
}

// drivable says in which directions a segment may be driven.
func (g *graph) drivable(s int32) (forth, back bool) {
	return g.firstDir[2*s] < g.firstDir[2*s+1], g.firstDir[2*s+1] < g.firstDir[2*s+2]
}
