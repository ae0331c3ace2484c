// Package mvt writes vector tiles of version 2 (https://github.com/mapbox/vector-tile-spec): layers of
// features with tags and a geometry on a grid of Extent units. It keeps no state between tiles; a Tile
// belongs to the goroutine that makes it. The same calls make the same bytes.
package mvt

import "google.golang.org/protobuf/encoding/protowire"

// Extent is the side of a tile, in units. Coordinates grow to the right and downwards, and may lie
// beyond the tile: see Clip.
const Extent = 4096

// Point is a place on the grid of a tile.
type Point struct{ X, Y int32 }

// Value is the value of a tag.
type Value struct {
	text   string
	number uint64
	kind   protowire.Number // of the field in the message Value; 0: none
}

// The fields of the message Value that are used here.
const (
	textField   = 1
	numberField = 5 // uint
	boolField   = 7
)

// Text is a text.
func Text(s string) Value { return Value{text: s, kind: textField} }

// Number is a number that is not negative.
func Number(n uint64) Value { return Value{number: n, kind: numberField} }

// True is true. There is no false: a tag that does not apply is left out, because styles ask whether a
// feature has it.
func True() Value { return Value{number: 1, kind: boolField} }

// Tag is a property of a feature.
type Tag struct {
	Key   string
	Value Value
}

// Tile is a tile under construction.
type Tile struct{ b []byte }

// Append adds a layer, unless it has no feature.
func (t *Tile) Append(l *Layer) {
	if len(l.features) == 0 {
		return
	}
	t.b = protowire.AppendTag(t.b, 3, protowire.BytesType)
	t.b = protowire.AppendBytes(t.b, l.encode())
}

// Bytes returns the tile, nil if it is empty.
func (t *Tile) Bytes() []byte { return t.b }

// Layer is a layer under construction.
type Layer struct {
	name     string
	features []byte
	keys     table[string]
	values   table[Value]
	scratch  []byte
}

// NewLayer returns an empty layer.
func NewLayer(name string) *Layer { return &Layer{name: name} }

// table numbers what features share, in the order of the first use.
type table[T comparable] struct {
	number map[T]uint64
	list   []T
}

func (t *table[T]) of(v T) uint64 {
	n, ok := t.number[v]
	if !ok {
		if t.number == nil {
			t.number = map[T]uint64{}
		}
		n = uint64(len(t.list))
		t.number[v], t.list = n, append(t.list, v)
	}
	return n
}

// Add adds a feature, unless its geometry is empty.
func (l *Layer) Add(g *Geometry, tags ...Tag) {
	if len(g.commands) == 0 {
		return
	}
	var packed []byte
	for _, t := range tags {
		packed = protowire.AppendVarint(packed, l.keys.of(t.Key))
		packed = protowire.AppendVarint(packed, l.values.of(t.Value))
	}
	f := l.scratch[:0]
	if len(packed) > 0 {
		f = protowire.AppendBytes(protowire.AppendTag(f, 2, protowire.BytesType), packed)
	}
	f = protowire.AppendVarint(protowire.AppendTag(f, 3, protowire.VarintType), uint64(g.kind))
	f = protowire.AppendBytes(protowire.AppendTag(f, 4, protowire.BytesType), g.commands)
	l.scratch = f
	l.features = protowire.AppendBytes(protowire.AppendTag(l.features, 2, protowire.BytesType), f)
}

func (l *Layer) encode() []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 15, protowire.VarintType), 2)
	b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), l.name)
	b = append(b, l.features...)
	for _, k := range l.keys.list {
		b = protowire.AppendString(protowire.AppendTag(b, 3, protowire.BytesType), k)
	}
	for _, v := range l.values.list {
		b = protowire.AppendBytes(protowire.AppendTag(b, 4, protowire.BytesType), v.encode())
	}
	b = protowire.AppendTag(b, 5, protowire.VarintType)
	return protowire.AppendVarint(b, Extent)
}

func (v Value) encode() []byte {
	if v.kind == textField {
		return protowire.AppendString(protowire.AppendTag(nil, textField, protowire.BytesType), v.text)
	}
	return protowire.AppendVarint(protowire.AppendTag(nil, v.kind, protowire.VarintType), v.number)
}

// Kind says what a geometry consists of. The numbers are the format's.
type Kind uint8

// The kinds of geometries.
const (
	Lines    Kind = 2
	Polygons Kind = 3
)

// Geometry is the geometry of a feature: one or more lines, or one or more polygons.
type Geometry struct {
	kind     Kind
	commands []byte
	at       Point
}

// NewGeometry returns an empty geometry.
func NewGeometry(k Kind) *Geometry { return &Geometry{kind: k} }

// Reset empties a geometry for the next feature.
func (g *Geometry) Reset(k Kind) { g.kind, g.commands, g.at = k, g.commands[:0], Point{} }

const (
	moveTo    = 1
	lineTo    = 2
	closePath = 7
)

func (g *Geometry) command(id, count uint64) {
	g.commands = protowire.AppendVarint(g.commands, id|count<<3)
}

func (g *Geometry) to(p Point) {
	g.commands = protowire.AppendVarint(g.commands, protowire.EncodeZigZag(int64(p.X)-int64(g.at.X)))
	g.commands = protowire.AppendVarint(g.commands, protowire.EncodeZigZag(int64(p.Y)-int64(g.at.Y)))
	g.at = p
}

// AddLine adds a line. Of points that follow each other at the same place it takes one; with less than
// two points there is no line.
func (g *Geometry) AddLine(pts []Point) {
	if pts = distinct(pts); len(pts) < 2 {
		return
	}
	g.command(moveTo, 1)
	g.to(pts[0])
	g.command(lineTo, uint64(len(pts)-1))
	for _, p := range pts[1:] {
		g.to(p)
	}
}

// AddRing adds a ring, whose last point is not its first one again: an outer ring of a polygon, or a hole in
// the one before. It turns rings the way that the format wants. It reports whether there is a ring: one
// without an area has no place.
func (g *Geometry) AddRing(pts []Point, hole bool) bool {
	pts = distinct(pts)
	for len(pts) > 1 && pts[0] == pts[len(pts)-1] {
		pts = pts[:len(pts)-1]
	}
	area := Area(pts)
	if len(pts) < 3 || area == 0 {
		return false
	}
	backwards := (area > 0) == hole
	g.command(moveTo, 1)
	for i := range pts {
		p := pts[i]
		if backwards {
			p = pts[len(pts)-1-i]
		}
		g.to(p)
		if i == 0 {
			g.command(lineTo, uint64(len(pts)-1))
		}
	}
	g.command(closePath, 1)
	return true
}

// distinct drops points that repeat the one before, in place.
func distinct(pts []Point) []Point {
	kept := pts[:0]
	for i, p := range pts {
		if i == 0 || p != kept[len(kept)-1] {
			kept = append(kept, p)
		}
	}
	return kept
}

// Area is the doubled area of a ring: positive if it runs clockwise as tiles are seen, with y downwards.
func Area(ring []Point) (doubled int64) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		doubled += int64(p.X)*int64(q.Y) - int64(q.X)*int64(p.Y)
	}
	return doubled
}
