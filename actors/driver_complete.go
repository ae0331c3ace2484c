package actors

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb"
)

// matched is what a worker found of a ride that is to be completed, by the number of its delayed command.
type matched struct {
	delayed uint64
	streets *ride.OnStreets // nil: there is no map
}

// complete hands the end of a ride to its trip, once workers have matched its positions to streets. The command and
// what follows of its trip wait for that, the actor does not. Where it is due, or too many jobs wait, the ride
// is measured without streets. Nothing is lost with a delayed command: it has not been acknowledged, and its client
// repeats it.
func (d *driverActor) complete(ctx actor.Context, m framed, c *ridepb.CompleteTrip) {
	id, now := ride.TripID(c.GetTripId()), time.Now()
	way := d.way(id, now)
	end := ride.CompleteTrip{Driver: d.account.ID, Way: way, Fix: d.here(now), Reason: c.GetReason()}
	track := d.trackOf(id)
	if len(track) < 2 || d.delays(id) {
		d.forward(ctx, m, id, end)
		return
	}
	cmd := d.expect(m, id, end)
	if cmd == nil {
		return
	}
	delayed, self, until := d.delay(cmd), ctx.Self(), now.Add(d.sys.cfg.MatchTimeout)
	if !d.sys.workers.do(func() { d.sys.root.Send(self, matched{delayed, d.sys.match(track, until)}) }) {
		d.onMatched(ctx, matched{delayed, &ride.OnStreets{Late: true}})
		return
	}
	d.timers.After("match", d.sys.cfg.MatchTimeout, d.sys.sender(self, matched{delayed, &ride.OnStreets{Late: true}}))
}

// trackOf is what is kept of a trip's ride; nil: there is no ride, or no map.
func (d *driverActor) trackOf(id ride.TripID) []geo.Spot {
	if d.active == nil || d.active.ID != id || d.ride.trip != id || !d.ride.track.Begun() {
		return nil
	}
	return d.ride.track.Kept()
}

// onMatched sends a command that has waited, and those behind it. Later answers to it do not count.
func (d *driverActor) onMatched(ctx actor.Context, m matched) {
	for _, cmd := range d.pending {
		end, ok := cmd.message.Command.(ride.CompleteTrip)
		if !ok || cmd.delayed != m.delayed {
			continue
		}
		d.timers.Cancel("match")
		way := *end.Way
		way.Streets = m.streets
		end.Way = &way
		cmd.message.Command = end
		d.release(ctx, cmd.trip)
		return
	}
}

// match matches a ride to streets until a time; nil: there are none.
func (s *shared) match(track []geo.Spot, until time.Time) (out *ride.OnStreets) {
	defer func() {
		if p := recover(); p != nil { // one strange ride must not end the server
			s.cfg.Log.Error("matching a ride to streets panicked", "panic", p, "stack", string(debug.Stack()))
			out = &ride.OnStreets{Late: true}
		}
	}()
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	m, err := s.cfg.Matcher.Match(ctx, track)
	switch {
	case err == nil:
		return &ride.OnStreets{LengthM: m.LengthM + m.OffM, Share: m.Share}
	case errors.Is(err, geo.ErrNoMap):
		return nil // nothing to compare with, yet
	case errors.Is(err, geo.ErrNoRoute):
		return &ride.OnStreets{} // off the map
	}
	return &ride.OnStreets{Late: true}
}
