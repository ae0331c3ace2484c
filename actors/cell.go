package actors

import (
	"cmp"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// cellActor knows which drivers are available in one H3 cell of this node. It never blocks and
// holds only what its drivers have sent: each driver's actor adds and removes itself.
type cellActor struct {
	drivers map[ride.AccountID]*cellPut
}

func (c *cellActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case cellPut:
		if !c.holdsNewer(m.Driver, m.Generation) {
			c.drivers[m.Driver] = &m
		}
	case cellDrop:
		if !c.holdsNewer(m.Driver, m.Generation) {
			delete(c.drivers, m.Driver)
		}
	case cellFind:
		if time.Now().After(m.Until) {
			return
		}
		ctx.Respond(cellFound{Search: m.Search, Drivers: c.find(m)})
	}
}

// holdsNewer reports whether the driver is here through an actor of a higher generation.
func (c *cellActor) holdsNewer(driver ride.AccountID, generation uint64) bool {
	is := c.drivers[driver]
	return is != nil && is.Generation > generation
}

// Recovered keeps the drivers: a message replaces or removes at most one entry.
func (c *cellActor) Recovered(actor.Context) {}

// nearby is a driver with its great-circle distance to a pickup's area, in metres.
type nearby struct {
	*cellPut
	load     int
	distance float64
}

func (a nearby) compare(b nearby) int {
	if c := cmp.Compare(a.load, b.load); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.Driver, b.Driver))
}

// find returns at most m.Limit drivers: by id for a coarse search, otherwise by fewest open offers
// and then by great-circle distance. It keeps the best so far instead of sorting all: when
// thousands of searches hit one full cell, that decides how many are answered in time.
func (c *cellActor) find(m cellFind) []cellPut {
	room := min(len(c.drivers), m.Limit)
	if room <= 0 {
		return nil
	}
	best := make([]nearby, 0, room)
	for _, d := range c.drivers {
		full := len(best) == room
		if full && !m.Coarse && d.Load > best[room-1].Load {
			continue
		}
		n := nearby{cellPut: d}
		if !m.Coarse {
			n.load, n.distance = d.Load, geo.DistanceM(d.Point, m.Pickup)
		}
		if full {
			if n.compare(best[room-1]) > 0 {
				continue
			}
			best = best[:room-1]
		}
		at, _ := slices.BinarySearchFunc(best, n, nearby.compare)
		best = slices.Insert(best, at, n)
	}
	out := make([]cellPut, len(best))
	for i, n := range best {
		out[i] = *n.cellPut
	}
	return out
}
