package city

import (
	"context"
	"sync"
	"time"

	"github.com/hexhail/hexhail/sim/check"
)

// probeEvery is the probe's interval.
const probeEvery = 50 * time.Millisecond

// probe is an otherwise idle timer beside the city: if it fires late, so does everything in this
// process. The zero value is ready to use.
type probe struct {
	mu  sync.Mutex
	due time.Time // of the next look; zero: it has not begun
	lag time.Time // when the timer was last late; zero: never
}

// look returns how late the timer is at now, if that is long enough to count, and schedules the
// next look.
func (p *probe) look(now time.Time, fired bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	lag := now.Sub(p.due)
	counts := !p.due.IsZero() && lag > check.Lagging
	if counts || fired {
		p.due = now.Add(probeEvery)
	}
	if !counts {
		return 0
	}
	p.lag = now
	return lag
}

// lagged reports whether the timer was late in the time before a moment.
func (p *probe) lagged(now time.Time, within time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.lag.IsZero() && now.Sub(p.lag) <= within
}

// watchTimer lets the probe look until ctx ends.
func (c *City) watchTimer(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		c.note(time.Now(), true)
		t.Reset(probeEvery)
	}
}

// lagged checks the probe between its ticks: a client may be late because this process is, before
// the timer has fired.
func (c *City) lagged(now time.Time) { c.note(now, false) }

func (c *City) note(now time.Time, fired bool) {
	if lag := c.probe.look(now, fired); lag > 0 {
		c.judge(check.Record{What: check.Lagged, At: c.since(now), Lag: int64(lag)})
	}
}
