package check

import (
	"time"

	"github.com/hexhail/hexhail/geo"
)

// Reach is what servers promise about their searches. All drivers must be of the class that riders want.
type Reach struct {
	// RadiusM is a distance, in metres, at which a driver is within the disk of the first wave.
	RadiusM float64 `json:"radius_m"`
	// Within is the time in which such a driver is offered a request.
	Within time.Duration `json:"within_ns"`
	// Offers is the most offers of one trip that are open at once. With 1, one driver is asked after the other: the
	// others' time counts while clients know of no open offer.
	Offers int `json:"offers"`
	// Settle is how long after a fault the nodes may take to know of each other's drivers again.
	Settle time.Duration `json:"settle_ns"`
}

// The driver's positions that count.
const (
	keepPlaces = 16
	freshPlace = 3 * time.Second        // the age at which a position says nothing
	searchEach = 100 * time.Millisecond // between two looks at all searches
)

// searches are the searches under way, judged by L2: a driver who is free near a pickup is offered
// the request in time.
type searches struct {
	reach  *Reach // nil: they are not judged
	trips  map[string]*told
	looked int64
}

// hunt is the search for a driver of one trip.
type hunt struct {
	pickup geo.Point
	since  int64 // when it began; 0: the trip has a driver
	asking bool  // clients know of an open offer
	room   int64 // since when they know of none
}

// note keeps since when the search has room for the next driver.
func (h *hunt) note(asking bool, now int64) {
	if asking || h.asking {
		h.room = now
	}
	h.asking = asking
}

// freedom says since when a driver is free, and where it was.
type freedom struct {
	online  bool
	since   int64 // 0: the driver is not free
	places  []place
	pickups map[string]geo.Point // of a rider's unanswered requests
}

type place struct {
	at    int64
	point geo.Point
}

func (f *freedom) placed(r Record) {
	f.places = append(f.places[max(0, len(f.places)-keepPlaces+1):], place{r.At, geo.Point{Lat: r.Lat, Lng: r.Lng}})
}

// called notes where a request's pickup is.
func (f *freedom) called(r Record) {
	if r.Op != "request" || (r.Lat == 0 && r.Lng == 0) {
		return
	}
	if f.pickups == nil {
		f.pickups = make(map[string]geo.Point)
	}
	f.pickups[r.ID] = geo.Point{Lat: r.Lat, Lng: r.Lng}
}

// near reports whether all positions of a window, and the last one before it, are within a distance
// of a point, and none is missing.
func (f *freedom) near(p geo.Point, radiusM float64, from, to int64) bool {
	last := int64(0)
	for i, x := range f.places {
		if (i+1 < len(f.places) && f.places[i+1].at <= from) || x.at > to {
			continue
		}
		if (last == 0 && x.at > from) || (last > 0 && x.at-last > int64(freshPlace)) || geo.DistanceM(x.point, p) > radiusM {
			return false
		}
		last = x.at
	}
	return last > 0 && to-last <= int64(freshPlace)
}

// searched keeps the searches after a record, and judges those that are due.
func (c *Checker) searched(r Record) {
	reach := c.search.reach
	if reach == nil {
		return
	}
	if k := c.clients[r.Who]; r.Who != "" && k != nil {
		c.begun(k, r)
		k.release(r)
	}
	if t := c.trips[r.Trip]; r.Trip != "" && t != nil && t.hunt != nil {
		c.progressed(t, r)
	}
	if r.At-c.search.looked >= int64(searchEach) {
		c.search.looked = r.At
		c.lookAround(r.At)
	}
}

// lookAround judges all searches. Where clients know of many open offers, the trip may have no room
// for more.
func (c *Checker) lookAround(now int64) {
	reach := c.search.reach
	for id, t := range c.search.trips {
		t.hunt.note(t.openOffers() > 0, now)
		if 2*t.openOffers() > reach.Offers {
			continue
		}
		for _, k := range c.waiting(t, now) {
			c.missed(k, t, now, "was free for %s near the pickup of trip %s, and was not offered it", reach.Within, id)
		}
	}
}

// begun begins a search, and notes whom it asks.
func (c *Checker) begun(k *seen, r Record) {
	switch r.What {
	case Return:
		p, ok := k.free.pickups[r.ID]
		delete(k.free.pickups, r.ID)
		if t := c.trips[r.Trip]; ok && r.Code == "" && t != nil && t.hunt == nil {
			t.hunt = &hunt{pickup: p}
		}
	case Connected:
		for _, o := range r.Open {
			c.trip(tripOf(o), r.At).ask(k)
		}
	case Offered:
		t := c.trip(r.Trip, r.At)
		switch {
		case t.hunt == nil || t.asked[k]:
		case c.unfound(k, t, r.At):
			c.missed(k, t, r.At, "was free for %s near the pickup of trip %s, and was offered it later", c.search.reach.Within, r.Trip)
		case c.found(k, t, r.At):
			c.met[DriverFound]++
		}
		t.ask(k)
	}
}

// ask notes that a driver was offered the trip.
func (t *told) ask(k *seen) {
	if t.asked == nil {
		t.asked = make(map[*seen]bool)
	}
	t.asked[k] = true
}

// found reports whether a driver had to be found at a moment.
func (c *Checker) found(k *seen, t *told, now int64) bool {
	since := c.freeSince(k, t.hunt, now)
	reach := c.search.reach
	return since > 0 && since <= now && k.free.near(t.hunt.pickup, reach.RadiusM, max(since, now-int64(reach.Within)), now)
}

// release notes since when a driver is free.
func (k *seen) release(r Record) {
	f := &k.free
	switch {
	case r.What == Connected:
		f.online, f.since = r.Online, 0
	case r.What == Return && r.Code == "" && r.Op == "online":
		f.online = true
	case r.What == Return && r.Op == "offline", r.What == Lost:
		f.online = false
	}
	free := k.role == "driver" && k.connected && f.online && k.seq >= k.replayTo && len(k.open) == 0 && len(k.own) == 0 && len(k.calls) == 0
	switch {
	case !free:
		f.since = 0
	case f.since == 0:
		f.since = max(r.At, 1)
	}
}

// progressed notes what a record says about a trip's search.
func (c *Checker) progressed(t *told, r Record) {
	if len(t.facts) == 0 {
		return
	}
	h := t.hunt
	h.note(t.openOffers() > 0, r.At)
	switch status := t.facts[len(t.facts)-1].status; {
	case status == requested && h.since == 0:
		h.since = max(r.At, 1)
		c.search.trips[r.Trip] = t
	case status != requested && h.since > 0:
		if status == expired {
			for _, k := range c.waiting(t, r.At) {
				c.missed(k, t, r.At, "was free for %s near the pickup of trip %s, which expired", c.search.reach.Within, r.Trip)
			}
		}
		h.since = 0
		delete(c.search.trips, r.Trip)
	}
	if !live(t.facts[len(t.facts)-1].status) {
		t.hunt = nil
	}
}

// freeSince is when a driver's time counts from in which it should be offered a trip; 0: it is not
// free.
func (c *Checker) freeSince(k *seen, h *hunt, now int64) int64 {
	if k.free.since == 0 || h.since == 0 {
		return 0
	}
	since := max(k.free.since, h.since)
	if c.search.reach.Offers == 1 {
		if since = max(since, h.room); h.asking {
			since = now
		}
	}
	settle := int64(c.search.reach.Settle)
	if c.faults.touch(since-settle, now) {
		since = max(since, c.faults.after(since-settle, now)+settle)
	}
	return since
}

// unfound reports whether a driver should have been offered a trip by now and was not. A lag of less than
// Lagging is not seen.
func (c *Checker) unfound(k *seen, t *told, now int64) bool {
	within := int64(c.search.reach.Within + Lagging)
	since := c.freeSince(k, t.hunt, now)
	return since > 0 && !t.asked[k] && now-since > within && k.free.near(t.hunt.pickup, c.search.reach.RadiusM, now-within, now)
}

// waiting are all such drivers.
func (c *Checker) waiting(t *told, now int64) (out []*seen) {
	for _, k := range c.clients {
		if c.unfound(k, t, now) {
			out = append(out, k)
		}
	}
	return out
}

// missed judges a driver who was not offered a trip, once.
func (c *Checker) missed(k *seen, t *told, now int64, format string, args ...any) {
	since := c.freeSince(k, t.hunt, now)
	t.ask(k)
	if c.lags.near(since, now) {
		c.late[DriverFound]++
		return
	}
	c.violated(DriverFound, k.name+" "+format, args...)
}

// openOffers counts the offers of a trip whose end has not arrived, by the clients that saw them.
func (t *told) openOffers() (n int) {
	for _, o := range t.offers {
		if _, open := o.to.open[o.offer]; open {
			n++
		}
	}
	return n
}
