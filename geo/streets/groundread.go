package streets

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/hexhail/hexhail/geo/streets/mvt"
	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// groundReader takes what a map shows beside streets from an extract: closed ways and multipolygons,
// pedestrian streets, the coast. Ways that only relations make something of come in a pass of their own.
type groundReader struct {
	ways      []groundWay
	coast     []groundWay
	relations []groundRelation
	members   map[int64][]int64 // nodes of the ways of relations; nil until they are read
	nodes     nodes
	names     []string
	number    map[string]int32
}

type groundWay struct {
	refs []int64
	what feature
}

type groundRelation struct {
	what         feature
	outer, inner []int64 // ways
}

func (g *groundReader) nameOf(name string) int32 {
	if name = clean(name); name == "" {
		return -1
	}
	n, ok := g.number[name]
	if !ok {
		if g.number == nil {
			g.number = map[string]int32{}
		}
		n = int32(len(g.names))
		own := strings.Clone(name)
		g.number[own], g.names = n, append(g.names, own)
	}
	return n
}

// way takes a way that cars do not use, for the reason why.
func (g *groundReader) way(w *pbf.Way, why refusal, here func(int64) bool) {
	if len(w.Refs) < 2 || !slices.ContainsFunc(w.Refs, here) {
		return
	}
	closed := len(w.Refs) > 3 && w.Refs[0] == w.Refs[len(w.Refs)-1]
	add := func(to *[]groundWay, f feature) {
		*to = append(*to, groundWay{refs: slices.Clone(w.Refs), what: f})
	}
	if w.Tags.Get("natural") == "coastline" {
		add(&g.coast, feature{})
	}
	if kind, ok := polygonOf(w.Tags); ok {
		if closed {
			add(&g.ways, feature{kind: kind, name: -1})
		}
		return
	}
	if f, ok := lineOf(w.Tags, why); ok {
		f.name = g.nameOf(w.Tags.Get("name"))
		add(&g.ways, f)
	}
}

// lineOf returns the line that a way is: a pedestrian street, or one that is closed to most cars. Private
// service roads would be as many as houses.
func lineOf(tags pbf.Tags, why refusal) (f feature, ok bool) {
	if tags.Get("bridge") != "" && tags.Get("bridge") != "no" {
		f.flags |= Bridge
	}
	if tags.Get("tunnel") != "" && tags.Get("tunnel") != "no" {
		f.flags |= Tunnel
	}
	if tags.Get("highway") == "pedestrian" {
		f.kind = footway
		return f, true
	}
	if road, ok := roadOf(tags.Get("highway")); ok && road != Service && (why == noAccess || why == reversible) {
		f.kind, f.road = closedStreet, road
		return f, true
	}
	return f, false
}

func (g *groundReader) relation(r *pbf.Relation) {
	if r.Tags.Get("type") != "multipolygon" {
		return
	}
	kind, ok := polygonOf(r.Tags)
	if !ok {
		return
	}
	out := groundRelation{what: feature{kind: kind, name: -1}}
	for _, m := range r.Members {
		if m.Type != pbf.WayMember {
			continue
		}
		if g.members == nil {
			g.members = map[int64][]int64{}
		}
		g.members[m.ID] = nil
		if m.Role == "inner" {
			out.inner = append(out.inner, m.ID)
		} else {
			out.outer = append(out.outer, m.ID)
		}
	}
	g.relations = append(g.relations, out)
}

// readMembers reads the ways of the relations.
func (g *groundReader) readMembers(ctx context.Context, open Open, p Progress) error {
	if len(g.members) == 0 {
		return nil
	}
	return pass(ctx, open, stepGround, p, pbf.Handler{Way: func(w *pbf.Way) error {
		if _, ok := g.members[w.ID]; ok {
			g.members[w.ID] = slices.Clone(w.Refs)
		}
		return nil
	}})
}

// wanted are the nodes that the ways need.
func (g *groundReader) wanted() (n nodes, err error) {
	for _, w := range slices.Concat(g.ways, g.coast) {
		n.id = append(n.id, w.refs...)
	}
	for _, refs := range g.members {
		n.id = append(n.id, refs...)
	}
	return n, n.ready()
}

// points returns the places of nodes; ok is false if one is missing, or if the way crosses the
// antimeridian.
func (g *groundReader) points(refs []int64) (out []point, ok bool) {
	for _, id := range refs {
		i, ok := g.nodes.index(id)
		if !ok || !g.nodes.found[i] {
			return nil, false
		}
		p := point{g.nodes.lat[i], g.nodes.lng[i]}
		if n := len(out); n > 0 && math.Abs(float64(p.lng)-float64(out[n-1].lng)) > 180e7 {
			return nil, false
		}
		out = append(out, p)
	}
	return out, true
}

// joinWays joins ways end to end, in either direction, and returns the closed rings, without their first node at the
// end. whole is false if some way belongs to none.
func joinWays(ways [][]int64) (rings [][]int64, whole bool) {
	at := map[int64][]int{}
	for i, w := range ways {
		if len(w) < 2 {
			return nil, false
		}
		at[w[0]] = append(at[w[0]], i)
		at[w[len(w)-1]] = append(at[w[len(w)-1]], i)
	}
	used := make([]bool, len(ways))
	whole = true
	for i := range ways {
		if used[i] {
			continue
		}
		used[i] = true
		ring := slices.Clone(ways[i])
		for ring[0] != ring[len(ring)-1] {
			end := ring[len(ring)-1]
			k := slices.IndexFunc(at[end], func(j int) bool { return !used[j] })
			if k < 0 {
				break
			}
			next := ways[at[end][k]]
			used[at[end][k]] = true
			if next[0] != end {
				next = slices.Clone(next)
				slices.Reverse(next)
			}
			ring = append(ring, next[1:]...)
		}
		if ring[0] != ring[len(ring)-1] || len(ring) < 4 {
			whole = false
			continue
		}
		rings = append(rings, ring[:len(ring)-1])
	}
	return rings, whole
}

// made makes the ground, cut to a box; an empty one cuts nothing. What has a gap is left out and counted: half a lake could
// flood a city.
func (g *groundReader) made(box Box, shore *Shoreline, report *Report) (*ground, *Box) {
	out := &ground{names: g.names, points: []point{}}
	add := func(f feature, rings ...[]point) { out.add(f, cut(rings, f.kind.isLine(), box)) }
	for _, w := range g.ways {
		pts, ok := g.points(w.refs)
		switch {
		case !ok:
			report.Unclosed++
		case w.what.kind.isLine():
			add(w.what, pts)
		default:
			add(w.what, pts[:len(pts)-1])
		}
	}
	for _, r := range g.relations {
		g.addRelation(r, add, report)
	}
	known := g.shore(out, box, shore, report)
	out.end()
	return out.sorted(), known
}

func (g *groundReader) addRelation(r groundRelation, add func(feature, ...[]point), report *Report) {
	ringsOf := func(ids []int64) (out [][]point, whole bool) {
		var ways [][]int64
		whole = true
		for _, id := range ids {
			if len(g.members[id]) == 0 {
				whole = false
				continue
			}
			ways = append(ways, g.members[id])
		}
		rings, all := joinWays(ways)
		for _, ring := range rings {
			pts, ok := g.points(ring)
			if !ok {
				all = false
				continue
			}
			out = append(out, pts)
		}
		return out, whole && all
	}
	outer, whole := ringsOf(r.outer)
	inner, whole2 := ringsOf(r.inner)
	if !whole || !whole2 {
		report.Unclosed++
	}
	for _, o := range outer {
		rings := [][]point{o}
		for _, i := range inner {
			if within(i[0], o) {
				rings = append(rings, i)
			}
		}
		add(r.what, rings...)
	}
}

// cut cuts rings to a box. A line is kept or left out whole: its own tile cuts it.
func cut(rings [][]point, line bool, box Box) [][]point {
	if line || box == (Box{}) {
		return rings
	}
	var out [][]point
	var a, b []mvt.Point
	for i, r := range rings {
		ring := make([]mvt.Point, len(r))
		for k, p := range r {
			ring[k] = mvt.Point{X: p.lng, Y: p.lat}
		}
		a, b = mvt.Box{MinX: box.West, MinY: box.South, MaxX: box.East, MaxY: box.North}.Ring(ring, a, b)
		if len(a) < 3 {
			if i == 0 {
				return nil
			}
			continue
		}
		kept := make([]point, len(a))
		for k, p := range a {
			kept[k] = point{p.Y, p.X}
		}
		out = append(out, kept)
	}
	return out
}
