// Package streets routes on an OpenStreetMap extract: it reads the extract (Build), keeps what it made
// of it in a file (Write, Load), and finds ways (Map). A Map is immutable; a City holds the
// current one and swaps it.
//
// The way is chosen by free flow, the speeds of signs. How long it takes is said by a Model along
// that way. docs/streets.md describes the rules, and what they leave out.
package streets

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/ch"
)

// The terms of the data. A page that shows something made of a map must show Attribution.
const (
	Licence     = "ODbL-1.0"
	LicenceURL  = "https://opendatacommons.org/licenses/odbl/1-0/"
	Attribution = "© OpenStreetMap contributors"
)

// Meta is what a map says about itself, and what its file keeps.
type Meta struct {
	Source      string    `json:"source"`          // the extract's name, as the builder was given it
	Origin      string    `json:"origin"`          // where the extract says that its data are from, "" if it does not
	Date        time.Time `json:"date"`            // of the data, zero if the extract does not say
	Licence     string    `json:"licence"`         // SPDX identifier
	LicenceURL  string    `json:"licence_url"`     // its text
	Attribution string    `json:"attribution"`     // to show with everything made of the map
	Builder     string    `json:"builder"`         // the program and version that built the map
	Box         Box       `json:"box"`             // of the streets
	Timed       bool      `json:"timed,omitempty"` // the travel times are given (FromGraph), and models change nothing
	Shore       *Box      `json:"shore"`           // where land and water are known; nil: nowhere
	Report      Report    `json:"report"`          // what became of the extract
}

// Map is a city's streets, ready to route on. It is immutable: any goroutine may use it at any time, and
// nothing needs to be closed.
type Map struct {
	id       uint64
	meta     Meta
	graph    *graph
	drawing  *drawing
	grid     *grid
	ways     *ch.Hierarchy
	around   *ch.Graph
	own      Model // as given, before anything is learned
	model    Model // with what is learned
	factors  *factors
	zones    *zoning
	measures *ch.Measures
	names    *finder
	table    func() []entry // of its file, made once
}

// newMap completes a map of what its file holds. The model must be valid.
func newMap(id uint64, meta Meta, g *graph, on *ground, ways *ch.Hierarchy, model Model) *Map {
	g.timed = meta.Timed
	m := &Map{
		id: id, meta: meta, graph: g, drawing: &drawing{graph: g, ground: on}, grid: newGrid(g), ways: ways,
		around: ch.NewGraph(len(g.nodes), g.arcs()), names: new(finder), zones: new(zoning),
	}
	m.table = sync.OnceValue(func() []entry { return tableOf(sectionsOf(meta, g, on, ways)) })
	return m.with(model, Learned{})
}

// with returns the map with another model and other factors.
func (m *Map) with(model Model, l Learned) *Map {
	c := *m
	c.own, c.model = model, l.of(model)
	c.factors = l.factorsOf(c.zones, c.graph)
	edges := make([]ch.Measure, len(m.graph.edges))
	for i, e := range m.graph.edges {
		edges[i] = ch.Measure{
			M: float32(m.graph.segments[e.segment()].lengthM()),
			S: float32(c.seconds(e)),
		}
	}
	c.measures = m.ways.Measures(edges)
	return &c
}

// seconds is the time of a whole edge at an hour and in a place without factors of their own.
func (m *Map) seconds(e edge) float64 {
	s := &m.graph.segments[e.segment()]
	if m.graph.timed {
		return float64(e.weight) / 1000 * m.factors.roads[s.road]
	}
	return m.model.driving(s)*m.factors.roads[s.road] + float64(m.graph.signals(e))*m.model.Signal.Seconds()
}

// Takes is how long a car takes for a whole street in one direction, with the lights along it and at its end, at an hour
// and in a place without learned factors of their own; 0: the street may not be driven that way.
func (m *Map) Takes(segment int32, back bool) time.Duration {
	dir := 2 * segment
	if back {
		dir++
	}
	edges := m.graph.edgesOf(dir)
	if len(edges) == 0 {
		return 0
	}
	return duration(m.seconds(m.graph.edges[edges[0]]))
}

// WithModel returns the same map with another model of travel times: same ways, other durations. It
// takes some milliseconds for 100,000 junctions and shares everything else with m. The error wraps
// ErrModel.
func (m *Map) WithModel(model Model) (*Map, error) {
	if err := model.Validate(); err != nil {
		return nil, err
	}
	return m.with(model, m.factors.learned), nil
}

// WithLearned returns the same map with what rides have taught in the place of what it had of that. Its
// cost is that of WithModel. The error wraps ErrModel.
func (m *Map) WithLearned(l Learned) (*Map, error) {
	if err := l.validate(); err != nil {
		return nil, err
	}
	return m.with(m.own, l), nil
}

// WithWeights returns the map with other weights, which choose other ways: weigh returns what a street
// costs in a direction, between a millisecond and 4 hours; values beyond are bounded. It contracts
// again in the old order: half as long as building, in the calling goroutine. On a timed map the weights
// are the travel times, too. The error is the context's.
func (m *Map) WithWeights(ctx context.Context, weigh func(s Street, back bool) time.Duration) (*Map, error) {
	g := *m.graph
	g.edges = append([]edge(nil), g.edges...)
	for i := range g.edges {
		e := &g.edges[i]
		e.weight = millis(weigh(m.Street(e.segment()), e.against()).Seconds())
	}
	ways, err := ch.Build(ctx, len(g.nodes), g.arcs(), ch.Options{Order: m.ways.Order()})
	if err != nil {
		return nil, fmt.Errorf("new weights: %w", err)
	}
	c := *m
	c.graph, c.ways, c.around = &g, ways, ch.NewGraph(len(g.nodes), g.arcs())
	c.table = sync.OnceValue(func() []entry { return tableOf(sectionsOf(c.meta, c.graph, c.drawing.ground, c.ways)) })
	return c.with(m.own, m.factors.learned), nil
}

// ID identifies the map: two maps with the same ID have the same streets and numbers. It does not
// change with the model or the weights.
func (m *Map) ID() string { return fmt.Sprintf("%016x", m.id) }

// Meta returns what the map says about itself.
func (m *Map) Meta() Meta { return m.meta }

// Model returns the model of travel times, with the learned time of a ride and of a signal in it.
func (m *Map) Model() Model { return m.model }

// Detour is how much farther than planned drivers drive, as far as it is learned, else 1. Routes do not
// contain it: multiply when quoting a ride.
func (m *Map) Detour() float64 { return orOne(m.factors.learned.Detour) }

// Counts are the sizes of a map.
type Counts struct {
	Junctions int // with the copies that turn restrictions take
	Streets   int // pieces between two junctions
	Edges     int // directions of streets, with copies
	Arcs      int // of the hierarchy
	Points    int // of all shapes
	Names     int
	Polygons  int            // of land, water and green
	LengthM   [Roads]float64 // by road, each street once
}

// Counts counts, in some milliseconds for 100,000 junctions.
func (m *Map) Counts() Counts {
	g := m.graph
	c := Counts{
		Junctions: len(g.nodes), Streets: int(g.segmentCount()), Edges: len(g.edges), Arcs: m.ways.Arcs(), Points: len(g.shape),
	}
	for _, n := range g.names {
		if n != "" {
			c.Names++
		}
	}
	for _, f := range m.drawing.ground.features[:m.drawing.ground.count()] {
		if !f.kind.isLine() {
			c.Polygons++
		}
	}
	for i := range g.segmentCount() {
		c.LengthM[g.segments[i].road] += g.segments[i].lengthM()
	}
	return c
}

// Street is a piece of street between two junctions.
type Street struct {
	Segment     int32 // its number in this map, from 0
	Name        string
	Road        Road
	Flags       Flags
	Forth, Back bool // may be driven along its shape, and against it
	LengthM     float64
	Free        time.Duration // at the speed of its signs
}

// Street returns the street with a number, which must be one of this map.
func (m *Map) Street(segment int32) Street {
	s := &m.graph.segments[segment]
	forth, back := m.graph.drivable(segment)
	return Street{
		Segment: segment, Name: m.graph.names[s.name], Road: s.road, Flags: s.flags, Forth: forth, Back: back,
		LengthM: s.lengthM(), Free: time.Duration(s.freeMS) * time.Millisecond,
	}
}

// Streets iterates over all streets, by rising number.
func (m *Map) Streets() iter.Seq[Street] {
	return func(yield func(Street) bool) {
		for i := range m.graph.segmentCount() {
			if !yield(m.Street(i)) {
				return
			}
		}
	}
}

// Shape appends the points of a street to buf.
func (m *Map) Shape(segment int32, buf []geo.Point) []geo.Point {
	for _, p := range m.graph.points(segment) {
		buf = append(buf, p.geo())
	}
	return buf
}

// Snap implements geo.Snapper. It does not allocate.
func (m *Map) Snap(p geo.Place) (geo.Snap, error) {
	if err := p.Point.Validate(); err != nil {
		return geo.Snap{}, fmt.Errorf("snap: %w", err)
	}
	h, ok := m.grid.nearest(p)
	if !ok {
		return geo.Snap{}, errNoStreet
	}
	g, at := m.graph, h.piece.at
	s := geo.Snap{Map: m.id, Segment: h.piece.segment, AwayM: float32(h.m)}
	along := 0.0
	for k := g.segments[s.Segment].first; k < at; k++ {
		along += metres(g.shape[k], g.shape[k+1])
	}
	a, b := g.shape[at].geo(), g.shape[at+1].geo()
	s.At = geo.Point{Lat: a.Lat + h.t*(b.Lat-a.Lat), Lng: a.Lng + h.t*(b.Lng-a.Lng)}
	s.AlongM = float32(along + geo.DistanceM(a, s.At))
	forth, back := g.drivable(s.Segment)
	if forth && back && p.Heading.Known {
		forth = turned(geo.BearingDeg(a, b), p.Heading.Deg) <= 90
		back = !forth
	}
	if forth {
		s.Ways |= geo.SnapForth
	}
	if back {
		s.Ways |= geo.SnapBack
	}
	return s, nil
}

var errNoStreet = fmt.Errorf("%w: there is no street within %d m", geo.ErrNoRoute, SnapM)
