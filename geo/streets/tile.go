package streets

import (
	"errors"

	"github.com/hexhail/hexhail/geo/streets/mvt"
)

// MaxZoom is the last zoom of tiles: clients enlarge them for closer views.
const MaxZoom = 15

// TileVersion is another number whenever the same map makes other tiles.
const TileVersion = 1

// ErrTile means that there is no tile with such numbers.
var ErrTile = errors.New("there is no such tile")

// Tile returns a vector tile (Mapbox Vector Tile 2) in the layers of Protomaps' basemap, version 4: earth, landuse,
// water and roads. It is nil where the map has nothing. The numbers are those of web maps; the error wraps
// ErrTile. The same map makes the same bytes. It takes time for what the tile shows, in the calling goroutine: half a
// millisecond for the fullest of Manhattan. The first tile of a map takes longer: half a second for 500,000
// junctions.
func (m *Map) Tile(z, x, y int) ([]byte, error) {
	if z < 0 || z > MaxZoom || x < 0 || y < 0 || x >= 1<<z || y >= 1<<z {
		return nil, ErrTile
	}
	m.drawing.ready()
	if z < m.drawing.minZoom {
		return nil, nil
	}
	return newTileMaker(m.drawing, z, x, y).make(), nil
}

// tileMaker makes one tile.
type tileMaker struct {
	*drawing
	z          int
	x, y       int32    // of the tile's corner, in its units
	near       worldBox // what the tile shows, and a little more
	geometry   *mvt.Geometry
	pts, a, b  []mvt.Point
	tile       mvt.Tile
	layer      *mvt.Layer
	pending    look
	hasPending bool
}

func newTileMaker(d *drawing, z, x, y int) *tileMaker {
	t := &tileMaker{drawing: d, z: z, x: int32(x) * mvt.Extent, y: int32(y) * mvt.Extent, geometry: mvt.NewGeometry(mvt.Lines)}
	side, more := int64(1)<<(worldBits-z), int64(-mvt.Clip.MinX+simplifyUnits)<<(unitBits-z)
	bound := func(v int64) int32 { return int32(max(0, min(1<<worldBits, v))) }
	t.near = worldBox{
		bound(int64(x)*side - more), bound(int64(y)*side - more), bound(int64(x+1)*side + more), bound(int64(y+1)*side + more),
	}
	return t
}

func (t *tileMaker) make() []byte {
	t.addGround("earth", land, land)
	t.addGround("landuse", park, square)
	t.addGround("water", water, lake)
	t.addRoads()
	return t.tile.Bytes()
}

// unit rounds a place to the tile's grid, which is the same for all tiles of a zoom.
func (t *tileMaker) unit(w world) mvt.Point {
	s := unitBits - t.z
	half := int32(1) << (s - 1)
	return mvt.Point{X: (w.x+half)>>s - t.x, Y: (w.y+half)>>s - t.y}
}

// shown are the points from first to last that this zoom shows.
func (t *tileMaker) shown(p *paths, first, last int32) []mvt.Point {
	t.pts = t.pts[:0]
	for k := first; k <= last; k++ {
		if int(p.level[k]) <= t.z {
			t.pts = append(t.pts, t.unit(p.pts[k]))
		}
	}
	return t.pts
}

// groundNames are the kinds of Protomaps' basemap.
var groundNames = [...]string{
	land: "earth", park: "park", grass: "grass", forest: "forest", cemetery: "cemetery", pitch: "pitch", beach: "beach",
	square: "pedestrian", water: "water", river: "river", lake: "lake",
}

// addGround adds the polygons from one kind to another as a layer: one feature for each kind.
func (t *tileMaker) addGround(name string, from, to groundKind) {
	layer := mvt.NewLayer(name)
	for kind := from; kind <= to; kind++ {
		t.geometry.Reset(mvt.Polygons)
		for i := t.kinds[kind]; i < t.kinds[kind+1]; i++ {
			if p := &t.polygons[i]; int(p.minZoom) <= t.z && p.box.meets(t.near) {
				t.addPolygon(p)
			}
		}
		layer.Add(t.geometry, mvt.Tag{Key: "kind", Value: mvt.Text(groundNames[kind])})
	}
	t.tile.Append(layer)
}

func (t *tileMaker) addPolygon(p *polygon) {
	for r := p.ring; r < p.end; r++ {
		pts := t.shown(&t.rings, t.rings.first[r], t.rings.first[r+1]-2) // without its first point again
		t.a, t.b = mvt.Clip.Ring(pts, t.a, t.b)
		if !t.geometry.AddRing(t.a, r > p.ring) && r == p.ring {
			return
		}
	}
}

// addRoads adds the strokes, joined to a feature where they look the same.
func (t *tileMaker) addRoads() {
	t.layer = mvt.NewLayer("roads")
	t.geometry.Reset(mvt.Lines)
	list := t.chunks.near(t.near, t.z, nil)
	for i := 0; i < len(list); {
		c := &t.chunks.list[list[i]]
		s := &t.strokes[c.path]
		first, last := c.first, c.last
		// The next chunk of the same stroke belongs to the same line, and so does one that simplifying reaches.
		for {
			first, last = t.reach(first, -1), t.reach(last, 1)
			if i++; i == len(list) {
				break
			}
			next := &t.chunks.list[list[i]]
			if next.path != c.path || next.first > last {
				break
			}
			last = max(last, next.last)
		}
		t.addStroke(s, first, last)
	}
	t.flush()
	t.tile.Append(t.layer)
}

// reach is the next point from k on that this zoom shows; the ends of strokes are.
func (t *tileMaker) reach(k, step int32) int32 {
	for int(t.lines.level[k]) > t.z {
		k += step
	}
	return k
}

// addStroke adds a part of a stroke.
func (t *tileMaker) addStroke(s *stroke, first, last int32) {
	l := s.look
	if t.z < nameZoom {
		l.name = ""
	}
	if t.hasPending && l != t.pending {
		t.flush()
	}
	t.pending, t.hasPending = l, true
	t.a = mvt.Clip.Line(t.shown(&t.lines, first, last), t.a, t.geometry.AddLine)
}

// nameZoom is the first zoom at which a street's name has room.
const nameZoom = 11

// flush adds the feature of the lines so far.
func (t *tileMaker) flush() {
	if t.hasPending {
		t.layer.Add(t.geometry, t.pending.tags()...)
	}
	t.geometry.Reset(mvt.Lines)
	t.hasPending = false
}

// tags describe a road as Protomaps' basemap does.
func (l *look) tags() []mvt.Tag {
	kind, detail := roadLook[l.road].kind, l.road.String()
	if l.kind == footway {
		kind, detail = "path", "pedestrian"
	}
	tags := []mvt.Tag{
		{Key: "kind", Value: mvt.Text(kind)}, {Key: "kind_detail", Value: mvt.Text(detail)},
		{Key: "sort_rank", Value: mvt.Number(l.rank())}, {Key: "min_zoom", Value: mvt.Number(uint64(l.minZoom()))},
	}
	if l.name != "" {
		tags = append(tags, mvt.Tag{Key: "name", Value: mvt.Text(l.name)})
	}
	for _, is := range []struct {
		so  bool
		key string
	}{{l.kind != footway && l.road.IsLink(), "is_link"}, {l.flags&Bridge != 0, "is_bridge"}, {l.flags&Tunnel != 0, "is_tunnel"}} {
		if is.so {
			tags = append(tags, mvt.Tag{Key: is.key, Value: mvt.True()})
		}
	}
	if l.oneWay {
		tags = append(tags, mvt.Tag{Key: "oneway", Value: mvt.Text("yes")})
	}
	return tags
}
