package streets

import "sync"

// drawing is what tiles are made of: made of a map when the first tile is asked for, because many programs
// that route never draw.
type drawing struct {
	graph  *graph
	ground *ground

	once     sync.Once
	strokes  []stroke // by rank
	lines    paths    // of the strokes
	chunks   *chunks
	polygons []polygon              // in the order of the ground, so by kind
	kinds    [groundKinds + 1]int32 // the polygons of kind k are polygons[kinds[k]:kinds[k+1]]
	rings    paths
	minZoom  int // of everything; below it there is nothing to show
}

// polygon is an outer ring with its holes.
type polygon struct {
	kind      groundKind
	minZoom   uint8
	ring, end int32 // rings[ring:end]
	box       worldBox
}

// leastUnits is the doubled area, in units of a tile, below which a polygon is not shown: four pixels squared.
const leastUnits = 2048

// PrepareTiles makes what tiles are made of, which otherwise the first tile does. It runs in the calling
// goroutine.
func (m *Map) PrepareTiles() { m.drawing.ready() }

func (d *drawing) ready() { d.once.Do(d.prepare) }

func (d *drawing) prepare() {
	middle := (float64(d.graph.box.South) + float64(d.graph.box.North)) / 2 / 1e7
	j := newStrokeJoiner(middle)
	for s := range d.graph.segmentCount() {
		d.addSegment(j, s)
	}
	for i := range d.ground.count() {
		f, parts := &d.ground.features[i], d.ground.parts(i)
		if !f.kind.isLine() {
			d.addPolygon(f.kind, parts)
			continue
		}
		l := look{kind: f.kind, road: f.road, flags: f.flags & (Bridge | Tunnel)}
		if f.name >= 0 {
			l.name = d.ground.names[f.name]
		}
		j.add(l, parts[0])
	}
	j.each(func(l look, pts []point) {
		d.strokes = append(d.strokes, stroke{look: l, path: int32(d.lines.count())})
		d.lines.add(pts)
	})
	d.index()
}

// index finds what has been added by place, kind and zoom.
func (d *drawing) index() {
	d.chunks = chunksOf(&d.lines, func(path int32) int { return d.strokes[path].look.minZoom() })
	d.minZoom = MaxZoom + 1
	for i := range d.chunks.grids {
		d.minZoom = min(d.minZoom, d.chunks.grids[i].zoom)
	}
	for i := range d.polygons {
		d.minZoom = min(d.minZoom, int(d.polygons[i].minZoom))
		d.kinds[d.polygons[i].kind+1]++
	}
	for k := range groundKinds {
		d.kinds[k+1] += d.kinds[k]
	}
}

func (d *drawing) addSegment(j *strokeJoiner, s int32) {
	g := d.graph
	seg := &g.segments[s]
	forth, back := g.drivable(s)
	l := look{kind: carStreet, road: seg.road, flags: seg.flags & (Bridge | Tunnel), oneWay: forth != back, name: g.names[seg.name]}
	pts := g.points(s)
	if !forth {
		turned := make([]point, len(pts))
		for i, p := range pts {
			turned[len(pts)-1-i] = p
		}
		pts = turned
	}
	j.add(l, pts)
}

func (d *drawing) addPolygon(k groundKind, rings [][]point) {
	p := polygon{kind: k, ring: int32(d.rings.count()), box: emptyWorld}
	doubled := 0.0
	for i, r := range rings {
		closed := append(append(make([]point, 0, len(r)+1), r...), r[0])
		at := len(d.rings.pts)
		d.rings.add(closed)
		if i > 0 {
			continue
		}
		w := d.rings.pts[at:]
		for k := range w {
			p.box.add(w[k])
			q := w[(k+1)%len(w)]
			doubled += float64(w[k].x)*float64(q.y) - float64(q.x)*float64(w[k].y)
		}
	}
	p.end = int32(d.rings.count())
	for p.minZoom = 0; p.minZoom < MaxZoom; p.minZoom++ {
		unit := float64(int64(1) << (unitBits - int(p.minZoom)))
		if max(doubled, -doubled) >= leastUnits*unit*unit {
			break
		}
	}
	d.polygons = append(d.polygons, p)
}
