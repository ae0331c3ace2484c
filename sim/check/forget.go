package check

import "time"

// How long the checker remembers what has been judged, on the records' clock. Ten minutes after a
// trip's end only ratings arrive, which break no promise here.
const (
	keepEnded = 10 * time.Minute
	keepTrip  = 24 * time.Hour // without any record, ended or not
	keepWords = 256            // the newest answers of one client
	sweepEach = time.Minute
)

// sweep forgets trips that have ended and were judged, and judges what can no longer arrive.
func (c *Checker) sweep(now int64) {
	if now-c.swept < int64(sweepEach) {
		return
	}
	c.swept = now
	for who, k := range c.clients {
		for offer, expires := range k.open {
			if c.overdue(k, expires, now-int64(keepEnded)) {
				c.violated(OneEnd, "%s never received the end of offer %s", who, offer)
				delete(k.open, offer)
			}
		}
	}
	for id, t := range c.trips {
		old := now - t.at
		if old > int64(keepTrip) || (old > int64(keepEnded) && t.over()) {
			c.forget(id, t, now)
		}
	}
}

// forget judges what the parties of a trip still have to receive, and forgets the trip.
func (c *Checker) forget(id string, t *told, now int64) {
	for k := range t.parties {
		c.outdated(k, id, now)
		delete(k.own, id)
	}
	delete(c.trips, id)
	delete(c.search.trips, id)
}

// over reports whether any client has seen the trip's end.
func (t *told) over() bool { return len(t.facts) > 0 && !live(t.facts[len(t.facts)-1].status) }

// Retained is how much the checker remembers: trips and their records, offers and answers. It lets
// callers watch its memory.
func (c *Checker) Retained() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.lags.spans) + len(c.faults.spans)
	for _, t := range c.trips {
		n += 1 + len(t.facts) + len(t.offers) + len(t.closed) + len(t.parties) + len(t.asked)
	}
	for _, k := range c.clients {
		n += 1 + len(k.open) + len(k.own) + len(k.calls) + len(k.answers) + len(k.free.places)
	}
	return n
}
