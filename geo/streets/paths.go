package streets

import (
	"math"
	"slices"
)

// world is a place in the square of Web Mercator, 1<<worldBits units wide: 4 cm at the equator.
type world struct{ x, y int32 }

const (
	worldBits = 30
	// unitBits says how many units of the world one of a tile of zoom 0 takes; with each zoom it is one less.
	unitBits = worldBits - 12
)

// worldOf projects a point (spherical Mercator, EPSG:3857).
func worldOf(p point) world {
	lat := max(-85.051128, min(85.051128, float64(p.lat)/1e7)) * math.Pi / 180
	x := float64(p.lng)/1e7/360 + 0.5
	y := 0.5 - math.Log(math.Tan(math.Pi/4+lat/2))/(2*math.Pi)
	bound := func(v float64) int32 { return int32(max(0, min(1<<worldBits-1, v*(1<<worldBits)))) }
	return world{bound(x), bound(y)}
}

// paths are lines and rings with, for each point, the first zoom that shows it. Tiles leave out the same
// points on both sides of their border, so that lines meet there.
type paths struct {
	pts   []world
	level []uint8
	first []int32 // path i has the points first[i] up to first[i+1]
}

// simplifyUnits is by how many units of a tile a line may be off.
const simplifyUnits = 2

// add appends a path, without the points that no zoom shows. Its ends are shown at all zooms.
func (p *paths) add(pts []point) {
	if len(p.first) == 0 {
		p.first = append(p.first, 0)
	}
	w := make([]world, len(pts))
	for i, q := range pts {
		w[i] = worldOf(q)
	}
	for i, l := range levels(w) {
		if l <= MaxZoom {
			p.pts, p.level = append(p.pts, w[i]), append(p.level, l)
		}
	}
	p.first = append(p.first, int32(len(p.pts)))
}

func (p *paths) count() int { return max(0, len(p.first)-1) }

// levels simplifies a line for all zooms at once, by the method of D. Douglas and T. Peucker (Cartographica 10(2),
// 1973). A point is shown not before the one that split its part of the line.
func levels(w []world) []uint8 {
	out := make([]uint8, len(w))
	type part struct {
		a, b  int
		level uint8
	}
	open := []part{{0, len(w) - 1, 0}}
	for len(open) > 0 {
		p := open[len(open)-1]
		open = open[:len(open)-1]
		at, off := -1, -1.0
		for i := p.a + 1; i < p.b; i++ {
			if d := awaySquared(w[i], w[p.a], w[p.b]); d > off {
				at, off = i, d
			}
		}
		if at < 0 {
			continue
		}
		out[at] = max(p.level, levelOf(math.Sqrt(off)))
		if out[at] > MaxZoom { // so are all others
			for i := p.a + 1; i < p.b; i++ {
				out[i] = MaxZoom + 1
			}
			continue
		}
		open = append(open, part{p.a, at, out[at]}, part{at, p.b, out[at]})
	}
	return out
}

// levelOf is the first zoom at which so many units of the world are more than simplifyUnits of a tile.
func levelOf(off float64) uint8 {
	for z := range MaxZoom + 1 {
		if off > float64(int(simplifyUnits)<<(unitBits-z)) {
			return uint8(z)
		}
	}
	return MaxZoom + 1
}

// awaySquared is the squared distance of a point from the line between two others.
func awaySquared(p, a, b world) float64 {
	ax, ay := float64(a.x-p.x), float64(a.y-p.y)
	dx, dy := float64(b.x-a.x), float64(b.y-a.y)
	t := 0.0
	if q := dx*dx + dy*dy; q > 0 {
		t = max(0, min(1, -(ax*dx+ay*dy)/q))
	}
	ax, ay = ax+t*dx, ay+t*dy
	return ax*ax + ay*ay
}

// worldBox is a rectangle of the world, borders included.
type worldBox struct{ x0, y0, x1, y1 int32 }

var emptyWorld = worldBox{math.MaxInt32, math.MaxInt32, math.MinInt32, math.MinInt32}

func (b *worldBox) add(w world) {
	b.x0, b.y0, b.x1, b.y1 = min(b.x0, w.x), min(b.y0, w.y), max(b.x1, w.x), max(b.y1, w.y)
}

func (b worldBox) meets(o worldBox) bool {
	return b.x0 <= o.x1 && o.x0 <= b.x1 && b.y0 <= o.y1 && o.y0 <= b.y1
}

// chunk is a part of a path: the points first to last, both included.
type chunk struct{ path, first, last int32 }

// chunkPoints bounds a chunk, so that a tile pays for no more of a long street than what is near.
const chunkPoints = 32

// chunks finds the parts of paths by place and zoom.
type chunks struct {
	list  []chunk // by path, and along it
	grids []chunkGrid
}

// chunkGrid is a flat grid of the chunks that appear at one zoom: what a tile does not show costs it nothing.
type chunkGrid struct {
	zoom          int
	box           worldBox
	shift         int // a cell is 1<<shift units wide
	width, height int32
	first         []int32
	items         []int32 // numbers of chunks, by cell
}

// chunksOf divides paths; minZoom is the first zoom that shows a path, at most MaxZoom.
func chunksOf(p *paths, minZoom func(path int32) int) *chunks {
	c := &chunks{}
	var numbers [MaxZoom + 1][]int32
	var boxes []worldBox
	for i := range int32(p.count()) {
		zoom := minZoom(i)
		for k := p.first[i]; k+1 < p.first[i+1]; k += chunkPoints {
			numbers[zoom] = append(numbers[zoom], int32(len(c.list)))
			last, box := min(k+chunkPoints, p.first[i+1]-1), emptyWorld
			for _, w := range p.pts[k : last+1] {
				box.add(w)
			}
			c.list, boxes = append(c.list, chunk{i, k, last}), append(boxes, box)
		}
	}
	for zoom, list := range numbers {
		if len(list) > 0 {
			c.grids = append(c.grids, newChunkGrid(zoom, list, boxes))
		}
	}
	return c
}

// near appends the numbers of the chunks near a box that a zoom shows, rising.
func (c *chunks) near(b worldBox, zoom int, out []int32) []int32 {
	for i := range c.grids {
		if c.grids[i].zoom <= zoom {
			out = c.grids[i].near(b, out)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func newChunkGrid(zoom int, numbers []int32, boxes []worldBox) chunkGrid {
	c := chunkGrid{zoom: zoom, box: emptyWorld}
	for _, i := range numbers {
		c.box.add(world{boxes[i].x0, boxes[i].y0})
		c.box.add(world{boxes[i].x1, boxes[i].y1})
	}
	// Cells of the size of tiles, larger where that would be too many or a line touches too many.
	for c.shift = worldBits - MaxZoom; ; c.shift++ {
		c.width, c.height = (c.box.x1-c.box.x0)>>c.shift+1, (c.box.y1-c.box.y0)>>c.shift+1
		n := int64(c.width) * int64(c.height)
		for _, i := range numbers {
			x0, y0, x1, y1 := c.cells(boxes[i])
			n += int64(x1-x0+1) * int64(y1-y0+1)
		}
		if n <= 1<<13+16*int64(len(numbers)) {
			break
		}
	}
	c.first = make([]int32, int(c.width)*int(c.height)+1)
	each := func(fn func(cell int, i int32)) {
		for _, i := range numbers {
			x0, y0, x1, y1 := c.cells(boxes[i])
			for y := y0; y <= y1; y++ {
				for x := x0; x <= x1; x++ {
					fn(int(y)*int(c.width)+int(x), i)
				}
			}
		}
	}
	each(func(cell int, _ int32) { c.first[cell+1]++ })
	for i := range len(c.first) - 1 {
		c.first[i+1] += c.first[i]
	}
	c.items = make([]int32, c.first[len(c.first)-1])
	next := slices.Clone(c.first)
	each(func(cell int, i int32) { c.items[next[cell]] = i; next[cell]++ })
	return c
}

// cells returns the corners of the cells that a box within the grid's touches.
func (c *chunkGrid) cells(b worldBox) (x0, y0, x1, y1 int32) {
	return (b.x0 - c.box.x0) >> c.shift, (b.y0 - c.box.y0) >> c.shift, (b.x1 - c.box.x0) >> c.shift, (b.y1 - c.box.y0) >> c.shift
}

// near appends the numbers of the chunks near a box, some of them more than once.
func (c *chunkGrid) near(b worldBox, out []int32) []int32 {
	if !b.meets(c.box) {
		return out
	}
	x0, y0, x1, y1 := c.cells(worldBox{max(b.x0, c.box.x0), max(b.y0, c.box.y0), min(b.x1, c.box.x1), min(b.y1, c.box.y1)})
	for y := y0; y <= y1; y++ {
		row := int(y) * int(c.width)
		out = append(out, c.items[c.first[row+int(x0)]:c.first[row+int(x1)+1]]...)
	}
	return out
}
