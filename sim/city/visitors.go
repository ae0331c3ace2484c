package city

import (
	"context"
	"time"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride/ridepb"
	"github.com/hexhail/hexhail/sim/demand"
)

// Visitors are real people who ride and drive among the simulated ones. The city runs faster than
// they can read, so it is patient with them: its drivers drive them more slowly and let them answer
// offers first, and its riders wait for them. docs/simulation.md describes how. The functions are
// called from many goroutines.
type Visitors struct {
	// Near reports whether a visitor who waits for offers of a vehicle class is near a
	// point. Drivers of the city then answer an offer late in its life.
	Near func(class string, at geo.Point) bool
	// PIN returns the PIN that the visiting rider of a trip tells the driver at the kerb; empty if
	// unknown.
	PIN func(trip string) string
	// Calls are requests for visitors who drive: a rider of the city makes each of them at once,
	// regardless of its time. A call is dropped if no rider is free.
	Calls <-chan demand.Request
	// Speed is the number of simulated seconds per real second for a simulated driver with a
	// visitor: more if the drive would take too long, but never more than the city's speed.
	Speed float64
}

// The city's patience with visitors, in real time.
const (
	// searchTime is how long a visitor sees the search.
	searchTime = 2500 * time.Millisecond
	// pickupTime and rideTime are how long a visitor waits for the car, and rides in it, before the
	// driver exceeds the visitors' speed.
	pickupTime = 12 * time.Second
	rideTime   = 45 * time.Second
	// kerbTime is how long a driver waits for a visitor to notice the car and the PIN.
	kerbTime = 6 * time.Second
	// callPatience is how long a rider waits whose request is for a visitor.
	callPatience = 90 * time.Second
	// courtesy is the share of an offer's life that is left to a visitor nearby.
	courtesy = 2.0 / 3
)

// visitor reports whether an account is not one of the city's.
func (c *City) visitor(account string) bool {
	if c.cfg.Visitors == nil || account == "" {
		return false
	}
	_, own := c.own.Load(account)
	return !own
}

// near reports whether a visitor near a point waits for offers of a vehicle class.
func (c *City) near(class string, at geo.Point) bool {
	v := c.cfg.Visitors
	return v != nil && v.Near != nil && v.Near(class, at)
}

// courteous is how long a driver leaves an offer unanswered: most of its life if a visitor could
// get it, a moment if it is a visitor's request, and otherwise not at all.
func (c *City) courteous(o *ridepb.Offer, skew time.Duration) time.Duration {
	if c.cfg.Visitors == nil {
		return 0
	}
	left := time.Until(o.GetExpiresAt().AsTime().Add(skew))
	most := max(time.Duration(courtesy*float64(left)), 0)
	switch {
	case c.near(o.GetVehicleClass(), fromPB(o.GetPickupArea())):
		return most
	case !c.book.ours(o.GetTripId()):
		return min(searchTime, most)
	}
	return 0
}

// pace is how many times slower than usual a driver drives a visitor. way is the drive's simulated
// time, within the real time that it should not exceed by much.
func (c *City) pace(way, within time.Duration) float64 {
	if c.cfg.Visitors.Speed <= 0 {
		return 1
	}
	slow := c.cfg.Speed / c.cfg.Visitors.Speed
	return max(min(slow, within.Seconds()/max(c.clock.real(way).Seconds(), 1e-9)), 1)
}

// saidPIN is the PIN that a visiting rider tells the driver.
func (c *City) saidPIN(trip string) string {
	if c.cfg.Visitors.PIN == nil {
		return ""
	}
	return c.cfg.Visitors.PIN(trip)
}

// hearCalls lets riders make the requests that are for visitors.
func (c *City) hearCalls(ctx context.Context) {
	if c.cfg.Visitors == nil {
		return
	}
	for {
		select {
		case q := <-c.cfg.Visitors.Calls:
			c.call(q)
		case <-ctx.Done():
			return
		}
	}
}

// call lets a free rider make a request that waits for a visitor in real time, and
// does not change its mind.
func (c *City) call(q demand.Request) {
	r := c.pool.get()
	if r == nil {
		c.Stats.Error("sim_no_rider")
		return
	}
	plan := c.will.Request(q.ID)
	plan.Patience = time.Duration(float64(callPatience) * c.cfg.Speed)
	plan.CancelAfter = 0
	r.take(&wish{Request: q, due: time.Now(), plan: plan})
}
