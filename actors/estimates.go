package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
)

// estimated brings what workers have found back to the actor that asked, which goes on with it. Whoever asks
// checks there whether it still matters.
type estimated struct{ then func(ctx actor.Context) }

// offload lets work estimate drives without keeping an actor waiting, and goes on with what it found as a
// message to ctx's actor. Work must not use what the actor may change meanwhile, and honour its
// context, which ends EstimateTimeout from now. If too many wait, it is done at once with a context that has
// ended, so that it takes straight lines. An ETA source that never blocks is asked at once, too, and
// offload has gone on when it returns.
func offload[T any](s *shared, ctx actor.Context, work func(context.Context) T, then func(actor.Context, T)) {
	if s.quick {
		then(ctx, work(context.Background()))
		return
	}
	self, until := ctx.Self(), time.Now().Add(s.cfg.EstimateTimeout)
	job := func() {
		c, cancel := context.WithDeadline(context.Background(), until)
		defer cancel()
		found := work(c)
		s.root.Send(self, estimated{func(ctx actor.Context) { then(ctx, found) }})
	}
	if !s.workers.do(job) {
		s.stats.hurried.Inc()
		until = time.Time{}
		job()
	}
}

// routes estimates the drives from many places to one. When the source fails, or the context ends, it takes
// straight lines, because a poor estimate still finds a driver. It returns nil for invalid points.
func (s *shared) routes(ctx context.Context, from []geo.Place, to geo.Point) []geo.Route {
	points := make([]geo.Point, len(from))
	for i, p := range from {
		points[i] = p.Point
	}
	var routes []geo.Route
	var err error
	if s.fan != nil {
		routes, err = s.fan.To(ctx, from, geo.Place{Point: to}, time.Now())
	} else {
		routes, err = s.cfg.ETA.Routes(ctx, points, to)
	}
	if err == nil && len(routes) == len(from) {
		return routes
	}
	if ctx.Err() == nil {
		s.cfg.Log.Warn("eta source failed; using straight lines", "error", err)
	}
	if routes, err = (geo.StraightLine{}).Routes(context.Background(), points, to); err != nil {
		return nil
	}
	return routes
}

// snapped returns the place of a driver with the street that it is on, if the source knows one. It takes
// about a microsecond.
func (s *shared) snapped(p geo.Place) geo.Place {
	if s.snapper != nil {
		p.Snap, _ = s.snapper.Snap(p) // without a street the place is as good as before
	}
	return p
}
