package streets

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Drive is a way over time: where a car is that follows the way of a Plan, and when. It is a value, which its
// caller owns.
type Drive struct {
	// Line is the way from the street at its beginning to the street at its end. A car that first turns round
	// stands at its first two points.
	Line []geo.Point
	// After is when the car is at each point, since it set out; it never falls. The last one is the duration
	// of the Plan between the same places, but for what was learned of the hour and the places.
	After []time.Duration

	m      *Map
	legs   []leg
	starts []int // the point of the line where each leg begins
	round  bool
}

// Drive returns the best way between two places, which takes as long as the map's model says at any hour. The
// errors are those of Plan.
func (m *Map) Drive(ctx context.Context, from, to geo.Place) (Drive, error) {
	if err := ctx.Err(); err != nil {
		return Drive{}, fmt.Errorf("drive: %w", err)
	}
	a, err := m.snapped(from)
	if err != nil {
		return Drive{}, fmt.Errorf("drive from: %w", err)
	}
	b, err := m.snapped(to)
	if err != nil {
		return Drive{}, fmt.Errorf("drive to: %w", err)
	}
	found, err := m.find(a, b)
	if err != nil {
		return Drive{}, fmt.Errorf("drive: %w", err)
	}
	p := planner{m: m, d: found, factor: 1}
	p.draw(a.At, b.At)
	d := Drive{m: m, legs: found.legs, Line: p.plan.Line, starts: p.starts, round: found.round}
	d.time()
	d.After[len(d.After)-1] = p.plan.Duration
	if d.round {
		d.turnFirst()
	}
	return d, nil
}

// time sets when the car is where. Within a leg it drives evenly, traffic lights among it.
func (d *Drive) time() {
	d.After = make([]time.Duration, len(d.Line))
	begin := 0.0 // of the leg, in seconds
	for k, l := range d.legs {
		first, last := d.starts[k], d.end(k)
		_, seconds := d.m.measure(l)
		length := d.metres(first, last)
		along := 0.0
		for i := first + 1; i <= last; i++ {
			share := 1.0
			if along += geo.DistanceM(d.Line[i-1], d.Line[i]); length > 0 {
				share = along / length
			}
			d.After[i] = duration(begin + share*seconds)
		}
		begin += seconds
	}
}

// turnFirst lets the car turn round before it drives.
func (d *Drive) turnFirst() {
	last := len(d.After) - 1 // the plan's duration has the turn already
	for i := range last {
		d.After[i] += turnRound
	}
	d.Line, d.After = slices.Insert(d.Line, 0, d.Line[0]), slices.Insert(d.After, 0, 0)
	for k := range d.starts {
		d.starts[k]++
	}
}

// end is the point of the line where a leg ends.
func (d *Drive) end(k int) int {
	if k+1 < len(d.starts) {
		return d.starts[k+1]
	}
	return len(d.Line) - 1
}

// metres is the length of the line between two of its points.
func (d *Drive) metres(first, last int) (sum float64) {
	for i := first; i < last; i++ {
		sum += geo.DistanceM(d.Line[i], d.Line[i+1])
	}
	return sum
}

// Place returns where the car is on the piece of the line that begins at a point, which must not be the last
// one: at a share of it from 0 to 1, heading along the street, with its snap. A drive that begins there goes
// on from the very same place.
func (d *Drive) Place(piece int, share float64) geo.Place {
	turning := d.round && piece == 0 && share < 1
	k, found := slices.BinarySearch(d.starts, max(piece, d.starts[0]))
	if !found {
		k--
	}
	e := d.m.graph.edges[d.legs[k].edge]
	length := d.m.graph.segments[e.segment()].lengthM()
	a, b := d.Line[piece], d.Line[piece+1]
	p := geo.Point{Lat: a.Lat + share*(b.Lat-a.Lat), Lng: a.Lng + share*(b.Lng-a.Lng)}
	along := d.legs[k].from*length + d.metres(d.starts[k], piece) + geo.DistanceM(a, p)
	heading, ways := d.bearing(piece, e), geo.SnapForth<<(e.dir&1)
	if turning {
		heading, ways = opposite(heading), geo.SnapForth<<(1-e.dir&1)
	}
	s := geo.Snap{Map: d.m.id, Segment: e.segment(), At: p, Ways: ways, AlongM: float32(min(along, length))}
	if e.against() {
		s.AlongM = float32(max(length-along, 0))
	}
	return geo.Place{Point: p, Heading: geo.HeadingOf(heading), Snap: s}
}

// bearing is the direction of a piece of the line: of the nearest one ahead that has a length, or else behind,
// or of the street.
func (d *Drive) bearing(piece int, e edge) float64 {
	for i := piece; i+1 < len(d.Line); i++ {
		if d.Line[i] != d.Line[i+1] {
			return geo.BearingDeg(d.Line[i], d.Line[i+1])
		}
	}
	for i := piece; i > 0; i-- {
		if d.Line[i-1] != d.Line[i] {
			return geo.BearingDeg(d.Line[i-1], d.Line[i])
		}
	}
	return d.m.graph.bearing(e, false)
}

func opposite(deg float64) float64 {
	if deg < 180 {
		return deg + 180
	}
	return deg - 180
}

// Park returns a place on the nearest street for a car that stands there, heading as it may drive on. If that
// is both ways, it heads as the given place does, or else along the street's shape. The errors are those of Snap.
func (m *Map) Park(p geo.Place) (geo.Place, error) {
	h, ok := m.grid.nearest(p)
	s, err := m.Snap(p)
	if err != nil || !ok {
		return geo.Place{}, err
	}
	g, at := m.graph, h.piece.at
	heading := geo.BearingDeg(g.shape[at].geo(), g.shape[at+1].geo())
	if s.Ways&geo.SnapForth == 0 {
		heading = opposite(heading)
	} else {
		s.Ways = geo.SnapForth
	}
	s.AwayM = 0
	return geo.Place{Point: s.At, Heading: geo.HeadingOf(heading), Snap: s}, nil
}
