package city

import (
	"context"
	"slices"
	"time"

	"github.com/hexhail/hexhail/ride"
)

// refill fills the charts with the database's trips of the hours before they began: newest first,
// at most maxRefill. It reads while the node already serves; if it fails, the charts start empty.
func (c *City) refill(ctx context.Context) {
	begun, ok := c.waitForJoin(ctx)
	if !ok {
		return
	}
	from := begun.Truncate(Step).Add(-time.Duration(sampleRing-1) * Step)
	steps := make(map[int64]*sample)
	// at returns the step that contains t, or nil if t is not before the start. The step of the
	// start may exist twice, once for before and once for after it; readers add them up.
	at := func(t time.Time) *sample {
		if t.Before(from) || !t.Before(begun) {
			return nil
		}
		end := t.Truncate(Step).Add(Step)
		if steps[end.Unix()] == nil {
			steps[end.Unix()] = &sample{end: end.Unix(), tripsOnly: true}
		}
		return steps[end.Unix()]
	}
	filter := ride.TripFilter{From: from, To: begun, Page: ride.Page{Limit: 200}}
	for read := 0; read < maxRefill; {
		bounded, cancel := context.WithTimeout(ctx, c.cfg.StoreTimeout)
		trips, next, err := c.cfg.Trips.ListTrips(bounded, filter)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				c.cfg.Log.Warn("charts start without past trips", "error", err)
			}
			return
		}
		for i := range trips {
			past(&trips[i], at)
		}
		if read += len(trips); next == "" {
			break
		}
		filter.Page.Cursor = next
	}
	c.charts.prepend(steps)
}

// past counts a trip in the steps in which it was requested, matched and ended.
func past(t *ride.Trip, at func(time.Time) *sample) {
	if s := at(t.RequestedAt); s != nil {
		s.requests++
	}
	if s := at(t.MatchedAt); s != nil {
		s.matched(t)
	}
	if s := at(t.EndedAt); s != nil {
		s.ended(t)
	}
}

// prepend puts past steps, oldest first, before those in the ring.
func (c *charts) prepend(steps map[int64]*sample) {
	old := make([]sample, 0, len(steps))
	for _, s := range steps {
		old = append(old, *s)
	}
	slices.SortFunc(old, func(a, b sample) int { return int(a.end - b.end) })
	c.mu.Lock()
	defer c.mu.Unlock()
	now := append(slices.Clone(c.ring[c.head:]), c.ring[:c.head]...)
	all := slices.Concat(old, now)
	c.ring, c.head = all[max(0, len(all)-sampleRing):], 0
}
