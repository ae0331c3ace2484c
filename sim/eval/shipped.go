package eval

import (
	"context"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets"
	"github.com/hexhail/hexhail/sim/demand/nyc"
)

// peakOnMap is S1m: the hour on the repository's own map, whose junctions are the places. Turns that are not allowed at a
// junction are not known here.
func (l *Loader) peakOnMap(ctx context.Context, n int) (*Scenario, error) {
	h, err := l.hour()
	if err != nil {
		return nil, err
	}
	m, err := nyc.Streets(ctx, "hexhail eval")
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it built
	}
	w, err := l.onMap(ctx, m)
	if err != nil {
		return nil, err
	}
	pickups, dropoffs, taxis := w.nearestTo(h.pickups), w.nearestTo(h.dropoffs), w.nearestTo(h.taxis)
	w.calibrate(pickups, dropoffs)
	return &Scenario{
		World: w, Requests: h.requests(w, pickups, dropoffs), Fleet: h.fleet(taxis, n), Sum: key("peak on map", m.ID(), h.requestSum, h.taxiSum, n),
	}, nil
}

// onMap makes a world of a map: its junctions, and the fastest ways along its streets.
func (l *Loader) onMap(ctx context.Context, m *streets.Map) (*World, error) {
	w := World{Name: "the map " + m.ID()}
	index := make(map[geo.Point]Place)
	place := func(p geo.Point) Place {
		at, known := index[p]
		if !known {
			at = Place(len(w.At))
			index[p] = at
			w.At = append(w.At, p)
		}
		return at
	}
	var all []street
	var shape []geo.Point
	for s := range m.Streets() {
		shape = m.Shape(s.Segment, shape[:0])
		a, b := place(shape[0]), place(shape[len(shape)-1])
		if d := m.Takes(s.Segment, false); d > 0 && a != b {
			all = append(all, street{a, b, d.Seconds(), s.LengthM})
		}
		if d := m.Takes(s.Segment, true); d > 0 && a != b {
			all = append(all, street{b, a, d.Seconds(), s.LengthM})
		}
	}
	return l.driven(ctx, w, all)
}

// nearestTo are the places nearest to some points.
func (w *World) nearestTo(ends []end) []Place {
	out := make([]Place, len(ends))
	for i, e := range ends {
		out[i] = w.Nearest(e.point)
	}
	return out
}
