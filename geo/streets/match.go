package streets

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/hexhail/hexhail/geo"
)

// Matching a track to streets, after P. Newson and J. Krumm, "Hidden Markov Map Matching Through Noise and
// Sparseness" (ACM GIS 2009): of all sequences of places on streets, the likeliest. A place is the less likely the
// farther it is from its position, and a step from place to place the less likely the more its length along streets
// differs from the straight step between the positions. A place is on a street in one direction. Costs are
// negative logarithms of likelihoods.
const (
	// laneM is how far from a street's line its cars drive, and the line from the street, as a standard
	// deviation in metres.
	laneM = 5
	// perRadius is the standard deviation of a position along one axis, as a share of the radius of 68 %.
	perRadius = 1 / 1.51
	// nearestM and farthestM bound how far from a position its street may be, in metres; reachSD is how far in
	// standard deviations.
	nearestM, farthestM = 30, 150
	reachSD             = 4
	// mostStreets bounds the streets that are looked at for a position.
	mostStreets = 16
	// baseM, baseShare and baseSD make the scale of differences in length, in metres: they are larger for long steps,
	// which cut corners, and for inaccurate positions.
	baseM, baseShare, baseSD = 4, 0.1, 0.3
	// turnCost is what turning round on a street costs.
	turnCost = 6
	// serviceCost is what a service road costs at each position: cars mostly are on the street beside.
	serviceCost = 1
	// hopeless is how much more than the cheapest a place may cost to be followed on.
	hopeless = 40
	// mostSkipped is how many positions in a row may fit no street, for the next one to be joined to the one
	// before all the same.
	mostSkipped = 2
	// A step is a gap if it is longer than gapM, in metres, and took longer than gapTime: more than the time
	// without fixes that makes one for a geo.Track, because a track keeps only some of them.
	gapM    = 100
	gapTime = 2 * geo.MaxGap
)

// state is a place on a street in one direction, for one position.
type state struct {
	dir    int32   // of the edge
	alongM float64 // from where the direction begins
	cost   float64 // of the likeliest way here
	parent int32   // the state of the layer before on that way, -1 at the beginning of a piece
}

// layer are the states of a position.
type layer struct {
	fix    int // its number in the track
	states []state
}

// matcher matches one track. All its work is bounded by the number of fixes.
type matcher struct {
	m       *Map
	track   []geo.Spot
	hops    *hops
	layers  []layer // of the piece so far
	skipped int     // fixes since the last layer
	pieces  int
	out     geo.Match
	wholeM  float64 // straight steps of the whole track
	onM     float64 // those of them that are matched
	joinedM float64 // those of them over skipped fixes, which LengthM has
}

var _ geo.Matcher = (*Map)(nil)

// Match implements geo.Matcher.
func (m *Map) Match(ctx context.Context, track []geo.Spot) (geo.Match, error) {
	x := matcher{m: m, track: track, hops: newHops(m.graph)}
	for i, s := range track {
		if err := ctx.Err(); err != nil {
			return geo.Match{}, fmt.Errorf("match: %w", err)
		}
		if err := s.Point.Validate(); err != nil {
			return geo.Match{}, fmt.Errorf("match %d: %w", i, err)
		}
		if i > 0 {
			x.wholeM += geo.DistanceM(track[i-1].Point, s.Point)
		}
		x.take(i)
	}
	x.finish()
	if len(x.out.Lines) == 0 {
		return geo.Match{}, fmt.Errorf("match: %w: nothing of the track lies on streets", geo.ErrNoRoute)
	}
	x.out.Breaks = max(0, x.pieces-1)
	x.out.OffM = max(0, x.wholeM-x.onM-x.joinedM)
	x.out.Share = 1
	if x.wholeM > 0 {
		x.out.Share = min(1, x.onM/x.wholeM)
	}
	return x.out, nil
}

// Match implements geo.Matcher.
func (c *City) Match(ctx context.Context, track []geo.Spot) (geo.Match, error) {
	if m := c.Map(); m != nil {
		return m.Match(ctx, track)
	}
	return geo.Match{}, errNoMap
}

// take takes the next fix.
func (x *matcher) take(i int) {
	states := x.m.statesAt(x.track[i])
	if len(x.layers) == 0 {
		if len(states) > 0 {
			x.layers, x.skipped = append(x.layers, layer{i, states}), 0
		}
		return
	}
	last := &x.layers[len(x.layers)-1]
	before, now := x.track[last.fix], x.track[i]
	gap := now.At.Sub(before.At) > gapTime && geo.DistanceM(before.Point, now.Point) > gapM+deviation(before)+deviation(now)
	if !gap && len(states) > 0 && x.join(last, states, before, now) {
		x.layers, x.skipped = append(x.layers, layer{i, states}), 0
		return
	}
	if x.skipped++; !gap && x.skipped <= mostSkipped {
		return
	}
	x.finish()
	if len(states) > 0 {
		x.layers = append(x.layers, layer{i, states})
	}
}

// deviation is the standard deviation of a fix from its street's line along one axis, in metres.
func deviation(s geo.Spot) float64 {
	accuracy := perRadius * s.AccuracyM
	if !(accuracy > laneM) { // also for NaN
		accuracy = laneM
	}
	return math.Hypot(laneM, min(accuracy, geo.MaxAccuracyM))
}

// statesAt returns the states of a fix, with what its distance from them costs.
func (m *Map) statesAt(s geo.Spot) []state {
	sd := deviation(s)
	var room [mostStreets]hit
	near := m.grid.within(s.Point, max(nearestM, min(farthestM, reachSD*sd)), room[:0])
	states := make([]state, 0, 2*len(near))
	for _, h := range near {
		g, segment := m.graph, h.piece.segment
		along := m.alongM(h)
		cost := h.m * h.m / (2 * sd * sd)
		if g.segments[segment].road == Service {
			cost += serviceCost
		}
		forth, back := g.drivable(segment)
		if forth {
			states = append(states, state{2 * segment, along, cost, -1})
		}
		if back {
			states = append(states, state{2*segment + 1, max(0, g.segments[segment].lengthM()-along), cost, -1})
		}
	}
	return states
}

// alongM is how far a hit is from the beginning of its segment.
func (m *Map) alongM(h hit) float64 {
	g, along := m.graph, 0.0
	for k := g.segments[h.piece.segment].first; k < h.piece.at; k++ {
		along += metres(g.shape[k], g.shape[k+1])
	}
	along += h.t * metres(g.shape[h.piece.at], g.shape[h.piece.at+1])
	return min(along, g.segments[h.piece.segment].lengthM())
}

// join finds the likeliest way to each state from those of the layer before, and reports whether there is any. The
// states that none leads to stay, and cost too much to be followed.
func (x *matcher) join(last *layer, states []state, before, now geo.Spot) bool {
	straight := geo.DistanceM(before.Point, now.Point)
	sd := max(deviation(before), deviation(now))
	scale := baseM + baseShare*straight + baseSD*sd
	least := math.Inf(1)
	for _, s := range last.states {
		least = min(least, s.cost)
	}
	best := make([]float64, len(states))
	for k := range best {
		best[k] = math.Inf(1)
	}
	found := false
	for p, from := range last.states {
		if from.cost > least+hopeless || math.IsInf(from.cost, 1) {
			continue
		}
		x.hops.from(from, states, straight, sd)
		for k, h := range x.hops.found {
			if math.IsInf(h.m, 1) {
				continue
			}
			cost := from.cost + math.Abs(h.m-straight)/scale
			if h.round {
				cost += turnCost
			}
			if cost < best[k] {
				best[k], states[k].parent, found = cost, int32(p), true
			}
		}
	}
	if !found {
		return false
	}
	for k := range states {
		states[k].cost += best[k]
	}
	return true
}

// finish ends a piece: its likeliest states, its way and its length.
func (x *matcher) finish() {
	layers := x.layers
	x.layers, x.skipped = x.layers[:0], 0
	if len(layers) < 2 {
		return
	}
	way := make([]state, len(layers))
	end := layers[len(layers)-1].states
	at := int32(0)
	for k := range end {
		if end[k].cost < end[at].cost {
			at = int32(k)
		}
	}
	for i := len(layers) - 1; i >= 0; i-- {
		way[i] = layers[i].states[at]
		at = way[i].parent
	}
	x.pieces++
	var legs []leg
	for i := 1; i < len(way); i++ {
		a, b := layers[i-1].fix, layers[i].fix
		before, now := x.track[a], x.track[b]
		straight := geo.DistanceM(before.Point, now.Point)
		if legs = x.hops.follow(legs, way[i-1], way[i], straight, max(deviation(before), deviation(now))); b == a+1 {
			x.onM += straight
			continue
		}
		for ; a < b; a++ {
			x.joinedM += geo.DistanceM(x.track[a].Point, x.track[a+1].Point)
		}
	}
	x.draw(legs)
}

// draw adds a piece.
func (x *matcher) draw(legs []leg) {
	g := x.m.graph
	legs = slices.DeleteFunc(legs, func(l leg) bool { return l.to <= l.from })
	if len(legs) == 0 {
		return
	}
	line := []geo.Point{x.m.pointAt(legs[0].edge, legs[0].from)}
	for i, l := range legs {
		line = x.m.appendLeg(line, l)
		if l.to < 1 && (i+1 == len(legs) || legs[i+1].edge != l.edge) {
			line = append(line, x.m.pointAt(l.edge, l.to))
		}
		x.out.LengthM += (l.to - l.from) * g.segments[g.edges[l.edge].segment()].lengthM()
	}
	x.out.Lines = append(x.out.Lines, line)
}

// pointAt is the place at a share of an edge.
func (m *Map) pointAt(i int32, share float64) geo.Point {
	e := m.graph.edges[i]
	pts := m.graph.points(e.segment())
	left := share * m.graph.segments[e.segment()].lengthM()
	for k := 1; k < len(pts); k++ {
		a, b := pts[along(k-1, len(pts), e.against())], pts[along(k, len(pts), e.against())]
		d := metres(a, b)
		if left <= d && d > 0 {
			t, p, q := left/d, a.geo(), b.geo()
			return geo.Point{Lat: p.Lat + t*(q.Lat-p.Lat), Lng: p.Lng + t*(q.Lng-p.Lng)}
		}
		left -= d
	}
	return pts[along(len(pts)-1, len(pts), e.against())].geo()
}
