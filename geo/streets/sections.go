package streets

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/hexhail/hexhail/geo/streets/ch"
)

// sectionIDs are the sections of a file, in their order.
var sectionIDs = []string{"META", "NAME", "ALIA", "PLAC", "NODE", "SEGM", "GEOM", "EDGE", "RANK", "CHUP", "CHDN", "AREA"}

// sectionsOf returns the sections of a map.
func sectionsOf(meta Meta, g *graph, on *ground, ways *ch.Hierarchy) []section {
	p := ways.Parts()
	return []section{
		{"META", func() []byte { return encodeMeta(meta) }},
		{"NAME", func() []byte { return encodeNames(g.names) }},
		{"ALIA", func() []byte { return encodeAliases(g.also) }},
		{"PLAC", func() []byte { return g.places.encode() }},
		{"NODE", func() []byte { return encodeNodes(g.nodes) }},
		{"SEGM", func() []byte { return encodeSegments(g.segments) }},
		{"GEOM", func() []byte { return encodeShape(g.shape) }},
		{"EDGE", func() []byte { return encodeEdges(g.edges) }},
		{"RANK", func() []byte { return numbers(nil, p.Order) }},
		{"CHUP", func() []byte { return encodeArcs(p.UpFirst, p.UpArcs) }},
		{"CHDN", func() []byte { return encodeArcs(p.DownFirst, p.DownArcs) }},
		{"AREA", func() []byte { return encodeGround(on) }},
	}
}

// The sizes of the records.
const (
	nodeSize    = 12
	segmentSize = 20
	pointSize   = 8
	edgeSize    = 16
	arcSize     = 12
)

var le = binary.LittleEndian

func number(b []byte, x int32) []byte { return le.AppendUint32(b, uint32(x)) }

func numbers(b []byte, list []int32) []byte {
	b = slices.Grow(b, 4*len(list))
	for _, x := range list {
		b = number(b, x)
	}
	return b
}

func encodeMeta(m Meta) []byte {
	b, err := json.Marshal(m)
	if err != nil { // it has only strings, numbers and a date that is valid
		panic(err)
	}
	return b
}

func encodeNames(names []string) (b []byte) {
	for _, n := range names {
		b = append(binary.AppendUvarint(b, uint64(len(n))), n...)
	}
	return b
}

func encodeNodes(nodes []node) []byte {
	b := make([]byte, 0, nodeSize*len(nodes))
	for _, n := range nodes {
		signal := int32(0)
		if n.signal {
			signal = 1
		}
		b = number(number(number(b, n.at.lat), n.at.lng), signal)
	}
	return b
}

func encodeSegments(segments []segment) []byte {
	b := make([]byte, 0, segmentSize*len(segments))
	for _, s := range segments {
		b = number(number(number(number(b, s.first), s.name), int32(s.lengthMM)), s.freeMS)
		b = append(b, byte(s.road), byte(s.flags), s.signals, 0)
	}
	return b
}

func encodeShape(shape []point) []byte {
	b := make([]byte, 0, pointSize*len(shape))
	for _, p := range shape {
		b = number(number(b, p.lat), p.lng)
	}
	return b
}

func encodeEdges(edges []edge) []byte {
	b := make([]byte, 0, edgeSize*len(edges))
	for _, e := range edges {
		b = number(number(number(number(b, e.from), e.to), e.dir), e.weight)
	}
	return b
}

func encodeArcs(first []int32, arcs []ch.Arc) []byte {
	b := numbers(make([]byte, 0, 4*len(first)+arcSize*len(arcs)), first)
	for _, a := range arcs {
		b = number(number(number(b, a.To), a.Weight), a.Via)
	}
	return b
}

// record reads the numbers of a record.
func record(b []byte, i, size, field int) int32 { return int32(le.Uint32(b[i*size+4*field:])) }

// decode makes the parts of a map of its sections, and checks them.
func decode(parts map[string][]byte) (meta Meta, g *graph, on *ground, ways *ch.Hierarchy, err error) {
	fail := func(what string) (Meta, *graph, *ground, *ch.Hierarchy, error) {
		return Meta{}, nil, nil, nil, damaged(what)
	}
	if json.Unmarshal(parts["META"], &meta) != nil || meta.Shore != nil && !meta.Shore.valid() {
		return fail("its description is missing")
	}
	for id, size := range map[string]int{"NODE": nodeSize, "SEGM": segmentSize, "GEOM": pointSize, "EDGE": edgeSize, "RANK": 4} {
		if len(parts[id])%size != 0 || len(parts[id]) == 0 {
			return fail("section " + id + "  is truncated")
		}
	}
	g = &graph{
		names: decodeNames(parts["NAME"]), nodes: decodeNodes(parts["NODE"]), segments: decodeSegments(parts["SEGM"]),
		shape: decodeShape(parts["GEOM"]), edges: decodeEdges(parts["EDGE"]), box: emptyBox,
	}
	var read [2]bool
	g.also, read[0] = decodeAliases(parts["ALIA"], len(g.names))
	g.places, read[1] = decodePlaces(parts["PLAC"])
	if !read[0] || !read[1] {
		return fail("its places are truncated")
	}
	if what := g.check(); what != "" {
		return fail(what)
	}
	g.index()
	if what := g.checkDirections(); what != "" {
		return fail(what)
	}
	n := len(g.nodes)
	p := ch.Parts{Order: decodeNumbers(parts["RANK"])}
	var ok, ok2 bool
	p.UpFirst, p.UpArcs, ok = decodeArcs(parts["CHUP"], n)
	p.DownFirst, p.DownArcs, ok2 = decodeArcs(parts["CHDN"], n)
	if !ok || !ok2 {
		return fail("the hierarchy is truncated")
	}
	if ways, err = ch.Restore(n, g.arcs(), p); err != nil {
		return Meta{}, nil, nil, nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	if on, ok = decodeGround(parts["AREA"]); !ok {
		return fail("section AREA is invalid")
	}
	return meta, g, on, ways, nil
}

// decodeNames returns nil if the section is not valid.
func decodeNames(b []byte) (names []string) {
	for len(b) > 0 {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) || n > maxName {
			return nil
		}
		name := string(b[w : w+int(n)])
		if !utf8.ValidString(name) {
			return nil
		}
		names, b = append(names, name), b[w+int(n):]
	}
	return names
}

func decodeNodes(b []byte) []node {
	out := make([]node, len(b)/nodeSize)
	for i := range out {
		out[i] = node{
			at:     point{record(b, i, nodeSize, 0), record(b, i, nodeSize, 1)},
			signal: record(b, i, nodeSize, 2) != 0,
		}
	}
	return out
}

func decodeSegments(b []byte) []segment {
	out := make([]segment, len(b)/segmentSize)
	for i := range out {
		last := b[i*segmentSize+16:]
		out[i] = segment{
			first: record(b, i, segmentSize, 0), name: record(b, i, segmentSize, 1),
			lengthMM: uint32(record(b, i, segmentSize, 2)), freeMS: record(b, i, segmentSize, 3),
			road: Road(last[0]), flags: Flags(last[1]), signals: last[2],
		}
	}
	return out
}

func decodeShape(b []byte) []point {
	out := make([]point, len(b)/pointSize)
	for i := range out {
		out[i] = point{record(b, i, pointSize, 0), record(b, i, pointSize, 1)}
	}
	return out
}

func decodeEdges(b []byte) []edge {
	out := make([]edge, len(b)/edgeSize)
	for i := range out {
		out[i] = edge{
			from: record(b, i, edgeSize, 0), to: record(b, i, edgeSize, 1),
			dir: record(b, i, edgeSize, 2), weight: record(b, i, edgeSize, 3),
		}
	}
	return out
}

func decodeNumbers(b []byte) []int32 {
	out := make([]int32, len(b)/4)
	for i := range out {
		out[i] = record(b, i, 4, 0)
	}
	return out
}

func decodeArcs(b []byte, nodes int) (first []int32, arcs []ch.Arc, ok bool) {
	begin := 4 * (nodes + 1)
	if len(b) < begin || (len(b)-begin)%arcSize != 0 {
		return nil, nil, false
	}
	first, b = decodeNumbers(b[:begin]), b[begin:]
	arcs = make([]ch.Arc, len(b)/arcSize)
	for i := range arcs {
		arcs[i] = ch.Arc{To: record(b, i, arcSize, 0), Weight: record(b, i, arcSize, 1), Via: record(b, i, arcSize, 2)}
	}
	return first, arcs, true
}

// check returns what is wrong with the arrays of a graph, or "".
func (g *graph) check() string {
	for _, p := range g.shape {
		if p.lat < -90e7 || p.lat > 90e7 || p.lng < -180e7 || p.lng > 180e7 {
			return "a street lies outside the Earth"
		}
	}
	n := len(g.segments) - 1
	if n < 1 || len(g.nodes) > 2*maxJunctions || g.segments[0].first != 0 || int(g.segments[n].first) != len(g.shape) {
		return "streets are missing"
	}
	for i := range n {
		s, next := &g.segments[i], g.segments[i+1].first
		if next < s.first+2 || next > int32(len(g.shape)) || s.name < 0 || int(s.name) >= len(g.names) || s.road >= roads || s.freeMS < 1 || s.freeMS > ch.MaxWeight {
			return fmt.Sprintf("street %d is invalid", i)
		}
		length := 0.0
		for k := s.first; k+1 < next; k++ {
			length += metres(g.shape[k], g.shape[k+1])
		}
		if math.Abs(length-s.lengthM()) > 0.01 {
			return fmt.Sprintf("the length of street %d does not match its shape", i)
		}
	}
	last := int32(0)
	for i, e := range g.edges {
		if e.from < last || int(e.from) >= len(g.nodes) || e.to < 0 || int(e.to) >= len(g.nodes) || e.dir < 0 || int(e.dir) >= 2*n ||
			e.weight < 1 || e.weight > ch.MaxWeight {
			return fmt.Sprintf("edge %d is invalid", i)
		}
		last = e.from
		pts := g.points(e.segment())
		if g.nodes[e.from].at != pts[along(0, len(pts), e.against())] || g.nodes[e.to].at != pts[along(len(pts)-1, len(pts), e.against())] {
			return fmt.Sprintf("edge %d does not lie on its street", i)
		}
	}
	return ""
}

// checkDirections checks what follows from the index: each street can be driven, and the edges
// of a direction cost the same.
func (g *graph) checkDirections() string {
	for s := range g.segmentCount() {
		if forth, back := g.drivable(s); !forth && !back {
			return fmt.Sprintf("street %d cannot be driven", s)
		}
		for dir := 2 * s; dir <= 2*s+1; dir++ {
			list := g.edgesOf(dir)
			for _, i := range list {
				if g.edges[i].weight != g.edges[list[0]].weight {
					return fmt.Sprintf("street %d has several weights", s)
				}
			}
		}
	}
	return ""
}
