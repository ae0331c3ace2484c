package streets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/geo/streets/ch"
)

// Drivers near a pickup are found by one search around it. Those that it does not meet within this many
// nodes, 0.6 ms, are asked for one by one.
const nearNodes = 4000

// checkEvery is the number of ways between two looks at the context.
const checkEvery = 64

// Route implements geo.ETASource.
func (m *Map) Route(ctx context.Context, from, to geo.Point) (geo.Route, error) {
	r, err := m.To(ctx, []geo.Place{{Point: from}}, geo.Place{Point: to}, time.Time{})
	if err != nil {
		return geo.Route{}, err
	}
	if !r[0].Reachable() {
		return geo.Route{}, fmt.Errorf("route: %w", geo.ErrNoRoute)
	}
	return r[0], nil
}

// Routes implements geo.ETASource.
func (m *Map) Routes(ctx context.Context, from []geo.Point, to geo.Point) ([]geo.Route, error) {
	places := make([]geo.Place, len(from))
	for i, p := range from {
		places[i].Point = p
	}
	return m.To(ctx, places, geo.Place{Point: to}, time.Time{})
}

// To implements geo.Fan: one search around the place, and a short one for each place that is far away.
func (m *Map) To(ctx context.Context, from []geo.Place, to geo.Place, at time.Time) ([]geo.Route, error) {
	f := fan{m: m, hour: m.factors.hour(at)}
	if err := f.prepare(ctx, to, from, m.end, m.begin); err != nil {
		return nil, err
	}
	star := ch.Star{Hub: f.hub.seeds, Ends: f.seeds}
	set := func(i int, r ch.Reached) {
		f.out[f.which[i]] = m.reached(r, &f.ends[i], r.End, &f.hub, r.Hub, f.factors[i])
	}
	rest := m.around.Near(star, nearNodes, m.measures, set, nil)
	err := f.each(ctx, star, rest, set)
	return f.out, err
}

// From implements geo.Fan.
func (m *Map) From(ctx context.Context, from geo.Place, to []geo.Place, at time.Time) ([]geo.Route, error) {
	f := fan{m: m, hour: m.factors.hour(at)}
	if err := f.prepare(ctx, from, to, m.begin, m.end); err != nil {
		return nil, err
	}
	all := make([]int, len(f.seeds))
	for i := range all {
		all[i] = i
	}
	err := f.each(ctx, ch.Star{Hub: f.hub.seeds, Ends: f.seeds, Out: true}, all, func(i int, r ch.Reached) {
		f.out[f.which[i]] = m.reached(r, &f.hub, r.Hub, &f.ends[i], r.End, f.factors[i])
	})
	return f.out, err
}

// fan is the work of one call.
type fan struct {
	m     *Map
	hub   tips
	ends  []tips
	seeds [][]ch.Seed
	which []int // the place of each end
	out   []geo.Route

	hour    float64   // the factor of the hour
	factors []float64 // of each end, with that of the hub and the hour
}

// prepare snaps all places. One without a street is unreachable; if it is the hub, all are.
func (f *fan) prepare(ctx context.Context, hub geo.Place, ends []geo.Place, atHub, atEnds func(geo.Snap, *tips)) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	out := make([]geo.Route, len(ends))
	for i := range out {
		out[i] = geo.Unreachable()
	}
	center, err := f.m.snapped(hub)
	known := err == nil
	if err != nil && !errors.Is(err, geo.ErrNoRoute) {
		return fmt.Errorf("routes: %w", err)
	}
	if known {
		atHub(center, &f.hub)
	}
	f.ends, f.factors = make([]tips, len(ends)), make([]float64, 0, len(ends))
	for i, p := range ends {
		s, err := f.m.snapped(p)
		if err != nil && !errors.Is(err, geo.ErrNoRoute) {
			return fmt.Errorf("routes %d: %w", i, err)
		}
		if err != nil || !known {
			continue
		}
		k := len(f.which)
		atEnds(s, &f.ends[k])
		f.factors = append(f.factors, f.hour*f.m.factors.ends(center.Segment, s.Segment))
		f.seeds, f.which = append(f.seeds, f.ends[k].seeds), append(f.which, i)
	}
	f.out = out
	return nil
}

// each searches for the ways of some ends.
func (f *fan) each(ctx context.Context, star ch.Star, which []int, found func(int, ch.Reached)) error {
	all := star.Ends
	var buf []ch.Reached
	for len(which) > 0 {
		if err := ctx.Err(); err != nil {
			f.out = nil
			return fmt.Errorf("routes: %w", err)
		}
		now := which[:min(checkEvery, len(which))]
		which = which[len(now):]
		star.Ends = make([][]ch.Seed, len(now))
		for k, i := range now {
			star.Ends[k] = all[i]
		}
		buf = f.m.ways.Reach(star, f.m.measures, buf[:0])
		for k, i := range now {
			found(i, buf[k])
		}
	}
	return nil
}

// snapped returns a place's own snap if it is of this map, or finds it.
func (m *Map) snapped(p geo.Place) (geo.Snap, error) {
	if err := p.Point.Validate(); err != nil {
		return geo.Snap{}, err //nolint:wrapcheck // the caller says which place
	}
	if s := p.Snap; s.Map == m.id && s.Segment >= 0 && s.Segment < m.graph.segmentCount() {
		return s, nil
	}
	return m.Snap(p)
}
