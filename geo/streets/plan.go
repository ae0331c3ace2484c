package streets

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Plan implements geo.Planner.
func (m *Map) Plan(ctx context.Context, from, to geo.Place, at time.Time) (geo.Plan, error) {
	if err := ctx.Err(); err != nil {
		return geo.Plan{}, fmt.Errorf("plan: %w", err)
	}
	a, err := m.snapped(from)
	if err != nil {
		return geo.Plan{}, fmt.Errorf("plan from: %w", err)
	}
	b, err := m.snapped(to)
	if err != nil {
		return geo.Plan{}, fmt.Errorf("plan to: %w", err)
	}
	d, err := m.find(a, b)
	if err != nil {
		return geo.Plan{}, fmt.Errorf("plan: %w", err)
	}
	p := planner{m: m, d: d, factor: m.factors.hour(at) * m.factors.ends(a.Segment, b.Segment)}
	p.plan.MapID = m.ID()
	p.plan.FromName, p.plan.ToName = m.nameOf(a.Segment), m.nameOf(b.Segment)
	p.draw(a.At, b.At)
	p.direct()
	return p.plan, nil
}

func (m *Map) nameOf(segment int32) string { return m.graph.names[m.graph.segments[segment].name] }

// planner makes a plan of a drive.
type planner struct {
	m      *Map
	d      drive
	factor float64 // of the hour and the places
	plan   geo.Plan
	starts []int // index of the line's point where each leg begins
}

// measure returns the length and the time of a leg of this drive.
func (p *planner) measure(l leg) (metres, seconds float64) {
	metres, seconds = p.m.measure(l)
	return metres, seconds * p.factor
}

// draw sets the line and the whole route.
func (p *planner) draw(from, to geo.Point) {
	n := 2
	for _, l := range p.d.legs {
		n += len(p.m.graph.points(p.m.graph.edges[l.edge].segment()))
	}
	line := append(make([]geo.Point, 0, n), from)
	p.starts = make([]int, len(p.d.legs))
	var metres, seconds float64
	for i, l := range p.d.legs {
		p.starts[i] = len(line) - 1
		line = p.m.appendLeg(line, l)
		d, s := p.measure(l)
		metres, seconds = metres+d, seconds+s
	}
	// The last leg ends on the street; the others end at junctions, which the line has.
	line = append(line, to)
	p.plan.Line = line
	p.plan.Route = routeOf(metres, seconds, p.d.round)
}

// appendLeg appends the points of a leg behind its beginning, which the line has; of its end only
// if it is a junction.
func (m *Map) appendLeg(line []geo.Point, l leg) []geo.Point {
	e := m.graph.edges[l.edge]
	pts := m.graph.points(e.segment())
	if l.from == 0 && l.to == 1 {
		for i := 1; i < len(pts); i++ {
			line = append(line, pts[along(i, len(pts), e.against())].geo())
		}
		return line
	}
	length := m.graph.segments[e.segment()].lengthM()
	begin, end := l.from*length, l.to*length
	at := 0.0
	for i := 1; i < len(pts); i++ {
		q := pts[along(i, len(pts), e.against())]
		at += metres(pts[along(i-1, len(pts), e.against())], q)
		last := i == len(pts)-1
		if at > begin && at < end && !last || last && l.to == 1 {
			line = append(line, q.geo())
		}
	}
	return line
}

// along returns the index of the i-th point in driving direction.
func along(i, n int, against bool) int {
	if against {
		return n - 1 - i
	}
	return i
}

// direct sets the steps.
func (p *planner) direct() {
	g := p.m.graph
	var steps []geo.Step
	for i, l := range p.d.legs {
		e := g.edges[l.edge]
		name := p.m.nameOf(e.segment())
		if i == 0 {
			turn := geo.TurnDepart
			if p.d.round {
				turn = geo.TurnRound
			}
			steps = append(steps, geo.Step{Turn: turn, Street: name})
		} else {
			steps = p.follow(steps, g.edges[p.d.legs[i-1].edge], e, p.starts[i])
		}
		d, s := p.measure(l)
		step := &steps[len(steps)-1]
		step.Route.By = geo.ByStreets
		step.Route.DistanceM += d
		step.Route.Duration += duration(s)
	}
	if p.d.round {
		steps[0].Route.Duration += turnRound
	}
	steps = append(steps, geo.Step{Turn: geo.TurnArrive, Street: p.plan.ToName, Index: len(p.plan.Line) - 1})
	for i := range steps {
		steps[i].Position = p.plan.Line[steps[i].Index]
	}
	p.plan.Steps = steps
}

// follow begins a step where the driver has something to do, from one edge to the next.
func (p *planner) follow(steps []geo.Step, a, b edge, index int) []geo.Step {
	g := p.m.graph
	now := &steps[len(steps)-1]
	name := p.m.nameOf(b.segment())
	was, is := g.segments[a.segment()].flags&Roundabout != 0, g.segments[b.segment()].flags&Roundabout != 0
	switch {
	case is && !was:
		return append(steps, geo.Step{Turn: geo.TurnRoundabout, Street: name, Index: index})
	case is && was:
		now.Exit += g.exits(a)
		return steps
	case was && now.Turn == geo.TurnRoundabout:
		now.Exit += g.exits(a)
		now.Street = name
		return steps
	}
	same := name == now.Street
	if same && g.choices(a) < 2 {
		return steps
	}
	turn := geo.TurnOf(g.bearing(a, true), g.bearing(b, false))
	if same && (turn == geo.TurnStraight || turn == geo.TurnSlightLeft || turn == geo.TurnSlightRight) {
		return steps
	}
	return append(steps, geo.Step{Turn: turn, Street: name, Index: index})
}

// choices counts the streets to go on to at the end of an edge, without turning round.
func (g *graph) choices(e edge) (n int) {
	for _, o := range g.edges[g.firstOut[e.to]:g.firstOut[e.to+1]] {
		if o.dir != e.dir^1 {
			n++
		}
	}
	return n
}

// exits counts the streets that leave a roundabout at the end of an edge.
func (g *graph) exits(e edge) (n int) {
	for _, o := range g.edges[g.firstOut[e.to]:g.firstOut[e.to+1]] {
		if g.segments[o.segment()].flags&Roundabout == 0 {
			n++
		}
	}
	return min(n, 1)
}

// bearing is the direction at the beginning or the end of an edge, as it is driven, in degrees
// clockwise from north, on a flat earth: a piece of street is short.
func (g *graph) bearing(e edge, end bool) float64 {
	pts := g.points(e.segment())
	n := len(pts)
	i := 1
	if end {
		i = n - 1
	}
	a, b := pts[along(i-1, n, e.against())], pts[along(i, n, e.against())]
	narrow := math.Cos(float64(a.lat) * (math.Pi / 180 / 1e7))
	return math.Atan2(float64(b.lng-a.lng)*narrow, float64(b.lat-a.lat)) * (180 / math.Pi)
}
