package actors

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

// cellActor knows which drivers are available in one H3 cell of this node. It never
// blocks and keeps nothing but what its drivers told it: each driver's actor puts
// itself in and takes itself out.
type cellActor struct {
	drivers map[ride.AccountID]*cellPut
}

func (c *cellActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case cellPut:
		c.drivers[m.Driver] = &m
	case cellDrop:
		delete(c.drivers, m.Driver)
	case cellFind:
		if time.Now().After(m.Until) {
			return
		}
		ctx.Respond(cellFound{Search: m.Search, Drivers: c.find(m)})
	}
}

// Recovered keeps the drivers: every message changes at most one entry, whole.
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

// find returns at most m.Limit drivers: by id for a coarse search, else those with fewer open offers first, then the
// nearer by the great circle. It keeps the best while it looks instead of sorting all:
// where thousands ask one full cell at once, this decides how many are answered in time.
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

// cells is this node's directory of occupied cells. A driver's actor enters a cell
// before it sends to it and leaves it after its last message, so a cell's actor lives
// exactly as long as somebody may write to it. Safe for concurrent use.
type cells struct {
	spawn func(cell geo.Cell) *actor.PID
	stop  func(pid *actor.PID)

	mu sync.RWMutex
	by map[geo.Cell]*cellRef
}

type cellRef struct {
	pid     *actor.PID
	drivers int
}

// enter returns the actor of a cell and counts the caller in.
func (c *cells) enter(cell geo.Cell) *actor.PID {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref := c.by[cell]
	if ref == nil {
		ref = &cellRef{pid: c.spawn(cell)}
		c.by[cell] = ref
	}
	ref.drivers++
	return ref.pid
}

// leave counts the caller out; the last one out stops the actor once it has read
// what was sent to it.
func (c *cells) leave(cell geo.Cell) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref := c.by[cell]
	if ref == nil {
		return
	}
	if ref.drivers--; ref.drivers == 0 {
		delete(c.by, cell)
		c.stop(ref.pid)
	}
}

// occupied appends the actors of those cells that hold drivers.
func (c *cells) occupied(disk []geo.Cell, out []*actor.PID) []*actor.PID {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, cell := range disk {
		if ref := c.by[cell]; ref != nil {
			out = append(out, ref.pid)
		}
	}
	return out
}

// count is the number of occupied cells.
func (c *cells) count() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.by)
}
