package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/hexhail/hexhail/geo"
)

// cells is this node's directory of occupied cells. A driver's actor enters a cell before it sends
// to it and leaves it after its last message, so a cell's actor lives exactly as long as a driver
// may send to it. Safe for concurrent use.
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

// EnterCell returns the actor of a cell and counts the caller in.
func (c *cells) EnterCell(cell geo.Cell) *actor.PID {
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

// LeaveCell counts the caller out; the last one stops the actor once it has handled its mailbox.
func (c *cells) LeaveCell(cell geo.Cell) {
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

// Cells returns the actors of those cells that hold drivers.
func (c *cells) Cells(disk []geo.Cell) (out []*actor.PID) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, cell := range disk {
		if ref := c.by[cell]; ref != nil {
			out = append(out, ref.pid)
		}
	}
	return out
}

// CellsHere is the number of occupied cells.
func (c *cells) CellsHere() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.by)
}
