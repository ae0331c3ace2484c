package check

import "time"

// How long the checker remembers what has been judged, on the clock of the records. Nothing
// is told of an ended trip ten minutes later but ratings, which break no promise here.
const (
	keepEnded = 10 * time.Minute
	keepTrip  = 24 * time.Hour // of which nobody has heard anything, ended or not
	keepWords = 256            // answers of one client, the newest
	sweepEach = time.Minute
)

// sweep forgets trips that have ended and were judged, and judges what can no longer come.
func (c *Checker) sweep(now int64) {
	if now-c.swept < int64(sweepEach) {
		return
	}
	c.swept = now
	for who, k := range c.clients {
		for offer, expires := range k.open {
			if c.overdue(k, expires, now-int64(keepEnded)) {
				c.violated(OneEnd, "%s was never told that offer %s ended", who, offer)
				delete(k.open, offer)
			}
		}
	}
	for id, t := range c.trips {
		old := now - t.at
		if old > int64(keepTrip) || (old > int64(keepEnded) && t.over()) {
			delete(c.trips, id)
		}
	}
}

// over reports whether a trip has ended, as far as anybody was told.
func (t *told) over() bool { return len(t.facts) > 0 && !live(t.facts[len(t.facts)-1].status) }

// Retained is how much the checker remembers: trips and what was told of them, offers and
// answers. It is for those who watch its memory.
func (c *Checker) Retained() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.lags.spans)
	for _, t := range c.trips {
		n += 1 + len(t.facts) + len(t.offers) + len(t.ended) + len(t.versions)
	}
	for _, k := range c.clients {
		n += 1 + len(k.open) + len(k.answers)
	}
	return n
}
