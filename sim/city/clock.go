package city

import (
	"sync/atomic"
	"time"
)

// clock is simulated time. It stands at 0 until it is started.
type clock struct {
	speed float64
	start atomic.Pointer[time.Time]
}

func (c *clock) begin(at time.Time) { c.start.Store(&at) }

// at is the simulated time at a real time.
func (c *clock) at(t time.Time) time.Duration {
	start := c.start.Load()
	if start == nil {
		return 0
	}
	return time.Duration(max(float64(t.Sub(*start)), 0) * c.speed)
}

func (c *clock) now() time.Duration { return c.at(time.Now()) }

// when is the real time of a simulated time; the clock must have been started.
func (c *clock) when(sim time.Duration) time.Time { return c.start.Load().Add(c.real(sim)) }

// real is the real duration of a simulated one.
func (c *clock) real(sim time.Duration) time.Duration { return time.Duration(float64(sim) / c.speed) }
