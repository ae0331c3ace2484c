package streets

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// stroke is a line as a map shows it: all streets of one name and look that run on. Joined they take half
// the bytes, and a name fits along them.
type stroke struct {
	look look
	path int32 // in drawing.lines
}

// look is what tells strokes apart.
type look struct {
	kind   groundKind // footway, closedStreet, or carStreet
	road   Road
	flags  Flags // Bridge and Tunnel alone
	oneWay bool  // along the line
	name   string
}

// carStreet is the kind of a street that cars use.
const carStreet groundKind = groundKinds

// roadLook says how tiles describe a road: Protomaps' kind, the rank by which roads lie on each other, and the first zoom.
var roadLook = [roads]struct {
	kind    string
	rank    uint64
	minZoom int
}{
	Motorway: {"highway", 400, 5}, Trunk: {"major_road", 390, 7}, Primary: {"major_road", 380, 9}, Secondary: {"major_road", 370, 10},
	Tertiary: {"major_road", 360, 11}, Unclassified: {"minor_road", 340, 13}, Residential: {"minor_road", 330, 13}, LivingStreet: {"minor_road", 320, 13},
	MotorwayLink: {"highway", 310, 11}, TrunkLink: {"major_road", 309, 11}, PrimaryLink: {"major_road", 308, 11},
	SecondaryLink: {"major_road", 307, 11}, TertiaryLink: {"major_road", 306, 11}, Service: {"minor_road", 200, 14},
}

// rank is the order in which strokes are drawn.
func (l *look) rank() uint64 {
	switch l.kind {
	case footway:
		return 100
	case closedStreet:
		return 190
	}
	return roadLook[l.road].rank
}

// minZoom is the first zoom whose tiles have the stroke.
func (l *look) minZoom() int {
	switch l.kind {
	case footway:
		return 14
	case closedStreet:
		return max(13, roadLook[l.road].minZoom)
	}
	return roadLook[l.road].minZoom
}

func byRank(a, b *look) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.road, b.road), cmp.Compare(a.flags, b.flags),
		cmp.Compare(b2i(a.oneWay), b2i(b.oneWay)), strings.Compare(a.name, b.name))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// strokePiece is a line before it is joined; a one-way street in its direction.
type strokePiece struct {
	look int32
	pts  []point
	used bool
}

// strokeJoiner joins lines of the same look where they run on.
type strokeJoiner struct {
	looks  []look
	number map[look]int32
	pieces []strokePiece
	ends   map[strokeEnd][]int32 // pieces
	perLng float64
}

type strokeEnd struct {
	look int32
	at   point
}

func newStrokeJoiner(lat float64) *strokeJoiner {
	return &strokeJoiner{number: map[look]int32{}, ends: map[strokeEnd][]int32{}, perLng: math.Cos(lat * math.Pi / 180)}
}

func (j *strokeJoiner) add(l look, pts []point) {
	n, ok := j.number[l]
	if !ok {
		n = int32(len(j.looks))
		j.number[l], j.looks = n, append(j.looks, l)
	}
	i := int32(len(j.pieces))
	j.pieces = append(j.pieces, strokePiece{look: n, pts: pts})
	first, last := strokeEnd{n, pts[0]}, strokeEnd{n, pts[len(pts)-1]}
	j.ends[first] = append(j.ends[first], i)
	if first != last {
		j.ends[last] = append(j.ends[last], i)
	}
}

// each calls fn for each stroke, by rank; of the same look, in the order of their first piece.
func (j *strokeJoiner) each(fn func(l look, pts []point)) {
	order := make([]int32, len(j.pieces))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return byRank(&j.looks[j.pieces[a].look], &j.looks[j.pieces[b].look])
	})
	for _, i := range order {
		if p := &j.pieces[i]; !p.used {
			p.used = true
			pts := j.run(p.look, slices.Clone(p.pts), true)
			slices.Reverse(pts)
			pts = j.run(p.look, pts, false)
			slices.Reverse(pts)
			fn(j.looks[p.look], pts)
		}
	}
}

// run appends to a line what goes on from its end; forward tells whether that is its direction.
func (j *strokeJoiner) run(l int32, pts []point, forward bool) []point {
	for {
		n := len(pts)
		best, straight, turn := int32(-1), 0.0, false
		for _, i := range j.ends[strokeEnd{l, pts[n-1]}] {
			p := &j.pieces[i]
			if p.used {
				continue
			}
			// A street may be taken in its direction, or against it if it has none.
			for _, back := range []bool{false, true} {
				k := len(p.pts)
				first, second := p.pts[0], p.pts[1]
				if back {
					first, second = p.pts[k-1], p.pts[k-2]
				}
				if first != pts[n-1] || j.looks[l].oneWay && back == forward {
					continue
				}
				if s := j.straight(pts[n-2], first, second); s > straight {
					best, straight, turn = i, s, back
				}
			}
		}
		if best < 0 {
			return pts
		}
		p := &j.pieces[best]
		p.used = true
		next := slices.Clone(p.pts)
		if turn {
			slices.Reverse(next)
		}
		pts = append(pts, next[1:]...)
	}
}

// straight is 1 where a line goes straight on from b to c, and not above 0 where it turns by a right angle or more.
func (j *strokeJoiner) straight(a, b, c point) float64 {
	ux, uy := (float64(b.lng)-float64(a.lng))*j.perLng, float64(b.lat)-float64(a.lat)
	vx, vy := (float64(c.lng)-float64(b.lng))*j.perLng, float64(c.lat)-float64(b.lat)
	d := math.Hypot(ux, uy) * math.Hypot(vx, vy)
	if d == 0 {
		return 0
	}
	return (ux*vx + uy*vy) / d
}
