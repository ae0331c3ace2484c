package streets

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo/streets/pbf"
)

// ground is what a map shows beside the streets that cars use: land and water, green, and ways to
// look at. No route depends on it. It is immutable.
type ground struct {
	features []feature // by kind; one more than there are, for the end of the last one's rings
	rings    []int32   // the first point of each ring or line in points, and the end
	points   []point
	names    []string
}

// feature is a polygon, its outer ring first and then its holes, or a line.
type feature struct {
	ring  int32 // its rings are rings[ring:ring of the next]
	name  int32 // in names; -1: none
	kind  groundKind
	road  Road // of a closed street
	flags Flags
}

// groundKind says what a feature is. Files hold these numbers.
type groundKind uint8

const (
	land groundKind = iota
	park
	grass
	forest
	cemetery
	pitch
	beach
	square
	water
	river
	lake
	footway      // a line: a pedestrian street
	closedStreet // a line: a street that not everyone may drive
	groundKinds  // their number
)

func (k groundKind) isLine() bool { return k >= footway }

// groundTags say which tags make a polygon of which kind.
var groundTags = []struct {
	key, value string
	kind       groundKind
}{
	{"natural", "water", water}, {"waterway", "riverbank", river}, {"waterway", "dock", water}, {"landuse", "reservoir", lake}, {"landuse", "basin", water},
	{"leisure", "park", park}, {"leisure", "garden", park}, {"leisure", "golf_course", park}, {"leisure", "nature_reserve", park},
	{"landuse", "recreation_ground", park}, {"landuse", "village_green", park},
	{"leisure", "pitch", pitch}, {"leisure", "track", pitch}, {"leisure", "playground", pitch},
	{"landuse", "cemetery", cemetery}, {"amenity", "grave_yard", cemetery},
	{"landuse", "forest", forest}, {"natural", "wood", forest},
	{"landuse", "grass", grass}, {"landuse", "meadow", grass}, {"natural", "grassland", grass},
	{"natural", "beach", beach}, {"natural", "sand", beach},
}

// polygonOf returns what a closed way or a multipolygon with some tags is.
func polygonOf(tags pbf.Tags) (groundKind, bool) {
	for _, t := range groundTags {
		if tags.Get(t.key) != t.value {
			continue
		}
		if t.kind == water {
			switch tags.Get("water") {
			case "river", "canal", "stream":
				return river, true
			case "lake", "pond", "reservoir", "lagoon":
				return lake, true
			}
		}
		return t.kind, true
	}
	if tags.Get("highway") == "pedestrian" && tags.Get("area") == "yes" {
		return square, true
	}
	return 0, false
}

// add appends a feature. Rings without enough points are left out, and so is a feature without one.
func (g *ground) add(f feature, rings [][]point) {
	least := 3
	if f.kind.isLine() {
		least = 2
	}
	first := len(g.rings)
	for i, r := range rings {
		if len(r) < least {
			if i == 0 {
				return // holes of nothing
			}
			continue
		}
		g.rings = append(g.rings, int32(len(g.points)))
		g.points = append(g.points, r...)
	}
	if len(g.rings) > first {
		f.ring = int32(first)
		g.features = append(g.features, f)
	}
}

// end completes a ground after the last feature.
func (g *ground) end() {
	g.features = append(g.features, feature{ring: int32(len(g.rings)), name: -1})
	g.rings = append(g.rings, int32(len(g.points)))
}

// bareGround has nothing.
func bareGround() *ground {
	g := &ground{points: []point{}}
	g.end()
	return g
}

// count returns the number of features.
func (g *ground) count() int { return len(g.features) - 1 }

// parts returns the rings of a feature. The caller must not change them.
func (g *ground) parts(i int) [][]point {
	var out [][]point
	for r := g.features[i].ring; r < g.features[i+1].ring; r++ {
		out = append(out, g.points[g.rings[r]:g.rings[r+1]])
	}
	return out
}

// The section has its four lengths, then the lists.
const (
	groundHead  = 16
	featureSize = 12
)

func encodeGround(g *ground) []byte {
	b := make([]byte, 0, groundHead+featureSize*len(g.features)+4*len(g.rings)+pointSize*len(g.points))
	names := encodeNames(g.names)
	for _, n := range []int{len(g.features), len(g.rings), len(g.points), len(names)} {
		b = number(b, int32(n))
	}
	for _, f := range g.features {
		b = append(number(number(b, f.ring), f.name), byte(f.kind), byte(f.road), byte(f.flags), 0)
	}
	b = numbers(b, g.rings)
	for _, p := range g.points {
		b = number(number(b, p.lat), p.lng)
	}
	return append(b, names...)
}

// decodeGround reads and checks the section; ok is false if it is not valid.
func decodeGround(b []byte) (g *ground, ok bool) {
	if len(b) < groundHead {
		return nil, false
	}
	var n [4]int
	for i := range n {
		n[i] = int(binary.LittleEndian.Uint32(b[4*i:]))
	}
	b = b[groundHead:]
	if n[0] < 1 || n[1] < 1 || len(b) != featureSize*n[0]+4*n[1]+pointSize*n[2]+n[3] {
		return nil, false
	}
	g = &ground{features: make([]feature, n[0])}
	for i := range g.features {
		last := b[i*featureSize+8:]
		g.features[i] = feature{
			ring: record(b, i, featureSize, 0), name: record(b, i, featureSize, 1),
			kind: groundKind(last[0]), road: Road(last[1]), flags: Flags(last[2]),
		}
	}
	b = b[featureSize*n[0]:]
	g.rings, b = decodeNumbers(b[:4*n[1]]), b[4*n[1]:]
	g.points, b = decodeShape(b[:pointSize*n[2]]), b[pointSize*n[2]:]
	g.names = decodeNames(b)
	return g, (len(b) == 0) == (len(g.names) == 0) && g.valid()
}

// valid reports whether everything that tiles rely on holds.
func (g *ground) valid() bool {
	if !rises(g.rings, len(g.points), 2) || g.features[0].ring != 0 || int(g.features[g.count()].ring) != len(g.rings)-1 {
		return false
	}
	for i := range g.count() {
		f, next := &g.features[i], g.features[i+1].ring
		if next <= f.ring || int(next) >= len(g.rings) || f.kind >= groundKinds || f.road >= roads ||
			f.name < -1 || int(f.name) >= len(g.names) || i > 0 && f.kind < g.features[i-1].kind {
			return false
		}
	}
	return !slices.ContainsFunc(g.points, func(p point) bool {
		return p.lat < -90e7 || p.lat > 90e7 || p.lng < -180e7 || p.lng > 180e7
	})
}

// rises reports whether a list of first indices begins at 0, rises by at least step, and ends with n.
func rises(first []int32, n, step int) bool {
	if first[0] != 0 || int(first[len(first)-1]) != n {
		return false
	}
	for i := range len(first) - 1 {
		if int(first[i])+step > int(first[i+1]) {
			return false
		}
	}
	return true
}

// area is the doubled area of a ring in squared degrees at the equator, positive if it runs against the clock.
func area(ring []point) (doubled float64) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		doubled += float64(p.lng)/1e7*float64(q.lat)/1e7 - float64(q.lng)/1e7*float64(p.lat)/1e7
	}
	return doubled
}

// within reports whether a point lies in a ring.
func within(p point, ring []point) bool {
	inside := false
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a.lat > p.lat) == (b.lat > p.lat) {
			continue
		}
		lng := float64(a.lng) + (float64(b.lng)-float64(a.lng))*(float64(p.lat)-float64(a.lat))/(float64(b.lat)-float64(a.lat))
		if float64(p.lng) < lng {
			inside = !inside
		}
	}
	return inside
}

// sorted orders polygons by kind and the largest first, so that what lies on others is drawn later. Lines
// come last.
func (g *ground) sorted() *ground {
	size := make([]float64, g.count())
	order := make([]int, g.count())
	for i := range order {
		if order[i] = i; !g.features[i].kind.isLine() {
			size[i] = math.Abs(area(g.parts(i)[0]))
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := &g.features[a], &g.features[b]; {
		case x.kind != y.kind:
			return int(x.kind) - int(y.kind)
		case size[a] > size[b]:
			return -1
		case size[a] < size[b]:
			return 1
		}
		return 0
	})
	out := &ground{names: g.names, points: []point{}}
	for _, i := range order {
		out.add(g.features[i], g.parts(i))
	}
	out.end()
	return out
}
