package streets

import (
	"cmp"
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/names"
)

// apartBits are the bits of a coordinate within a cell of those that join the pieces of a street: cells of
// 2^17 1e-7 degrees, about 1.5 km. Pieces of one name that neither meet nor lie in neighbouring cells are
// different streets, as the main streets of two villages are.
const apartBits = 17

// named are the streets of a map as people know them: all pieces of one name that lie together.
type named struct {
	of    []int32 // the street of each segment, -1: it has no name
	list  []names.StreetName
	meets []names.Meeting
}

// namedStreets joins the segments of each name.
func namedStreets(g *graph) *named {
	n := &named{of: make([]int32, g.segmentCount())}
	byName := make([][]int32, len(g.names))
	for s := range g.segmentCount() {
		n.of[s] = -1
		if name := g.segments[s].name; g.names[name] != "" {
			byName[name] = append(byName[name], s)
		}
	}
	for name, segments := range byName {
		for _, piece := range together(g, segments) {
			for _, s := range piece {
				n.of[s] = int32(len(n.list))
			}
			n.list = append(n.list, streetName(g, g.names[name], g.also[name], piece))
		}
	}
	n.meet(g)
	return n
}

// together divides the segments of a name into those that lie together, the largest part first.
func together(g *graph, segments []int32) [][]int32 {
	if len(segments) < 2 {
		if len(segments) == 0 {
			return nil
		}
		return [][]int32{segments}
	}
	parent := make([]int32, len(segments))
	for i := range parent {
		parent[i] = int32(i)
	}
	root := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	ends, cells := map[point]int32{}, map[point]int32{}
	join := func(in map[point]int32, key point, i int32) {
		if o, ok := in[key]; ok {
			parent[root(i)] = root(o)
		} else {
			in[key] = i
		}
	}
	for i, s := range segments {
		pts := g.points(s)
		join(ends, pts[0], int32(i))
		join(ends, pts[len(pts)-1], int32(i))
		for _, p := range pts {
			join(cells, point{p.lat >> apartBits, p.lng >> apartBits}, int32(i))
		}
	}
	for c, i := range cells {
		for _, o := range []point{{c.lat, c.lng + 1}, {c.lat + 1, c.lng - 1}, {c.lat + 1, c.lng}, {c.lat + 1, c.lng + 1}} {
			if k, ok := cells[o]; ok {
				parent[root(i)] = root(k)
			}
		}
	}
	where := map[int32]int{}
	var out [][]int32
	for i, s := range segments {
		r := root(int32(i))
		k, ok := where[r]
		if !ok {
			k = len(out)
			where[r], out = k, append(out, nil)
		}
		out[k] = append(out[k], s)
	}
	slices.SortStableFunc(out, func(a, b []int32) int { return len(b) - len(a) })
	return out
}

// streetName describes the segments of one street.
func streetName(g *graph, name string, also []names.Alias, segments []int32) names.StreetName {
	box := emptyBox
	for _, s := range segments {
		for _, p := range g.points(s) {
			box.add(p.lat, p.lng)
		}
	}
	middle := point{int32((int64(box.South) + int64(box.North)) / 2), int32((int64(box.West) + int64(box.East)) / 2)}
	best, least := middle, math.Inf(1)
	for _, s := range segments {
		for _, p := range g.points(s) {
			if m := metres(p, middle); m < least {
				best, least = p, m
			}
		}
	}
	return names.StreetName{
		Name: name, Aliases: also, Middle: best.geo(), South: geo.FromE7(box.South, box.West), North: geo.FromE7(box.North, box.East),
	}
}

// meet notes where two streets end at one point: streets are cut at their junctions.
func (n *named) meet(g *graph) {
	type end struct {
		at     point
		street int32
	}
	var ends []end
	for s, street := range n.of {
		if street >= 0 {
			pts := g.points(int32(s))
			ends = append(ends, end{pts[0], street}, end{pts[len(pts)-1], street})
		}
	}
	slices.SortFunc(ends, func(a, b end) int {
		return cmp.Or(cmp.Compare(a.at.lat, b.at.lat), cmp.Compare(a.at.lng, b.at.lng), cmp.Compare(a.street, b.street))
	})
	ends = slices.Compact(ends)
	for i := 0; i < len(ends); {
		k := i + 1
		for k < len(ends) && ends[k].at == ends[i].at {
			k++
		}
		here := ends[i:min(k, i+maxMeeting)]
		for a := range here {
			for b := a + 1; b < len(here); b++ {
				n.meets = append(n.meets, names.Meeting{A: here[a].street, B: here[b].street, At: here[a].at.geo()})
			}
		}
		i = k
	}
}

// maxMeeting bounds the streets of one junction, whose pairs are all crossings.
const maxMeeting = 16
