package streets

import (
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo/streets/mvt"
)

// The coast of an extract is a line with the land on its left. Within a box it makes land of the parts that
// cross the box, closed along the border, and of the islands. A line that ends inside of the box says nothing
// certain, nor does one that only touches it, and then there is no land at all: a map without a shore is better
// than a flooded city.

// shore adds the land, of a shoreline or of the extract's coast, and returns where it is known; nil: nowhere.
func (g *groundReader) shore(out *ground, box Box, shore *Shoreline, report *Report) *Box {
	if shore != nil {
		for _, p := range shore.polygons {
			out.add(feature{kind: land, name: -1}, p)
		}
		known := shore.Box
		return &known
	}
	if len(g.coast) == 0 || !box.valid() {
		return nil
	}
	var lines [][]point
	for _, refs := range g.coastLines() {
		pts, ok := g.points(refs)
		if !ok {
			report.Unclosed++
			return nil
		}
		lines = append(lines, pts)
	}
	polygons, ok := landOf(lines, box)
	if !ok {
		report.Unclosed++
		return nil
	}
	for _, p := range polygons {
		out.add(feature{kind: land, name: -1}, p)
	}
	return &box
}

// coastLines joins the ways of the coast, each of which goes on where another begins.
func (g *groundReader) coastLines() (out [][]int64) {
	begins, ends := map[int64]int{}, map[int64]bool{}
	for i, w := range g.coast {
		begins[w.refs[0]] = i
		ends[w.refs[len(w.refs)-1]] = true
	}
	used := make([]bool, len(g.coast))
	follow := func(i int) {
		var line []int64
		for ok := true; ok && !used[i]; {
			used[i] = true
			refs := g.coast[i].refs
			if len(line) > 0 {
				refs = refs[1:]
			}
			line = append(line, refs...)
			i, ok = begins[line[len(line)-1]]
		}
		if len(line) > 1 {
			out = append(out, line)
		}
	}
	for i, w := range g.coast {
		if !ends[w.refs[0]] {
			follow(i)
		}
	}
	for i := range g.coast {
		follow(i)
	}
	return out
}

// shorePart is a part of the coast from border to border, with its places there as along tells them.
type shorePart struct {
	pts     []point
	in, out float64
	used    bool
}

// landOf returns the land within a box; ok is false if that does not follow from the coast.
func landOf(lines [][]point, box Box) (polygons [][][]point, ok bool) {
	if !box.valid() {
		return nil, false
	}
	var parts []shorePart
	var islands, waters [][]point
	for _, line := range lines {
		if len(line) > 3 && line[0] == line[len(line)-1] {
			ring, inside := opened(line[:len(line)-1], box)
			switch {
			case !inside:
				line = slices.Concat(ring, ring[:1])
			case area(ring) > 0:
				islands = append(islands, ring)
				continue
			default:
				waters = append(waters, ring)
				continue
			}
		}
		if parts, ok = partsOf(line, box, parts); !ok {
			return nil, false
		}
	}
	if polygons, ok = closeAlong(parts, box); !ok {
		return nil, false
	}
	for _, i := range islands {
		polygons = append(polygons, [][]point{i})
	}
	for _, w := range waters {
		k := slices.IndexFunc(polygons, func(p [][]point) bool { return within(w[0], p[0]) })
		if k < 0 {
			if len(parts) > 0 {
				return nil, false
			}
			k, polygons = len(polygons), append(polygons, [][]point{corners(box)})
		}
		polygons[k] = append(polygons[k], w)
	}
	return polygons, len(polygons) > 0
}

// opened returns a ring that begins outside of the box, or says that all of it lies inside.
func opened(ring []point, box Box) (out []point, inside bool) {
	i := slices.IndexFunc(ring, func(p point) bool { return !box.contains(p.lat, p.lng) })
	if i < 0 {
		return ring, true
	}
	return slices.Concat(ring[i:], ring[:i]), false
}

// partsOf adds the parts of a line within the box, but for points where it only touches the border; ok is false
// if it begins or ends inside.
func partsOf(line []point, box Box, parts []shorePart) ([]shorePart, bool) {
	pts := make([]mvt.Point, len(line))
	for i, p := range line {
		pts[i] = mvt.Point{X: p.lng, Y: p.lat}
	}
	ok := true
	mvt.Box{MinX: box.West, MinY: box.South, MaxX: box.East, MaxY: box.North}.Line(pts, nil, func(part []mvt.Point) {
		s := shorePart{}
		for _, p := range part {
			s.pts = append(s.pts, point{p.Y, p.X})
		}
		s.pts = slices.Compact(s.pts)
		var first, last bool
		s.in, first = alongBorder(s.pts[0], box)
		s.out, last = alongBorder(s.pts[len(s.pts)-1], box)
		ok = ok && first && last
		if len(s.pts) > 1 {
			parts = append(parts, s)
		}
	})
	return parts, ok
}

// alongBorder is how far along the border of a box a point lies, from 0 in the south-west against the
// clock to 4; ok is false if it lies elsewhere.
func alongBorder(p point, b Box) (t float64, ok bool) {
	x := (float64(p.lng) - float64(b.West)) / (float64(b.East) - float64(b.West))
	y := (float64(p.lat) - float64(b.South)) / (float64(b.North) - float64(b.South))
	switch {
	case p.lat == b.South:
		return x, true
	case p.lng == b.East:
		return 1 + y, true
	case p.lat == b.North:
		return 3 - x, true
	case p.lng == b.West:
		return 4 - y, true
	}
	return 0, false
}

// corners are the corners of a box, in the order of alongBorder.
func corners(b Box) []point {
	return []point{{b.South, b.West}, {b.South, b.East}, {b.North, b.East}, {b.North, b.West}}
}

// closeAlong makes polygons of the parts: the land goes on along the border, against the clock, to where the
// next part begins. Parts along the border may have no land within.
func closeAlong(parts []shorePart, box Box) (polygons [][][]point, ok bool) {
	corner := corners(box)
	for start := range parts {
		if parts[start].used {
			continue
		}
		var ring []point
		for i := start; ; {
			if parts[i].used {
				return nil, false // two parts lead to the same one
			}
			parts[i].used = true
			ring = append(ring, parts[i].pts...)
			next, away := -1, math.Inf(1)
			for k := range parts {
				if d := math.Mod(parts[k].in-parts[i].out+4, 4); d < away {
					next, away = k, d
				}
			}
			for t := math.Floor(parts[i].out) + 1; t < parts[i].out+away; t++ {
				ring = append(ring, corner[int(t)%4])
			}
			if i = next; i == start {
				break
			}
		}
		if hasArea(ring) {
			polygons = append(polygons, [][]point{ring})
		}
	}
	return polygons, true
}

// hasArea reports whether a ring encloses anything, exactly: area rounds.
func hasArea(ring []point) bool {
	doubled, first := int64(0), ring[0] // overflow does no harm: what the Earth has is less than 1<<64
	x, y := func(p point) int64 { return int64(p.lng) - int64(first.lng) }, func(p point) int64 { return int64(p.lat) - int64(first.lat) }
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		doubled += x(p)*y(q) - x(q)*y(p)
	}
	return doubled != 0
}
