// Package drives answers for a server how long drives take: by the best of its sources, and from
// straight lines where none has a way, so that nothing ever waits for an estimate in vain.
package drives

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Source estimates drives between places.
type Source interface {
	geo.ETASource
	geo.Fan
	geo.Planner
}

// Named is a source and what it is called.
type Named struct {
	By geo.Source
	Source
}

// Drives asks its sources in turn. It is safe for concurrent use and needs no end.
type Drives struct {
	sources []Named
	snapper geo.Snapper // nil: no source snaps
	crow    geo.StraightLine
	metrics *metrics
	log     *slog.Logger
}

var (
	_ geo.ETASource = (*Drives)(nil)
	_ geo.Fan       = (*Drives)(nil)
	_ geo.Planner   = (*Drives)(nil)
	_ geo.Snapper   = (*Drives)(nil)
)

// New makes Drives of sources, the best first. What they do not know is estimated by crow.
func New(log *slog.Logger, crow geo.StraightLine, sources ...Named) *Drives {
	d := &Drives{sources: sources, crow: crow, metrics: newMetrics(sources), log: log}
	for _, s := range sources {
		if sn, ok := s.Source.(geo.Snapper); ok {
			d.snapper = sn
		}
	}
	return d
}

// Route implements geo.ETASource. It never returns geo.ErrNoRoute, nor that the time is up.
func (d *Drives) Route(ctx context.Context, from, to geo.Point) (geo.Route, error) {
	r, err := d.To(ctx, []geo.Place{{Point: from}}, geo.Place{Point: to}, time.Now())
	if err != nil {
		return geo.Route{}, err
	}
	return r[0], nil
}

// Routes implements geo.ETASource. Every element is reachable, also when the time is up.
func (d *Drives) Routes(ctx context.Context, from []geo.Point, to geo.Point) ([]geo.Route, error) {
	return d.To(ctx, places(from), geo.Place{Point: to}, time.Now())
}

func places(points []geo.Point) []geo.Place {
	out := make([]geo.Place, len(points))
	for i, p := range points {
		out[i].Point = p
	}
	return out
}

// To implements geo.Fan. Every element is reachable, also when the time is up.
func (d *Drives) To(ctx context.Context, from []geo.Place, to geo.Place, at time.Time) ([]geo.Route, error) {
	return d.fan(ctx, to, from, func(s Named, ctx context.Context, ends []geo.Place) ([]geo.Route, error) {
		return s.To(ctx, ends, to, at)
	}, false)
}

// From implements geo.Fan. Every element is reachable, also when the time is up.
func (d *Drives) From(ctx context.Context, from geo.Place, to []geo.Place, at time.Time) ([]geo.Route, error) {
	return d.fan(ctx, from, to, func(s Named, ctx context.Context, ends []geo.Place) ([]geo.Route, error) {
		return s.From(ctx, from, ends, at)
	}, true)
}

// fan asks each source for what those before it did not know.
func (d *Drives) fan(
	ctx context.Context, hub geo.Place, ends []geo.Place, ask func(Named, context.Context, []geo.Place) ([]geo.Route, error), outward bool,
) ([]geo.Route, error) {
	out := make([]geo.Route, len(ends))
	open := make([]int, len(ends))
	for i := range open {
		open[i] = i
	}
	left := ends
	for _, s := range d.sources {
		if len(left) == 0 {
			break
		}
		begun := time.Now()
		routes, err := safely(d.log, s.By, func() ([]geo.Route, error) { return ask(s, ctx, left) })
		d.metrics.asked(s.By, time.Since(begun))
		if errors.Is(err, geo.ErrInvalidPoint) || errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return nil, err
		}
		if err != nil || len(routes) != len(left) {
			d.metrics.fellBack(s.By, why(err), len(left))
			continue
		}
		still := open[:0]
		var rest []geo.Place
		for k, r := range routes {
			if !usable(r) {
				still, rest = append(still, open[k]), append(rest, left[k])
				continue
			}
			r.By = s.By
			out[open[k]] = r
		}
		d.metrics.answered(s.By, len(left)-len(rest))
		if len(rest) > 0 {
			d.metrics.fellBack(s.By, noRoute, len(rest))
		}
		open, left = still, rest
	}
	for k, i := range open {
		from, to := left[k].Point, hub.Point
		if outward {
			from, to = to, from
		}
		// The context of the caller may have ended: that is why the straight line is asked.
		r, err := d.crow.Route(context.Background(), from, to)
		if err != nil {
			return nil, err
		}
		out[i] = r
	}
	d.metrics.answered(geo.ByCrow, len(open))
	return out, nil
}

// safely asks a source, whose panic is an error: a strange map must not end the server.
func safely[T any](log *slog.Logger, by geo.Source, ask func() (T, error)) (out T, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("a source of drives panicked", "source", by.String(), "panic", r, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return ask()
}

var errPanic = errors.New("the source panicked")

// usable reports whether a route is one: a server of someone else may say anything.
func usable(r geo.Route) bool {
	return r.Reachable() && r.DistanceM >= 0 && r.DistanceM < 1e8 && r.Duration >= 0 && r.Duration < 1000*time.Hour
}

// Plan implements geo.Planner with the first source that has a way. It wraps geo.ErrNoRoute if none has.
func (d *Drives) Plan(ctx context.Context, from, to geo.Place, at time.Time) (geo.Plan, error) {
	last := geo.ErrNoRoute
	for _, s := range d.sources {
		begun := time.Now()
		p, err := safely(d.log, s.By, func() (geo.Plan, error) { return s.Plan(ctx, from, to, at) })
		d.metrics.asked(s.By, time.Since(begun))
		switch {
		case err == nil && usable(p.Route) && len(p.Line) > 1:
			p.By = s.By
			d.metrics.answered(s.By, 1)
			return p, nil
		case errors.Is(err, geo.ErrInvalidPoint), ctx.Err() != nil:
			return geo.Plan{}, err
		}
		d.metrics.fellBack(s.By, why(err), 1)
		if errors.Is(err, geo.ErrNoRoute) {
			last = err
		}
	}
	return geo.Plan{}, last
}

// Snap implements geo.Snapper.
func (d *Drives) Snap(p geo.Place) (geo.Snap, error) {
	if d.snapper == nil {
		return geo.Snap{}, geo.ErrNoRoute
	}
	s, err := d.snapper.Snap(p)
	d.metrics.snapped(err == nil)
	return s, err
}

// The reasons for which a source is passed over.
const (
	noRoute = "no_route" // it has no way
	late    = "late"     // it took too long
	failed  = "failed"   // it failed, or said something impossible
)

func why(err error) string {
	switch {
	case errors.Is(err, geo.ErrNoRoute):
		return noRoute
	case errors.Is(err, context.DeadlineExceeded):
		return late
	}
	return failed
}
