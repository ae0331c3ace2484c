package city

import (
	"context"
	"time"
)

// How a city yields to other work on its machine.
const (
	calmAfter = 10 * time.Second       // without a late timer the machine counts as calm
	holdEvery = 100 * time.Millisecond // between two looks at whether a request may go on
)

// hold holds a request back while this machine lags and many riders wait for a driver: a
// server that gets more requests than its share of the processor can match does less and
// less for each of them. It returns when the request is due now, and false when ctx ends
// first.
func (c *City) hold(ctx context.Context, due time.Time) (time.Time, bool) {
	if c.cfg.Yield <= 0 {
		return due, true
	}
	for c.crowded() {
		c.holding.Do(func() {
			c.cfg.Log.Warn("this machine is too busy: requests are held back until it catches up", "riders_waiting", c.waiting())
		})
		if !wait(ctx, time.Now().Add(holdEvery)) {
			return due, false
		}
	}
	if now := time.Now(); due.Before(now) {
		c.Stats.Held.Add(1)
		due = now
	}
	return due, true
}

// crowded reports whether requests are to be held back now.
func (c *City) crowded() bool {
	return c.waiting() >= c.cfg.Yield && c.probe.lagged(time.Now(), calmAfter)
}

// waiting is how many riders want a ride and have no driver yet.
func (c *City) waiting() int { return c.pool.busy() - int(c.Stats.Riding.Load()) }

// calm takes work from a machine that lags as the city ends: riders who have no driver
// cancel, and drivers send no more positions. What the server still has to say gets through.
func (c *City) calm() {
	c.silent.Store(true)
	for _, r := range c.pool.everybody() {
		r.leave()
	}
}
