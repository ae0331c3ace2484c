package streets

import (
	"fmt"
	"math"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/ch"
)

// turnRound is what a moving car takes to go the other way on its street.
const turnRound = 40 * time.Second

// turned is the angle between two directions, 0 to 180 degrees.
func turned(a, b float64) float64 { return math.Abs(math.Mod(b-a+540, 360) - 180) }

// tip is where a way begins or ends: a place on an edge.
type tip struct {
	edge  int32
	done  float64 // share of the edge that lies behind the place
	round bool    // the car turns round first
}

// tips are the ways to begin or to end at a place. They are a value, without memory of their own for
// all but the strangest junctions.
type tips struct {
	list  []tip
	seeds []ch.Seed
	room  [6]tip
	room2 [6]ch.Seed
}

func (t *tips) reset() { t.list, t.seeds = t.room[:0], t.room2[:0] }

// share is the part of an edge that lies behind a snap.
func (m *Map) share(s geo.Snap, dir int32) float64 {
	along := 1.0
	if l := m.graph.segments[s.Segment].lengthM(); l > 0 {
		along = max(0, min(1, float64(s.AlongM)/l))
	}
	if dir&1 != 0 {
		return 1 - along
	}
	return along
}

func part(share float64, weight int32) int32 { return int32(math.Round(share * float64(weight))) }

// begin sets t to the ways to leave a place. Of the edges of a direction the first is the least
// restricted.
func (m *Map) begin(s geo.Snap, t *tips) {
	t.reset()
	for dir := 2 * s.Segment; dir <= 2*s.Segment+1; dir++ {
		edges := m.graph.edgesOf(dir)
		if len(edges) == 0 {
			continue
		}
		e := m.graph.edges[edges[0]]
		x := tip{edge: edges[0], done: m.share(s, dir), round: s.Ways&(geo.SnapForth<<(dir&1)) == 0}
		cost := part(1-x.done, e.weight)
		if x.round {
			cost += int32(turnRound.Milliseconds())
		}
		t.list, t.seeds = append(t.list, x), append(t.seeds, ch.Seed{Node: e.to, Cost: cost})
	}
}

// end sets t to the ways to reach a place: any edge, because they begin at different nodes.
func (m *Map) end(s geo.Snap, t *tips) {
	t.reset()
	for dir := 2 * s.Segment; dir <= 2*s.Segment+1; dir++ {
		for _, i := range m.graph.edgesOf(dir) {
			e := m.graph.edges[i]
			x := tip{edge: i, done: m.share(s, dir)}
			t.list, t.seeds = append(t.list, x), append(t.seeds, ch.Seed{Node: e.from, Cost: part(x.done, e.weight)})
		}
	}
}

// direct returns the way along one street, without a junction, if that is possible.
func (m *Map) direct(from, to *tips) (a, b tip, cost int32, ok bool) {
	cost = math.MaxInt32
	for i := range from.list {
		for _, y := range to.list {
			x := from.list[i]
			if m.graph.edges[x.edge].dir != m.graph.edges[y.edge].dir || y.done < x.done {
				continue
			}
			c := part(y.done-x.done, m.graph.edges[x.edge].weight)
			if x.round {
				c += int32(turnRound.Milliseconds())
			}
			if c < cost {
				a, b, cost, ok = x, y, c, true
			}
		}
	}
	return a, b, cost, ok
}

// leg is a driven part of an edge.
type leg struct {
	edge     int32
	from, to float64 // shares of the edge
}

// drive is a way from a place to another.
type drive struct {
	legs  []leg
	round bool // begins by turning round
}

// find returns the best drive between two snaps.
func (m *Map) find(from, to geo.Snap) (drive, error) {
	var a, b tips
	m.begin(from, &a)
	m.end(to, &b)
	x, y, cost, ok := m.direct(&a, &b)
	var room [128]int32
	found, path, ok2 := m.ways.Route(a.seeds, b.seeds, room[:0])
	switch {
	case ok && (!ok2 || cost <= found.Cost):
		return drive{legs: []leg{{x.edge, x.done, y.done}}, round: x.round}, nil
	case !ok2:
		return drive{}, fmt.Errorf("%w: the streets are not joined", geo.ErrNoRoute)
	}
	x, y = a.list[found.From], b.list[found.To]
	d := drive{legs: make([]leg, 0, len(path)+2), round: x.round}
	d.legs = append(d.legs, leg{x.edge, x.done, 1})
	for _, e := range path {
		d.legs = append(d.legs, leg{e, 0, 1})
	}
	d.legs = append(d.legs, leg{y.edge, 0, y.done})
	return d, nil
}

// measure returns the length and the time of a leg, at an hour and in a place without factors.
func (m *Map) measure(l leg) (metres, seconds float64) {
	e := m.graph.edges[l.edge]
	share := l.to - l.from
	return share * m.graph.segments[e.segment()].lengthM(), share * m.seconds(e)
}

// reached returns the route of a way in a star, whose tips are x of from and y of to; both are
// negative if there is none. The factor is that of the hour and the places.
func (m *Map) reached(r ch.Reached, from *tips, x int, to *tips, y int, factor float64) geo.Route {
	a, b, cost, ok := m.direct(from, to)
	switch {
	case ok && (x < 0 || cost <= r.Cost):
		d, s := m.measure(leg{a.edge, a.done, b.done})
		return routeOf(d, s*factor, a.round)
	case x < 0:
		return geo.Unreachable()
	}
	first, last := from.list[x], to.list[y]
	d1, s1 := m.measure(leg{first.edge, first.done, 1})
	d2, s2 := m.measure(leg{last.edge, 0, last.done})
	return routeOf(d1+float64(r.Measure.M)+d2, (s1+float64(r.Measure.S)+s2)*factor, first.round)
}

func routeOf(metres, seconds float64, round bool) geo.Route {
	if round {
		seconds += turnRound.Seconds()
	}
	return geo.Route{DistanceM: metres, Duration: duration(seconds), By: geo.ByStreets}
}
