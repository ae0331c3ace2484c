package streets

import (
	"context"
	"fmt"

	"github.com/hexhail/hexhail/geo"
)

// Roads is the number of kinds of roads.
const Roads = int(roads)

// Breakdown is what a drive consists of, as a Model sees it: its time is the sum over the roads of
// length by speed, plus the signals. From many drives and the times that they took, the values of a
// model can be estimated.
type Breakdown struct {
	LengthM [Roads]float64 // by road
	FreeS   float64        // at the speed of the signs
	Signals float64        // traffic lights; a fraction where the drive ends within a street; none on a timed map
	// RoadS is the time without the signals, by road, as the map's own model has it, before anything
	// is learned.
	RoadS [Roads]float64
	// SignalS and RideS are the times of the signals and of a ride beside driving, likewise.
	SignalS, RideS float64
	// From and To are the zones of both ends.
	From, To geo.Cell
}

// TotalM is the length of the drive.
func (b *Breakdown) TotalM() (sum float64) {
	for _, m := range b.LengthM {
		sum += m
	}
	return sum
}

// Breakdown returns what the best way between two places consists of. The error is as that of Plan.
func (m *Map) Breakdown(ctx context.Context, from, to geo.Place) (Breakdown, error) {
	if err := ctx.Err(); err != nil {
		return Breakdown{}, fmt.Errorf("breakdown: %w", err)
	}
	a, err := m.snapped(from)
	if err != nil {
		return Breakdown{}, fmt.Errorf("breakdown from: %w", err)
	}
	b, err := m.snapped(to)
	if err != nil {
		return Breakdown{}, fmt.Errorf("breakdown to: %w", err)
	}
	d, err := m.find(a, b)
	if err != nil {
		return Breakdown{}, fmt.Errorf("breakdown: %w", err)
	}
	out := Breakdown{From: m.zones.cell(m.graph, a.Segment), To: m.zones.cell(m.graph, b.Segment), RideS: m.own.Ride.Seconds()}
	for _, l := range d.legs {
		e := m.graph.edges[l.edge]
		s := &m.graph.segments[e.segment()]
		share := l.to - l.from
		out.LengthM[s.road] += share * s.lengthM()
		out.FreeS += share * float64(s.freeMS) / 1000
		if m.graph.timed { // which includes the signals
			out.RoadS[s.road] += share * float64(e.weight) / 1000
			continue
		}
		out.RoadS[s.road] += share * m.own.driving(s)
		out.Signals += share * float64(m.graph.signals(e))
	}
	out.SignalS = out.Signals * m.own.Signal.Seconds()
	return out, nil
}
