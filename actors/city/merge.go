package city

import (
	"slices"

	"github.com/hexhail/hexhail/ride/ridepb"
)

// Merge makes one watch of those of several nodes. It keeps what each node has sent, and what the
// reader was sent last; the difference is the next part. A driver or a trip that two nodes have for a
// moment is one. It is owned by its operator's actor.
type Merge struct {
	number uint32
	nodes  map[string]*mergedNode
	begun  bool
	steps  uint64 // counts what was taken

	drivers map[string]*mergedDriver
	trips   map[string]*mergedTrip
	cells   map[string]*mergedCell
	// What differs from what the reader was sent, in the order of its change, each once.
	newDrivers queue[*mergedDriver]
	newTrips   queue[*mergedTrip]
	newCells   queue[*mergedCell]

	keys     uint32   // given out so far
	freeKeys []uint32 // of drivers who are gone
	doubles  int      // drivers that several nodes have

	totals  *ridepb.CityTotals // as sent
	actors  bool               // there is news of the actors
	samples []*ridepb.Sample
	list    *ridepb.CityNodes
}

// mergedNode is what one node has sent. What has an older snapshot than the node goes when the
// snapshot ends.
type mergedNode struct {
	snapshot uint64
	begun    bool // a snapshot is under way
	drivers  map[uint32]*heldDriver
	trips    map[string]uint64 // the snapshot of each
	cells    map[string]*heldCell
	totals   *ridepb.CityTotals
	actors   []*ridepb.ActorKind
}

// mergedDriver is a driver, with the key that it has for the reader; 0: it has not been sent.
type mergedDriver struct {
	id     string
	key    uint32
	held   []*heldDriver // by each node that has it
	sent   *heldDriver   // which of them the reader saw
	whole  bool          // more than the position is new
	queued bool
}

// heldDriver is a driver as one node has it.
type heldDriver struct {
	of       *mergedDriver
	shown    *ridepb.CityDriver // of its own: its position changes
	snapshot uint64
	at       uint64 // the step of the last whole entry
}

type mergedTrip struct {
	id     string
	shown  *ridepb.CityTrip // the newest version
	sent   bool
	holds  int // nodes that have it
	queued bool
}

type mergedCell struct {
	id     string
	held   map[string]*heldCell
	sent   *ridepb.CityCell // nil: it has not been sent
	queued bool
}

type heldCell struct {
	shown    *ridepb.CityCell
	snapshot uint64
}

// queue holds what has changed.
type queue[T any] struct{ waiting []T }

// NewMerge makes a merge; the number identifies it to its reader.
func NewMerge(number uint32) *Merge {
	return &Merge{
		number: number, nodes: make(map[string]*mergedNode),
		drivers: make(map[string]*mergedDriver), trips: make(map[string]*mergedTrip), cells: make(map[string]*mergedCell),
	}
}

// SetNodes gives the reader a new list of the nodes.
func (m *Merge) SetNodes(list *ridepb.CityNodes) { m.list = list }

// Take takes a part that a node sent. more says that the node has another one ready.
func (m *Merge) Take(node string, part *ridepb.CityChanged, more bool) {
	m.steps++
	n := m.nodes[node]
	if n == nil {
		n = &mergedNode{drivers: make(map[uint32]*heldDriver), trips: make(map[string]uint64), cells: make(map[string]*heldCell)}
		m.nodes[node] = n
	}
	if part.GetReset_() {
		n.snapshot, n.begun = m.steps, true
	}
	for _, key := range part.GetDriversGone() {
		m.letGo(n, key)
	}
	for _, d := range part.GetDrivers() {
		m.takeDriver(n, d)
	}
	for _, move := range part.GetMoves() {
		m.takeMove(n, move)
	}
	for _, t := range part.GetTrips() {
		m.takeTrip(n, t)
	}
	for _, id := range part.GetTripsGone() {
		m.letTripGo(n, id)
	}
	for _, c := range part.GetCells() {
		m.takeCell(node, n, c)
	}
	for _, id := range part.GetCellsGone() {
		m.letCellGo(node, n, id)
	}
	if part.GetTotals() != nil {
		n.totals = part.GetTotals()
	}
	if len(part.GetActors()) > 0 {
		n.actors = part.GetActors()
	}
	m.samples = append(m.samples, part.GetSamples()...)
	if n.begun && !more {
		n.begun = false
		m.sweep(node, n, n.snapshot)
	}
}

// ShowActors sends the reader the actors of all nodes with the next part.
func (m *Merge) ShowActors() { m.actors = true }

// Drop forgets what a node has sent.
func (m *Merge) Drop(node string) {
	if n := m.nodes[node]; n != nil {
		m.sweep(node, n, m.steps+1)
		delete(m.nodes, node)
	}
}

// sweep lets go what a node has not sent since the beginning of a snapshot.
func (m *Merge) sweep(node string, n *mergedNode, snapshot uint64) {
	for key, d := range n.drivers {
		if d.snapshot < snapshot {
			m.letGo(n, key)
		}
	}
	for id, is := range n.trips {
		if is < snapshot {
			m.letTripGo(n, id)
		}
	}
	for id, c := range n.cells {
		if c.snapshot < snapshot {
			m.letCellGo(node, n, id)
		}
	}
}

func (m *Merge) takeDriver(n *mergedNode, d *ridepb.CityDriver) {
	held := n.drivers[d.GetKey()]
	if held != nil && held.of.id != d.GetId() { // the key has another driver
		m.letGo(n, d.GetKey())
		held = nil
	}
	if held == nil {
		is := m.drivers[d.GetId()]
		if is == nil {
			is = &mergedDriver{id: d.GetId()}
			m.drivers[is.id] = is
		}
		held = &heldDriver{of: is}
		if is.held = append(is.held, held); len(is.held) == 2 {
			m.doubles++
		}
		n.drivers[d.GetKey()] = held
	}
	held.shown, held.snapshot, held.at, held.of.whole = d, n.snapshot, m.steps, true
	m.driverChanged(held.of)
}

func (m *Merge) takeMove(n *mergedNode, move *ridepb.CityMove) {
	held := n.drivers[move.GetKey()]
	if held == nil {
		return
	}
	held.shown.Point, held.shown.HeadingDeg = move.GetPoint(), move.GetHeadingDeg()
	if held.of.best() == held {
		m.driverChanged(held.of)
	}
}

// letGo takes a driver out of a node.
func (m *Merge) letGo(n *mergedNode, key uint32) {
	held := n.drivers[key]
	if held == nil {
		return
	}
	delete(n.drivers, key)
	is := held.of
	is.held = slices.DeleteFunc(is.held, func(h *heldDriver) bool { return h == held })
	if len(is.held) == 1 {
		m.doubles--
	}
	m.driverChanged(is)
}

func (m *Merge) driverChanged(d *mergedDriver) {
	if !d.queued {
		d.queued = true
		m.newDrivers.waiting = append(m.newDrivers.waiting, d)
	}
}

// best is the driver as the node has it on which it is; nil: on none. A driver who has moved to
// another node is unreachable on the former one, until that forgets it.
func (d *mergedDriver) best() (best *heldDriver) {
	for _, h := range d.held {
		if best == nil {
			best = h
			continue
		}
		away, was := h.shown.GetState() == ridepb.CityDriver_unreachable, best.shown.GetState() == ridepb.CityDriver_unreachable
		if away != was && was || away == was && h.at > best.at {
			best = h
		}
	}
	return best
}

func (m *Merge) takeTrip(n *mergedNode, t *ridepb.CityTrip) {
	is := m.trips[t.GetId()]
	if is == nil {
		is = &mergedTrip{id: t.GetId()}
		m.trips[is.id] = is
	}
	if _, had := n.trips[is.id]; !had {
		is.holds++
	}
	n.trips[is.id] = n.snapshot
	if is.shown == nil || t.GetVersion() > is.shown.GetVersion() {
		is.shown = t
		m.tripChanged(is)
	}
}

func (m *Merge) letTripGo(n *mergedNode, id string) {
	if _, had := n.trips[id]; !had {
		return
	}
	delete(n.trips, id)
	is := m.trips[id]
	if is.holds--; is.holds == 0 {
		m.tripChanged(is)
	}
}

func (m *Merge) tripChanged(t *mergedTrip) {
	if !t.queued {
		t.queued = true
		m.newTrips.waiting = append(m.newTrips.waiting, t)
	}
}

func (m *Merge) takeCell(node string, n *mergedNode, c *ridepb.CityCell) {
	is := m.cells[c.GetCell()]
	if is == nil {
		is = &mergedCell{id: c.GetCell(), held: make(map[string]*heldCell)}
		m.cells[is.id] = is
	}
	held := &heldCell{c, n.snapshot}
	is.held[node], n.cells[is.id] = held, held
	m.cellChanged(is)
}

func (m *Merge) letCellGo(node string, n *mergedNode, id string) {
	if n.cells[id] == nil {
		return
	}
	delete(n.cells, id)
	is := m.cells[id]
	delete(is.held, node)
	m.cellChanged(is)
}

func (m *Merge) cellChanged(c *mergedCell) {
	if !c.queued {
		c.queued = true
		m.newCells.waiting = append(m.newCells.waiting, c)
	}
}

// sum adds up what the nodes have of a cell; nil: nothing. The mean wait is weighed by requests.
func (c *mergedCell) sum() *ridepb.CityCell {
	if len(c.held) == 0 {
		return nil
	}
	out := &ridepb.CityCell{Cell: c.id}
	var waited, weights float32
	for _, h := range c.held {
		is := h.shown
		out.Supply += is.GetSupply()
		out.Demand += is.GetDemand()
		out.Requests += is.GetRequests()
		if is.GetMeanWaitS() > 0 {
			weight := float32(max(is.GetRequests(), is.GetDemand(), 1))
			waited += weight * is.GetMeanWaitS()
			weights += weight
		}
	}
	if weights > 0 {
		out.MeanWaitS = float32(int(waited/weights*10+0.5)) / 10
	}
	return out
}
